// gemm_avx512.c - rows x one panel with 32 registers of 16 floats
//
// Where: called by gemm.c on machines that have AVX-512. Elsewhere: the assembly kernels of OpenBLAS, oneDNN's generated
// ones. Here the compiler deals the registers; what matters is how many sums are under way at once.
//
//                      panel [K, 32]
//                      | b0 (16) | b1 (16) |         2 registers for row k of the panel
//     rows [14, K]     +---------+---------+
//     a[0,k]           | sum0,0  | sum0,1  |         28 registers for the sums: 14 rows of 32 numbers. They stay from
//     a[1,k]           | sum1,0  | sum1,1  |         the first k to the last, so that out is written once.
//       ...            |   ...   |   ...   |
//     a[13,k]          | sum13,0 | sum13,1 |         1 register for a[i,k], the same number 16 times
//                      +---------+---------+
//
// For each k that is 2 + 14 loads and 28 multiply-adds of 16 numbers. A Zen 4 core starts one such multiply-add a cycle
// and a load beside it: it can be at its peak, whatever the caches do, as long as the loads arrive in time. A sum has 27
// others before it is needed again, longer than the 4 cycles that a multiply-add takes.

#include "ops/gemm_kernels.h"

#ifdef __x86_64__

#include "ops/gemm_avx512.h"

// Rows i0 to i0 + n of the product. n is known where this is inlined, so that the loops over it unroll and `sum` becomes
// registers.
AVX512 INLINE void some_rows(const Gemm *g, size_t i0, Halves halves, const int n) {
    const float *a = (const float *)g->rows + i0 * g->row_stride, *b = g->panels;
    __m512 sum[ROWS][2];
#pragma GCC unroll 14
    for (int i = 0; i < n; i++) start_row(g, i0 + (size_t)i, halves, sum[i]);
    for (size_t k = 0; k < g->K; k++) {
        __m512 b0 = _mm512_loadu_ps(b), b1 = _mm512_loadu_ps(b + LANES);
#pragma GCC unroll 14
        for (int i = 0; i < n; i++) {
            __m512 ai = _mm512_set1_ps(a[(size_t)i * g->row_stride]);
            sum[i][0] = _mm512_fmadd_ps(ai, b0, sum[i][0]);
            sum[i][1] = _mm512_fmadd_ps(ai, b1, sum[i][1]);
        }
        a += g->k_stride;
        b += PANEL;
    }
#pragma GCC unroll 14
    for (int i = 0; i < n; i++) end_row(g, i0 + (size_t)i, halves, sum[i]);
}

// Rows that don't divide by 14 are dealt as evenly as they can be: 64 rows are 13 + 13 + 13 + 13 + 12.
AVX512 void gemm_panel_avx512(const Gemm *g) {
    Halves halves = halves_of(g->N);
    size_t blocks = (g->M + ROWS - 1) / ROWS;
    for (size_t block = 0; block < blocks; block++) {
        size_t i0 = g->M * block / blocks;
        switch (g->M * (block + 1) / blocks - i0) {
        case 14: some_rows(g, i0, halves, 14); break;
        case 13: some_rows(g, i0, halves, 13); break;
        case 12: some_rows(g, i0, halves, 12); break;
        case 11: some_rows(g, i0, halves, 11); break;
        case 10: some_rows(g, i0, halves, 10); break;
        case 9: some_rows(g, i0, halves, 9); break;
        case 8: some_rows(g, i0, halves, 8); break;
        case 7: some_rows(g, i0, halves, 7); break;
        case 6: some_rows(g, i0, halves, 6); break;
        case 5: some_rows(g, i0, halves, 5); break;
        case 4: some_rows(g, i0, halves, 4); break;
        case 3: some_rows(g, i0, halves, 3); break;
        case 2: some_rows(g, i0, halves, 2); break;
        case 1: some_rows(g, i0, halves, 1); break;
        }
    }
}

// ---- packing --------------------------------------------------------------------------------------------------------

// A square of 16 x 16 numbers, turned over its diagonal: first pairs of rows are interleaved number by number, then by
// two numbers, then by four, then by eight. After that, register j holds column j.
AVX512 INLINE void transpose_16(__m512 r[LANES]) {
    __m512 t[LANES];
#pragma GCC unroll 8
    for (int i = 0; i < LANES; i += 2) {
        t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < LANES; i += 4) {
        r[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(t[i]), _mm512_castps_pd(t[i + 2])));
        r[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(t[i]), _mm512_castps_pd(t[i + 2])));
        r[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(t[i + 1]), _mm512_castps_pd(t[i + 3])));
        r[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(t[i + 1]), _mm512_castps_pd(t[i + 3])));
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        t[i] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
        t[i + 8] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        r[i] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
        r[i + 8] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd);
        r[i + 4] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0x88);
        r[i + 12] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0xdd);
    }
}

AVX512 void pack_transposed_avx512(float *panel, const float *matrix, size_t stride, size_t K, size_t N) {
    for (size_t half = 0; half < PANEL; half += LANES) {
        for (size_t k0 = 0; k0 < K; k0 += LANES) {
            size_t count = K - k0 < LANES ? K - k0 : LANES;
            __mmask16 there = (__mmask16)((1u << count) - 1);
            __m512 r[LANES];
#pragma GCC unroll 16
            for (size_t j = 0; j < LANES; j++) {
                __mmask16 mask = half + j < N ? there : 0;
                r[j] = _mm512_maskz_loadu_ps(mask, matrix + (half + j < N ? half + j : 0) * stride + k0);
            }
            transpose_16(r);
            for (size_t k = 0; k < count; k++) _mm512_storeu_ps(panel + (k0 + k) * PANEL + half, r[k]);
        }
    }
}

#endif
