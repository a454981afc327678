// bf16_pairs.c - see bf16_pairs.h

#include "ops/bf16_pairs.h"

#include "base/bits.h"
#include "base/machine.h"
#include "ops/wide.h"

static inline uint32_t rounded(float x) { return bits_of_float(x) + 0x8000; }

// The first number stands in the lower half.
static inline uint32_t pair_of(float first, float second) {
    return rounded(first) >> 16 | (rounded(second) & 0xffff0000u);
}

INLINE void along(uint32_t *out, const float *in, size_t n) {
    uint16_t *halves = (uint16_t *)out;  // in the order in which they lie in pairs
#pragma omp simd
    for (size_t i = 0; i < 2 * n; i++) halves[i] = (uint16_t)(rounded(in[i]) >> 16);
}

INLINE void across(uint32_t *out, const float *first, const float *second, size_t n) {
    if (!second) {
#pragma omp simd
        for (size_t i = 0; i < n; i++) out[i] = pair_of(first[i], 0);
        return;
    }
#pragma omp simd
    for (size_t i = 0; i < n; i++) out[i] = pair_of(first[i], second[i]);
}

INLINE void rows_inplace(float *rows, size_t K, size_t n) {
    uint32_t *pairs = (uint32_t *)rows;
    for (size_t k = 0; k < K; k += 2) {
        across(pairs + k / 2 * n, rows + k * n, k + 1 < K ? rows + (k + 1) * n : NULL, n);
    }
}

AVX512 static void along_avx512(uint32_t *out, const float *in, size_t n) { along(out, in, n); }
AVX512 static void across_avx512(uint32_t *out, const float *a, const float *b, size_t n) { across(out, a, b, n); }
AVX512 static void rows_inplace_avx512(float *rows, size_t K, size_t n) { rows_inplace(rows, K, n); }

void pairs_along(uint32_t *out, const float *in, size_t n) {
    if (machine_has_avx512())
        along_avx512(out, in, n);
    else
        along(out, in, n);
}

void pairs_across(uint32_t *out, const float *first, const float *second, size_t n) {
    if (machine_has_avx512())
        across_avx512(out, first, second, n);
    else
        across(out, first, second, n);
}

void pair_rows_inplace(float *rows, size_t K, size_t n) {
    if (machine_has_avx512())
        rows_inplace_avx512(rows, K, n);
    else
        rows_inplace(rows, K, n);
}
