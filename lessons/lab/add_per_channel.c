// add_per_channel.c - one number added to a whole channel: how the U-Net learns the time
//
// The definition, to begin with: copy it, change it, and try
//
//     sculpt lab add_per_channel mine.c
//
// How Sculpt's own do it: core/ops/shape.c. What the arguments are: core/ops/shape.h. Made by templates.py.

#include "ops/my_kernel.h"

// out[b,c,y,x] = in[b,c,y,x] + per_channel[b,c]
//
//     in, out [B, C, H, W]    per_channel [B, C]

static void my_add_per_channel(float *out, const float *in, const float *per_channel, PlanesShape s) {
    size_t HW = s.H * s.W;
    for (size_t bc = 0; bc < s.B * s.C; bc++) {
        for (size_t i = 0; i < HW; i++) out[bc * HW + i] = in[bc * HW + i] + per_channel[bc];
    }
}

KernelPlugin sculpt_kernel = {KERNEL_ABI, "add_per_channel", .add_per_channel = my_add_per_channel};
