// test_kernels.c - every variant of every op against naive, on shapes that break careless loops (ops/op_cases.c)
//
// Each variant is run through its op, in an arena of exactly the size that planning asked for, so these cases also
// prove that planning and executing count alike. A new row in the registry is tested without a change here.

#include "test.h"

#include "base/rng.h"
#include "ops/activation.h"
#include "ops/op_cases.h"

#include <stdlib.h>
#include <string.h>

static Arena inputs;  // opened and closed by each test
static Rng rng;

static Tensor random_tensor(void *maker, const char *name, Shape shape, float mean, float deviation) {
    (void)maker, (void)name;
    float *data = arena_take(&inputs, shape_count(shape) * sizeof(float));
    rng_normal(&rng, data, shape_count(shape));
    for (size_t i = 0; i < shape_count(shape); i++) data[i] = mean + deviation * data[i];
    return tensor_over(data, shape);
}

static OpInputs random_inputs(const OpCase *c) {
    static int64_t ids[1 << 10];
    return op_case_inputs(c, random_tensor, NULL, ids);
}

static void begin(void) {
    rng_seed(&rng, 7);
    EXPECT(arena_open(&inputs, 256 << 20), "no memory");
}

// out: the result, malloced. Checks the plan against the run.
static float *run_variant(const Kernel *kernel, const OpCase *c, const OpInputs *in, size_t *n) {
    const Kernel *chosen[OP_COUNT];
    for (int op = 0; op < OP_COUNT; op++) chosen[op] = (Op)op == kernel->op ? kernel : kernel_default((Op)op, F32);
    Context plan, ctx;
    Error error = {0};
    context_open_planning(&plan, chosen);
    Tensor planned = op_case_run(&plan, c, in);

    EXPECT(context_open(&ctx, plan.arena.high_water, 0, &error), "%s", error.message);
    ctx.kernels[kernel->op] = kernel;
    Tensor out = op_case_run(&ctx, c, in);
    *n = shape_count(out.shape);
    EXPECT(shape_equal(planned.shape, out.shape) && planned.place == NOWHERE, "planned %s, got %s",
           shape_text(planned.shape).text, shape_text(out.shape).text);
    EXPECT(ctx.arena.high_water == plan.arena.high_water, "high water %zu, planned %zu", ctx.arena.high_water,
           plan.arena.high_water);
    EXPECT(ctx.arena.used[0] + ctx.arena.used[1] == (*n * sizeof(float) + 63) / 64 * 64, "%zu + %zu bytes held for %zu",
           ctx.arena.used[0], ctx.arena.used[1], *n);
    EXPECT(memcmp(&plan.cost, &ctx.cost, sizeof plan.cost) == 0 && ctx.cost.calls == 1, "%llu flops, planned %llu",
           (unsigned long long)ctx.cost.flops, (unsigned long long)plan.cost.flops);
    float *copy = malloc((*n + 1) * sizeof(float));
    memcpy(copy, tensor_f32(out), *n * sizeof(float));
    context_close(&ctx);
    context_close(&plan);
    return copy;
}

// Its transforms add and subtract numbers larger than the result, and so lose a digit (conv2d_winograd.c).
static const double WINOGRAD_TOLERANCE = 5e-6;

// Both factors of a product are rounded by up to 2^-9 of themselves, and so it is off by up to twice that; attention has
// two products, one after the other.
static const double BF16_TOLERANCE = 1.2e-2;

static double tolerance_of(const Kernel *kernel, double usual) {
    if (kernel->precision == BF16) return BF16_TOLERANCE;
    return strcmp(kernel->variant, "winograd") == 0 ? WINOGRAD_TOLERANCE : usual;
}

static void expect_variants_agree(const OpCase *c, const OpInputs *in, double tolerance) {
    size_t n;
    float *naive = run_variant(kernel_find(c->op, "naive"), c, in, &n);
    for (size_t row = 0; row < kernel_count(); row++) {
        const Kernel *kernel = kernel_at(row);
        if (kernel->op != c->op || (kernel->runs_here && !kernel->runs_here())) continue;
        float *out = run_variant(kernel, c, in, &n);
        double error = relative_l2(out, naive, n);
        EXPECT(error <= tolerance_of(kernel, tolerance), "%s=%s on %s is %.2e from naive", op_name(c->op),
               kernel->variant, op_case_text(c).text, error);
        free(out);
    }
    free(naive);
}

static void odd_cases(Op op, double tolerance) {
    OpCase c;
    size_t count = 0;
    begin();
    for (; op_case_odd(op, count, &c); count++) {
        OpInputs in = random_inputs(&c);
        expect_variants_agree(&c, &in, tolerance);
    }
    EXPECT(count > 0, "%s has no case", op_name(op));
    arena_close(&inputs);
}

// ---- on odd shapes --------------------------------------------------------------------------------------------------

static void test_conv2d(void) { odd_cases(OP_CONV2D, 2e-6); }
static void test_linear(void) { odd_cases(OP_LINEAR, 2e-6); }
static void test_attention(void) { odd_cases(OP_ATTENTION, 3e-6); }

static void test_norms(void) {
    odd_cases(OP_GROUP_NORM, 1e-6);
    odd_cases(OP_GROUP_NORM_SILU, 1e-6);
    odd_cases(OP_LAYER_NORM, 1e-6);
}

static void test_elementwise(void) {
    static const Op ops[] = {OP_SILU, OP_GELU, OP_QUICK_GELU, OP_RELU, OP_TANH, OP_GEGLU};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) odd_cases(ops[i], 3e-7);
    odd_cases(OP_SCALE_SHIFT, 2e-7);
    odd_cases(OP_ADD, 0);
    odd_cases(OP_ADD_PER_CHANNEL, 0);
}

static void test_moves(void) {
    static const Op ops[] = {OP_CONCAT_CHANNELS, OP_PAD_RIGHT_BOTTOM, OP_UPSAMPLE_NEAREST, OP_IMAGE_TO_TOKENS,
                             OP_TOKENS_TO_IMAGE};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) odd_cases(ops[i], 0);
}

static void test_embeddings(void) {
    static const Op ops[] = {OP_EMBEDDING, OP_TIMESTEP_EMBEDDING, OP_GUIDANCE_EMBEDDING};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) odd_cases(ops[i], 0);
}

// Every op has a case to measure on, too, and all of them run.
static void test_usual_cases(void) {
    for (int op = 0; op < OP_COUNT; op++) {
        OpCase c = op_case_usual((Op)op);
        begin();
        OpInputs in = random_inputs(&c);
        size_t n;
        free(run_variant(kernel_default((Op)op, F32), &c, &in, &n));
        EXPECT(n > 0, "%s: nothing comes out", op_name((Op)op));
        arena_close(&inputs);
    }
}

// ---- what is special about some -------------------------------------------------------------------------------------

// What bf16 kernels round, rounded beforehand: then nothing is left to round, and they must agree with naive.
static void test_linear_bf16(void) {
    static const size_t s[][3] = {{1, 1, 1}, {2, 320, 17}, {77, 13, 31}, {3, 1500, 5}, {64, 640, 96}};
    begin();
    for (size_t i = 0; i < sizeof s / sizeof s[0]; i++) {
        size_t n;
        OpCase c = {OP_LINEAR, .x = {s[i][0], s[i][1]}, .with = {s[i][2], s[i][1]}, .bias = true};
        OpInputs in = random_inputs(&c);
        Tensor rounded[] = {in.x, in.layer.weight};
        for (size_t t = 0; t < 2; t++) {
            for (size_t k = 0; k < shape_count(rounded[t].shape); k++) {
                tensor_f32(rounded[t])[k] = bf16_to_f32(f32_to_bf16(tensor_f32(rounded[t])[k]));
            }
        }
        float *naive = run_variant(kernel_find(OP_LINEAR, "naive"), &c, &in, &n);
        for (size_t row = 0; row < kernel_count(); row++) {
            const Kernel *kernel = kernel_at(row);
            if (kernel->op != OP_LINEAR || kernel->precision != BF16) continue;
            if (kernel->runs_here && !kernel->runs_here()) continue;
            float *out = run_variant(kernel, &c, &in, &n);
            double error = relative_l2(out, naive, n);
            EXPECT(error <= 2e-6, "linear=%s on %s is %.2e from naive", kernel->variant, op_case_text(&c).text, error);
            free(out);
        }
        free(naive);
    }
    arena_close(&inputs);
}

// Scores of a thousand: without the subtracted maximum, e^ of them is infinite.
static void test_large_scores(void) {
    OpCase c = {OP_ATTENTION, .x = {1, 2, 9, 3}, .with = {1, 2, 11, 3}, .mean = 25, .deviation = 2};
    begin();
    OpInputs in = random_inputs(&c);
    expect_variants_agree(&c, &in, 2e-3);  // a float near 1000 is only exact to 6e-5
    arena_close(&inputs);
}

// In one or one after the other: the numbers are the same to the last bit.
static void test_fused_as_separate(void) {
    static const char *const variants[] = {"naive", "openmp"};
    begin();
    OpCase c, alone;
    for (size_t k = 0; op_case_odd(OP_GROUP_NORM_SILU, k, &c) && op_case_odd(OP_GROUP_NORM, k, &alone); k++) {
        OpInputs in = random_inputs(&c);
        for (size_t i = 0; i < 2; i++) {
            size_t n;
            float *fused = run_variant(kernel_find(OP_GROUP_NORM_SILU, variants[i]), &c, &in, &n);
            float *separate = run_variant(kernel_find(OP_GROUP_NORM, variants[i]), &alone, &in, &n);
            ((ActivationKernel *)kernel_find(OP_SILU, variants[i])->function)(separate, separate, n);
            EXPECT(memcmp(fused, separate, n * sizeof(float)) == 0, "%s on %s: in one is %.2e from one after the other",
                   variants[i], op_case_text(&c).text, relative_l2(fused, separate, n));
            free(fused);
            free(separate);
        }
    }
    arena_close(&inputs);
}

// A flat picture has variance 0, and rounding mustn't make it less than that.
static void test_flat_pictures(void) {
    static const Op ops[] = {OP_GROUP_NORM, OP_GROUP_NORM_SILU};
    begin();
    for (size_t i = 0; i < 2; i++) {
        OpCase c = {ops[i], .x = {1, 3, 70, 90}, .groups = 1, .mean = 123456.789f, .deviation = 1e-30f};
        OpInputs in = random_inputs(&c);
        expect_variants_agree(&c, &in, 1e-6);
    }
    arena_close(&inputs);
}

int main(void) {
    TEST(test_conv2d);
    TEST(test_linear);
    TEST(test_attention);
    TEST(test_norms);
    TEST(test_elementwise);
    TEST(test_moves);
    TEST(test_embeddings);
    TEST(test_usual_cases);
    TEST(test_linear_bf16);
    TEST(test_large_scores);
    TEST(test_fused_as_separate);
    TEST(test_flat_pictures);
    return test_summary();
}
