// convert.c - see convert.h
//
// A checkpoint has a billion of these numbers, so the loops are free of branches and open to the vectoriser.

#include "base/convert.h"

#include "base/check.h"

#include <string.h>

// An unaligned number of a file. The compiler makes one load of it.
static inline uint16_t load_u16(const uint8_t *bytes) {
    uint16_t number;
    memcpy(&number, bytes, sizeof number);
    return number;
}

// The same arithmetic as f16_to_f32 (tensor.c, which explains it), without a branch. The 2^112 multiplication mends the
// exponent's bias; infinity and NaN had all five exponent bits set, and get all eight.
static void f16_array_to_f32(float *out, const uint8_t *in, size_t n) {
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
static void bf16_array_to_f32(float *out, const uint8_t *in, size_t n) {
#pragma omp parallel for
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = (uint32_t)load_u16(in + 2 * i) << 16;
        float x;
        memcpy(&x, &bits, sizeof x);
        out[i] = x;
    }
}

void convert_to_f32(float *out, const void *in, DType type, size_t n) {
    switch (type) {
    case F32: memcpy(out, in, n * sizeof *out); break;
    case F16: f16_array_to_f32(out, in, n); break;
    case BF16: bf16_array_to_f32(out, in, n); break;
    default: CHECK(false, "%s to F32", dtype_name(type));
    }
}

void convert_to_f16(uint16_t *out, const void *in, DType type, size_t n) {
    CHECK(type == F32 || type == F16 || type == BF16, "%s to F16", dtype_name(type));
    if (type == F16) {
        memcpy(out, in, n * sizeof *out);
        return;
    }
    const uint8_t *bytes = in;
#pragma omp parallel for
    for (size_t i = 0; i < n; i++) {
        float x;
        if (type == F32)
            memcpy(&x, bytes + 4 * i, sizeof x);
        else
            x = bf16_to_f32(load_u16(bytes + 2 * i));
        out[i] = f32_to_f16(x);
    }
}
