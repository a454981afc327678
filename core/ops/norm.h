// norm.h - the kernels of group_norm and layer_norm; see norm.c

#pragma once

#include <stddef.h>

typedef struct GroupNormShape {
    size_t B, C, H, W;
    size_t G;  // groups; C is a multiple
} GroupNormShape;

typedef struct LayerNormShape {
    size_t N, C;  // rows, numbers a row
} LayerNormShape;

// in, out [B, C, H, W], weight, bias [C]. out may be in.
typedef void GroupNormKernel(float *out, const float *in, const float *weight, const float *bias, GroupNormShape s,
                             float eps);

// in, out [N, C], weight, bias [C]. out may be in.
typedef void LayerNormKernel(float *out, const float *in, const float *weight, const float *bias, LayerNormShape s,
                             float eps);

GroupNormKernel group_norm_naive, group_norm_openmp, group_norm_avx2;
GroupNormKernel group_norm_silu_naive, group_norm_silu_openmp, group_norm_silu_avx2, group_norm_silu_avx512;
LayerNormKernel layer_norm_naive, layer_norm_openmp, layer_norm_avx2;
