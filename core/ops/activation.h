// activation.h - the kernels of silu, gelu, quick_gelu, relu, tanh and geglu; see activation.c

#pragma once

#include <stddef.h>

// in, out [n]. out may be in.
typedef void ActivationKernel(float *out, const float *in, size_t n);

ActivationKernel silu_naive, silu_openmp;
ActivationKernel gelu_naive, gelu_openmp, gelu_avx2;
ActivationKernel quick_gelu_naive, quick_gelu_openmp, quick_gelu_avx2;
ActivationKernel relu_naive, relu_openmp;
ActivationKernel tanh_naive, tanh_openmp;

typedef struct GegluShape {
    size_t N, C;  // rows; numbers a row of out
} GegluShape;

// in [N, 2C] -> out [N, C]. out overlaps nothing.
typedef void GegluKernel(float *out, const float *in, GegluShape s);

GegluKernel geglu_naive, geglu_openmp, geglu_avx2, geglu_avx512;
