// scheduler_file.c - see scheduler_file.h
//
// A SchedulerKind that a shared object brings along. It lies in the object's own memory, which stays where it is until
// the program ends.
// Read next: my_scheduler.h, what the object exports.

#include "schedulers/scheduler_file.h"

#include "base/plugin.h"
#include "schedulers/my_scheduler.h"

static const char SYMBOL[] = "sculpt_scheduler";

static const SchedulerTools TOOLS = {.error_set = error_set,
                                     .reserve = scheduler_reserve,
                                     .take_timesteps = scheduler_take_timesteps,
                                     .take_sigmas = scheduler_take_sigmas,
                                     .sigma_at = sigma_at,
                                     .timestep_of_sigma = timestep_of_sigma,
                                     .history_open = history_open,
                                     .history_close = history_close,
                                     .history_row = history_row,
                                     .history_push = history_push};

// What the object leaves out, from a scheduler of ours that keeps its latents in the same coordinates
static void complete(SchedulerKind *kind, const SchedulerKind *from) {
    if (!kind->class_name) kind->class_name = "a scheduler from outside";
    if (!kind->about) kind->about = "a scheduler from outside";
    if (!kind->paper) kind->paper = "";
    if (kind->order == 0) kind->order = from->order;
    if (kind->unet_calls_per_step == 0) kind->unet_calls_per_step = from->unet_calls_per_step;
    if (kind->defaults.num_train_timesteps == 0) kind->defaults = from->defaults;
    if (!kind->settings) kind->settings = from->settings;
    if (!kind->fixed_settings) kind->fixed_settings = from->fixed_settings;
    if (!kind->set_timesteps) kind->set_timesteps = from->set_timesteps;
    if (!kind->scale_model_input) kind->scale_model_input = from->scale_model_input;
    if (!kind->draws_noise) kind->draws_noise = from->draws_noise;
    if (!kind->step) kind->step = from->step;
    if (!kind->add_noise) kind->add_noise = from->add_noise;
}

bool scheduler_load(const char *name, Error *error) {
    if (!plugin_is_file(name)) return true;
    SchedulerPlugin *plugin = plugin_load(name, SYMBOL, error);
    if (!plugin) return false;
    if (plugin->abi != SCHEDULER_ABI) {
        return error_set(error,
                         "%.300s: was compiled for schedulers of version %d, and these are version %d; compile "
                         "it anew",
                         name, plugin->abi, SCHEDULER_ABI);
    }
    plugin->tools = &TOOLS;
    plugin->kind.name = plugin_path(plugin);
    complete(&plugin->kind, plugin->kind.variance_preserving ? &ddim_kind : &euler_kind);
    return true;
}

const SchedulerKind *scheduler_loaded(const char *path) {
    const SchedulerPlugin *plugin = plugin_find(path, SYMBOL);
    return plugin && plugin->tools ? &plugin->kind : NULL;
}
