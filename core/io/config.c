// config.c - see config.h
//
// Where: every *_config_read of a stage or scheduler. Elsewhere: ConfigMixin.from_config and PretrainedConfig.

#include "io/config.h"

#include "base/check.h"
#include "io/file.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- the file -------------------------------------------------------------------------------------------------------

// Overwrites Infinity and -Infinity by null and spaces, except inside strings.
static void replace_infinities(char *text) {
    bool in_string = false;
    for (char *c = text; *c; c++) {
        if (*c == '"')
            in_string = !in_string;
        else if (*c == '\\' && in_string && c[1])
            c++;
        else if (!in_string && strncmp(c, "Infinity", 8) == 0) {
            if (c > text && c[-1] == '-') c[-1] = ' ';
            memcpy(c, "null    ", 8);
        }
    }
}

// text is changed: see replace_infinities
static bool parse(Config *config, const char *path, char *text, size_t size, Error *error) {
    replace_infinities(text);
    // Integers as reals: whole numbers up to 2^53 stay exact, and tokenizer_config.json's "model_max_length":
    // 1000000000000000019884624838656, Python's way to say "none", doesn't stop the file from being read.
    json_error_t why;
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &why);
    if (!json) return error_set(error, "%s: line %d: %s; mend the file or get it again", path, why.line, why.text);
    if (!json_is_object(json)) {
        json_decref(json);
        return error_set(error, "%s: isn't a JSON object; name a model's own config file", path);
    }
    config->json = json;
    config->path = strdup(path);
    CHECK(config->path, "out of memory");
    config->failed = false;
    return true;
}

bool config_open(Config *config, const char *path, Error *error) {
    *config = (Config){.error = error, .failed = true};
    size_t size;
    char *text = file_read(path, &size, error);
    bool ok = text && parse(config, path, text, size, error);
    free(text);
    return ok;
}

bool config_open_text(Config *config, const char *label, const char *text, Error *error) {
    *config = (Config){.error = error, .failed = true};
    char *copy = strdup(text);
    CHECK(copy, "out of memory");
    bool ok = parse(config, label, copy, strlen(copy), error);
    free(copy);
    return ok;
}

bool config_close(Config *config) {
    bool ok = !config->failed;
    json_decref(config->json);
    free(config->path);
    *config = (Config){.failed = !ok};
    return ok;
}

// ---- one value ------------------------------------------------------------------------------------------------------

// NULL where the key is absent or null.
static const json_t *find(const Config *config, const char *key) {
    const json_t *value = json_object_get(config->json, key);
    return json_is_null(value) ? NULL : value;
}

static const char *type_name(const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "a list";
    case JSON_STRING: return "a string";
    case JSON_INTEGER:
    case JSON_REAL: return "a number";
    case JSON_TRUE: return "true";
    case JSON_FALSE: return "false";
    case JSON_NULL: return "null";
    }
    return "nothing";
}

static void refuse_type(Config *config, const char *key, const json_t *found, const char *wanted) {
    config->failed = true;
    error_set(config->error, "%s: \"%s\" must be %s, not %s; mend the file or get it again", config->path, key, wanted,
              type_name(found));
}

static void take_size(Config *config, const char *key, const json_t *json, size_t *value) {
    if (!json_is_number(json)) {
        refuse_type(config, key, json, "a whole number");
        return;
    }
    double number = json_number_value(json);
    if (number < 0 || number > CONFIG_LARGEST_SIZE || number != floor(number)) {
        config->failed = true;
        error_set(config->error, "%s: \"%s\" is %.10g, not a whole number from 0 to %d; mend the file or get it again",
                  config->path, key, number, CONFIG_LARGEST_SIZE);
        return;
    }
    *value = (size_t)number;
}

static void take_float(Config *config, const char *key, const json_t *json, float *value) {
    if (!json_is_number(json)) {
        refuse_type(config, key, json, "a number");
        return;
    }
    float number = (float)json_number_value(json);
    if (!isfinite(number)) {
        config->failed = true;
        error_set(config->error, "%s: \"%s\" is %g, too large for a float; mend the file or get it again", config->path,
                  key, json_number_value(json));
        return;
    }
    *value = number;
}

static void take_bool(Config *config, const char *key, const json_t *json, bool *value) {
    if (json_is_boolean(json))
        *value = json_is_true(json);
    else
        refuse_type(config, key, json, "true or false");
}

static void take_string(Config *config, const char *key, const json_t *json, char *value, size_t size) {
    if (!json_is_string(json)) {
        refuse_type(config, key, json, "a string");
        return;
    }
    size_t length = json_string_length(json);
    if (length >= size) {
        config->failed = true;
        error_set(config->error, "%s: \"%s\" is a string of %zu bytes, more than %zu; mend the file or get it again",
                  config->path, key, length, size - 1);
        return;
    }
    memcpy(value, json_string_value(json), length + 1);
}

bool config_has(const Config *config, const char *key) { return find(config, key) != NULL; }

bool config_is_null(const Config *config, const char *key) { return json_is_null(json_object_get(config->json, key)); }

void config_size(Config *config, const char *key, size_t *value) {
    const json_t *json = find(config, key);
    if (json) take_size(config, key, json, value);
}

void config_float(Config *config, const char *key, float *value) {
    const json_t *json = find(config, key);
    if (json) take_float(config, key, json, value);
}

void config_bool(Config *config, const char *key, bool *value) {
    const json_t *json = find(config, key);
    if (json) take_bool(config, key, json, value);
}

void config_string(Config *config, const char *key, char *value, size_t size) {
    const json_t *json = find(config, key);
    if (json) take_string(config, key, json, value, size);
}

// ---- lists ----------------------------------------------------------------------------------------------------------

// The list, if it is one and has at most max items; sets *count. Else NULL, and an error unless it is absent.
static const json_t *take_list(Config *config, const char *key, const char *wanted, size_t max, size_t *count) {
    const json_t *list = find(config, key);
    if (!list) return NULL;
    if (!json_is_array(list)) {
        refuse_type(config, key, list, wanted);
        return NULL;
    }
    size_t items = json_array_size(list);
    if (items > max) {
        config->failed = true;
        error_set(config->error, "%s: \"%s\" has %zu items, at most %zu are understood; mend the file or get it again",
                  config->path, key, items, max);
        return NULL;
    }
    *count = items;
    return list;
}

void config_sizes(Config *config, const char *key, size_t *values, size_t max, size_t *count) {
    const json_t *one = find(config, key);
    if (one && json_is_number(one) && max > 0) {
        take_size(config, key, one, &values[0]);
        *count = 1;
        return;
    }
    const json_t *list = take_list(config, key, "a list of whole numbers", max, count);
    for (size_t i = 0; list && i < *count; i++) take_size(config, key, json_array_get(list, i), &values[i]);
}

void config_bools(Config *config, const char *key, bool *values, size_t max, size_t *count) {
    const json_t *one = find(config, key);
    if (one && json_is_boolean(one) && max > 0) {
        values[0] = json_is_true(one);
        *count = 1;
        return;
    }
    const json_t *list = take_list(config, key, "a list of true and false", max, count);
    for (size_t i = 0; list && i < *count; i++) take_bool(config, key, json_array_get(list, i), &values[i]);
}

void config_floats(Config *config, const char *key, float *values, size_t max, size_t *count) {
    const json_t *list = take_list(config, key, "a list of numbers", max, count);
    for (size_t i = 0; list && i < *count; i++) take_float(config, key, json_array_get(list, i), &values[i]);
}

void config_strings(Config *config, const char *key, char (*values)[64], size_t max, size_t *count) {
    const json_t *list = take_list(config, key, "a list of strings", max, count);
    for (size_t i = 0; list && i < *count; i++) {
        take_string(config, key, json_array_get(list, i), values[i], sizeof values[i]);
    }
}
