// schedulers.c - the list of schedulers, and how one comes to life
//
// Elsewhere: DiffusionPipeline.from_pretrained and SchedulerMixin.from_config. Read next: noise_schedule.c, ddim.c.

#include "schedulers/history.h"
#include "schedulers/noise_schedule.h"
#include "schedulers/scheduler_config.h"
#include "schedulers/scheduler_file.h"

#include "base/plugin.h"
#include "base/text.h"
#include "io/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const SchedulerKind *const KINDS[] = {
    &ddim_kind,     &euler_kind,        &ddpm_kind,     &euler_a_kind, &heun_kind,  &lms_kind, &pndm_kind,
    &dpmpp_2m_kind, &dpmpp_2m_sde_kind, &dpmpp_1s_kind, &kdpm2_kind,   &unipc_kind, &lcm_kind,
};

size_t scheduler_kind_count(void) { return sizeof KINDS / sizeof KINDS[0]; }

const SchedulerKind *scheduler_kind_at(size_t index) { return KINDS[index]; }

const SchedulerKind *scheduler_kind_find(const char *name) {
    for (size_t i = 0; i < scheduler_kind_count(); i++) {
        if (strcmp(KINDS[i]->name, name) == 0 || strcmp(KINDS[i]->class_name, name) == 0) return KINDS[i];
    }
    return NULL;
}

static void list_kinds(char *text, size_t size) {
    text[0] = '\0';
    for (size_t i = 0; i < scheduler_kind_count(); i++) list_append(text, size, KINDS[i]->name);
}

// ---- from settings --------------------------------------------------------------------------------------------------

static bool kind_has(const SchedulerKind *kind, const char *key) {
    Error ignored = {0};
    char assignment[64];
    snprintf(assignment, sizeof assignment, "%s=", key);
    return scheduler_kind_takes(kind, assignment, &ignored);
}

static bool config_valid(const SchedulerKind *kind, const SchedulerConfig *config, Error *error) {
    if (config->num_train_timesteps == 0) {
        return error_set(error, "scheduler: num_train_timesteps is 0; 1000 is usual");
    }
    if (!config->trained_betas &&
        !(config->beta_start > 0 && config->beta_end > 0 && config->beta_start < 1 && config->beta_end < 1)) {
        return error_set(error, "scheduler: beta_start %g and beta_end %g; both must lie between 0 and 1",
                         (double)config->beta_start, (double)config->beta_end);
    }
    for (size_t i = 0; config->trained_betas && i < config->num_train_timesteps; i++) {
        if (config->trained_betas[i] > 0 && config->trained_betas[i] < 1) continue;
        return error_set(error, "scheduler: trained_betas[%zu] is %g; all must lie between 0 and 1", i,
                         (double)config->trained_betas[i]);
    }
    if (config->rescale_betas_zero_snr && config->num_train_timesteps < 2) {
        return error_set(error, "scheduler: rescale_betas_zero_snr stretches from the first timestep to the last, and "
                                "num_train_timesteps is 1; leave one of them out");
    }
    if (!(config->clip_sample_range > 0)) {
        return error_set(error, "scheduler: clip_sample_range is %g; it must be more than 0",
                         (double)config->clip_sample_range);
    }
    if (!(config->eta >= 0 && config->eta <= 1)) {
        return error_set(error, "scheduler: eta is %g; it must be 0 (nothing random) to 1", (double)config->eta);
    }
    if (config->eta > 0 && !kind_has(kind, "eta")) {
        return error_set(error, "scheduler: eta is %g, and %s draws no fresh noise by it; use --scheduler ddim with it",
                         (double)config->eta, kind->name);
    }
    return true;
}

static float *floats_copy(const float *from, size_t n) {
    float *to = malloc(n * sizeof *to);
    if (to) memcpy(to, from, n * sizeof *to);
    return to;
}

Scheduler *scheduler_new(const SchedulerKind *kind, const SchedulerConfig *config, Error *error) {
    if (!config_valid(kind, config, error)) return NULL;
    size_t N = config->num_train_timesteps;
    Scheduler *s = calloc(1, sizeof *s);
    if (s) {
        s->kind = kind;
        s->config = *config;
        s->config.trained_betas = config->trained_betas ? floats_copy(config->trained_betas, N) : NULL;
        s->alphas_cumprod = malloc(N * sizeof *s->alphas_cumprod);
    }
    if (!s || !s->alphas_cumprod || (config->trained_betas && !s->config.trained_betas)) {
        scheduler_free(s);
        error_set(error, "scheduler: no memory for %zu timesteps; close other programs", N);
        return NULL;
    }
    noise_schedule_fill(&s->config, s->alphas_cumprod);
    s->final_alpha_cumprod = config->set_alpha_to_one ? 1 : s->alphas_cumprod[0];
    s->init_noise_sigma = 1;
    return s;
}

Scheduler *scheduler_copy(const Scheduler *scheduler) {
    Scheduler *copy = malloc(sizeof *copy);
    if (!copy) return NULL;
    *copy = *scheduler;
    size_t N = scheduler->config.num_train_timesteps, count = scheduler->timestep_count;
    const float *betas = scheduler->config.trained_betas;
    copy->config.trained_betas = betas ? floats_copy(betas, N) : NULL;
    copy->alphas_cumprod = floats_copy(scheduler->alphas_cumprod, N);
    copy->timesteps = count ? floats_copy(scheduler->timesteps, count) : NULL;
    copy->sigmas = count ? floats_copy(scheduler->sigmas, count + 1) : NULL;
    bool history = history_copy(&copy->history, &scheduler->history);
    bool whole = copy->alphas_cumprod && (!betas || copy->config.trained_betas) &&
                 (!count || (copy->timesteps && copy->sigmas)) && history;
    if (whole) return copy;
    scheduler_free(copy);
    return NULL;
}

void scheduler_free(Scheduler *scheduler) {
    if (!scheduler) return;
    free(scheduler->config.trained_betas);
    free(scheduler->alphas_cumprod);
    free(scheduler->timesteps);
    free(scheduler->sigmas);
    history_free(&scheduler->history);
    free(scheduler);
}

bool scheduler_same(const Scheduler *a, const Scheduler *b) {
    if (a->kind != b->kind || a->num_inference_steps != b->num_inference_steps ||
        a->config.num_train_timesteps != b->config.num_train_timesteps) {
        return false;
    }
    SchedulerConfigText x = scheduler_config_text(a->kind, &a->config), y = scheduler_config_text(b->kind, &b->config);
    return strcmp(x.text, y.text) == 0 &&
           memcmp(a->alphas_cumprod, b->alphas_cumprod, a->config.num_train_timesteps * sizeof *a->alphas_cumprod) == 0;
}

// ---- from a model's folder ------------------------------------------------------------------------------------------

const SchedulerKind *scheduler_kind_named(const char *name, Error *error) {
    bool file = plugin_is_file(name);
    const SchedulerKind *kind = file ? scheduler_loaded(name) : scheduler_kind_find(name);
    char kinds[256];
    if (file && !kind) {
        error_set(error, "scheduler %.300s: hasn't been loaded; only --scheduler loads files", name);
        return NULL;
    }
    list_kinds(kinds, sizeof kinds);
    if (!kind) error_set(error, "scheduler \"%s\": there is none of this name; use one of %s", name, kinds);
    return kind;
}

// The kind that a file asks for: a class may be several kinds, which its algorithm_type tells apart.
static const SchedulerKind *kind_of_file(Config *file, const char *class_name) {
    char algorithm_type[64] = "dpmsolver++";
    for (size_t i = 0; i < scheduler_kind_count(); i++) {
        if (strcmp(KINDS[i]->class_name, class_name) != 0) continue;
        if (!KINDS[i]->algorithm_type) return KINDS[i];
        config_string(file, "algorithm_type", algorithm_type, sizeof algorithm_type);
        if (strcmp(algorithm_type, "deis") == 0) strcpy(algorithm_type, "dpmsolver++");  // as the classes have it
        if (strcmp(KINDS[i]->algorithm_type, algorithm_type) == 0) return KINDS[i];
    }
    return NULL;
}

static const SchedulerKind *kind_for(const char *name, Config *file, Error *error) {
    char class_name[64] = "", kinds[256];
    config_string(file, "_class_name", class_name, sizeof class_name);
    if (file->failed) return NULL;
    if (name) return scheduler_kind_named(name, error);
    const SchedulerKind *kind = kind_of_file(file, class_name);
    if (kind || file->failed) return kind;
    list_kinds(kinds, sizeof kinds);
    error_set(error,
              "%s: names %s%s, which is not among %s; pass --scheduler ddim to draw with another on its settings",
              file->path, class_name[0] ? class_name : "no scheduler (_class_name)",
              scheduler_kind_find(class_name) ? " with an algorithm_type" : "", kinds);
    return NULL;
}

typedef struct Mended {
    bool steps_offset, clip_sample;
} Mended;

// StableDiffusionPipeline distrusts old files: whatever they say, it sets steps_offset to 1 and clip_sample to false. A
// scheduler of another class then takes over what the file says, thus mended, and its own defaults for what the file
// leaves out. named: whether the caller chose the class.
static Mended mend_old_settings(SchedulerConfig *config, const SchedulerKind *kind, const Config *file, bool named) {
    Mended mended = {.steps_offset = kind_has(kind, "steps_offset") && (!named || config_has(file, "steps_offset")) &&
                                     config->steps_offset != 1,
                     .clip_sample = (!named || config_has(file, "clip_sample")) && config->clip_sample};
    if (mended.steps_offset) config->steps_offset = 1;
    if (mended.clip_sample) config->clip_sample = false;
    return mended;
}

// Of what was mended, what no override has changed again
static void note_mended(Scheduler *s, Mended mended) {
    bool offset = mended.steps_offset && s->config.steps_offset == 1,
         clip = mended.clip_sample && !s->config.clip_sample;
    if (!offset && !clip) return;
    snprintf(s->note, sizeof s->note, "scheduler: %s%s%s, as diffusers' StableDiffusionPipeline sets it on loading",
             offset ? "steps_offset=1" : "", offset && clip ? " and " : "", clip ? "clip_sample=false" : "");
}

// The file is closed in the end.
static Scheduler *scheduler_from(Config *file, const char *name, const char *const *overrides, size_t override_count,
                                 Error *error) {
    Scheduler *s = NULL;
    SchedulerConfig config = {0};
    Mended mended = {0};
    const SchedulerKind *kind = kind_for(name, file, error);
    bool ok = kind != NULL;
    if (ok) {
        config = kind->defaults;
        ok = scheduler_config_read(&config, kind, file);
        mended = mend_old_settings(&config, kind, file, name != NULL);
    }
    ok = config_close(file) && ok;
    size_t betas = config.num_train_timesteps;  // as many as trained_betas, if there are any
    for (size_t i = 0; ok && i < override_count; i++) {
        ok = scheduler_config_set(&config, overrides[i], error) && scheduler_kind_takes(kind, overrides[i], error);
    }
    if (ok && config.trained_betas && config.num_train_timesteps != betas) {
        ok = error_set(error, "scheduler setting num_train_timesteps: the file has %zu trained_betas; leave it at that",
                       betas);
    }
    if (ok) s = scheduler_new(kind, &config, error);
    if (s) note_mended(s, mended);
    free(config.trained_betas);
    return s;
}

Scheduler *scheduler_open(const char *folder, const char *name, const char *const *overrides, size_t override_count,
                          Error *error) {
    Config file;
    char *path = path_join(folder, "scheduler_config.json");
    bool ok = config_open(&file, path, error);
    free(path);
    return ok ? scheduler_from(&file, name, overrides, override_count, error) : NULL;
}

Scheduler *scheduler_open_text(const char *label, const char *text, const char *name, const char *const *overrides,
                               size_t override_count, Error *error) {
    Config file;
    if (!config_open_text(&file, label, text, error)) return NULL;
    return scheduler_from(&file, name, overrides, override_count, error);
}
