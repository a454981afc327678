// copy.c - what if? A run copied at step k, and a run that goes on under other settings
//
// Where: between two steps. The viewer's grids come from it: the same first steps, then another guidance, prompt or
// scheduler, and everything that differs in the end is due to that.

#include "run/run.h"

#include "base/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- copy -----------------------------------------------------------------------------------------------------------

static const float *moved(const Run *copy, const Run *run, const float *pointer) {
    return pointer ? copy->memory + (pointer - run->memory) : NULL;
}

// The same places in the copy's own memory
static void copy_latents(Run *copy, const Run *run) {
    memcpy(copy->memory, run->memory, run->memory_count * sizeof *run->memory);
    copy->latents = copy->memory + (run->latents - run->memory);
    copy->other_latents = copy->memory + (run->other_latents - run->memory);
    StepRecord *last = &copy->last;
    last->latents = moved(copy, run, last->latents);
    last->noise_pred_uncond = moved(copy, run, last->noise_pred_uncond);
    last->noise_pred_text = moved(copy, run, last->noise_pred_text);
    last->noise_pred = moved(copy, run, last->noise_pred);
    last->pred_original_sample = moved(copy, run, last->pred_original_sample);
    last->prev_sample = moved(copy, run, last->prev_sample);
}

Run *run_copy(const Run *run, Error *error) {
    Run *copy = malloc(sizeof *copy);
    CHECK(copy, "out of memory");
    *copy = *run;  // numbers, generator, times; whatever is pointed to follows
    copy->ctx = (Context){0};
    copy->prompts = (Prompts){0};
    copy->inpaint = (Inpaint){0};
    copy->deep = (DeepCache){0};
    copy->scheduler = NULL;
    copy->memory = NULL;
    copy->metadata_count = 0;
    atomic_init(&copy->stop, false);

    bool ok = settings_own_strings(&copy->settings, error) && run_take_memory(copy, error) &&
              prompts_copy(&copy->prompts, &run->prompts, run->model, &copy->settings, error) &&
              inpaint_copy(copy, run, error) && deep_cache_copy(copy, run, error) &&
              cost_fits(&copy->settings, run->ctx.arena.capacity, error) &&
              context_open(&copy->ctx, run->ctx.arena.capacity, run->ctx.threads, error);
    if (ok) copy->scheduler = scheduler_copy(run->scheduler);
    if (ok && !copy->scheduler) ok = error_set(error, "copy: no memory for the scheduler; close other programs");
    if (!ok) {
        run_free(copy);
        return NULL;
    }
    copy->ctx.stop = &copy->stop;
    memcpy(copy->ctx.kernels, run->ctx.kernels, sizeof copy->ctx.kernels);
    copy_latents(copy, run);
    run_note_settings(copy);
    return copy;
}

// ---- change ---------------------------------------------------------------------------------------------------------

// What latents of one scheduler are larger by than those of variance 1 at step k
static float excess(const Scheduler *s, size_t k) {
    return s->kind->variance_preserving ? 1 : sqrtf(1 + s->sigmas[k] * s->sigmas[k]);
}

// Among the steps that begin anew: the second half of a step of two evaluations needs the first.
static size_t nearest_step(const Scheduler *s, float timestep) {
    size_t nearest = 0, stride = (size_t)s->kind->unet_calls_per_step;
    for (size_t k = stride; k < s->timestep_count; k += stride) {
        if (fabsf(s->timesteps[k] - timestep) < fabsf(s->timesteps[nearest] - timestep)) nearest = k;
    }
    return nearest;
}

// Puts another scheduler in the old one's place: the latents go through the form of variance 1, which all agree on, and
// the walk goes on at the new timestep nearest to the old; what inpainting keeps gets the noise of just that timestep.
// A run that was finished stays so.
static void change_scheduler(Run *run, Scheduler *scheduler) {
    Scheduler *old = run->scheduler;
    bool finished = run->next == old->timestep_count;
    size_t next = finished ? scheduler->timestep_count : nearest_step(scheduler, old->timesteps[run->next]);
    float scale = finished ? 1 : excess(scheduler, next) / excess(old, run->next);
    for (size_t i = 0; i < run->n; i++) run->latents[i] *= scale;
    run->next = next;
    run->scheduler = scheduler;
    if (inpaint_blends(run) && run->done > 0) inpaint_blend(run, next, run->latents);
    scheduler_free(old);
}

static bool changeable(const Run *run, const Settings *settings, Error *error) {
    const Settings *old = &run->settings;
    if (!settings_check(run->model, settings, error)) return false;
    if (settings->width != old->width || settings->height != old->height) {
        return error_set(error, "change: a run can't change its size from %zux%zu to %zux%zu; begin another",
                         old->width, old->height, settings->width, settings->height);
    }
    if (settings->seed != old->seed) return error_set(error, "change: a run can't change its seed; begin another");
    return true;
}

// Deep features are of use to the same questions about the same prompts, asked in the same rhythm.
static bool keeps_deep_features(const Run *run, const Settings *settings, const Prompts *prompts,
                                const Scheduler *scheduler) {
    const Settings *old = &run->settings;
    size_t numbers = prompts->rows * prompts->length * prompts->width;
    return settings->deep_cache == old->deep_cache && settings->guidance_low == old->guidance_low &&
           settings->guidance_high == old->guidance_high && scheduler_same(run->scheduler, scheduler) &&
           prompts->rows == run->prompts.rows &&
           memcmp(prompts->embeddings, run->prompts.embeddings, numbers * sizeof *prompts->embeddings) == 0;
}

bool run_change(Run *run, const Settings *settings, Error *error) {
    const Kernel *kernels[OP_COUNT], *kernels_before[OP_COUNT];
    Prompts prompts;
    Settings owned = *settings;
    owned.strength = run->settings.strength;  // that is over and done with
    if (!changeable(run, settings, error) || !settings_kernels(settings, kernels, error)) return false;
    if (!run_reserve(run, settings, kernels, error)) return false;

    Scheduler *scheduler = settings_scheduler(run->model, settings, error);
    if (!scheduler) return false;
    memcpy(kernels_before, run->ctx.kernels, sizeof kernels_before);
    memcpy(run->ctx.kernels, kernels, sizeof kernels);  // the arena has room for these, not for the old ones
    bool encoded = prompts_encode(&prompts, &run->ctx, run->model, settings, error);
    DeepCache deep = {0};
    if (!encoded || !deep_cache_take(&deep, run, settings, prompts.rows, error) ||
        !settings_own_strings(&owned, error)) {
        deep_cache_free(&deep);
        if (encoded)
            prompts_free(&prompts);
        else
            atomic_store(&run->stop, false);
        memcpy(run->ctx.kernels, kernels_before, sizeof kernels_before);
        scheduler_free(scheduler);
        return false;
    }

    if (keeps_deep_features(run, settings, &prompts, scheduler)) {
        deep_cache_free(&deep);
        deep = run->deep;
    } else {
        deep_cache_free(&run->deep);
    }
    run->deep = deep;
    settings_free_strings(&run->settings);
    prompts_free(&run->prompts);
    run->settings = owned;
    run->prompts = prompts;
    run->ctx.threads = settings->threads;
    if (scheduler_same(run->scheduler, scheduler))
        scheduler_free(scheduler);
    else
        change_scheduler(run, scheduler);
    run_note_settings(run);
    return true;
}
