// timestep_embedding.c - the timestep as a clock with many hands: sines and cosines
//
// The definition, to begin with: copy it, change it, and try
//
//     sculpt lab timestep_embedding mine.c
//
// How Sculpt's own do it: core/ops/embedding.c. What the arguments are: core/ops/embedding.h. Made by templates.py.

#include "ops/my_kernel.h"

#include <math.h>

// time (Vaswani et al. 2017, arXiv 1706.03762, section 3.5; Ho, Jain & Abbeel 2020, arXiv 2006.11239, app. B)
//
// A clock with many hands, each slower than the one before: frequencies fall from 1 to 1/10000 in equal ratios.
//
//     frequency[i] = 10000^(-i / (half - freq_shift)),  i = 0 .. half - 1,  half = dim / 2
//     out[b,:]     = sin(t[b] frequency), cos(t[b] frequency)        cosines first with flip_sin_to_cos
//
//     timesteps [B]    out [B, dim]; if dim is odd, the last number is 0
//
// All in float, step by step as in the reference: t is up to 999, and an angle of 999 in float is only known to 3e-5.
// Frequencies worked out more precisely would be other frequencies than those the model was trained with.

static void my_timestep_embedding(float *out, const float *timesteps, TimestepEmbeddingShape s) {
    size_t half = s.dim / 2;
    for (size_t b = 0; b < s.B; b++) {
        float *row = out + b * s.dim;
        float *sines = s.flip_sin_to_cos ? row + half : row, *cosines = s.flip_sin_to_cos ? row : row + half;
        for (size_t i = 0; i < half; i++) {
            float exponent = -9.21034037f * (float)i / ((float)half - s.freq_shift);  // ln 10000
            float angle = timesteps[b] * expf(exponent);
            sines[i] = sinf(angle);
            cosines[i] = cosf(angle);
        }
        if (s.dim % 2 == 1) row[s.dim - 1] = 0;
    }
}

KernelPlugin sculpt_kernel = {KERNEL_ABI, "timestep_embedding", .timestep_embedding = my_timestep_embedding};
