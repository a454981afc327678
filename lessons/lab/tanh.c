// tanh.c - pulls far numbers back to -1..1: how the tiny decoder bounds its latents
//
// The definition, to begin with: copy it, change it, and try
//
//     sculpt lab tanh mine.c
//
// How Sculpt's own do it: core/ops/activation.c. What the arguments are: core/ops/activation.h. Made by templates.py.

#include "ops/my_kernel.h"

#include <math.h>

// tanh
//
//     tanh(x) = (e^x - e^-x) / (e^x + e^-x)
//
// Near 0 it is x, and never beyond -1 and 1. It stays a call: it only ever sees latents, which are few.

static void my_tanh(float *out, const float *in, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = tanhf(in[i]);
}

KernelPlugin sculpt_kernel = {KERNEL_ABI, "tanh", .tanh = my_tanh};
