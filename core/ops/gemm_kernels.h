// gemm_kernels.h - the innermost part of gemm, once for each kind of machine
//
// Where: gemm.c picks one. Each does the same: rows x one panel, with all sums in registers from the first k to the last.

#pragma once

#include "ops/gemm.h"

// product.N is at most PANEL: one panel.
typedef void GemmPanel(const Gemm *product);
// panel [K, PANEL] from matrix [N, K] with N at most PANEL.
typedef void PackTransposed(float *panel, const float *matrix, size_t stride, size_t K, size_t N);

// What the sums of row i start with: biases, and what out holds.
void gemm_start_row(const Gemm *product, size_t i, float sum[PANEL]);

GemmPanel gemm_panel_plain, gemm_panel_bf16_plain;
PackTransposed pack_transposed_plain;

#ifdef __x86_64__
GemmPanel gemm_panel_avx2, gemm_panel_avx512;
GemmPanel gemm_panel_bf16_avx2, gemm_panel_bf16_avx512;
PackTransposed pack_transposed_avx512;
#endif
