// quick_gelu.c - x sigmoid(1.702 x): the bend in SD 1.x's text encoder
//
// The definition, to begin with: copy it, change it, and try
//
//     sculpt lab quick_gelu mine.c
//
// How Sculpt's own do it: core/ops/activation.c. What the arguments are: core/ops/activation.h. Made by templates.py.

#include "ops/my_kernel.h"

#include <math.h>

// QuickGELU (same paper, same section)
//
//     quick_gelu(x) = x sigmoid(1.702 x)
//
// GELU's other shortcut (up to 0.02 away). OpenAI trained CLIP with it, so SD 1.x's text encoder must use it; OpenCLIP,
// in SD 2.x, has the exact one.

static void my_quick_gelu(float *out, const float *in, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = in[i] / (1 + expf(-1.702f * in[i]));
}

KernelPlugin sculpt_kernel = {KERNEL_ABI, "quick_gelu", .quick_gelu = my_quick_gelu};
