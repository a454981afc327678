// conv2d.c - each pixel becomes a weighted sum of its neighbours, in all channels
//
// The definition, to begin with: copy it, change it, and try
//
//     sculpt lab conv2d mine.c
//
// How Sculpt's own do it: core/ops/conv2d.c. What the arguments are: core/ops/conv2d.h. Made by templates.py.

#include "ops/my_kernel.h"

// Convolution
//
// Each output channel o has its own K x K window over all input channels:
//
//     out[b,o,y,x] = bias[o] + sum over c, ky, kx of  weight[o,c,ky,kx] * in[b, c, y stride + ky - padding,
//                                                                                  x stride + kx - padding]
//
//     in [B, Cin, H, W]    weight [Cout, Cin, K, K]    bias [Cout]    out [B, Cout, Hout, Wout]
//
// What lies outside the picture counts as 0. With K 3, stride 1 and padding 1 the picture keeps its size; stride 2
// halves it; K 1 only mixes channels.

static void my_conv2d(float *out, const float *in, const void *weight, const float *bias, Conv2dShape s,
                      void *scratch) {
    (void)scratch;
    const float *w = weight;
    for (size_t b = 0; b < s.B; b++) {
        for (size_t o = 0; o < s.Cout; o++) {
            for (size_t y = 0; y < s.Hout; y++) {
                for (size_t x = 0; x < s.Wout; x++) {
                    double sum = bias ? bias[o] : 0;
                    for (size_t c = 0; c < s.Cin; c++) {
                        for (size_t ky = 0; ky < s.K; ky++) {
                            for (size_t kx = 0; kx < s.K; kx++) {
                                // Above the top and left of the edge these wrap to huge numbers: outside as well.
                                size_t yin = y * s.stride + ky - s.padding, xin = x * s.stride + kx - s.padding;
                                if (yin >= s.H || xin >= s.W) continue;
                                sum += (double)w[((o * s.Cin + c) * s.K + ky) * s.K + kx] *
                                       in[((b * s.Cin + c) * s.H + yin) * s.W + xin];
                            }
                        }
                    }
                    out[((b * s.Cout + o) * s.Hout + y) * s.Wout + x] = (float)sum;
                }
            }
        }
    }
}

KernelPlugin sculpt_kernel = {KERNEL_ABI, "conv2d", .conv2d = my_conv2d};
