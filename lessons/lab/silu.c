// silu.c - x sigmoid(x): the bend in the timestep's layers, and between convolutions
//
// The definition, to begin with: copy it, change it, and try
//
//     sculpt lab silu mine.c
//
// How Sculpt's own do it: core/ops/activation.c. What the arguments are: core/ops/activation.h. Made by templates.py.

#include "ops/my_kernel.h"

#include <math.h>

// SiLU (Elfwing, Uchibe & Doya 2017, arXiv 1702.03118; also called swish)
//
//     silu(x) = x sigmoid(x) = x / (1 + e^-x)

static void my_silu(float *out, const float *in, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = in[i] / (1 + expf(-in[i]));
}

KernelPlugin sculpt_kernel = {KERNEL_ABI, "silu", .silu = my_silu};
