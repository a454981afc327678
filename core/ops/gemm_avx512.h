// gemm_avx512.h - the two ends of a row's sums, which gemm_avx512.c and gemm_bf16.c share

#pragma once

#include "ops/gemm.h"
#include "ops/wide.h"

#include <immintrin.h>
#include <stdint.h>

enum { ROWS = 14, LANES = 16 };

// The columns of a panel that there are, as bits: those of its first LANES, and the others.
typedef struct Halves {
    __mmask16 mask[2];
} Halves;

static inline Halves halves_of(size_t N) {
    uint32_t bits = N >= PANEL ? UINT32_MAX : (1u << N) - 1;
    return (Halves){{(__mmask16)(bits & 0xffff), (__mmask16)(bits >> LANES)}};
}

// What the sums of row i start with: biases, and what out holds.
AVX512 INLINE void start_row(const Gemm *g, size_t i, Halves halves, __m512 sum[2]) {
    __m512 row_bias = _mm512_set1_ps(g->row_bias ? g->row_bias[i] : 0);
    for (int half = 0; half < 2; half++) {
        sum[half] = row_bias;
        if (g->column_bias) {
            __m512 bias = _mm512_maskz_loadu_ps(halves.mask[half], g->column_bias + LANES * half);
            sum[half] = _mm512_add_ps(sum[half], bias);
        }
        if (g->add) {
            const float *before = g->out + i * g->out_stride + LANES * half;
            sum[half] = _mm512_add_ps(sum[half], _mm512_maskz_loadu_ps(halves.mask[half], before));
        }
    }
}

AVX512 INLINE void end_row(const Gemm *g, size_t i, Halves halves, const __m512 sum[2]) {
    for (int half = 0; half < 2; half++) {
        _mm512_mask_storeu_ps(g->out + i * g->out_stride + LANES * half, halves.mask[half], sum[half]);
    }
}
