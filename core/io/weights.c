// weights.c - see weights.h
//
// Where: between a .safetensors file and a stage's *_load.
// Elsewhere: torch's load_state_dict with strict names and shapes.

#include "io/weights.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool weights_open(Weights *weights, const char *path, Error *error) {
    *weights = (Weights){.error = error, .path = strdup(path)};
    CHECK(weights->path, "out of memory");
    weights->file = safetensors_open(path, error);
    weights->failed = !weights->file;
    if (weights->failed) weights_close(weights);
    return !weights->failed;
}

void weights_close(Weights *weights) {
    safetensors_close(weights->file);
    for (size_t i = 0; i < weights->converted_count; i++) free(weights->converted[i]);
    free(weights->converted);
    free(weights->path);
    *weights = (Weights){.failed = weights->failed, .error = weights->error};
}

// ---- other number formats to f32 ------------------------------------------------------------------------------------

// An unaligned number of the file. The compiler makes one load of it.
static inline uint16_t load_u16(const uint8_t *bytes) {
    uint16_t number;
    memcpy(&number, bytes, sizeof number);
    return number;
}

// The same arithmetic as f16_to_f32 (base/tensor.c, which explains it), here without a branch and open to the
// vectoriser: a checkpoint has a billion of these. The 2^112 multiplication mends the exponent's bias; infinity and NaN
// had all five exponent bits set, and get all eight.
static void convert_f16(float *out, const uint8_t *in, size_t n) {
#pragma omp parallel for
    for (size_t i = 0; i < n; i++) {
        uint32_t half = load_u16(in + 2 * i), bits;
        uint32_t rest = (half & 0x7fff) << 13, special = rest >= 0x7c00u << 13 ? 0x7f800000u : 0;
        float x;
        memcpy(&x, &rest, sizeof x);
        x *= 0x1p112f;
        memcpy(&bits, &x, sizeof bits);
        bits |= (half & 0x8000) << 16 | special;
        memcpy(&x, &bits, sizeof x);
        out[i] = x;
    }
}

// A bf16 is the upper half of a float.
static void convert_bf16(float *out, const uint8_t *in, size_t n) {
#pragma omp parallel for
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = (uint32_t)load_u16(in + 2 * i) << 16;
        float x;
        memcpy(&x, &bits, sizeof x);
        out[i] = x;
    }
}

// n floats that stay with the Weights, 64-byte aligned as the arena's; NULL where memory ran out.
static float *take_converted(Weights *weights, size_t n) {
    void **list = realloc(weights->converted, (weights->converted_count + 1) * sizeof *list);
    if (!list) return NULL;
    weights->converted = list;
    float *numbers = aligned_alloc(64, (n * sizeof(float) + 63) / 64 * 64);
    if (numbers) list[weights->converted_count++] = numbers;
    return numbers;
}

// ---- tensors by name ------------------------------------------------------------------------------------------------

typedef struct FullName {
    char text[256];
} FullName;

static FullName full_name(const char *prefix, const char *name) {
    FullName full;
    int length = snprintf(full.text, sizeof full.text, "%s%s", prefix, name);
    CHECK(length >= 0 && (size_t)length < sizeof full.text, "weight name %s%s is too long", prefix, name);
    return full;
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
static const SafetensorsEntry *find_checked(const Weights *weights, Shape shape, const char *name) {
    const char *advice = "config and weights must come from the same model";
    const SafetensorsEntry *entry = safetensors_find(weights->file, name);
    if (!entry) {
        error_set(weights->error, "%s: weight %s is missing, the config implies one of shape %s; %s", weights->path,
                  name, shape_text(shape).text, advice);
        return NULL;
    }
    if (entry->rank != shape.rank || memcmp(entry->axis, shape.axis, shape.rank * sizeof(size_t)) != 0) {
        error_set(weights->error, "%s: weight %s has shape %s, the config implies %s; %s", weights->path, name,
                  entry_shape_text(entry).text, shape_text(shape).text, advice);
        return NULL;
    }
    if (!entry->supported || entry->dtype == I64) {
        error_set(weights->error, "%s: weight %s is stored as %s; convert it to F32, F16 or BF16", weights->path, name,
                  entry->dtype_name);
        return NULL;
    }
    return entry;
}

Tensor weights_tensor(Weights *weights, Shape shape, const char *prefix, const char *name) {
    if (weights->failed) return tensor_absent();
    FullName full = full_name(prefix, name);
    const SafetensorsEntry *entry = find_checked(weights, shape, full.text);
    if (!entry) {
        weights->failed = true;
        return tensor_absent();
    }
    size_t n = shape_count(shape);
    weights->parameters += n;
    if (entry->dtype == F32 && (uintptr_t)entry->data % _Alignof(float) == 0) {
        return tensor_over((float *)entry->data, shape);
    }
    float *numbers = take_converted(weights, n);
    if (!numbers) {
        error_set(weights->error, "%s: not enough memory for weight %s of shape %s; use a smaller model", weights->path,
                  full.text, shape_text(shape).text);
        weights->failed = true;
        return tensor_absent();
    }
    if (entry->dtype == F32)
        memcpy(numbers, entry->data, entry->bytes);
    else if (entry->dtype == F16)
        convert_f16(numbers, entry->data, n);
    else
        convert_bf16(numbers, entry->data, n);
    return tensor_over(numbers, shape);
}

bool weights_has(const Weights *weights, const char *prefix, const char *name) {
    return weights->file && safetensors_find(weights->file, full_name(prefix, name).text) != NULL;
}

bool weights_ok(const Weights *weights) { return !weights->failed; }
