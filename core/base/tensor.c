// tensor.c - see tensor.h

#include "base/tensor.h"

#include "base/bits.h"
#include "base/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

Shape shape1(size_t a) { return (Shape){1, {a, 1, 1, 1}}; }
Shape shape2(size_t a, size_t b) { return (Shape){2, {a, b, 1, 1}}; }
Shape shape3(size_t a, size_t b, size_t c) { return (Shape){3, {a, b, c, 1}}; }
Shape shape4(size_t a, size_t b, size_t c, size_t d) { return (Shape){4, {a, b, c, d}}; }

bool shape_equal(Shape a, Shape b) {
    if (a.rank != b.rank) return false;
    for (size_t i = 0; i < a.rank; i++) {
        if (a.axis[i] != b.axis[i]) return false;
    }
    return true;
}

size_t shape_count(Shape shape) {
    size_t count = 1;
    for (size_t i = 0; i < shape.rank; i++) {
        CHECK(!__builtin_mul_overflow(count, shape.axis[i], &count), "%s overflows", shape_text(shape).text);
    }
    return count;
}

ShapeText shape_text(Shape shape) {
    ShapeText out = {"["};
    size_t used = 1;
    for (size_t i = 0; i < shape.rank; i++) {
        used += (size_t)snprintf(out.text + used, sizeof out.text - used, i ? ", %zu" : "%zu", shape.axis[i]);
    }
    snprintf(out.text + used, sizeof out.text - used, "]");
    return out;
}

size_t dtype_size(DType dtype) {
    static const size_t sizes[] = {[F32] = 4, [F16] = 2, [BF16] = 2, [I64] = 8};
    return sizes[dtype];
}

const char *dtype_name(DType dtype) {
    static const char *const names[] = {[F32] = "F32", [F16] = "F16", [BF16] = "BF16", [I64] = "I64"};
    return names[dtype];
}

// ---- half precision (IEEE 754-2008 binary16): 1 sign bit, 5 of exponent with bias 15, 10 of fraction ---------------

// Shifted into place, a half is a float whose exponent is biased by 15 instead of 127; a multiplication by 2^112 mends
// that, and gets subnormals right too. Infinity and NaN have the largest exponent and need it set by hand. NaNs keep
// what they carry and are made quiet, as by the processors' own conversions.
float f16_to_f32(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, rest = (uint32_t)(half & 0x7fff) << 13;
    if (rest > 0x7c00u << 13) return float_of_bits(sign | 0x7fc00000u | rest);
    if (rest == 0x7c00u << 13) return float_of_bits(sign | 0x7f800000u);
    return float_of_bits(sign | bits_of_float(float_of_bits(rest) * 0x1p112f));
}

uint16_t f32_to_f16(float x) {
    uint32_t bits = bits_of_float(x), sign = bits >> 16 & 0x8000, rest = bits & 0x7fffffff;
    if (rest > 0x7f800000u) return (uint16_t)(sign | 0x7e00 | (rest >> 13 & 0x1ff));  // NaN
    if (rest >= 0x477ff000u) return (uint16_t)(sign | 0x7c00);                        // 65520 and more become infinite
    if (rest < 0x38800000u) {
        // Under 2^-14 a half counts in steps of 2^-24; adding 0.5 puts the float's last bit there, so it rounds there.
        return (uint16_t)(sign | (bits_of_float(float_of_bits(rest) + 0.5f) - bits_of_float(0.5f)));
    }
    uint32_t round = 0xfff + (rest >> 13 & 1);  // half of the last kept place, to even
    return (uint16_t)(sign | ((rest + round - 0x38000000u) >> 13));
}

// ---- bfloat16: the upper half of a float ----------------------------------------------------------------------------

float bf16_to_f32(uint16_t brain) { return float_of_bits((uint32_t)brain << 16); }

uint16_t f32_to_bf16(float x) {
    uint32_t bits = bits_of_float(x);
    if ((bits & 0x7fffffff) > 0x7f800000u) return (uint16_t)(bits >> 16 | 0x40);  // NaN stays NaN
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

bool all_finite(const float *values, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(values[i])) return false;
    }
    return true;
}

// ---- tensors over the caller's memory -------------------------------------------------------------------------------

Tensor tensor_over(float *data, Shape shape) { return (Tensor){data, shape, F32, ON_HOST}; }

Tensor tensor_over_ids(int64_t *ids, Shape shape) { return (Tensor){ids, shape, I64, ON_HOST}; }

Tensor tensor_last_rows(Tensor t, size_t rows) {
    size_t all = t.shape.axis[0];
    CHECK(t.shape.rank >= 1 && rows >= 1 && rows <= all, "the last %zu of %s", rows, shape_text(t.shape).text);
    size_t row_bytes = shape_count(t.shape) / all * dtype_size(t.dtype);
    t.shape.axis[0] = rows;
    if (t.data) t.data = (char *)t.data + (all - rows) * row_bytes;
    return t;
}

float *tensor_f32(Tensor t) {
    CHECK(t.dtype == F32 && t.place == ON_HOST, "%s tensor %s", dtype_name(t.dtype), shape_text(t.shape).text);
    return t.data;
}

const int64_t *tensor_i64(Tensor t) {
    CHECK(t.dtype == I64 && t.place == ON_HOST, "%s tensor %s", dtype_name(t.dtype), shape_text(t.shape).text);
    return t.data;
}
