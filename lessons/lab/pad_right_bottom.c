// pad_right_bottom.c - a line of zeros on two sides, before the VAE halves a picture
//
// The definition, to begin with: copy it, change it, and try
//
//     sculpt lab pad_right_bottom mine.c
//
// How Sculpt's own do it: core/ops/shape.c. What the arguments are: core/ops/shape.h. Made by templates.py.

#include "ops/my_kernel.h"

// a column of zeros at the right, a row of zeros at the bottom
//
//     in [B, C, H, W]    out [B, C, H + 1, W + 1]
//
// The VAE's encoder halves pictures with a 3x3 window of stride 2 that hangs over on these two sides only.

static void my_pad_right_bottom(float *out, const float *in, PlanesShape s) {
    size_t Hout = s.H + 1, Wout = s.W + 1;
    for (size_t bc = 0; bc < s.B * s.C; bc++) {
        for (size_t y = 0; y < Hout; y++) {
            for (size_t x = 0; x < Wout; x++) {
                out[(bc * Hout + y) * Wout + x] = y < s.H && x < s.W ? in[(bc * s.H + y) * s.W + x] : 0;
            }
        }
    }
}

KernelPlugin sculpt_kernel = {KERNEL_ABI, "pad_right_bottom", .pad_right_bottom = my_pad_right_bottom};
