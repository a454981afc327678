// knobs.c - see knobs.h

#include "state/knobs.h"

#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const NAMES[KNOB_COUNT] = {
    [KNOB_PROMPT] = "prompt",       [KNOB_NEGATIVE_PROMPT] = "negative prompt",
    [KNOB_STEPS] = "steps",         [KNOB_GUIDANCE] = "guidance scale",
    [KNOB_SCHEDULER] = "scheduler", [KNOB_SEED] = "seed",
    [KNOB_SIZE] = "size",           [KNOB_STRENGTH] = "strength",
    [KNOB_MODEL] = "model",
};

static const char *const KEYS[KNOB_COUNT] = {
    [KNOB_PROMPT] = "prompt",
    [KNOB_NEGATIVE_PROMPT] = "negative_prompt",
    [KNOB_STEPS] = "num_inference_steps",
    [KNOB_GUIDANCE] = "guidance_scale",
    [KNOB_SCHEDULER] = "scheduler",
    [KNOB_SEED] = "seed",
    [KNOB_MODEL] = "model",
};

const char *knob_name(Knob knob) { return NAMES[knob]; }
const char *knob_key(Knob knob) { return KEYS[knob]; }

bool knob_branches(Knob knob) {
    return knob == KNOB_PROMPT || knob == KNOB_NEGATIVE_PROMPT || knob == KNOB_STEPS || knob == KNOB_GUIDANCE ||
           knob == KNOB_SCHEDULER;
}

void knob_text(const Knobs *knobs, Knob knob, char *text, size_t size) {
    switch (knob) {
    case KNOB_PROMPT: snprintf(text, size, "%s", knobs->prompt); break;
    case KNOB_NEGATIVE_PROMPT: snprintf(text, size, "%s", knobs->negative_prompt); break;
    case KNOB_STEPS: snprintf(text, size, "%zu", knobs->num_inference_steps); break;
    case KNOB_GUIDANCE: snprintf(text, size, "%.6g", as_written(knobs->guidance_scale)); break;
    case KNOB_SCHEDULER: snprintf(text, size, "%s", knobs->scheduler); break;
    case KNOB_SEED: snprintf(text, size, "%" PRIu64, knobs->seed); break;
    case KNOB_SIZE: snprintf(text, size, "%zux%zu", knobs->width, knobs->height); break;
    case KNOB_STRENGTH: snprintf(text, size, "%.6g", as_written(knobs->strength)); break;
    case KNOB_MODEL: snprintf(text, size, "%s", knobs->model); break;
    case KNOB_COUNT: break;
    }
}

// ---- from text ------------------------------------------------------------------------------------------------------

static bool set_words(char *to, size_t size, Knob knob, const char *text, Error *error) {
    size_t n = strlen(text);
    if (n >= size)
        return error_set(error, "%s: has %zu bytes, and %zu are room for; shorten it", NAMES[knob], n, size - 1);
    memcpy(to, text, n + 1);
    return true;
}

static bool set_count(size_t *to, Knob knob, const char *text, size_t most, Error *error) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || value < 1 || value > most)
        return error_set(error, "%s: \"%s\" is no whole number from 1 to %zu", NAMES[knob], text, most);
    *to = (size_t)value;
    return true;
}

static bool set_real(float *to, Knob knob, const char *text, float low, float high, Error *error) {
    char *end;
    float value = strtof(text, &end);
    if (end == text || *end || !(value >= low && value <= high))
        return error_set(error, "%s: \"%s\" is no number from %g to %g", NAMES[knob], text, (double)low, (double)high);
    *to = value;
    return true;
}

static bool set_seed(uint64_t *to, const char *text, Error *error) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno)
        return error_set(error, "seed: \"%s\" is no whole number from 0 up", text);
    *to = value;
    return true;
}

static bool set_size(Knobs *knobs, const char *text, Error *error) {
    size_t width, height;
    int used = 0;
    bool read = sscanf(text, "%5zux%5zu%n", &width, &height, &used) == 2 && !text[used];
    if (!read || width < 1 || height < 1 || width > LARGEST_SIDE || height > LARGEST_SIDE)
        return error_set(error, "size: \"%s\" isn't like 512x512, width and height in pixels", text);
    knobs->width = width;
    knobs->height = height;
    return true;
}

// Another scheduler takes over the model's settings, not those that an opened trace had for its own.
static bool set_scheduler(Knobs *knobs, const char *text, Error *error) {
    const SchedulerKind *kind = scheduler_kind_named(text, error);
    if (!kind) return false;
    if (strcmp(knobs->scheduler, kind->name) != 0) knobs->scheduler_config[0] = 0;
    snprintf(knobs->scheduler, sizeof knobs->scheduler, "%s", kind->name);
    return true;
}

enum { MOST_STEPS = 1000 };  // a schedule has no more timesteps than that

bool knob_set(Knobs *knobs, Knob knob, const char *text, Error *error) {
    switch (knob) {
    case KNOB_PROMPT: return set_words(knobs->prompt, sizeof knobs->prompt, knob, text, error);
    case KNOB_NEGATIVE_PROMPT:
        return set_words(knobs->negative_prompt, sizeof knobs->negative_prompt, knob, text, error);
    case KNOB_STEPS: return set_count(&knobs->num_inference_steps, knob, text, MOST_STEPS, error);
    case KNOB_GUIDANCE: return set_real(&knobs->guidance_scale, knob, text, 0, 1000, error);
    case KNOB_SCHEDULER: return set_scheduler(knobs, text, error);
    case KNOB_SEED: return set_seed(&knobs->seed, text, error);
    case KNOB_SIZE: return set_size(knobs, text, error);
    case KNOB_STRENGTH: return set_real(&knobs->strength, knob, text, 0, 1, error);
    case KNOB_MODEL: return set_words(knobs->model, sizeof knobs->model, knob, text, error);
    case KNOB_COUNT: break;
    }
    return false;
}

// ---- compared -------------------------------------------------------------------------------------------------------

bool knob_equal(const Knobs *a, const Knobs *b, Knob knob) {
    if (knob == KNOB_PROMPT) return strcmp(a->prompt, b->prompt) == 0;
    if (knob == KNOB_NEGATIVE_PROMPT) return strcmp(a->negative_prompt, b->negative_prompt) == 0;
    if (knob == KNOB_MODEL) return strcmp(a->model, b->model) == 0;
    if (knob == KNOB_GUIDANCE) return a->guidance_scale == b->guidance_scale;
    if (knob == KNOB_SCHEDULER && strcmp(a->scheduler_config, b->scheduler_config) != 0) return false;
    if (knob == KNOB_STRENGTH) return a->init == b->init && (!a->init || a->strength == b->strength);
    char text_a[64], text_b[64];
    knob_text(a, knob, text_a, sizeof text_a);
    knob_text(b, knob, text_b, sizeof text_b);
    return strcmp(text_a, text_b) == 0;
}

bool knobs_equal(const Knobs *a, const Knobs *b) {
    for (Knob knob = 0; knob < KNOB_COUNT; knob++) {
        if (!knob_equal(a, b, knob)) return false;
    }
    return true;
}

static void append(char *text, size_t size, const char *more) {
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s", more);
    text[text_whole(text, strlen(text))] = 0;
}

void knobs_difference(const Knobs *from, const Knobs *to, char *text, size_t size) {
    text[0] = 0;
    for (Knob knob = 0; knob < KNOB_COUNT; knob++) {
        if (knob_equal(from, to, knob)) continue;
        char before[48], after[48], words[160];
        knob_text(from, knob, before, sizeof before);
        knob_text(to, knob, after, sizeof after);
        before[text_whole(before, strlen(before))] = 0;
        after[text_whole(after, strlen(after))] = 0;
        if (knob == KNOB_PROMPT || knob == KNOB_NEGATIVE_PROMPT || knob == KNOB_MODEL || strcmp(before, after) == 0)
            snprintf(words, sizeof words, "%s%s %s", text[0] ? ", " : "", NAMES[knob], after);
        else
            snprintf(words, sizeof words, "%s%s %s \u2192 %s", text[0] ? ", " : "", NAMES[knob], before, after);
        append(text, size, words);
    }
    if (!text[0]) append(text, size, "nothing changed");
}

// ---- from and to core -----------------------------------------------------------------------------------------------

Knobs knobs_default(const Model *model, const char *prompt) {
    Settings s = settings_default(model);
    Knobs knobs = {.num_inference_steps = s.num_inference_steps,
                   .guidance_scale = s.guidance_scale,
                   .width = s.width,
                   .height = s.height,
                   .strength = s.strength};
    snprintf(knobs.model, sizeof knobs.model, "%s", model->path);
    snprintf(knobs.prompt, sizeof knobs.prompt, "%s", prompt);
    Scheduler *scheduler = model_scheduler(model->path, model->single_file, NULL, NULL, 0, NULL);
    if (scheduler) snprintf(knobs.scheduler, sizeof knobs.scheduler, "%s", scheduler->kind->name);
    scheduler_free(scheduler);
    return knobs;
}

Settings knobs_settings(const Knobs *knobs, const Model *model, SettingsRoom *room) {
    Settings s = settings_default(model);
    s.prompt = knobs->prompt;
    s.negative_prompt = knobs->negative_prompt;
    s.num_inference_steps = knobs->num_inference_steps;
    s.guidance_scale = knobs->guidance_scale;
    s.scheduler = knobs->scheduler[0] ? knobs->scheduler : NULL;
    s.seed = knobs->seed;
    if (knobs->width) s.width = knobs->width;
    if (knobs->height) s.height = knobs->height;
    s.init = knobs->init;
    s.strength = knobs->strength;

    snprintf(room->split, sizeof room->split, "%s", knobs->scheduler_config);
    char *rest = room->split, *one;
    while ((one = strsep(&rest, " ")) && s.scheduler_override_count < KNOB_OVERRIDES) {
        if (*one) room->overrides[s.scheduler_override_count++] = one;
    }
    s.scheduler_overrides = room->overrides;
    return s;
}

// What a run may have been told that no knob says
static bool without_others(const Trace *trace, Error *error) {
    static const char *const others[] = {"vae",        "loras",     "guidance_rescale", "guidance_interval",
                                         "deep_cache", "clip_skip", "prompt_weights",   "precision",
                                         "init",       "mask",      "latents",          "strength"};
    char found[256] = "";
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (trace_metadata(trace, others[i])) list_append(found, sizeof found, others[i]);
    }
    return !found[0] ||
           error_set(error,
                     "this run was made with %s, which the viewer has no knobs for; it can be looked at, but not "
                     "continued",
                     found);
}

bool knobs_from_trace(Knobs *knobs, const Trace *trace, Error *error) {
    bool ok = true;
    for (Knob knob = 0; knob < KNOB_COUNT; knob++) {
        const char *value = knob_key(knob) ? trace_metadata(trace, knob_key(knob)) : NULL;
        if (knob_key(knob) && !value)
            ok = error_set(error, "the file doesn't say its %s; it can be looked at, but not continued",
                           knob_name(knob));
        else if (value && !knob_set(knobs, knob, value, error))
            ok = false;
    }
    const char *width = trace_metadata(trace, "width"), *height = trace_metadata(trace, "height");
    const char *config = trace_metadata(trace, "scheduler_config");
    char size[64];
    snprintf(size, sizeof size, "%sx%s", width ? width : "", height ? height : "");
    if (!knob_set(knobs, KNOB_SIZE, size, error)) ok = false;
    if (config && strlen(config) < sizeof knobs->scheduler_config)
        snprintf(knobs->scheduler_config, sizeof knobs->scheduler_config, "%s", config);
    return without_others(trace, error) && ok;
}
