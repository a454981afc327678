// linear.h - the kernels of linear; see linear.c

#pragma once

#include <stddef.h>

typedef struct LinearShape {
    size_t N;          // rows: pictures times tokens
    size_t Cin, Cout;  // weight [Cout, Cin]
} LinearShape;

// out [N, Cout], in [N, Cin], weight [Cout, Cin] (F32 for all three variants), bias [Cout] or NULL. out overlaps
// none of them.
typedef void LinearKernel(float *out, const float *in, const void *weight, const float *bias, LinearShape s);

LinearKernel linear_naive, linear_openmp, linear_blas;
