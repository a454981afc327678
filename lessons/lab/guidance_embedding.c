// guidance_embedding.c - the guidance as such a clock: for U-Nets that were taught to guide
//
// The definition, to begin with: copy it, change it, and try
//
//     sculpt lab guidance_embedding mine.c
//
// How Sculpt's own do it: core/ops/embedding.c. What the arguments are: core/ops/embedding.h. Made by templates.py.

#include "ops/my_kernel.h"

#include <math.h>

// guidance (Meng et al. 2022, arXiv 2210.03142, section 3.1)
//
//     angle[b,i] = 1000 guidance[b] 10000^(-i / (half - 1)),  i = 0 .. half - 1,  half = dim / 2
//     out[b,:]   = sin(angle[b,:]), cos(angle[b,:])
//
//     guidance [B]    out [B, dim]; if dim is odd, the last number is 0
//
// The timestep's clock with freq_shift 1, but for the order in which the reference works out the exponent. A guidance
// scale of 8.5 makes angles of 7500, which float only knows to 5e-4: there another order is another angle.

static void my_guidance_embedding(float *out, const float *guidance, GuidanceEmbeddingShape s) {
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

KernelPlugin sculpt_kernel = {KERNEL_ABI, "guidance_embedding", .guidance_embedding = my_guidance_embedding};
