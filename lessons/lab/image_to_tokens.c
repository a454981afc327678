// image_to_tokens.c - pixels become tokens: planes to rows of channels
//
// The definition, to begin with: copy it, change it, and try
//
//     sculpt lab image_to_tokens mine.c
//
// How Sculpt's own do it: core/ops/shape.c. What the arguments are: core/ops/shape.h. Made by templates.py.

#include "ops/my_kernel.h"

// from planes of pixels to a row of channels for each pixel, and back
//
//     tokens[b, y W + x, c] = image[b, c, y, x]
//
//     image [B, C, H, W]    tokens [B, H W, C]
//
// A convolution wants planes, a transformer wants a vector for each token. Both ways are a transposed matrix, [C, HW]
// to [HW, C] or back, for each picture.

static void my_image_to_tokens(float *out, const float *in, PlanesShape s) {
    size_t HW = s.H * s.W;
    for (size_t b = 0; b < s.B; b++) {
        for (size_t i = 0; i < HW; i++) {
            for (size_t c = 0; c < s.C; c++) out[(b * HW + i) * s.C + c] = in[(b * s.C + c) * HW + i];
        }
    }
}

KernelPlugin sculpt_kernel = {KERNEL_ABI, "image_to_tokens", .image_to_tokens = my_image_to_tokens};
