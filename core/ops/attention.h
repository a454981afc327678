// attention.h - the kernels of attention; see attention.c

#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct AttentionShape {
    size_t B, heads;
    size_t Tq, Tk;  // tokens that ask, tokens that are asked
    size_t d;       // numbers a head: q [B, Tq, heads d], k and v [B, Tk, heads d]
    bool causal;    // query i sees keys 0..i only
} AttentionShape;

// out [B, Tq, heads d]. out overlaps nothing. scratch: what the variant's scratch_size asks for.
typedef void AttentionKernel(float *out, const float *q, const float *k, const float *v, AttentionShape s,
                             void *scratch);

AttentionKernel attention_naive, attention_openmp, attention_blas, attention_flash, attention_bf16;

size_t attention_naive_scratch_size(const void *attention_shape);
size_t attention_openmp_scratch_size(const void *attention_shape);
size_t attention_blas_scratch_size(const void *attention_shape);  // at most 1 MiB or 128 rows of scores
size_t attention_flash_scratch_size(const void *attention_shape);
size_t attention_bf16_scratch_size(const void *attention_shape);

// out [B, heads, Tq, Tk]: who looks at whom, each row summing to 1. For observers; no kernel needs it whole.
void attention_probabilities(float *out, const float *q, const float *k, AttentionShape s);
