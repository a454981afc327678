// add.c - two tensors, number by number: closes every shortcut
//
// The definition, to begin with: copy it, change it, and try
//
//     sculpt lab add mine.c
//
// How Sculpt's own do it: core/ops/shape.c. What the arguments are: core/ops/shape.h. Made by templates.py.

#include "ops/my_kernel.h"

// out[i] = a[i] + b[i]

static void my_add(float *out, const float *a, const float *b, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = a[i] + b[i];
}

KernelPlugin sculpt_kernel = {KERNEL_ABI, "add", .add = my_add};
