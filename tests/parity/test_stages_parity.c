// test_stages_parity.c - text encoder, U-Net and VAE against diffusers and transformers, number by number
//
// The goldens are made by tests/make_golden.py and tests/make_golden_families.py, which say what each of them is there
// for. Bounds: 5e-6 with the kernels that add in the plainest order, 1e-4 with the fastest. The second half proves that
// the first can fail: each mistake that people make in these networks must be larger than the looser bound, 20 times
// the other.

#include "base/check.h"
#include "ops/activation.h"
#include "ops/attention.h"
#include "ops/embedding.h"
#include "ops/norm.h"
#include "ops/shape.h"
#include "parity/golden.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double EXACT_BOUND = 5e-6, FAST_BOUND = 1e-4;
// Of kernels that round what they multiply. reference_precision.py shows that torch's round away more.
static const double BF16_BOUND = 5e-2;

static const char *const MODELS[] = {
    "text_sd1",        "text_sd2_old_names", "unet_sd1",         "unet_sd2",    "unet_one_level",
    "unet_two_levels", "unet_eight_levels",  "unet_lcm",         "unet_no_mid", "vae_sd1",
    "vae_one_level",   "vae_two_levels",     "vae_three_levels", "vae_tiny"};
enum { MODEL_COUNT = sizeof MODELS / sizeof *MODELS };

// ---- parity ---------------------------------------------------------------------------------------------------------

static void test_parity(void) {
    const struct {
        const char *kernels;
        Setup setup;
        double bound;
    } columns[] = {
        {"exact", {.choices = {"conv2d=blas", "attention=blas"}}, EXACT_BOUND},
        {"default", {0}, FAST_BOUND},
        {"all naive", {.all = "naive"}, FAST_BOUND},
        {"all openmp", {.all = "openmp"}, FAST_BOUND},
        {"all avx2", {.all = "avx2"}, FAST_BOUND},
    };
    printf("%-20s %-12s %10s %10s\n", "model", "kernels", "error", "bound");
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
            double error = golden_error(MODELS[m], NULL, &columns[i].setup);
            printf("%-20s %-12s %10.2e %10.0e\n", MODELS[m], columns[i].kernels, error, columns[i].bound);
            EXPECT(error <= columns[i].bound, "%s, %s: %g", MODELS[m], columns[i].kernels, error);
        }
    }
}

// Each row of the registry by itself, all other ops at their defaults.
static void test_every_kernel(void) {
    for (size_t i = 0; i < kernel_count(); i++) {
        const Kernel *kernel = kernel_at(i);
        if (kernel->runs_here && !kernel->runs_here()) continue;
        Setup setup = {.kernel = kernel};
        double error = 0;
        error = fmax(error, golden_error("text_sd1", NULL, &setup));
        error = fmax(error, golden_error("text_sd2_old_names", NULL, &setup));
        error = fmax(error, golden_error("unet_sd1", NULL, &setup));
        error = fmax(error, golden_error("unet_lcm", NULL, &setup));
        error = fmax(error, golden_error("vae_sd1", NULL, &setup));
        error = fmax(error, golden_error("vae_tiny", NULL, &setup));
        printf("%20s=%-10s %10.2e\n", op_name(kernel->op), kernel->variant, error);
        EXPECT(error <= (kernel->precision == BF16 ? BF16_BOUND : FAST_BOUND), "%s=%s: %g", op_name(kernel->op),
               kernel->variant, error);
    }
}

// ---- the mistakes ---------------------------------------------------------------------------------------------------

static void group_norm_eps_1e5(float *out, const float *in, const float *weight, const float *bias, GroupNormShape s,
                               float eps) {
    (void)eps;
    group_norm_naive(out, in, weight, bias, s, 1e-5f);
}

static void group_norm_silu_eps_1e5(float *out, const float *in, const float *weight, const float *bias,
                                    GroupNormShape s, float eps) {
    (void)eps;
    group_norm_silu_naive(out, in, weight, bias, s, 1e-5f);
}

static void group_norm_silu_eps_1e6(float *out, const float *in, const float *weight, const float *bias,
                                    GroupNormShape s, float eps) {
    (void)eps;
    group_norm_silu_naive(out, in, weight, bias, s, 1e-6f);
}

static void layer_norm_eps_1e6(float *out, const float *in, const float *weight, const float *bias, LayerNormShape s,
                               float eps) {
    (void)eps;
    layer_norm_naive(out, in, weight, bias, s, 1e-6f);
}

static float tanh_gelu(float x) { return 0.5f * x * (1 + tanhf(sqrtf(2 / (float)M_PI) * (x + 0.044715f * x * x * x))); }

static void gelu_by_tanh(float *out, const float *in, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = tanh_gelu(in[i]);
}

static void unbounded(float *out, const float *in, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = in[i];
}

static void guidance_cosines_first(float *out, const float *guidance, GuidanceEmbeddingShape s) {
    float straight[64];
    size_t half = s.dim / 2;
    CHECK(s.B * s.dim <= 64, "%zu x %zu numbers", s.B, s.dim);
    guidance_embedding_naive(straight, guidance, s);
    for (size_t i = 0; i < s.B * s.dim; i++) {
        size_t column = i % s.dim, row = i - column;
        out[i] = straight[row + (column < 2 * half ? (column + half) % (2 * half) : column)];
    }
}

static void geglu_by_tanh(float *out, const float *in, GegluShape s) {
    for (size_t i = 0; i < s.N * s.C; i++) {
        const float *row = in + i / s.C * 2 * s.C;
        out[i] = row[i % s.C] * tanh_gelu(row[s.C + i % s.C]);
    }
}

static void geglu_halves_swapped(float *out, const float *in, GegluShape s) {
    for (size_t i = 0; i < s.N * s.C; i++) {
        const float *row = in + i / s.C * 2 * s.C;
        float x = row[i % s.C];
        out[i] = row[s.C + i % s.C] * 0.5f * x * (1 + erff(x / sqrtf(2)));
    }
}

// Tokens column by column instead of row by row, on the way in only.
static void tokens_by_columns(float *out, const float *in, PlanesShape s) {
    for (size_t b = 0; b < s.B; b++) {
        for (size_t c = 0; c < s.C; c++) {
            for (size_t y = 0; y < s.H; y++) {
                for (size_t x = 0; x < s.W; x++) {
                    out[((b * s.W + x) * s.H + y) * s.C + c] = in[((b * s.C + c) * s.H + y) * s.W + x];
                }
            }
        }
    }
}

static void pad_left_top(float *out, const float *in, PlanesShape s) {
    for (size_t plane = 0; plane < s.B * s.C; plane++) {
        for (size_t y = 0; y <= s.H; y++) {
            for (size_t x = 0; x <= s.W; x++) {
                float value = y > 0 && x > 0 ? in[(plane * s.H + y - 1) * s.W + x - 1] : 0;
                out[(plane * (s.H + 1) + y) * (s.W + 1) + x] = value;
            }
        }
    }
}

// Each pixel doubled and what is too much cut off: the same for even sizes, another picture for odd ones.
static void upsample_doubling(float *out, const float *in, UpsampleShape s) {
    for (size_t plane = 0; plane < s.B * s.C; plane++) {
        for (size_t y = 0; y < s.Hout; y++) {
            for (size_t x = 0; x < s.Wout; x++) {
                size_t y_in = y / 2 < s.H ? y / 2 : s.H - 1, x_in = x / 2 < s.W ? x / 2 : s.W - 1;
                out[(plane * s.Hout + y) * s.Wout + x] = in[(plane * s.H + y_in) * s.W + x_in];
            }
        }
    }
}

static void concat_swapped(float *out, const float *a, const float *b, ConcatShape s) {
    ConcatShape swapped = {.B = s.B, .Ca = s.Cb, .Cb = s.Ca, .H = s.H, .W = s.W};
    concat_channels_naive(out, b, a, swapped);
}

static void attention_not_causal(float *out, const float *q, const float *k, const float *v, AttentionShape s,
                                 void *scratch) {
    s.causal = false;
    attention_naive(out, q, k, v, s, scratch);
}

#define WRONG(operation, wrong) (&(Kernel){.op = operation, .variant = #wrong, .function = (void (*)(void))wrong})

static void expect_noticed(const char *mistake, const char *model, double error) {
    printf("%-36s %-20s %10.2e\n", mistake, model, error);
    EXPECT(isfinite(error) && error > FAST_BOUND, "%s goes unnoticed in %s: %g", mistake, model, error);
}

static void test_wrong_kernels_are_noticed(void) {
    const struct {
        const char *mistake, *model;
        const Kernel *kernel;
    } mistakes[] = {
        {"eps 1e-5 in the VAE's attention", "vae_sd1", WRONG(OP_GROUP_NORM, group_norm_eps_1e5)},
        {"GroupNorm's eps 1e-5 in the VAE", "vae_sd1", WRONG(OP_GROUP_NORM_SILU, group_norm_silu_eps_1e5)},
        {"GroupNorm's eps 1e-5 in the VAE", "vae_one_level", WRONG(OP_GROUP_NORM_SILU, group_norm_silu_eps_1e5)},
        {"GroupNorm's eps 1e-5 everywhere", "unet_sd1", WRONG(OP_GROUP_NORM, group_norm_eps_1e5)},
        {"GroupNorm's eps 1e-6 everywhere", "unet_sd1", WRONG(OP_GROUP_NORM_SILU, group_norm_silu_eps_1e6)},
        {"no SiLU before the convolutions", "unet_sd1", WRONG(OP_GROUP_NORM_SILU, group_norm_naive)},
        {"LayerNorm's eps 1e-6 for 1e-5", "unet_sd2", WRONG(OP_LAYER_NORM, layer_norm_eps_1e6)},
        {"LayerNorm's eps 1e-6 for 1e-5", "text_sd1", WRONG(OP_LAYER_NORM, layer_norm_eps_1e6)},
        {"tanh GELU for the exact one", "text_sd2_old_names", WRONG(OP_GELU, gelu_by_tanh)},
        {"exact GELU for QuickGELU", "text_sd1", WRONG(OP_QUICK_GELU, gelu_naive)},
        {"tanh GELU in GEGLU", "unet_sd1", WRONG(OP_GEGLU, geglu_by_tanh)},
        {"GEGLU's halves swapped", "unet_sd1", WRONG(OP_GEGLU, geglu_halves_swapped)},
        {"height and width swapped", "unet_sd1", WRONG(OP_IMAGE_TO_TOKENS, tokens_by_columns)},
        {"height and width swapped", "vae_sd1", WRONG(OP_IMAGE_TO_TOKENS, tokens_by_columns)},
        {"guidance: cosines first", "unet_lcm", WRONG(OP_GUIDANCE_EMBEDDING, guidance_cosines_first)},
        {"the tiny VAE's latents not bounded", "vae_tiny", WRONG(OP_TANH, unbounded)},
        {"SiLU for ReLU", "vae_tiny", WRONG(OP_RELU, silu_naive)},
        {"VAE padded at the left and top", "vae_two_levels", WRONG(OP_PAD_RIGHT_BOTTOM, pad_left_top)},
        {"odd sizes upsampled by doubling", "unet_two_levels", WRONG(OP_UPSAMPLE_NEAREST, upsample_doubling)},
        {"skip before what comes from below", "unet_sd1", WRONG(OP_CONCAT_CHANNELS, concat_swapped)},
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        Setup setup = {.kernel = mistakes[i].kernel};
        expect_noticed(mistakes[i].mistake, mistakes[i].model, golden_error(mistakes[i].model, NULL, &setup));
    }
    Kernel not_causal = *kernel_find(OP_ATTENTION, "naive");  // for its scratch
    not_causal.function = (void (*)(void))attention_not_causal;
    expect_noticed("a text encoder that sees ahead", "text_sd1",
                   golden_error("text_sd1", NULL, &(Setup){.kernel = &not_causal}));
}

static void test_wrong_timestep_is_noticed(void) {
    const char *const models[] = {"unet_sd1", "unet_sd2", "unet_one_level", "unet_lcm", "unet_no_mid"};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        expect_noticed("off by one timestep", models[i], golden_error(models[i], NULL, &(Setup){.timestep_shift = 1}));
    }
}

static void test_wrong_configs_are_noticed(void) {
    const struct {
        const char *mistake, *model, *from, *to;
    } mistakes[] = {
        {"norm_eps 1e-6 for 1e-5", "unet_sd1", "\"norm_eps\": 1e-05", "\"norm_eps\": 1e-06"},
        {"norm_eps 1e-5 for 1e-6", "unet_two_levels", "\"norm_eps\": 1e-06", "\"norm_eps\": 1e-05"},
        {"layer_norm_eps 1e-6 for 1e-5", "text_sd1", "\"layer_norm_eps\": 1e-05", "\"layer_norm_eps\": 1e-06"},
        {"QuickGELU for exact GELU", "text_sd2_old_names", "\"gelu\"", "\"quick_gelu\""},
        {"another number of heads", "unet_sd1", "\"attention_head_dim\": 4", "\"attention_head_dim\": 2"},
        {"another number of groups", "unet_sd1", "\"norm_num_groups\": 4", "\"norm_num_groups\": 8"},
        {"freq_shift 0 for 1", "unet_one_level", "\"freq_shift\": 1", "\"freq_shift\": 0"},
        {"sines and cosines swapped", "unet_sd1", "\"flip_sin_to_cos\": true", "\"flip_sin_to_cos\": false"},
        {"input not centred", "unet_one_level", "\"center_input_sample\": true", "\"center_input_sample\": false"},
        {"the U-Net isn't told the guidance", "unet_lcm", "\"time_cond_proj_dim\": 9", "\"time_cond_proj_dim\": null"},
        {"the U-Net's middle left out", "unet_lcm", "\"UNetMidBlock2D\"", "null"},
        {"quant_conv left out", "vae_sd1", "\"use_quant_conv\": true", "\"use_quant_conv\": false"},
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        const char *folder = golden_edited(mistakes[i].model, "wrong_config", mistakes[i].from, mistakes[i].to);
        expect_noticed(mistakes[i].mistake, mistakes[i].model, golden_error(mistakes[i].model, folder, &(Setup){0}));
    }
}

int main(void) {
    TEST(test_parity);
    TEST(test_every_kernel);
    TEST(test_wrong_kernels_are_noticed);
    TEST(test_wrong_timestep_is_noticed);
    TEST(test_wrong_configs_are_noticed);
    return test_summary();
}
