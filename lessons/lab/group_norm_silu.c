// group_norm_silu.c - group_norm, then silu: what stands before every convolution
//
// The definition, to begin with: copy it, change it, and try
//
//     sculpt lab group_norm_silu mine.c
//
// How Sculpt's own do it: core/ops/norm.c. What the arguments are: core/ops/norm.h. Made by templates.py.

#include "ops/my_kernel.h"

#include <math.h>

// GroupNorm and SiLU in one
//
// Before every convolution of a ResNet block, SiLU (activation.c) bends what the norm has made. Each by itself, the
// picture goes to memory and comes back between them: at 512 x 512 pixels and 256 channels, 268 MB each way. In one, a
// number is bent while it is still in a register, and comes out the same to the last bit.
//
// avx512 pays here as it doesn't above: the exponentials take longer than the memory.

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

static void my_silu(float *out, const float *in, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = in[i] / (1 + expf(-in[i]));
}

static void my_group_norm_silu(float *out, const float *in, const float *weight, const float *bias, GroupNormShape s,
                               float eps) {
    my_group_norm(out, in, weight, bias, s, eps);
    my_silu(out, out, s.B * s.C * s.H * s.W);
}

KernelPlugin sculpt_kernel = {KERNEL_ABI, "group_norm_silu", .group_norm_silu = my_group_norm_silu};
