// gemm.c - why a matrix product can run as fast as the arithmetic, and what is left to do for it
//
// Where: below the fast kernels of linear, conv2d and attention; see gemm.h. Read next: gemm_avx512.c.
//
// M N K multiply-adds need only M K + K N + M N numbers, but the plain three loops fetch two numbers for each of them,
// and memory is slower than arithmetic at every level:
//
//     registers   14 x 32 sums stay here from the first k to the last: 448 multiply-adds for 46 numbers fetched
//     L1, L2      a block of rows and the panel that it is multiplied with: K_BLOCK at a time, so that both fit
//     L3, memory  whoever calls gemm cuts its matrices into pieces (a thread's work) that are used often once they are
//                 here, and packs the right one, so that it is read in the order in which it lies
//
// This is Goto & van de Geijn 2008 ("Anatomy of High-Performance Matrix Multiplication") with one difference: theirs
// packs both matrices, here the left one is read where it lies. Fourteen rows are fourteen streams, which a core can
// follow.

#include "ops/gemm_kernels.h"

#include "base/least.h"
#include "base/machine.h"

enum { K_BLOCK = 512 };  // 14 rows of it are 28 KB, a panel of it 64 KB

static GemmPanel *gemm_panel_here(bool bf16) {
#ifdef __x86_64__
    if (bf16 && machine_has_avx512_bf16()) return gemm_panel_bf16_avx512;
    if (bf16 && machine_has_avx2()) return gemm_panel_bf16_avx2;
    if (!bf16 && machine_has_avx512()) return gemm_panel_avx512;
    if (!bf16 && machine_has_avx2()) return gemm_panel_avx2;
#endif
    return bf16 ? gemm_panel_bf16_plain : gemm_panel_plain;
}

void gemm(Gemm whole) {
    GemmPanel *one_panel = gemm_panel_here(whole.bf16);
    for (size_t k = 0; k < whole.K; k += K_BLOCK) {
        for (size_t j = 0; j < whole.N; j += PANEL) {
            Gemm part = whole;
            part.K = least(whole.K - k, K_BLOCK);
            part.N = least(whole.N - j, PANEL);
            part.out += j;
            part.rows = (const float *)whole.rows + k * whole.k_stride;
            part.panels = (const float *)whole.panels + j / PANEL * whole.panel_stride + k * PANEL;
            if (k > 0) {
                part.row_bias = part.column_bias = NULL;
                part.add = true;
            } else if (whole.column_bias) {
                part.column_bias += j;
            }
            one_panel(&part);
        }
    }
}

void gemm_start_row(const Gemm *g, size_t i, float sum[PANEL]) {
    for (size_t j = 0; j < PANEL; j++) {
        sum[j] = g->row_bias ? g->row_bias[i] : 0;
        if (j >= g->N) continue;
        if (g->column_bias) sum[j] += g->column_bias[j];
        if (g->add) sum[j] += g->out[i * g->out_stride + j];
    }
}

// The same in plain C, as the compiler's own vector instructions have it: for machines that nothing else is written for.
void gemm_panel_plain(const Gemm *g) {
    const float *rows = g->rows, *panel = g->panels;
    for (size_t i = 0; i < g->M; i++) {
        float *out = g->out + i * g->out_stride, sum[PANEL];
        gemm_start_row(g, i, sum);
        for (size_t k = 0; k < g->K; k++) {
            float a = rows[i * g->row_stride + k * g->k_stride];
            const float *b = panel + k * PANEL;
#pragma omp simd
            for (size_t j = 0; j < PANEL; j++) sum[j] += a * b[j];
        }
        for (size_t j = 0; j < g->N; j++) out[j] = sum[j];
    }
}

void pack_transposed_plain(float *panel, const float *matrix, size_t stride, size_t K, size_t N) {
    for (size_t k = 0; k < K; k++) {
        for (size_t j = 0; j < PANEL; j++) panel[k * PANEL + j] = j < N ? matrix[j * stride + k] : 0;
    }
}

static PackTransposed *pack_transposed_here(void) {
#ifdef __x86_64__
    if (machine_has_avx512()) return pack_transposed_avx512;
#endif
    return pack_transposed_plain;
}

void pack_transposed(void *panels, const void *matrix, size_t stride, size_t K, size_t N) {
    PackTransposed *one_panel = pack_transposed_here();
    for (size_t j = 0; j < N; j += PANEL) {
        one_panel((float *)panels + j * K, (const float *)matrix + j * stride, stride, K, least(N - j, PANEL));
    }
}
