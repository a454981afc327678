// schedulers.c - see schedulers.h

#include "parity/schedulers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const PART_NAMES[PARTS] = {"prev_sample", "pred_original_sample", "scale_model_input", "add_noise"};

// A walk goes on from its own latents, so what a step rounds differently stays: over 999 steps that adds up. And
// rescale_betas_zero_snr takes differences of square roots that torch's vector library rounds differently on different
// machines (up to 4e-6 of an alpha); with these betas a walk is as exact as torch is with itself.
// UniPC's weights are differences of differences of exponentials, (e^-h - 1) / -h - 1 and on, of which few digits are
// left where a step is as short as h = 0.004: over 999 steps diffusers in float is 1.3e-4 away from itself in double.
static const double BOUND_LONG = 3e-5, BOUND_ZERO_SNR = 1e-4, BOUND_LONG_UNIPC = 2e-4;

double bound_for(const Scheduler *s) {
    if (s->kind == &unipc_kind && s->timestep_count > 100) return BOUND_LONG_UNIPC;
    if (s->config.rescale_betas_zero_snr) return BOUND_ZERO_SNR;
    return s->timestep_count > 100 ? BOUND_LONG : BOUND;
}

const float *floats_of(const SafetensorsFile *golden, const char *prefix, const char *name, size_t *rows) {
    char full_name[128];
    snprintf(full_name, sizeof full_name, "%s%s", prefix, name);
    const SafetensorsEntry *entry = safetensors_find(golden, full_name);
    if (rows && entry) *rows = entry->axis[0];
    return entry ? entry->data : NULL;
}

Scheduler *scheduler_from_text(const char *text, Error *error) {
    char *copy = strdup(text), *rest = NULL;
    const SchedulerKind *kind = scheduler_kind_find(strtok_r(copy, " ", &rest));
    size_t steps = (size_t)atoi(strtok_r(NULL, " ", &rest));
    SchedulerConfig config = kind->defaults;
    bool ok = true;
    for (char *word; (word = strtok_r(NULL, " ", &rest));) ok = ok && scheduler_config_set(&config, word, error);
    free(copy);
    Scheduler *scheduler = ok ? scheduler_new(kind, &config, error) : NULL;
    if (!scheduler || kind->set_timesteps(scheduler, steps, error)) return scheduler;
    scheduler_free(scheduler);
    return NULL;
}
