// upsample_nearest.c - a larger picture, each pixel the nearest old one
//
// The definition, to begin with: copy it, change it, and try
//
//     sculpt lab upsample_nearest mine.c
//
// How Sculpt's own do it: core/ops/shape.c. What the arguments are: core/ops/shape.h. Made by templates.py.

#include "ops/my_kernel.h"

// each pixel takes the nearest old one's colour
//
//     out[b,c,y,x] = in[b, c, floor(y H / Hout), floor(x W / Wout)]
//
//     in [B, C, H, W]    out [B, C, Hout, Wout]
//
// Twice the size makes four of each pixel. Where a picture of odd size was halved on the way down, the way up asks for
// that size again, one less than twice.

static void my_upsample_nearest(float *out, const float *in, UpsampleShape s) {
    for (size_t bc = 0; bc < s.B * s.C; bc++) {
        for (size_t y = 0; y < s.Hout; y++) {
            for (size_t x = 0; x < s.Wout; x++) {
                size_t yin = y * s.H / s.Hout, xin = x * s.W / s.Wout;
                out[(bc * s.Hout + y) * s.Wout + x] = in[(bc * s.H + yin) * s.W + xin];
            }
        }
    }
}

KernelPlugin sculpt_kernel = {KERNEL_ABI, "upsample_nearest", .upsample_nearest = my_upsample_nearest};
