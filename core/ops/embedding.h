// embedding.h - the kernels of embedding, timestep_embedding and guidance_embedding; see embedding.c

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct EmbeddingShape {
    size_t B, L, D;
} EmbeddingShape;

// ids [B, L], each below the rows of tokens; tokens [V, D], positions [at least L, D] -> out [B, L, D]
typedef void EmbeddingKernel(float *out, const int64_t *ids, const float *tokens, const float *positions,
                             EmbeddingShape s);

typedef struct TimestepEmbeddingShape {
    size_t B, dim;
    bool flip_sin_to_cos;
    float freq_shift;
} TimestepEmbeddingShape;

// timesteps [B] -> out [B, dim]
typedef void TimestepEmbeddingKernel(float *out, const float *timesteps, TimestepEmbeddingShape s);

typedef struct GuidanceEmbeddingShape {
    size_t B, dim;
} GuidanceEmbeddingShape;

// guidance [B] -> out [B, dim], dim at least 4
typedef void GuidanceEmbeddingKernel(float *out, const float *guidance, GuidanceEmbeddingShape s);

EmbeddingKernel embedding_naive;
TimestepEmbeddingKernel timestep_embedding_naive;
GuidanceEmbeddingKernel guidance_embedding_naive;
