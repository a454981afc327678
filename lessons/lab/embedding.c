// embedding.c - token ids become vectors, plus one for the place in the prompt
//
// The definition, to begin with: copy it, change it, and try
//
//     sculpt lab embedding mine.c
//
// How Sculpt's own do it: core/ops/embedding.c. What the arguments are: core/ops/embedding.h. Made by templates.py.

#include "ops/my_kernel.h"

// words
//
//     out[b,l,:] = tokens[ids[b,l],:] + positions[l,:]
//
//     ids [B, L]    tokens [V, D]    positions [at least L, D]    out [B, L, D]
//
// Attention doesn't see order, so the place in the sentence is added to the word.

static void my_embedding(float *out, const int64_t *ids, const float *tokens, const float *positions,
                         EmbeddingShape s) {
    for (size_t b = 0; b < s.B; b++) {
        for (size_t l = 0; l < s.L; l++) {
            const float *token = tokens + (size_t)ids[b * s.L + l] * s.D;
            for (size_t i = 0; i < s.D; i++) out[(b * s.L + l) * s.D + i] = token[i] + positions[l * s.D + i];
        }
    }
}

KernelPlugin sculpt_kernel = {KERNEL_ABI, "embedding", .embedding = my_embedding};
