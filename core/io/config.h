// config.h - a diffusers or transformers JSON file: config.json, scheduler_config.json, model_index.json
//
// Each getter leaves *value as it is (the default) when the key is absent or null, and notes an error when the value
// has the wrong type or range. The first error stays; config_close says whether there was one, so readers are lists:
//
//     if (!config_open(&config, path, error)) return false;
//     config_size(&config, "in_channels", &out->in_channels);
//     config_bool(&config, "use_linear_projection", &out->use_linear_projection);
//     return config_close(&config);
//
// Python writes Infinity and -Infinity for limits that don't limit (scheduler_config.json: "lambda_min_clipped":
// -Infinity). JSON has no such numbers; they count as null.

#pragma once

#include "base/error.h"

#include <stddef.h>

typedef struct Config {
    void *json;  // jansson's object
    char *path;  // a copy, for messages
    Error *error;
    bool failed;
} Config;

// A file that is missing, isn't JSON, names a key twice or holds something other than an object is an error.
bool config_open(Config *config, const char *path, Error *error);
// The same from a text; label stands for the path in messages.
bool config_open_text(Config *config, const char *label, const char *text, Error *error);
bool config_close(Config *config);  // false if any value was wrong

bool config_has(const Config *config, const char *key);            // present and not null
bool config_is_null(const Config *config, const char *key);        // present and null
void config_size(Config *config, const char *key, size_t *value);  // whole number from 0 to CONFIG_LARGEST_SIZE
void config_float(Config *config, const char *key, float *value);  // any number that fits a float
void config_bool(Config *config, const char *key, bool *value);
void config_string(Config *config, const char *key, char *value, size_t size);  // copied; too long is an error

// A list of whole numbers, or one number meaning a list of one. Sets *count (at most max, more is an error).
void config_sizes(Config *config, const char *key, size_t *values, size_t max, size_t *count);
// A list of true/false, or one of them
void config_bools(Config *config, const char *key, bool *values, size_t max, size_t *count);
// A list of numbers
void config_floats(Config *config, const char *key, float *values, size_t max, size_t *count);
// A list of strings, each copied into values[i][64]
void config_strings(Config *config, const char *key, char (*values)[64], size_t max, size_t *count);

// No model has an axis near this; two such sizes can be multiplied without a thought of overflow.
enum { CONFIG_LARGEST_SIZE = 1 << 24 };
