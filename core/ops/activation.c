// activation.c - the bends between the layers: without them, all layers together would be one matrix
//
// Where: SiLU after each GroupNorm of the ResNet blocks and in the timestep's layers; GELU and QuickGELU in the text
//        encoder's feed-forward layers; GEGLU in those of the U-Net's transformers; ReLU and tanh in the tiny
//        autoencoder.
// Elsewhere: torch.nn.SiLU, torch.nn.GELU, transformers' QuickGELUActivation, torch.nn.ReLU, torch.tanh, diffusers'
//            GEGLU.
// Read next: norm.c, conv2d.c and linear.c, the layers that they stand between.

#include "ops/activation.h"

#include "ops/exp.h"

#include <math.h>

// All but tanh are the number itself, times how far a gate is open for it: shut for very negative numbers, open for
// positive ones. ReLU's is either shut or open, the others' are smooth.
//
// The openmp variants deal the numbers to the threads once there are PARALLEL_FROM of them (before that, waking the
// threads takes longer than the work), and use an exponential that the compiler can turn into vector instructions
// (exp.h) where the definition calls expf. erff stays a call: written out, it is long, and GELU is rare.

enum { PARALLEL_FROM = 1 << 14 };

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
#pragma omp parallel for if (n > PARALLEL_FROM)
    for (size_t i = 0; i < n; i++) out[i] = gelu_of(in[i]);
}

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

void geglu_openmp(float *out, const float *in, GegluShape s) {
#pragma omp parallel for if (s.N * s.C > PARALLEL_FROM)
    for (size_t n = 0; n < s.N; n++) {
        const float *value = in + n * 2 * s.C, *gate = value + s.C;
        for (size_t c = 0; c < s.C; c++) out[n * s.C + c] = value[c] * gelu_of(gate[c]);
    }
}
