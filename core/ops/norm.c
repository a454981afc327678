// norm.c - normalisation: give a layer numbers of a size it can work with
//
// Where: GroupNorm opens every ResNet block of the U-Net and the VAE; LayerNorm stands before every attention
//        and feed-forward layer of the text encoder and of the U-Net's transformers.
// Elsewhere: torch.nn.GroupNorm, torch.nn.LayerNorm.
// Read next: activation.c (SiLU follows most GroupNorms), stages/resnet_block.c.

#include "ops/norm.h"

#include <math.h>

// Numbers to work on before waking the other threads pays.
enum { PARALLEL_FROM = 1 << 14 };

// ---- GroupNorm (Wu & He 2018, arXiv 1803.08494, eq. 7) --------------------------------------------------------------
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

void group_norm_naive(float *out, const float *in, const float *weight, const float *bias, GroupNormShape s,
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

// openmp: groups don't share anything, so each is one thread's work. Sum and sum of squares are taken in one pass: the
// op is bound by memory, and this reads the picture twice instead of three times. The variance as E[x^2] - E[x]^2 loses
// digits when the mean is large, so both are taken of the distance to the group's first number, which isn't far from
// its mean; that also keeps the last loop, in floats, from subtracting two large numbers.

void group_norm_openmp(float *out, const float *in, const float *weight, const float *bias, GroupNormShape s,
                       float eps) {
    size_t HW = s.H * s.W, channels_per_group = s.C / s.G, N = channels_per_group * HW;
#pragma omp parallel for collapse(2) if (s.B * s.C * HW > PARALLEL_FROM)
    for (size_t b = 0; b < s.B; b++) {
        for (size_t g = 0; g < s.G; g++) {
            const float *group = in + (b * s.C + g * channels_per_group) * HW;
            float pivot = group[0];

            double sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum, squares)
            for (size_t i = 0; i < N; i++) {
                double distance = (double)group[i] - pivot;
                sum += distance;
                squares += distance * distance;
            }
            double offset = sum / (double)N, var = squares / (double)N - offset * offset;
            float mean_from_pivot = (float)offset, rstd = (float)(1 / sqrt(fmax(var, 0) + eps));

            for (size_t c = g * channels_per_group; c < (g + 1) * channels_per_group; c++) {
                float scale = rstd * weight[c], shift = bias[c];
                const float *from = in + (b * s.C + c) * HW;
                float *to = out + (b * s.C + c) * HW;
#pragma omp simd
                for (size_t i = 0; i < HW; i++) to[i] = (from[i] - pivot - mean_from_pivot) * scale + shift;
            }
        }
    }
}

// ---- LayerNorm (Ba, Kiros & Hinton 2016, arXiv 1607.06450, eq. 4) ---------------------------------------------------
//
// The same for one token's numbers: each row for itself, whatever else is in the batch.
//
//     out[n,c] = (in[n,c] - mean) / sqrt(var + eps) * weight[c] + bias[c],  mean, var over the C numbers of row n
//
//     in, out [N, C]    weight, bias [C]    eps is 1e-5 in CLIP and in the U-Net

void layer_norm_naive(float *out, const float *in, const float *weight, const float *bias, LayerNormShape s,
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

// openmp: a row is one thread's work, and its sums are split over vector lanes. Nothing is to be gained from fewer
// passes here: a row is a few KB and stays in the nearest cache.

void layer_norm_openmp(float *out, const float *in, const float *weight, const float *bias, LayerNormShape s,
                       float eps) {
#pragma omp parallel for if (s.N * s.C > PARALLEL_FROM)
    for (size_t n = 0; n < s.N; n++) {
        const float *from = in + n * s.C;
        float *to = out + n * s.C;

        double sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum)
        for (size_t c = 0; c < s.C; c++) sum += from[c];
        double mean = sum / (double)s.C;

#pragma omp simd reduction(+ : squares)
        for (size_t c = 0; c < s.C; c++) squares += (from[c] - mean) * (from[c] - mean);
        double rstd = 1 / sqrt(squares / (double)s.C + eps);

#pragma omp simd
        for (size_t c = 0; c < s.C; c++) to[c] = (float)((from[c] - mean) * rstd) * weight[c] + bias[c];
    }
}
