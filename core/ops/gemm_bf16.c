// gemm_bf16.c - rows x one panel in bf16: two products for one instruction's price
//
// Where: called by gemm.c where `bf16` is set: linear=bf16, conv2d=bf16, attention=bf16. Elsewhere: oneDNN's brgemm.
// Papers: Kalamkar et al. 2019 (arXiv 1905.12322) for the format: a float without its lower 16 bits, so three digits and
// the whole range. Read next: gemm_avx512.c, of which this is the twin.
//
// Numbers come as pairs that follow each other in k, since that is what the instruction (vdpbf16ps) multiplies: each of
// its 16 lanes takes a pair from either side and adds both products to a float.
//
//                       panel [K / 2, 32] pairs
//                       | b0 (16 pairs)     | b1 (16 pairs)     |     2 registers for two rows of the matrix
//     rows [14, K / 2]  +-------------------+-------------------+
//     a[0,k] a[0,k+1]   | sum0,0 (16 f32)   | sum0,1            |     28 registers for the sums, in f32: that is why
//     a[1,k] a[1,k+1]   | sum1,0            | sum1,1            |     three digits are enough for what is multiplied
//       ...             |   ...             |   ...             |
//     a[13,k] a[13,k+1] | sum13,0           | sum13,1           |     1 register for the pair a[i,k..k+1], 16 times
//                       +-------------------+-------------------+
//
// Without that instruction pairs are taken apart: a bf16 becomes a float by 16 zero bits.

#include "base/bits.h"
#include "ops/gemm_kernels.h"
#include "ops/wide.h"

// ---- any machine ----------------------------------------------------------------------------------------------------

static inline float first_of(uint32_t pair) { return float_of_bits(pair << 16); }
static inline float second_of(uint32_t pair) { return float_of_bits(pair & 0xffff0000u); }

INLINE void rows_by_panel(const Gemm *g) {
    const uint32_t *rows = g->rows, *panel = g->panels;
    for (size_t i = 0; i < g->M; i++) {
        float *out = g->out + i * g->out_stride, sum[PANEL];
        gemm_start_row(g, i, sum);
        for (size_t k = 0; k < g->K; k++) {
            uint32_t pair = rows[i * g->row_stride + k * g->k_stride];
            float a0 = first_of(pair), a1 = second_of(pair);
            const uint32_t *b = panel + k * PANEL;
#pragma omp simd
            for (size_t j = 0; j < PANEL; j++) sum[j] += a0 * first_of(b[j]) + a1 * second_of(b[j]);
        }
        for (size_t j = 0; j < g->N; j++) out[j] = sum[j];
    }
}

void gemm_panel_bf16_plain(const Gemm *g) { rows_by_panel(g); }

#ifdef __x86_64__

AVX2 void gemm_panel_bf16_avx2(const Gemm *g) { rows_by_panel(g); }

// ---- AVX512_BF16 ----------------------------------------------------------------------------------------------------

#include "ops/gemm_avx512.h"

#define AVX512_BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))

// Rows i0 to i0 + n of the product. n is known where this is inlined, so that the loops over it unroll and `sum` becomes
// registers.
AVX512_BF16 INLINE void some_rows(const Gemm *g, size_t i0, Halves halves, const int n) {
    const uint32_t *a = (const uint32_t *)g->rows + i0 * g->row_stride, *b = g->panels;
    __m512 sum[ROWS][2];
#pragma GCC unroll 14
    for (int i = 0; i < n; i++) start_row(g, i0 + (size_t)i, halves, sum[i]);
    for (size_t k = 0; k < g->K; k++) {
        __m512bh b0 = (__m512bh)_mm512_loadu_si512(b), b1 = (__m512bh)_mm512_loadu_si512(b + LANES);
#pragma GCC unroll 14
        for (int i = 0; i < n; i++) {
            __m512bh ai = (__m512bh)_mm512_set1_epi32((int)a[(size_t)i * g->row_stride]);
            sum[i][0] = _mm512_dpbf16_ps(sum[i][0], ai, b0);
            sum[i][1] = _mm512_dpbf16_ps(sum[i][1], ai, b1);
        }
        a += g->k_stride;
        b += PANEL;
    }
#pragma GCC unroll 14
    for (int i = 0; i < n; i++) end_row(g, i0 + (size_t)i, halves, sum[i]);
}

AVX512_BF16 void gemm_panel_bf16_avx512(const Gemm *g) {
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

#endif
