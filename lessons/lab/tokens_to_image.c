// tokens_to_image.c - tokens become pixels again
//
// The definition, to begin with: copy it, change it, and try
//
//     sculpt lab tokens_to_image mine.c
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

static void my_tokens_to_image(float *out, const float *in, PlanesShape s) {
    size_t HW = s.H * s.W;
    for (size_t b = 0; b < s.B; b++) {
        for (size_t c = 0; c < s.C; c++) {
            for (size_t i = 0; i < HW; i++) out[(b * s.C + c) * HW + i] = in[(b * HW + i) * s.C + c];
        }
    }
}

KernelPlugin sculpt_kernel = {KERNEL_ABI, "tokens_to_image", .tokens_to_image = my_tokens_to_image};
