// scale_shift.c - every number times one, plus another: from -1..1 to 0..1 and the like
//
// The definition, to begin with: copy it, change it, and try
//
//     sculpt lab scale_shift mine.c
//
// How Sculpt's own do it: core/ops/shape.c. What the arguments are: core/ops/shape.h. Made by templates.py.

#include "ops/my_kernel.h"

// out[i] = in[i] scale + shift

static void my_scale_shift(float *out, const float *in, float scale, float shift, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = in[i] * scale + shift;
}

KernelPlugin sculpt_kernel = {KERNEL_ABI, "scale_shift", .scale_shift = my_scale_shift};
