// weights.c - see weights.h
//
// Where: between .safetensors files and a stage's *_load.
// Elsewhere: torch's load_state_dict with strict names and shapes.

#include "io/weights.h"

#include "base/check.h"
#include "base/convert.h"
#include "io/memory.h"
#include "io/random_numbers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- open and close -------------------------------------------------------------------------------------------------

static bool opened(Weights *weights, bool ok, Error *error) {
    weights->error = error;
    weights->failed = !ok;
    weights->matrix_type = F32;
    return ok;
}

bool weights_open(Weights *weights, const char *path, Error *error) {
    *weights = (Weights){0};
    return opened(weights, weight_files_open(&weights->files, path, error), error);
}

bool weights_open_folder(Weights *weights, const char *folder, const char *stem, Error *error) {
    *weights = (Weights){0};
    return opened(weights, weight_files_open_folder(&weights->files, folder, stem, error), error);
}

void weights_open_over(Weights *weights, const WeightFiles *files, StoredNaming *naming, const void *naming_context,
                       Error *error) {
    *weights = (Weights){.files = *files, .borrowed = true, .naming = naming, .naming_context = naming_context};
    opened(weights, true, error);
}

void weights_open_random(Weights *weights, Error *error) {
    *weights = (Weights){.random = true};
    opened(weights, true, error);
}

void weights_close(Weights *weights) {
    if (!weights->borrowed) weight_files_close(&weights->files);
    for (size_t i = 0; i < weights->converted_count; i++) free(weights->converted[i]);
    free(weights->converted);
    *weights = (Weights){.failed = weights->failed, .error = weights->error};
}

// ---- names and shapes -----------------------------------------------------------------------------------------------

typedef struct FullName {
    char text[256];
} FullName;

static FullName full_name(const char *prefix, const char *name) {
    FullName full;
    int length = snprintf(full.text, sizeof full.text, "%s%s", prefix, name);
    CHECK(length >= 0 && (size_t)length < sizeof full.text, "weight name %s%s is too long", prefix, name);
    return full;
}

// The entry that holds the tensor, and which part of it; NULL if the files have none.
static const SafetensorsEntry *find(const Weights *weights, const char *name, StoredName *stored) {
    *stored = (StoredName){.parts = 1};
    if (!weights->naming)
        snprintf(stored->text, sizeof stored->text, "%s", name);
    else if (!weights->naming(weights->naming_context, name, stored))
        return NULL;
    return weight_files_find(&weights->files, stored->text);
}

static Shape entry_shape(const SafetensorsEntry *entry) {
    Shape shape = {.rank = entry->rank, .axis = {1, 1, 1, 1}};
    for (size_t i = 0; i < entry->rank && i < 4; i++) shape.axis[i] = entry->axis[i];
    return shape;
}

typedef struct EntryShapeText {
    char text[200];  // 8 axes of 20 digits
} EntryShapeText;

static EntryShapeText entry_shape_text(const SafetensorsEntry *entry) {
    EntryShapeText out = {"["};
    size_t used = 1;
    for (size_t i = 0; i < entry->rank; i++) {
        used += (size_t)snprintf(out.text + used, sizeof out.text - used, i ? ", %zu" : "%zu", entry->axis[i]);
    }
    snprintf(out.text + used, sizeof out.text - used, "]");
    return out;
}

// The entry, if it is there, has this shape and holds numbers that we read; else NULL and the error.
static const SafetensorsEntry *find_checked(const Weights *weights, Shape shape, const char *name, StoredName *stored) {
    const char *advice = "config and weights must come from the same model", *path = weights->files.path;
    const SafetensorsEntry *entry = find(weights, name, stored);
    if (!entry) {
        error_set(weights->error, "%s: weight %s is missing, the config implies one of shape %s; %s", path, name,
                  shape_text(shape).text, advice);
        return NULL;
    }
    shape.axis[0] *= stored->parts;
    if (entry->rank > 4 || !shape_equal(entry_shape(entry), shape)) {
        error_set(weights->error, "%s: weight %s has shape %s, the config implies %s; %s", path, stored->text,
                  entry_shape_text(entry).text, shape_text(shape).text, advice);
        return NULL;
    }
    if (!entry->supported || entry->dtype == I64) {
        error_set(weights->error, "%s: weight %s is stored as %s; convert it to F32, F16 or BF16", path, stored->text,
                  entry->dtype_name);
        return NULL;
    }
    return entry;
}

bool weights_has(const Weights *weights, const char *prefix, const char *name) {
    return weights_rank(weights, prefix, name) > 0;
}

size_t weights_rank(const Weights *weights, const char *prefix, const char *name) {
    StoredName stored;
    const SafetensorsEntry *entry = find(weights, full_name(prefix, name).text, &stored);
    return entry ? entry->rank : 0;
}

bool weights_ok(const Weights *weights) { return !weights->failed; }

// ---- numbers --------------------------------------------------------------------------------------------------------

// Whether so many bytes more can be written to. Asking the system takes a moment, so it is done once for many weights.
static bool memory_left(Weights *weights, size_t bytes) {
    static const size_t MANY = (size_t)1 << 28;
    if (bytes > weights->granted) {
        size_t wanted = bytes > MANY ? bytes : MANY, available = memory_available("");
        if (bytes > available) return false;
        weights->granted = wanted < available ? wanted : available;
    }
    weights->granted -= bytes;
    return true;
}

// Memory that stays with the Weights, 64-byte aligned as the arena's; NULL where there is none left.
static void *take_converted(Weights *weights, size_t bytes) {
    if (!memory_left(weights, bytes)) return NULL;
    void **list = realloc(weights->converted, (weights->converted_count + 1) * sizeof *list);
    if (!list) return NULL;
    weights->converted = list;
    void *numbers = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (numbers) list[weights->converted_count++] = numbers;
    return numbers;
}

// The numbers as the file has them, which may lie at any address.
static const char *numbers_of(const SafetensorsEntry *entry, const StoredName *stored) {
    return (const char *)entry->data + entry->bytes / stored->parts * stored->part;
}

// The numbers as another type, with what the LoRAs add to them: that is added in f32, and rounded with them.
static bool convert_changed(Weights *weights, void *out, DType type, const void *in, DType in_type, Shape shape,
                            const char *name) {
    size_t n = shape_count(shape);
    float *numbers = type == F32 ? out : malloc(n * sizeof *numbers);
    if (!numbers) return error_set(weights->error, "%s: no memory to change it; use a smaller model", name);
    convert_to_f32(numbers, in, in_type, n);
    bool ok = loras_add(weights->loras, weights->stage, name, shape, numbers, weights->error);
    if (type == F32) return ok;
    convert(out, type, numbers, F32, n);
    free(numbers);
    return ok;
}

static Tensor no_memory_for(Weights *weights, Shape shape, const char *name) {
    error_set(weights->error,
              "%s: not enough memory for weight %s of shape %s; use a smaller model, or "
              "--weights f16",
              weights->random ? "random weights" : weights->files.path, name, shape_text(shape).text);
    weights->failed = true;
    return tensor_absent();
}

static Tensor random_tensor(Weights *weights, Shape shape, DType type, const char *name) {
    size_t n = shape_count(shape), inputs = shape.rank > 1 ? n / shape.axis[0] : 1;
    void *numbers = take_converted(weights, n * dtype_size(type));
    if (!numbers) return no_memory_for(weights, shape, name);
    random_numbers(numbers, type, n, sqrtf(1 / (float)inputs), (uint32_t)weights->parameters);
    weights->parameters += n;
    weights->stored[type] += n;
    weights->bytes += n * dtype_size(type);
    return (Tensor){numbers, shape, type, ON_HOST};
}

static Tensor tensor_as(Weights *weights, Shape shape, DType type, const char *name) {
    StoredName stored;
    if (weights->failed) return tensor_absent();
    if (weights->random) return random_tensor(weights, shape, type, name);
    const SafetensorsEntry *entry = find_checked(weights, shape, name, &stored);
    if (!entry) {
        weights->failed = true;
        return tensor_absent();
    }
    size_t n = shape_count(shape);
    const char *numbers = numbers_of(entry, &stored);
    weights->parameters += n;
    weights->stored[entry->dtype] += n;
    weights->bytes += n * dtype_size(type);
    bool changed = loras_change(weights->loras, weights->stage, name);
    if (!changed && entry->dtype == type && (uintptr_t)numbers % dtype_size(type) == 0) {
        return (Tensor){(void *)numbers, shape, type, ON_HOST};
    }
    void *converted = take_converted(weights, n * dtype_size(type));
    if (!converted) return no_memory_for(weights, shape, name);
    if (changed)
        weights->failed = !convert_changed(weights, converted, type, numbers, entry->dtype, shape, name);
    else
        convert(converted, type, numbers, entry->dtype, n);
    safetensors_release(numbers, n * dtype_size(entry->dtype));
    return weights->failed ? tensor_absent() : (Tensor){converted, shape, type, ON_HOST};
}

Tensor weights_tensor(Weights *weights, Shape shape, const char *prefix, const char *name) {
    return tensor_as(weights, shape, F32, full_name(prefix, name).text);
}

Tensor weights_matrix(Weights *weights, Shape shape, const char *prefix, const char *name) {
    return tensor_as(weights, shape, weights->matrix_type, full_name(prefix, name).text);
}
