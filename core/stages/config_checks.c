// config_checks.c - see config_checks.h

#include "stages/config_checks.h"

#include <stdio.h>
#include <string.h>

enum { MAX_LEVELS = 32 };  // more than any stage has; a longer list is refused by config_sizes

static void refuse(Config *config, const char *key, const char *found, const char *supported) {
    config->failed = true;
    error_set(config->error, "%s: %s is %s: only %s is supported; use a Stable Diffusion 1.x or 2.x checkpoint",
              config->path, key, found, supported);
}

void config_check_range(Config *config, const char *key, size_t value, size_t min, size_t max) {
    if (value >= min && value <= max) return;
    config->failed = true;
    error_set(config->error, "%s: %s is %zu: it must be %zu to %zu; restore the checkpoint's own config.json",
              config->path, key, value, min, max);
}

void config_check_multiple(Config *config, const char *key, size_t value, const char *divisor_key, size_t divisor) {
    if (divisor > 0 && value % divisor == 0) return;
    config->failed = true;
    error_set(config->error,
              "%s: %s has a %zu: it must be a multiple of %s (%zu); restore the checkpoint's own config.json",
              config->path, key, value, divisor_key, divisor);
}

void config_check_positive(Config *config, const char *key, float value) {
    if (value > 0) return;
    config->failed = true;
    error_set(config->error, "%s: %s is %g: it must be above 0; restore the checkpoint's own config.json", config->path,
              key, (double)value);
}

void config_require_null(Config *config, const char *key) {
    if (config_has(config, key)) refuse(config, key, "set", "null");
}

void config_require_bool(Config *config, const char *key, bool value) {
    bool found = value;
    config_bool(config, key, &found);
    if (found != value) refuse(config, key, found ? "true" : "false", value ? "true" : "false");
}

void config_require_float(Config *config, const char *key, float value) {
    float found = value;
    config_float(config, key, &found);
    if (found == value) return;
    char found_text[32], value_text[32];
    snprintf(found_text, sizeof found_text, "%g", (double)found);
    snprintf(value_text, sizeof value_text, "%g", (double)value);
    refuse(config, key, found_text, value_text);
}

void config_require_string(Config *config, const char *key, const char *value) {
    char found[64];
    snprintf(found, sizeof found, "%s", value);
    config_string(config, key, found, sizeof found);
    if (strcmp(found, value) != 0) refuse(config, key, found, value);
}

static bool refuse_count(Config *config, const char *key, size_t count, size_t levels) {
    config->failed = true;
    return error_set(config->error, "%s: %s has %zu values for %zu levels; restore the checkpoint's own config.json",
                     config->path, key, count, levels);
}

// A list must have one value for each level; a single value stands for all of them.
static bool count_fits(Config *config, const char *key, size_t count, size_t levels) {
    return count == 0 || count == 1 || count == levels || refuse_count(config, key, count, levels);
}

void config_sizes_per_level(Config *config, const char *key, size_t *values, size_t levels) {
    size_t found[MAX_LEVELS], count = 0;
    config_sizes(config, key, found, MAX_LEVELS, &count);
    if (!count_fits(config, key, count, levels)) return;
    for (size_t i = 0; count > 0 && i < levels; i++) values[i] = found[count == 1 ? 0 : i];
}

void config_bools_per_level(Config *config, const char *key, bool *values, size_t levels) {
    bool found[MAX_LEVELS];
    size_t count = 0;
    config_bools(config, key, found, MAX_LEVELS, &count);
    if (!count_fits(config, key, count, levels)) return;
    for (size_t i = 0; count > 0 && i < levels; i++) values[i] = found[count == 1 ? 0 : i];
}

void config_block_types(Config *config, const char *key, size_t levels, const char *plain, const char *attending,
                        bool *attends) {
    char types[MAX_LEVELS][64];
    size_t count = 0;
    config_strings(config, key, types, MAX_LEVELS, &count);
    if (!config->failed && count != levels) refuse_count(config, key, count, levels);
    for (size_t i = 0; i < count && !config->failed; i++) {
        bool is_attending = attending && strcmp(types[i], attending) == 0;
        if (attends) attends[i] = is_attending;
        if (is_attending || strcmp(types[i], plain) == 0) continue;
        config->failed = true;
        error_set(config->error,
                  "%s: %s has a %s: only %s%s%s is supported; use a Stable Diffusion 1.x or 2.x checkpoint",
                  config->path, key, types[i], plain, attending ? " or " : "", attending ? attending : "");
    }
}
