// conv2d.h - the kernels of conv2d; see conv2d.c

#pragma once

#include <stddef.h>

typedef struct Conv2dShape {
    size_t B, Cin, H, W;  // in
    size_t Cout, K;       // weight [Cout, Cin, K, K]
    size_t stride, padding;
    size_t Hout, Wout;  // (H + 2 padding - K) / stride + 1
} Conv2dShape;

// out [B, Cout, Hout, Wout], in [B, Cin, H, W], weight [Cout, Cin, K, K] (F32 for all variants), bias [Cout] or
// NULL. out overlaps nothing. scratch: what the variant's scratch_size asks for.
typedef void Conv2dKernel(float *out, const float *in, const void *weight, const float *bias, Conv2dShape s,
                          void *scratch);

Conv2dKernel conv2d_naive, conv2d_openmp, conv2d_blas, conv2d_packed, conv2d_winograd;

size_t conv2d_blas_scratch_size(const void *conv2d_shape);  // bytes, at most 8 MiB unless one row of output needs more
size_t conv2d_packed_scratch_size(const void *conv2d_shape);
size_t conv2d_winograd_scratch_size(const void *conv2d_shape);
