// random_numbers.c - see random_numbers.h
//
// No number depends on the one before it: each is its own place in the array, stirred (the finalizer of MurmurHash3, by
// Austin Appleby). So threads and vector lanes share the work.

#include "io/random_numbers.h"

#include "base/check.h"
#include "base/convert.h"

static uint32_t stirred(uint32_t x) {
    x ^= x >> 16;
    x *= 0x85ebca6b;
    x ^= x >> 13;
    x *= 0xc2b2ae35;
    return x ^ x >> 16;
}

static void fill(float *out, size_t n, float bound, uint32_t place) {
    for (size_t i = 0; i < n; i++) {
        out[i] = (float)(int32_t)stirred(place + (uint32_t)i) * (bound / 2147483648.0f);  // 2^31
    }
}

void random_numbers(void *out, DType type, size_t n, float bound, uint32_t seed) {
    enum { TILE = 4096 };
    CHECK(type != I64, "random numbers as %s", dtype_name(type));
    uint32_t start = stirred(seed);
#pragma omp parallel for
    for (size_t first = 0; first < n; first += TILE) {
        size_t count = n - first < TILE ? n - first : TILE;
        float tile[TILE];
        float *numbers = type == F32 ? (float *)out + first : tile;
        fill(numbers, count, bound, start + (uint32_t)first);
        if (type != F32) convert((uint16_t *)out + first, type, tile, F32, count);
    }
}
