// geglu.c - one half of the channels, gated by the gelu of the other
//
// The definition, to begin with: copy it, change it, and try
//
//     sculpt lab geglu mine.c
//
// How Sculpt's own do it: core/ops/activation.c. What the arguments are: core/ops/activation.h. Made by templates.py.

#include "ops/my_kernel.h"

#include <math.h>

// GEGLU (Shazeer 2020, arXiv 2002.05202, eq. 6)
//
//     out[n,c] = in[n,c] gelu(in[n,C + c])           in [N, 2C], out [N, C]
//
// The layer before makes two numbers for each one wanted; the second says how much of the first goes through.

static float gelu_of(float x) { return 0.5f * x * (1 + erff(x * 0.70710678f)); }

static void my_geglu(float *out, const float *in, GegluShape s) {
    for (size_t n = 0; n < s.N; n++) {
        for (size_t c = 0; c < s.C; c++) {
            out[n * s.C + c] = in[n * 2 * s.C + c] * gelu_of(in[n * 2 * s.C + s.C + c]);
        }
    }
}

KernelPlugin sculpt_kernel = {KERNEL_ABI, "geglu", .geglu = my_geglu};
