// test_elementwise.c - what norms and activations do at the edges: few numbers, odd numbers of them, NaN and infinity
//
// test_kernels.c compares every variant with naive on ordinary numbers. Here the kernels are called by themselves, on
// sizes around the width of a vector register, with something behind the last number that must stay as it is.

#include "test.h"

#include "base/rng.h"
#include "ops/activation.h"
#include "ops/norm.h"
#include "ops/normal_cdf.h"
#include "ops/registry.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const float GUARD = 12345;

// Calls once(kernel) for each variant of op that runs here.
static void each_variant(Op op, void (*once)(const Kernel *kernel)) {
    for (size_t row = 0; row < kernel_count(); row++) {
        const Kernel *kernel = kernel_at(row);
        if (kernel->op == op && (!kernel->runs_here || kernel->runs_here())) once(kernel);
    }
}

// ---- activations ----------------------------------------------------------------------------------------------------

static void activation_sizes(const Kernel *kernel) {
    static const size_t sizes[] = {0, 1, 7, 8, 9, 15, 16, 17, 4095, 4096, 4097, 16384, 16385, 20000};
    static float in[20000], out[20001], expected[20000];
    Rng rng;
    rng_seed(&rng, 3);
    rng_normal(&rng, in, 20000);
    in[0] = 1;  // for ReLU: a sum of zeros has no relative error
    ((ActivationKernel *)kernel_find(kernel->op, "naive")->function)(expected, in, 20000);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t n = sizes[i];
        out[n] = GUARD;
        ((ActivationKernel *)kernel->function)(out, in, n);
        double error = relative_l2(out, expected, n);
        EXPECT(n == 0 || error <= 3e-7, "%s=%s of %zu numbers: %.2e", op_name(kernel->op), kernel->variant, n, error);
        EXPECT(out[n] == GUARD, "%s=%s of %zu numbers wrote behind the last", op_name(kernel->op), kernel->variant, n);
    }
}

// Where naive gives NaN or infinity, so must all; and numbers beside them must not be touched by it.
static void activation_extremes(const Kernel *kernel) {
    float in[19] = {NAN, INFINITY, -INFINITY, 1e30f, -1e30f, 0, -0.0f, 88, -88, 104, -104, 1, -1, 3e-39f, 5, -5, 200};
    in[17] = -200;
    in[18] = 2;
    float out[19], expected[19];
    ((ActivationKernel *)kernel_find(kernel->op, "naive")->function)(expected, in, 19);
    ((ActivationKernel *)kernel->function)(out, in, 19);
    for (size_t i = 0; i < 19; i++) {
        bool same = isnan(expected[i])   ? isnan(out[i])
                    : isinf(expected[i]) ? out[i] == expected[i]
                                         : fabsf(out[i] - expected[i]) <= 3e-7f * (1 + fabsf(expected[i]));
        EXPECT(same, "%s=%s of %g is %.9g, not %.9g", op_name(kernel->op), kernel->variant, in[i], out[i], expected[i]);
    }
}

static void test_activations(void) {
    static const Op ops[] = {OP_SILU, OP_GELU, OP_QUICK_GELU, OP_RELU, OP_TANH};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        each_variant(ops[i], activation_sizes);
        each_variant(ops[i], activation_extremes);
    }
}

static void geglu_sizes(const Kernel *kernel) {
    enum { ROWS = 5, MOST = 67 };
    static float in[ROWS * 2 * MOST], out[ROWS * MOST + 1], expected[ROWS * MOST];
    Rng rng;
    rng_seed(&rng, 4);
    rng_normal(&rng, in, ROWS * 2 * MOST);
    for (size_t C = 1; C <= MOST; C++) {
        GegluShape s = {ROWS, C};
        geglu_naive(expected, in, s);
        out[ROWS * C] = GUARD;
        ((GegluKernel *)kernel->function)(out, in, s);
        double error = relative_l2(out, expected, ROWS * C);
        EXPECT(error <= 3e-7 && out[ROWS * C] == GUARD, "geglu=%s, %zu a row: %.2e", kernel->variant, C, error);
    }
    float broken[4] = {1, NAN, 2, 3}, one[2];
    ((GegluKernel *)kernel->function)(one, broken, (GegluShape){1, 2});
    EXPECT(isnan(one[1]) && fabsf(one[0] - 1.95449974f) < 1e-6f, "geglu=%s: %g %g", kernel->variant, one[0], one[1]);
}

static void test_geglu(void) { each_variant(OP_GEGLU, geglu_sizes); }

static void test_normal_cdf(void) {
    static const struct {
        float from, to;
        double bound;
    } ranges[] = {{-13, -5, 5e-6}, {-5, 0, 8e-7}, {0, 12, 5e-7}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        double worst = 0;
        for (float x = ranges[i].from; x < ranges[i].to; x += 1.37e-4f) {
            worst = fmax(worst, fabs(normal_cdf(x) / (erfc(-x / sqrt(2)) / 2) - 1));
        }
        EXPECT(worst <= ranges[i].bound, "%g to %g: off by %.2e", ranges[i].from, ranges[i].to, worst);
    }
    EXPECT(normal_cdf(INFINITY) == 1 && normal_cdf(1e30f) == 1, "at the end %.9g", normal_cdf(INFINITY));
    EXPECT(normal_cdf(-INFINITY) == 0 && normal_cdf(-1e30f) < 1e-38f, "at the other %.9g", normal_cdf(-INFINITY));
    EXPECT(isnan(normal_cdf(NAN)), "NaN was lost");
}

// ---- norms ----------------------------------------------------------------------------------------------------------

enum { CHANNELS = 6, GROUPS = 3, PLANES_MOST = 40 };

static const float weight[CHANNELS] = {1, 0.5f, -2, 1.5f, 0.1f, 3}, bias[CHANNELS] = {0, 1, -1, 0.5f, 2, -3};

static void group_norm_sizes(const Kernel *kernel) {
    static float in[CHANNELS * PLANES_MOST], out[CHANNELS * PLANES_MOST + 1], expected[CHANNELS * PLANES_MOST];
    Rng rng;
    rng_seed(&rng, 5);
    for (size_t W = 1; W <= PLANES_MOST; W++) {
        GroupNormShape s = {1, CHANNELS, 1, W, GROUPS};
        size_t n = CHANNELS * W;
        rng_normal(&rng, in, n);
        for (size_t i = 0; i < n; i++) in[i] = 1000 + in[i];  // far from 0, as large as the floats allow
        ((GroupNormKernel *)kernel_find(kernel->op, "naive")->function)(expected, in, weight, bias, s, 1e-5f);
        out[n] = GUARD;
        ((GroupNormKernel *)kernel->function)(out, in, weight, bias, s, 1e-5f);
        double error = relative_l2(out, expected, n);
        EXPECT(error <= 2e-6 && out[n] == GUARD, "%s=%s, planes of %zu: %.2e", op_name(kernel->op), kernel->variant, W,
               error);
    }
}

// A broken number breaks its group, and no other.
static void group_norm_broken(const Kernel *kernel) {
    enum { W = 17, GROUP = CHANNELS / GROUPS * W };
    float in[CHANNELS * W], out[CHANNELS * W];
    for (size_t broken = 0; broken < 2; broken++) {
        for (size_t i = 0; i < CHANNELS * W; i++) in[i] = (float)(i * i % 11);
        in[GROUP + 20] = broken == 0 ? NAN : INFINITY;
        ((GroupNormKernel *)kernel->function)(out, in, weight, bias, (GroupNormShape){1, CHANNELS, 1, W, GROUPS},
                                              1e-5f);
        size_t nans = 0, elsewhere = 0;
        for (size_t i = 0; i < CHANNELS * W; i++) {
            if (i / GROUP == 1)
                nans += isnan(out[i]) != 0;
            else
                elsewhere += isnan(out[i]) != 0;
        }
        EXPECT(nans == GROUP && elsewhere == 0, "%s=%s of %g: %zu NaN of %d, %zu elsewhere", op_name(kernel->op),
               kernel->variant, in[GROUP + 20], nans, GROUP, elsewhere);
    }
}

static void layer_norm_sizes(const Kernel *kernel) {
    enum { ROWS = 3, MOST = 67 };
    static float in[ROWS * MOST], out[ROWS * MOST + 1], expected[ROWS * MOST], scale[MOST], shift[MOST];
    Rng rng;
    rng_seed(&rng, 6);
    rng_normal(&rng, scale, MOST);
    rng_normal(&rng, shift, MOST);
    for (size_t C = 1; C <= MOST; C++) {
        LayerNormShape s = {ROWS, C};
        rng_normal(&rng, in, ROWS * C);
        layer_norm_naive(expected, in, scale, shift, s, 1e-5f);
        out[ROWS * C] = GUARD;
        ((LayerNormKernel *)kernel->function)(out, in, scale, shift, s, 1e-5f);
        double error = relative_l2(out, expected, ROWS * C);
        EXPECT(error <= 1e-6 && out[ROWS * C] == GUARD, "layer_norm=%s, %zu a row: %.2e", kernel->variant, C, error);
    }
    in[1] = NAN;
    ((LayerNormKernel *)kernel->function)(out, in, scale, shift, (LayerNormShape){2, 20}, 1e-5f);
    EXPECT(isnan(out[0]) && isnan(out[19]) && !isnan(out[20]), "layer_norm=%s: %g %g %g", kernel->variant, out[0],
           out[19], out[20]);
}

static void test_norms(void) {
    each_variant(OP_GROUP_NORM, group_norm_sizes);
    each_variant(OP_GROUP_NORM_SILU, group_norm_sizes);
    each_variant(OP_GROUP_NORM, group_norm_broken);
    each_variant(OP_GROUP_NORM_SILU, group_norm_broken);
    each_variant(OP_LAYER_NORM, layer_norm_sizes);
}

int main(void) {
    TEST(test_activations);
    TEST(test_geglu);
    TEST(test_normal_cdf);
    TEST(test_norms);
    return test_summary();
}
