// activation.c - the bends between the layers: without them, all layers together would be one matrix
//
// Where: SiLU after each GroupNorm of the ResNet blocks (in one with it: norm.c) and in the timestep's layers; GELU and
//        QuickGELU in the text encoder's feed-forward layers; GEGLU in those of the U-Net's transformers; ReLU and tanh
//        in the tiny autoencoder.
// Elsewhere: torch.nn.SiLU, torch.nn.GELU, transformers' QuickGELUActivation, torch.nn.ReLU, torch.tanh, diffusers'
//            GEGLU.
// Read next: norm.c, conv2d.c and linear.c, the layers that they stand between.

#include "ops/activation.h"

#include "ops/exp.h"
#include "ops/normal_cdf.h"
#include "ops/wide.h"

#include <math.h>

// All but tanh are the number itself, times how far a gate is open for it: shut for very negative numbers, open for
// positive ones. ReLU's is either shut or open, the others' are smooth.
//
// The openmp variants deal the numbers to the threads once there are PARALLEL_FROM of them (before that, waking the
// threads takes longer than the work), and use functions that the compiler can turn into vector instructions (exp.h,
// normal_cdf.h) where the definitions call expf and erff. avx2 and avx512 are the same loops with wider registers
// (wide.h), where that shows: the time step's SiLU sees too few numbers, and ReLU waits for memory.

enum { PARALLEL_FROM = 1 << 14 };

// For avx2: deals stretches of the numbers to the threads. The loop over a stretch is a function of its own: clang
// doesn't compile the threads' part of a function for the registers that the function is marked with.
static void in_stretches(ActivationKernel *kernel, float *out, const float *in, size_t n) {
    enum { STRETCH = 1 << 12 };
#pragma omp parallel for if (n > PARALLEL_FROM)
    for (size_t i = 0; i < n; i += STRETCH) kernel(out + i, in + i, n - i < STRETCH ? n - i : STRETCH);
}

// ---- SiLU (Elfwing, Uchibe & Doya 2017, arXiv 1702.03118; also called swish) ----------------------------------------
//
//     silu(x) = x sigmoid(x) = x / (1 + e^-x)

void silu_naive(float *out, const float *in, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = in[i] / (1 + expf(-in[i]));
}

void silu_openmp(float *out, const float *in, size_t n) {
#pragma omp parallel for simd if (parallel : n > PARALLEL_FROM)
    for (size_t i = 0; i < n; i++) out[i] = in[i] / (1 + exp_inline(-in[i]));
}

// ---- GELU (Hendrycks & Gimpel 2016, arXiv 1606.08415, section 2) ----------------------------------------------------
//
//     gelu(x) = x P(a normally distributed number is below x) = x/2 (1 + erf(x / sqrt 2))
//
// The paper's shortcut with tanh is another function (up to 5e-4 away): GPT-2 was trained with it.

static float gelu_of(float x) { return 0.5f * x * (1 + erff(x * 0.70710678f)); }

void gelu_naive(float *out, const float *in, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = gelu_of(in[i]);
}

void gelu_openmp(float *out, const float *in, size_t n) {
#pragma omp parallel for simd if (parallel : n > PARALLEL_FROM)
    for (size_t i = 0; i < n; i++) out[i] = in[i] * normal_cdf(in[i]);
}

AVX2 static void gelu_stretch_avx2(float *out, const float *in, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++) out[i] = in[i] * normal_cdf(in[i]);
}

void gelu_avx2(float *out, const float *in, size_t n) { in_stretches(gelu_stretch_avx2, out, in, n); }

// ---- QuickGELU (same paper, same section) ---------------------------------------------------------------------------
//
//     quick_gelu(x) = x sigmoid(1.702 x)
//
// GELU's other shortcut (up to 0.02 away). OpenAI trained CLIP with it, so SD 1.x's text encoder must use it; OpenCLIP,
// in SD 2.x, has the exact one.

void quick_gelu_naive(float *out, const float *in, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = in[i] / (1 + expf(-1.702f * in[i]));
}

void quick_gelu_openmp(float *out, const float *in, size_t n) {
#pragma omp parallel for simd if (parallel : n > PARALLEL_FROM)
    for (size_t i = 0; i < n; i++) out[i] = in[i] / (1 + exp_inline(-1.702f * in[i]));
}

AVX2 static void quick_gelu_stretch_avx2(float *out, const float *in, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++) out[i] = in[i] / (1 + exp_inline(-1.702f * in[i]));
}

void quick_gelu_avx2(float *out, const float *in, size_t n) { in_stretches(quick_gelu_stretch_avx2, out, in, n); }

// ---- ReLU (Nair & Hinton 2010, section 2) ---------------------------------------------------------------------------
//
//     relu(x) = max(x, 0)
//
// Written so that NaN stays NaN: what a broken layer made must not look like a black picture.

void relu_naive(float *out, const float *in, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = in[i] < 0 ? 0 : in[i];
}

void relu_openmp(float *out, const float *in, size_t n) {
#pragma omp parallel for simd if (parallel : n > PARALLEL_FROM)
    for (size_t i = 0; i < n; i++) out[i] = in[i] < 0 ? 0 : in[i];
}

// ---- tanh -----------------------------------------------------------------------------------------------------------
//
//     tanh(x) = (e^x - e^-x) / (e^x + e^-x)
//
// Near 0 it is x, and never beyond -1 and 1. It stays a call: it only ever sees latents, which are few.

void tanh_naive(float *out, const float *in, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = tanhf(in[i]);
}

void tanh_openmp(float *out, const float *in, size_t n) {
#pragma omp parallel for if (n > PARALLEL_FROM)
    for (size_t i = 0; i < n; i++) out[i] = tanhf(in[i]);
}

// ---- GEGLU (Shazeer 2020, arXiv 2002.05202, eq. 6) ------------------------------------------------------------------
//
//     out[n,c] = in[n,c] gelu(in[n,C + c])           in [N, 2C], out [N, C]
//
// The layer before makes two numbers for each one wanted; the second says how much of the first goes through.

void geglu_naive(float *out, const float *in, GegluShape s) {
    for (size_t n = 0; n < s.N; n++) {
        for (size_t c = 0; c < s.C; c++) {
            out[n * s.C + c] = in[n * 2 * s.C + c] * gelu_of(in[n * 2 * s.C + s.C + c]);
        }
    }
}

// openmp, avx2 and avx512: threads share the rows. value and gate are a row's halves.

typedef void GegluRow(float *out, const float *value, const float *gate, size_t C);

INLINE void geglu_row(float *out, const float *value, const float *gate, size_t C) {
#pragma omp simd
    for (size_t c = 0; c < C; c++) out[c] = value[c] * gate[c] * normal_cdf(gate[c]);
}

static void geglu_row_plain(float *out, const float *value, const float *gate, size_t C) {
    geglu_row(out, value, gate, C);
}

AVX2 static void geglu_row_avx2(float *out, const float *value, const float *gate, size_t C) {
    geglu_row(out, value, gate, C);
}

AVX512 static void geglu_row_avx512(float *out, const float *value, const float *gate, size_t C) {
    geglu_row(out, value, gate, C);
}

static void each_row(GegluRow *row, float *out, const float *in, GegluShape s) {
#pragma omp parallel for if (s.N * s.C > PARALLEL_FROM)
    for (size_t n = 0; n < s.N; n++) row(out + n * s.C, in + n * 2 * s.C, in + n * 2 * s.C + s.C, s.C);
}

void geglu_openmp(float *out, const float *in, GegluShape s) { each_row(geglu_row_plain, out, in, s); }
void geglu_avx2(float *out, const float *in, GegluShape s) { each_row(geglu_row_avx2, out, in, s); }
void geglu_avx512(float *out, const float *in, GegluShape s) { each_row(geglu_row_avx512, out, in, s); }
