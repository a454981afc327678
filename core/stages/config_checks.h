// config_checks.h - what a stage demands of its config.json before it believes it
//
// A config is a stranger's file: its numbers become sizes and divisors. Each check notes an error that names the key
// (config.h: the first one stays, config_close reports it).

#pragma once

#include "io/config.h"

// value was read from key; it must lie between min and max, both included.
void config_check_range(Config *config, const char *key, size_t value, size_t min, size_t max);

// value was read from key; it must be a multiple of divisor, which was read from divisor_key. 0 divides nothing.
void config_check_multiple(Config *config, const char *key, size_t value, const char *divisor_key, size_t divisor);

// value was read from key; it must be above 0.
void config_check_positive(Config *config, const char *key, float value);

// Features that the stage doesn't have: the key must be absent or null, or have the one value that means "without".
void config_require_null(Config *config, const char *key);
void config_require_bool(Config *config, const char *key, bool value);
void config_require_float(Config *config, const char *key, float value);
void config_require_string(Config *config, const char *key, const char *value);

// One value, or a list with one for each level: fills values[0 .. levels - 1], which hold the defaults before.
void config_sizes_per_level(Config *config, const char *key, size_t *values, size_t levels);
void config_bools_per_level(Config *config, const char *key, bool *values, size_t levels);

// A list with one block type for each level (so that an absent one has too few): `plain`, or `attending` if not NULL.
// attends[0 .. levels - 1] (or NULL): which of them are the latter.
void config_block_types(Config *config, const char *key, size_t levels, const char *plain, const char *attending,
                        bool *attends);
