// layer_norm.c - each token's numbers shifted and scaled to mean 0, variance 1
//
// The definition, to begin with: copy it, change it, and try
//
//     sculpt lab layer_norm mine.c
//
// How Sculpt's own do it: core/ops/norm.c. What the arguments are: core/ops/norm.h. Made by templates.py.

#include "ops/my_kernel.h"

#include <math.h>

// LayerNorm (Ba, Kiros & Hinton 2016, arXiv 1607.06450, eq. 4)
//
// The same for one token's numbers: each row for itself, whatever else is in the batch.
//
//     out[n,c] = (in[n,c] - mean) / sqrt(var + eps) * weight[c] + bias[c],  mean, var over the C numbers of row n
//
//     in, out [N, C]    weight, bias [C]    eps is 1e-5 in CLIP and in the U-Net

static void my_layer_norm(float *out, const float *in, const float *weight, const float *bias, LayerNormShape s,
                          float eps) {
    for (size_t n = 0; n < s.N; n++) {
        double sum = 0;
        for (size_t c = 0; c < s.C; c++) sum += in[n * s.C + c];
        double mean = sum / (double)s.C;

        double squares = 0;
        for (size_t c = 0; c < s.C; c++) squares += (in[n * s.C + c] - mean) * (in[n * s.C + c] - mean);
        double rstd = 1 / sqrt(squares / (double)s.C + eps);

        for (size_t c = 0; c < s.C; c++) {
            out[n * s.C + c] = (float)((in[n * s.C + c] - mean) * rstd * weight[c] + bias[c]);
        }
    }
}

KernelPlugin sculpt_kernel = {KERNEL_ABI, "layer_norm", .layer_norm = my_layer_norm};
