// gemm_avx2.c - rows x one panel with 16 registers of 8 floats; see gemm_avx512.c, which explains the scheme
//
// Half as many registers, each half as wide: 6 rows of 16 numbers are 12 sums, so a panel is done in two halves.

#include "ops/gemm_kernels.h"

#ifdef __x86_64__

#include "ops/wide.h"

#include <immintrin.h>

enum { ROWS = 6, LANES = 8, HALF = 2 * LANES };

// The first n of 8 lanes: what maskload and maskstore touch.
AVX2 static inline __m256i lanes_below(size_t n) {
    __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n > LANES ? LANES : (int)n), lane);
}

// Rows i0 to i0 + n, columns j0 to j0 + HALF. n is known where this is inlined.
AVX2 INLINE void some_rows(const Gemm *g, size_t i0, size_t j0, const int n) {
    float *out = g->out + i0 * g->out_stride + j0;
    const float *a = (const float *)g->rows + i0 * g->row_stride, *b = (const float *)g->panels + j0;
    size_t columns = g->N - j0;
    __m256i there[2] = {lanes_below(columns), lanes_below(columns > LANES ? columns - LANES : 0)};
    __m256 sum[ROWS][2];
#pragma GCC unroll 6
    for (int i = 0; i < n; i++) {
        for (int part = 0; part < 2; part++) {
            sum[i][part] = _mm256_set1_ps(g->row_bias ? g->row_bias[i0 + (size_t)i] : 0);
            const float *bias = g->column_bias ? g->column_bias + j0 + LANES * part : NULL;
            const float *before = out + (size_t)i * g->out_stride + LANES * part;
            if (bias) sum[i][part] = _mm256_add_ps(sum[i][part], _mm256_maskload_ps(bias, there[part]));
            if (g->add) sum[i][part] = _mm256_add_ps(sum[i][part], _mm256_maskload_ps(before, there[part]));
        }
    }
    for (size_t k = 0; k < g->K; k++) {
        __m256 b0 = _mm256_loadu_ps(b), b1 = _mm256_loadu_ps(b + LANES);
#pragma GCC unroll 6
        for (int i = 0; i < n; i++) {
            __m256 ai = _mm256_broadcast_ss(a + (size_t)i * g->row_stride);
            sum[i][0] = _mm256_fmadd_ps(ai, b0, sum[i][0]);
            sum[i][1] = _mm256_fmadd_ps(ai, b1, sum[i][1]);
        }
        a += g->k_stride;
        b += PANEL;
    }
#pragma GCC unroll 6
    for (int i = 0; i < n; i++) {
        for (int part = 0; part < 2; part++) {
            _mm256_maskstore_ps(out + (size_t)i * g->out_stride + LANES * part, there[part], sum[i][part]);
        }
    }
}

AVX2 void gemm_panel_avx2(const Gemm *g) {
    size_t blocks = (g->M + ROWS - 1) / ROWS;
    for (size_t block = 0; block < blocks; block++) {
        size_t i0 = g->M * block / blocks, n = g->M * (block + 1) / blocks - i0;
        for (size_t j0 = 0; j0 < g->N; j0 += HALF) {
            switch (n) {
            case 6: some_rows(g, i0, j0, 6); break;
            case 5: some_rows(g, i0, j0, 5); break;
            case 4: some_rows(g, i0, j0, 4); break;
            case 3: some_rows(g, i0, j0, 3); break;
            case 2: some_rows(g, i0, j0, 2); break;
            case 1: some_rows(g, i0, j0, 1); break;
            }
        }
    }
}

#endif
