// gelu.c - x P(normal < x): the bend in SD 2.x's text encoder
//
// The definition, to begin with: copy it, change it, and try
//
//     sculpt lab gelu mine.c
//
// How Sculpt's own do it: core/ops/activation.c. What the arguments are: core/ops/activation.h. Made by templates.py.

#include "ops/my_kernel.h"

#include <math.h>

// GELU (Hendrycks & Gimpel 2016, arXiv 1606.08415, section 2)
//
//     gelu(x) = x P(a normally distributed number is below x) = x/2 (1 + erf(x / sqrt 2))
//
// The paper's shortcut with tanh is another function (up to 5e-4 away): GPT-2 was trained with it.

static float gelu_of(float x) { return 0.5f * x * (1 + erff(x * 0.70710678f)); }

static void my_gelu(float *out, const float *in, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = gelu_of(in[i]);
}

KernelPlugin sculpt_kernel = {KERNEL_ABI, "gelu", .gelu = my_gelu};
