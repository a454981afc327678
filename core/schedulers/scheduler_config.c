// scheduler_config.c - see scheduler_config.h
//
// Where: between the model's folder and scheduler_new. Elsewhere: diffusers.ConfigMixin (from_pretrained, from_config).

#include "schedulers/scheduler_config.h"

#include "base/text.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TRAIN_TIMESTEPS = 100000 };

typedef enum { WHOLE, NUMBER, YES_NO, CHOICE } FieldType;

typedef struct Field {
    const char *key;
    FieldType type;
    size_t offset;               // in SchedulerConfig
    const char *const *choices;  // for CHOICE: the enum's values in order; NULL ends
} Field;

static const char *const BETA_SCHEDULES[] = {"linear", "scaled_linear", "squaredcos_cap_v2", NULL};
static const char *const PREDICTION_TYPES[] = {"epsilon", "v_prediction", "sample", NULL};
static const char *const VARIANCE_TYPES[] = {"fixed_small", "fixed_small_log", "fixed_large", NULL};
static const char *const FINAL_SIGMAS[] = {"zero", "sigma_min", NULL};
static const char *const SPACINGS[] = {"leading", "linspace", "trailing", NULL};

const char *prediction_type_name(PredictionType type) { return PREDICTION_TYPES[type]; }
const char *timestep_spacing_name(TimestepSpacing spacing) { return SPACINGS[spacing]; }

static const Field FIELDS[] = {
    {"num_train_timesteps", WHOLE, offsetof(SchedulerConfig, num_train_timesteps), NULL},
    {"beta_start", NUMBER, offsetof(SchedulerConfig, beta_start), NULL},
    {"beta_end", NUMBER, offsetof(SchedulerConfig, beta_end), NULL},
    {"beta_schedule", CHOICE, offsetof(SchedulerConfig, beta_schedule), BETA_SCHEDULES},
    {"prediction_type", CHOICE, offsetof(SchedulerConfig, prediction_type), PREDICTION_TYPES},
    {"timestep_spacing", CHOICE, offsetof(SchedulerConfig, timestep_spacing), SPACINGS},
    {"steps_offset", WHOLE, offsetof(SchedulerConfig, steps_offset), NULL},
    {"clip_sample", YES_NO, offsetof(SchedulerConfig, clip_sample), NULL},
    {"clip_sample_range", NUMBER, offsetof(SchedulerConfig, clip_sample_range), NULL},
    {"set_alpha_to_one", YES_NO, offsetof(SchedulerConfig, set_alpha_to_one), NULL},
    {"rescale_betas_zero_snr", YES_NO, offsetof(SchedulerConfig, rescale_betas_zero_snr), NULL},
    {"eta", NUMBER, offsetof(SchedulerConfig, eta), NULL},
    {"variance_type", CHOICE, offsetof(SchedulerConfig, variance_type), VARIANCE_TYPES},
    {"use_karras_sigmas", YES_NO, offsetof(SchedulerConfig, use_karras_sigmas), NULL},
    {"final_sigmas_type", CHOICE, offsetof(SchedulerConfig, final_sigmas_type), FINAL_SIGMAS},
    {"lower_order_final", YES_NO, offsetof(SchedulerConfig, lower_order_final), NULL},
    {"euler_at_final", YES_NO, offsetof(SchedulerConfig, euler_at_final), NULL},
    {"original_inference_steps", WHOLE, offsetof(SchedulerConfig, original_inference_steps), NULL},
    {"timestep_scaling", NUMBER, offsetof(SchedulerConfig, timestep_scaling), NULL},
};
enum { FIELD_COUNT = sizeof FIELDS / sizeof FIELDS[0] };

// These every class knows; the others it lists in `settings`.
enum { COMMON_FIELDS = 5 };

static bool knows(const SchedulerKind *kind, size_t field) {
    if (field < COMMON_FIELDS) return true;
    for (const char *const *key = kind->settings; *key; key++) {
        if (strcmp(*key, FIELDS[field].key) == 0) return true;
    }
    return false;
}

// The enums are ints in memory, each the index of its word.
static bool choose(const Field *field, void *where, const char *word) {
    for (int i = 0; field->choices[i]; i++) {
        if (strcmp(field->choices[i], word) != 0) continue;
        memcpy(where, &i, sizeof i);
        return true;
    }
    return false;
}

// "epsilon, v_prediction, sample" for messages
static void list_choices(const Field *field, char *text, size_t size) {
    text[0] = '\0';
    for (int i = 0; field->choices[i]; i++) list_append(text, size, field->choices[i]);
}

// ---- the file -------------------------------------------------------------------------------------------------------

static bool fail(Config *file) {
    file->failed = true;
    return false;
}

static bool read_choice(Config *file, const Field *field, void *where) {
    char word[64] = "", choices[128];
    config_string(file, field->key, word, sizeof word);
    if (file->failed || word[0] == '\0' || choose(field, where, word)) return !file->failed;
    list_choices(field, choices, sizeof choices);
    error_set(file->error, "%s: %s is \"%s\", which is not known; use one of %s", file->path, field->key, word,
              choices);
    return fail(file);
}

// The value that the file has for a key, as a word; *value stays what it is when the key is absent.
static void read_word(Config *file, const char *key, const char *like, char value[64]) {
    if (strcmp(like, "true") == 0 || strcmp(like, "false") == 0) {
        bool on = like[0] == 't';
        config_bool(file, key, &on);
        snprintf(value, 64, "%s", on ? "true" : "false");
    } else if (like[0] >= '0' && like[0] <= '9') {
        size_t number = strtoul(like, NULL, 10);
        config_size(file, key, &number);
        snprintf(value, 64, "%zu", number);
    } else {
        config_string(file, key, value, 64);
    }
}

// What the class can do in diffusers but not here must be what diffusers would do without being told.
static bool read_fixed_setting(Config *file, const SchedulerKind *kind, const char *setting) {
    char copy[128], value[64], *rest = NULL;
    snprintf(copy, sizeof copy, "%s", setting);
    const char *key = strtok_r(copy, "=", &rest), *wanted = strtok_r(NULL, "|", &rest);
    snprintf(value, sizeof value, "%s", wanted);
    read_word(file, key, wanted, value);
    if (file->failed) return false;
    for (const char *word = wanted; word; word = strtok_r(NULL, "|", &rest)) {
        if (strcmp(value, word) == 0) return true;
    }
    error_set(file->error, "%s: %s is %s, and %s only has %s here; set it so, or choose another with --scheduler",
              file->path, key, value, kind->name, wanted);
    return fail(file);
}

static bool read_trained_betas(Config *file, SchedulerConfig *config) {
    if (!config_has(file, "trained_betas")) return true;
    size_t count = 0;
    config->trained_betas = calloc(config->num_train_timesteps, sizeof *config->trained_betas);
    if (!config->trained_betas) {
        error_set(file->error, "%s: no memory for trained_betas; close other programs", file->path);
        return fail(file);
    }
    config_floats(file, "trained_betas", config->trained_betas, config->num_train_timesteps, &count);
    if (file->failed || count == config->num_train_timesteps) return !file->failed;
    error_set(file->error, "%s: trained_betas has %zu numbers and num_train_timesteps is %zu; make them agree",
              file->path, count, config->num_train_timesteps);
    return fail(file);
}

bool scheduler_config_read(SchedulerConfig *config, const SchedulerKind *kind, Config *file) {
    for (size_t i = 0; i < FIELD_COUNT && !file->failed; i++) {
        if (!knows(kind, i)) continue;
        void *where = (char *)config + FIELDS[i].offset;
        switch (FIELDS[i].type) {
        case WHOLE: config_size(file, FIELDS[i].key, where); break;
        case NUMBER: config_float(file, FIELDS[i].key, where); break;
        case YES_NO: config_bool(file, FIELDS[i].key, where); break;
        case CHOICE: read_choice(file, &FIELDS[i], where); break;
        }
    }
    for (const char *const *setting = kind->fixed_settings; *setting && !file->failed; setting++) {
        read_fixed_setting(file, kind, *setting);
    }
    if (file->failed) return false;
    if (config->num_train_timesteps < 1 || config->num_train_timesteps > MAX_TRAIN_TIMESTEPS) {
        error_set(file->error, "%s: num_train_timesteps is %zu; it must be 1 to %d", file->path,
                  config->num_train_timesteps, MAX_TRAIN_TIMESTEPS);
        return fail(file);
    }
    return read_trained_betas(file, config);
}

// ---- key=value ------------------------------------------------------------------------------------------------------

static bool set_whole(void *where, const char *value) {
    char *end;
    unsigned long long number = strtoull(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || number > MAX_TRAIN_TIMESTEPS) return false;
    *(size_t *)where = (size_t)number;
    return true;
}

static bool set_number(void *where, const char *value) {
    char *end;
    float number = strtof(value, &end);
    if (end == value || *end != '\0' || !isfinite(number)) return false;
    *(float *)where = number;
    return true;
}

static bool set_yes_no(void *where, const char *value) {
    bool yes = strcmp(value, "true") == 0;
    if (!yes && strcmp(value, "false") != 0) return false;
    *(bool *)where = yes;
    return true;
}

static bool set_field(const Field *field, SchedulerConfig *config, const char *value, Error *error) {
    void *where = (char *)config + field->offset;
    char choices[128] = "";
    switch (field->type) {
    case WHOLE:
        if (set_whole(where, value)) return true;
        snprintf(choices, sizeof choices, "a whole number from 0 to %d", MAX_TRAIN_TIMESTEPS);
        break;
    case NUMBER:
        if (set_number(where, value)) return true;
        snprintf(choices, sizeof choices, "a number");
        break;
    case YES_NO:
        if (set_yes_no(where, value)) return true;
        snprintf(choices, sizeof choices, "true or false");
        break;
    case CHOICE:
        if (choose(field, where, value)) return true;
        list_choices(field, choices, sizeof choices);
        break;
    }
    return error_set(error, "scheduler setting %s: \"%s\" is no value for it; use %s", field->key, value, choices);
}

// The index of the setting in "key=value", or FIELD_COUNT
static size_t find_field(const char *assignment) {
    const char *equals = strchr(assignment, '=');
    size_t length = equals ? (size_t)(equals - assignment) : 0;
    for (size_t i = 0; i < FIELD_COUNT && equals; i++) {
        if (strlen(FIELDS[i].key) == length && strncmp(FIELDS[i].key, assignment, length) == 0) return i;
    }
    return FIELD_COUNT;
}

bool scheduler_config_set(SchedulerConfig *config, const char *assignment, Error *error) {
    size_t found = find_field(assignment);
    if (found < FIELD_COUNT) return set_field(&FIELDS[found], config, strchr(assignment, '=') + 1, error);
    char keys[512] = "";
    for (size_t i = 0; i < FIELD_COUNT; i++) list_append(keys, sizeof keys, FIELDS[i].key);
    return error_set(error, "scheduler setting \"%s\": %s; write key=value with one of %s", assignment,
                     strchr(assignment, '=') ? "no such setting" : "no value", keys);
}

bool scheduler_kind_takes(const SchedulerKind *kind, const char *assignment, Error *error) {
    size_t found = find_field(assignment);
    if (found < FIELD_COUNT && knows(kind, found)) return true;
    char keys[512] = "";
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (knows(kind, i)) list_append(keys, sizeof keys, FIELDS[i].key);
    }
    return error_set(error, "scheduler setting \"%s\": %s has none of this name; write key=value with one of %s",
                     assignment, kind->name, keys);
}

SchedulerConfigText scheduler_config_text(const SchedulerKind *kind, const SchedulerConfig *config) {
    SchedulerConfigText out = {""};
    for (size_t i = 0, used = 0; i < FIELD_COUNT; i++, used = strlen(out.text)) {
        if (!knows(kind, i)) continue;
        const void *where = (const char *)config + FIELDS[i].offset;
        char value[32] = "";
        switch (FIELDS[i].type) {
        case WHOLE: snprintf(value, sizeof value, "%zu", *(const size_t *)where); break;
        case NUMBER: snprintf(value, sizeof value, "%.7g", (double)*(const float *)where); break;
        case YES_NO: snprintf(value, sizeof value, "%s", *(const bool *)where ? "true" : "false"); break;
        case CHOICE: snprintf(value, sizeof value, "%s", FIELDS[i].choices[*(const int *)where]); break;
        }
        snprintf(out.text + used, sizeof out.text - used, i ? " %s=%s" : "%s=%s", FIELDS[i].key, value);
    }
    return out;
}
