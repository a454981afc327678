// linear.h - the kernels of linear; see linear.c

#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct LinearShape {
    size_t N;          // rows: pictures times tokens
    size_t Cin, Cout;  // weight [Cout, Cin]
    bool add;          // to what out holds; else out is overwritten
} LinearShape;

// out [N, Cout], in [N, Cin], weight [Cout, Cin] (BF16 for bf16, F32 for the others), bias [Cout] or NULL. out overlaps none of them.
// scratch: what the variant's scratch_size asks for.
typedef void LinearKernel(float *out, const float *in, const void *weight, const float *bias, LinearShape s,
                          void *scratch);

LinearKernel linear_naive, linear_openmp, linear_blas, linear_packed, linear_bf16;

size_t linear_packed_scratch_size(const void *linear_shape);  // bytes, at most 4 MiB unless Cin is beyond 32768
size_t linear_bf16_scratch_size(const void *linear_shape);
