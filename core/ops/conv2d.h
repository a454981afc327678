// conv2d.h - the kernels of conv2d; see conv2d.c

#pragma once

#include "base/tensor.h"

#include <stddef.h>

typedef struct Conv2dShape {
    size_t B, Cin, H, W;  // in
    size_t Cout, K;       // weight [Cout, Cin, K, K]
    size_t stride, padding;
    size_t Hout, Wout;  // (H + 2 padding - K) / stride + 1
} Conv2dShape;

// out [B, Cout, Hout, Wout], in [B, Cin, H, W], weight [Cout, Cin, K, K] (BF16 for bf16, F32 for the others), bias [Cout] or
// NULL. out overlaps nothing. scratch: what the variant's scratch_size asks for.
typedef void Conv2dKernel(float *out, const float *in, const void *weight, const float *bias, Conv2dShape s,
                          void *scratch);

Conv2dKernel conv2d_naive, conv2d_openmp, conv2d_blas, conv2d_packed, conv2d_winograd, conv2d_bf16;

size_t conv2d_blas_scratch_size(const void *conv2d_shape);  // bytes, at most 8 MiB unless one row of output needs more
size_t conv2d_packed_scratch_size(const void *conv2d_shape);
size_t conv2d_winograd_scratch_size(const void *conv2d_shape);
size_t conv2d_bf16_scratch_size(const void *conv2d_shape);

// conv2d_packed with weights of type F32, or BF16 in the precision of that. For conv2d_winograd and conv2d_bf16, which
// leave to it what they don't do better.
void conv2d_packed_as(DType weight_type, float *out, const float *in, const void *weight, const float *bias,
                      Conv2dShape s, void *scratch);
size_t conv2d_packed_as_scratch_size(DType weight_type, Conv2dShape s);
