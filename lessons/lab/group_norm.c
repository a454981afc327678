// group_norm.c - groups of channels shifted and scaled to mean 0, variance 1
//
// The definition, to begin with: copy it, change it, and try
//
//     sculpt lab group_norm mine.c
//
// How Sculpt's own do it: core/ops/norm.c. What the arguments are: core/ops/norm.h. Made by templates.py.

#include "ops/my_kernel.h"

#include <math.h>

// GroupNorm (Wu & He 2018, arXiv 1803.08494, eq. 7)
//
// Channels are dealt into G groups; a group of one picture is shifted to mean 0 and scaled to variance 1, then every
// channel gets its own learnt scale and shift:
//
//     out[b,c,y,x] = (in[b,c,y,x] - mean) / sqrt(var + eps) * weight[c] + bias[c],  mean, var over (b, group of c)
//
//     in, out [B, C, H, W]    weight, bias [C]    C is a multiple of G
//
// eps decides what happens to a flat picture, so it is never a default: 1e-5 in the U-Net's ResNet blocks, 1e-6 in its
// transformers and in the VAE.

static void my_group_norm(float *out, const float *in, const float *weight, const float *bias, GroupNormShape s,
                          float eps) {
    size_t HW = s.H * s.W, channels_per_group = s.C / s.G, N = channels_per_group * HW;
    for (size_t b = 0; b < s.B; b++) {
        for (size_t g = 0; g < s.G; g++) {
            size_t first = (b * s.C + g * channels_per_group) * HW;

            double sum = 0;
            for (size_t i = 0; i < N; i++) sum += in[first + i];
            double mean = sum / (double)N;

            double squares = 0;
            for (size_t i = 0; i < N; i++) squares += (in[first + i] - mean) * (in[first + i] - mean);
            double rstd = 1 / sqrt(squares / (double)N + eps);

            for (size_t i = 0; i < N; i++) {
                size_t c = g * channels_per_group + i / HW;
                out[first + i] = (float)((in[first + i] - mean) * rstd * weight[c] + bias[c]);
            }
        }
    }
}

KernelPlugin sculpt_kernel = {KERNEL_ABI, "group_norm", .group_norm = my_group_norm};
