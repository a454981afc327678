// gemm.h - the matrix product that the fastest kernels are made of
//
//     out [M, N] = rows [M, K] x columns [K, N]
//
// Where: linear=packed, conv2d=packed, conv2d=winograd and attention=flash are each a way to arrange their numbers for
// it. Elsewhere: the inner kernel of BLIS (Van Zee & van de Geijn 2015, "BLIS: A Framework for Rapidly Instantiating
// BLAS Functionality", section 3), of OpenBLAS and oneDNN.
// Read next: gemm.c, for why it is fast; gemm_avx512.c, for how.
//
// The right matrix comes packed: cut into panels of PANEL columns, each [K, PANEL], so that what is multiplied one after
// the other lies one after the other. The left one is read where it lies, in rows or in columns.
//
// Both matrices are made of units of four bytes: a float, or a pair of bf16 that follow each other in k. Of pairs, K and
// k_stride count pairs, and `panels_size` and `pack_transposed` take half of what they would for floats.

#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { PANEL = 32 };  // columns

// How many panels N columns take, and how many units all of them hold.
static inline size_t panel_count(size_t N) { return (N + PANEL - 1) / PANEL; }
static inline size_t panels_size(size_t K, size_t N) { return panel_count(N) * K * PANEL; }

typedef struct Gemm {
    float *out;  // [M, N]: number i, j lies at i out_stride + j
    size_t out_stride;
    bool bf16;         // rows and panels are pairs of bf16
    const void *rows;  // [M, K]: unit i, k lies at i row_stride + k k_stride
    size_t row_stride, k_stride;
    const void *panels;   // unit k, j lies in panel j / PANEL, at k PANEL + j % PANEL
    size_t panel_stride;  // from one panel to the next: K PANEL, or more where K is only a part of the sum
    size_t M, N, K;
    const float *row_bias;     // [M], or NULL: what every number of a row starts with
    const float *column_bias;  // [N], or NULL: what every number of a column starts with
    bool add;                  // to what out holds; else out is overwritten
} Gemm;

// One thread's work, in the calling thread.
void gemm(Gemm product);

// matrix [N, K], its rows `stride` apart, becomes the panels of its transpose [K, N]; columns beyond N are 0.
void pack_transposed(void *panels, const void *matrix, size_t stride, size_t K, size_t N);
