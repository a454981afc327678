// embedding.c - turn what is counted into vectors: words and their places, the time, the guidance
//
// Where: the very first layer of the text encoder, and of the U-Net's timestep.
// Elsewhere: transformers' CLIPTextEmbeddings; diffusers' get_timestep_embedding (models/embeddings.py) and its
//            pipelines' get_guidance_scale_embedding.
// Read next: stages/text_encoder.c, stages/unet.c.
//
// All are over in microseconds, so there is nothing here but the definitions.

#include "ops/embedding.h"

#include <math.h>

// ---- words ----------------------------------------------------------------------------------------------------------
//
//     out[b,l,:] = tokens[ids[b,l],:] + positions[l,:]
//
//     ids [B, L]    tokens [V, D]    positions [at least L, D]    out [B, L, D]
//
// Attention doesn't see order, so the place in the sentence is added to the word.

void embedding_naive(float *out, const int64_t *ids, const float *tokens, const float *positions, EmbeddingShape s) {
    for (size_t b = 0; b < s.B; b++) {
        for (size_t l = 0; l < s.L; l++) {
            const float *token = tokens + (size_t)ids[b * s.L + l] * s.D;
            for (size_t i = 0; i < s.D; i++) out[(b * s.L + l) * s.D + i] = token[i] + positions[l * s.D + i];
        }
    }
}

// ---- time (Vaswani et al. 2017, arXiv 1706.03762, section 3.5; Ho, Jain & Abbeel 2020, arXiv 2006.11239, app. B)
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

void timestep_embedding_naive(float *out, const float *timesteps, TimestepEmbeddingShape s) {
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

// ---- guidance (Meng et al. 2022, arXiv 2210.03142, section 3.1) -----------------------------------------------------
//
//     angle[b,i] = 1000 guidance[b] 10000^(-i / (half - 1)),  i = 0 .. half - 1,  half = dim / 2
//     out[b,:]   = sin(angle[b,:]), cos(angle[b,:])
//
//     guidance [B]    out [B, dim]; if dim is odd, the last number is 0
//
// The timestep's clock with freq_shift 1, but for the order in which the reference works out the exponent. A guidance
// scale of 8.5 makes angles of 7500, which float only knows to 5e-4: there another order is another angle.

void guidance_embedding_naive(float *out, const float *guidance, GuidanceEmbeddingShape s) {
    size_t half = s.dim / 2;
    float slower = 9.21034037f / (float)(half - 1);  // ln 10000
    for (size_t b = 0; b < s.B; b++) {
        float *row = out + b * s.dim;
        for (size_t i = 0; i < half; i++) {
            float angle = 1000 * guidance[b] * expf((float)i * -slower);
            row[i] = sinf(angle);
            row[half + i] = cosf(angle);
        }
        if (s.dim % 2 == 1) row[s.dim - 1] = 0;
    }
}
