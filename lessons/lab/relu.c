// relu.c - x, or 0 where it is below: the bend in the tiny autoencoder
//
// The definition, to begin with: copy it, change it, and try
//
//     sculpt lab relu mine.c
//
// How Sculpt's own do it: core/ops/activation.c. What the arguments are: core/ops/activation.h. Made by templates.py.

#include "ops/my_kernel.h"

// ReLU (Nair & Hinton 2010, section 2)
//
//     relu(x) = max(x, 0)
//
// Written so that NaN stays NaN: what a broken layer made must not look like a black picture.

static void my_relu(float *out, const float *in, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = in[i] < 0 ? 0 : in[i];
}

KernelPlugin sculpt_kernel = {KERNEL_ABI, "relu", .relu = my_relu};
