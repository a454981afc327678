// norm.c - normalisation: give a layer numbers of a size it can work with
//
// Where: GroupNorm opens every ResNet block of the U-Net and the VAE; LayerNorm stands before every attention
//        and feed-forward layer of the text encoder and of the U-Net's transformers.
// Elsewhere: torch.nn.GroupNorm, torch.nn.LayerNorm.
// Read next: activation.c (SiLU follows most GroupNorms), stages/resnet_block.c.

#include "ops/norm.h"

#include "ops/activation.h"
#include "ops/exp.h"
#include "ops/wide.h"

#include <math.h>
#include <stdbool.h>

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
//
// avx2 is the same with wider registers (wide.h); wider ones still, and it waits for memory as long.

typedef struct Group {
    size_t channels, HW;
    float eps;
    bool with_silu;
} Group;

// out, in: the group's [channels, HW]. weight, bias: its [channels].
INLINE void normalise_group(float *out, const float *in, const float *weight, const float *bias, Group group) {
    size_t N = group.channels * group.HW;
    float pivot = in[0];

    double sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum, squares)
    for (size_t i = 0; i < N; i++) {
        double distance = (double)in[i] - pivot;
        sum += distance;
        squares += distance * distance;
    }
    double offset = sum / (double)N, var = squares / (double)N - offset * offset;
    if (var < 0) var = 0;  // a flat picture's, by rounding; a NaN stays one
    float mean_from_pivot = (float)offset, rstd = (float)(1 / sqrt(var + group.eps));

    for (size_t c = 0; c < group.channels; c++) {
        float scale = rstd * weight[c], shift = bias[c];
        const float *from = in + c * group.HW;
        float *to = out + c * group.HW;
        if (group.with_silu) {
#pragma omp simd
            for (size_t i = 0; i < group.HW; i++) {
                float x = (from[i] - pivot - mean_from_pivot) * scale + shift;
                to[i] = x / (1 + exp_inline(-x));
            }
        } else {
#pragma omp simd
            for (size_t i = 0; i < group.HW; i++) to[i] = (from[i] - pivot - mean_from_pivot) * scale + shift;
        }
    }
}

typedef void NormaliseGroup(float *out, const float *in, const float *weight, const float *bias, Group group);

static void normalise_group_plain(float *out, const float *in, const float *weight, const float *bias, Group group) {
    normalise_group(out, in, weight, bias, group);
}

AVX2 static void normalise_group_avx2(float *out, const float *in, const float *weight, const float *bias,
                                      Group group) {
    normalise_group(out, in, weight, bias, group);
}

AVX512 static void normalise_group_avx512(float *out, const float *in, const float *weight, const float *bias,
                                          Group group) {
    normalise_group(out, in, weight, bias, group);
}

static void normalise_groups(NormaliseGroup *normalise, float *out, const float *in, const float *weight,
                             const float *bias, GroupNormShape s, float eps, bool with_silu) {
    Group group = {.channels = s.C / s.G, .HW = s.H * s.W, .eps = eps, .with_silu = with_silu};
#pragma omp parallel for collapse(2) if (s.B * s.C * group.HW > PARALLEL_FROM)
    for (size_t b = 0; b < s.B; b++) {
        for (size_t g = 0; g < s.G; g++) {
            size_t channel = g * group.channels, first = (b * s.C + channel) * group.HW;
            normalise(out + first, in + first, weight + channel, bias + channel, group);
        }
    }
}

void group_norm_openmp(float *out, const float *in, const float *weight, const float *bias, GroupNormShape s,
                       float eps) {
    normalise_groups(normalise_group_plain, out, in, weight, bias, s, eps, false);
}

void group_norm_avx2(float *out, const float *in, const float *weight, const float *bias, GroupNormShape s, float eps) {
    normalise_groups(normalise_group_avx2, out, in, weight, bias, s, eps, false);
}

// ---- GroupNorm and SiLU in one --------------------------------------------------------------------------------------
//
// Before every convolution of a ResNet block, SiLU (activation.c) bends what the norm has made. Each by itself, the
// picture goes to memory and comes back between them: at 512 x 512 pixels and 256 channels, 268 MB each way. In one, a
// number is bent while it is still in a register, and comes out the same to the last bit.
//
// avx512 pays here as it doesn't above: the exponentials take longer than the memory.

void group_norm_silu_naive(float *out, const float *in, const float *weight, const float *bias, GroupNormShape s,
                           float eps) {
    group_norm_naive(out, in, weight, bias, s, eps);
    silu_naive(out, out, s.B * s.C * s.H * s.W);
}

void group_norm_silu_openmp(float *out, const float *in, const float *weight, const float *bias, GroupNormShape s,
                            float eps) {
    normalise_groups(normalise_group_plain, out, in, weight, bias, s, eps, true);
}

void group_norm_silu_avx2(float *out, const float *in, const float *weight, const float *bias, GroupNormShape s,
                          float eps) {
    normalise_groups(normalise_group_avx2, out, in, weight, bias, s, eps, true);
}

void group_norm_silu_avx512(float *out, const float *in, const float *weight, const float *bias, GroupNormShape s,
                            float eps) {
    normalise_groups(normalise_group_avx512, out, in, weight, bias, s, eps, true);
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
// passes here: a row is a few KB and stays in the nearest cache. avx2 is the same with wider registers.

INLINE void normalise_row(float *out, const float *in, const float *weight, const float *bias, size_t C, float eps) {
    double sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t c = 0; c < C; c++) sum += in[c];
    double mean = sum / (double)C;

#pragma omp simd reduction(+ : squares)
    for (size_t c = 0; c < C; c++) squares += (in[c] - mean) * (in[c] - mean);
    double rstd = 1 / sqrt(squares / (double)C + eps);

#pragma omp simd
    for (size_t c = 0; c < C; c++) out[c] = (float)((in[c] - mean) * rstd) * weight[c] + bias[c];
}

typedef void NormaliseRow(float *out, const float *in, const float *weight, const float *bias, size_t C, float eps);

static void normalise_row_plain(float *out, const float *in, const float *weight, const float *bias, size_t C,
                                float eps) {
    normalise_row(out, in, weight, bias, C, eps);
}

AVX2 static void normalise_row_avx2(float *out, const float *in, const float *weight, const float *bias, size_t C,
                                    float eps) {
    normalise_row(out, in, weight, bias, C, eps);
}

static void normalise_rows(NormaliseRow *normalise, float *out, const float *in, const float *weight, const float *bias,
                           LayerNormShape s, float eps) {
#pragma omp parallel for if (s.N * s.C > PARALLEL_FROM)
    for (size_t n = 0; n < s.N; n++) normalise(out + n * s.C, in + n * s.C, weight, bias, s.C, eps);
}

void layer_norm_openmp(float *out, const float *in, const float *weight, const float *bias, LayerNormShape s,
                       float eps) {
    normalise_rows(normalise_row_plain, out, in, weight, bias, s, eps);
}

void layer_norm_avx2(float *out, const float *in, const float *weight, const float *bias, LayerNormShape s, float eps) {
    normalise_rows(normalise_row_avx2, out, in, weight, bias, s, eps);
}
