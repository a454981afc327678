// test_kernels.c - every variant of every op against naive, on shapes that break careless loops
//
// Each variant is run through its op, in an arena of exactly the size that planning asked for, so these cases also
// prove that planning and executing count alike. A new row in the registry is tested without a change here.

#include "test.h"

#include "base/rng.h"
#include "ops/activation.h"
#include "ops/ops.h"

#include <stdlib.h>
#include <string.h>

// What a case may need; the fields that it doesn't use stay 0.
typedef struct Case {
    Tensor x, y, z;
    Layer layer;
    size_t a, b;
    bool flag;
} Case;

typedef Tensor Run(Context *ctx, const Case *c);

static Arena inputs;  // opened and closed by each test
static Rng rng;

static Tensor random_tensor(Shape shape, float mean, float sigma) {
    float *data = arena_take(&inputs, shape_count(shape) * sizeof(float));
    rng_normal(&rng, data, shape_count(shape));
    for (size_t i = 0; i < shape_count(shape); i++) data[i] = mean + sigma * data[i];
    return tensor_over(data, shape);
}

static void begin(void) {
    rng_seed(&rng, 7);
    EXPECT(arena_open(&inputs, 256 << 20), "no memory");
}

// out: the result, malloced. Checks the plan against the run.
static float *run_variant(const Kernel *kernel, Run *run, const Case *c, size_t *n) {
    const Kernel *chosen[OP_COUNT];
    for (int op = 0; op < OP_COUNT; op++) chosen[op] = (Op)op == kernel->op ? kernel : kernel_default((Op)op, F32);
    Context plan, ctx;
    Error error = {0};
    context_open_planning(&plan, chosen);
    Tensor planned = run(&plan, c);

    EXPECT(context_open(&ctx, plan.arena.high_water, 0, &error), "%s", error.message);
    ctx.kernels[kernel->op] = kernel;
    Tensor out = run(&ctx, c);
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

static void expect_variants_agree(Op op, Run *run, const Case *c, double tolerance) {
    size_t n;
    float *naive = run_variant(kernel_find(op, "naive"), run, c, &n);
    for (size_t row = 0; row < kernel_count(); row++) {
        const Kernel *kernel = kernel_at(row);
        if (kernel->op != op || (kernel->runs_here && !kernel->runs_here())) continue;
        float *out = run_variant(kernel, run, c, &n);
        double error = relative_l2(out, naive, n);
        EXPECT(error <= tolerance_of(kernel, tolerance), "%s=%s on %s is %.2e from naive", op_name(op), kernel->variant,
               shape_text(c->x.shape).text, error);
        free(out);
    }
    free(naive);
}

// The in-place ops return x itself, so they are given a copy to work on.
static Tensor copy_of(Context *ctx, Tensor x) {
    float *data = arena_take(&ctx->arena, shape_count(x.shape) * sizeof(float));
    if (ctx->planning) return (Tensor){NULL, x.shape, F32, NOWHERE};
    memcpy(data, tensor_f32(x), shape_count(x.shape) * sizeof(float));
    return tensor_over(data, x.shape);
}

// ---- the layers -----------------------------------------------------------------------------------------------------

static Tensor run_conv2d(Context *ctx, const Case *c) { return conv2d(ctx, c->x, &c->layer, c->a, c->b); }

static void test_conv2d(void) {
    static const struct {
        size_t B, Cin, H, W, Cout, K, stride, padding;
    } s[] = {
        {1, 1, 1, 1, 1, 1, 1, 0},    {1, 1, 1, 1, 1, 3, 1, 1},     {2, 3, 7, 5, 4, 3, 1, 1},
        {1, 5, 13, 11, 7, 3, 2, 1},  {2, 4, 9, 9, 3, 3, 2, 0},     {1, 3, 3, 3, 2, 3, 1, 0},
        {1, 7, 5, 1, 2, 3, 1, 1},    {1, 7, 1, 5, 2, 3, 2, 1},     {2, 6, 4, 4, 5, 1, 1, 0},
        {1, 4, 6, 6, 4, 1, 2, 0},    {1, 2, 4, 4, 3, 1, 1, 1},     {1, 2, 4, 5, 3, 2, 1, 1},
        {1, 64, 16, 16, 5, 3, 1, 1}, {1, 320, 3, 300, 1, 3, 1, 1}, {1, 2, 200, 170, 3, 3, 1, 1},
        {1, 2, 5, 5, 3, 5, 1, 2},    {2, 17, 37, 70, 9, 3, 1, 1},  {1, 16, 64, 131, 66, 3, 1, 1},
        {3, 33, 18, 9, 2, 3, 1, 1},  {1, 16, 1, 640, 3, 3, 1, 1},  {1, 640, 40, 36, 65, 3, 1, 1},
    };
    begin();
    for (size_t i = 0; i < sizeof s / sizeof s[0]; i++) {
        Case c = {random_tensor(shape4(s[i].B, s[i].Cin, s[i].H, s[i].W), 0.3f, 1), .a = s[i].stride,
                  .b = s[i].padding};
        c.layer.weight = random_tensor(shape4(s[i].Cout, s[i].Cin, s[i].K, s[i].K), 0, 0.1f);
        expect_variants_agree(OP_CONV2D, run_conv2d, &c, 2e-6);
        c.layer.bias = random_tensor(shape1(s[i].Cout), 0, 1);
        expect_variants_agree(OP_CONV2D, run_conv2d, &c, 2e-6);
    }
    arena_close(&inputs);
}

static Tensor run_linear(Context *ctx, const Case *c) { return linear(ctx, c->x, &c->layer); }

static Tensor run_linear_add(Context *ctx, const Case *c) {
    return linear_add_inplace(ctx, copy_of(ctx, c->y), c->x, &c->layer);
}

static void test_linear(void) {
    static const struct {
        size_t N, Cin, Cout;
    } s[] = {{1, 1, 1},   {1, 320, 17},   {7, 1, 5},      {77, 13, 31},
             {3, 257, 2}, {256, 64, 192}, {61, 1300, 33}, {9, 9000, 35}};
    begin();
    for (size_t i = 0; i < sizeof s / sizeof s[0]; i++) {
        Case c = {.x = random_tensor(shape3(1, s[i].N, s[i].Cin), 0.3f, 1)};
        c.layer.weight = random_tensor(shape2(s[i].Cout, s[i].Cin), 0, 0.1f);
        c.y = random_tensor(shape3(1, s[i].N, s[i].Cout), 0, 1);
        expect_variants_agree(OP_LINEAR, run_linear, &c, 2e-6);
        expect_variants_agree(OP_LINEAR, run_linear_add, &c, 2e-6);
        c.layer.weight.shape = shape4(s[i].Cout, s[i].Cin, 1, 1);
        c.layer.bias = random_tensor(shape1(s[i].Cout), 0, 1);
        expect_variants_agree(OP_LINEAR, run_linear, &c, 2e-6);
        expect_variants_agree(OP_LINEAR, run_linear_add, &c, 2e-6);
    }
    arena_close(&inputs);
}

// What bf16 kernels round, rounded beforehand: then nothing is left to round, and they must agree with naive.
static void test_linear_bf16(void) {
    static const size_t s[][3] = {{1, 1, 1}, {2, 320, 17}, {77, 13, 31}, {3, 1500, 5}, {64, 640, 96}};
    begin();
    for (size_t i = 0; i < sizeof s / sizeof s[0]; i++) {
        size_t n;
        Case c = {.x = random_tensor(shape2(s[i][0], s[i][1]), 0.3f, 1)};
        c.layer.weight = random_tensor(shape2(s[i][2], s[i][1]), 0, 0.1f);
        c.layer.bias = random_tensor(shape1(s[i][2]), 0, 1);
        Tensor rounded[] = {c.x, c.layer.weight};
        for (size_t t = 0; t < 2; t++) {
            for (size_t k = 0; k < shape_count(rounded[t].shape); k++) {
                tensor_f32(rounded[t])[k] = bf16_to_f32(f32_to_bf16(tensor_f32(rounded[t])[k]));
            }
        }
        float *naive = run_variant(kernel_find(OP_LINEAR, "naive"), run_linear, &c, &n);
        for (size_t row = 0; row < kernel_count(); row++) {
            const Kernel *kernel = kernel_at(row);
            if (kernel->op != OP_LINEAR || kernel->precision != BF16) continue;
            if (kernel->runs_here && !kernel->runs_here()) continue;
            float *out = run_variant(kernel, run_linear, &c, &n);
            double error = relative_l2(out, naive, n);
            EXPECT(error <= 2e-6, "linear=%s on %s is %.2e from naive", kernel->variant, shape_text(c.x.shape).text,
                   error);
            free(out);
        }
        free(naive);
    }
    arena_close(&inputs);
}

static Tensor run_attention(Context *ctx, const Case *c) {
    return attention(ctx, c->x, c->y, c->z, c->a, c->flag, "test");
}

static void test_attention(void) {
    static const struct {
        size_t B, heads, Tq, Tk, d;
        bool causal;
    } s[] = {
        {1, 1, 1, 1, 1, false},    {2, 3, 5, 77, 7, false},     {2, 3, 77, 77, 4, true},
        {1, 5, 1, 77, 16, false},  {1, 3, 13, 13, 5, true},     {1, 7, 64, 1, 2, false},
        {1, 1, 67, 67, 40, false}, {1, 1, 9, 9, 129, false},    {1, 2, 300, 1009, 8, false},
        {1, 1, 1, 1, 3, true},     {1, 2, 129, 257, 33, false}, {2, 1, 260, 260, 7, true},
        {1, 1, 600, 600, 3, true}, {1, 2, 300, 2500, 8, false},
    };
    begin();
    for (size_t i = 0; i < sizeof s / sizeof s[0]; i++) {
        size_t C = s[i].heads * s[i].d;
        Case c = {random_tensor(shape3(s[i].B, s[i].Tq, C), 0.5f, 2),
                  random_tensor(shape3(s[i].B, s[i].Tk, C), 0.5f, 2), random_tensor(shape3(s[i].B, s[i].Tk, C), 0, 1),
                  .a = s[i].heads, .flag = s[i].causal};
        expect_variants_agree(OP_ATTENTION, run_attention, &c, 3e-6);
    }
    // Scores of a thousand: without the subtracted maximum, e^ of them is infinite.
    Case large = {random_tensor(shape3(1, 9, 6), 30, 2), random_tensor(shape3(1, 11, 6), 20, 1),
                  random_tensor(shape3(1, 11, 6), 0, 1), .a = 2};
    expect_variants_agree(OP_ATTENTION, run_attention, &large, 2e-3);  // a float near 1000 is only exact to 6e-5
    arena_close(&inputs);
}

// ---- norms ----------------------------------------------------------------------------------------------------------

static Tensor run_group_norm(Context *ctx, const Case *c) { return group_norm(ctx, c->x, &c->layer, c->a, 1e-6f); }
static Tensor run_group_norm_silu(Context *ctx, const Case *c) {
    return group_norm_silu(ctx, c->x, &c->layer, c->a, 1e-6f);
}
static Tensor run_layer_norm(Context *ctx, const Case *c) { return layer_norm(ctx, c->x, &c->layer, 1e-5f); }

// In one or one after the other: the numbers are the same to the last bit.
static void expect_fused_as_separate(const Case *c) {
    static const char *const variants[] = {"naive", "openmp"};
    for (size_t i = 0; i < 2; i++) {
        size_t n;
        float *fused = run_variant(kernel_find(OP_GROUP_NORM_SILU, variants[i]), run_group_norm_silu, c, &n);
        float *separate = run_variant(kernel_find(OP_GROUP_NORM, variants[i]), run_group_norm, c, &n);
        ((ActivationKernel *)kernel_find(OP_SILU, variants[i])->function)(separate, separate, n);
        EXPECT(memcmp(fused, separate, n * sizeof(float)) == 0, "%s on %s: in one is %.2e from one after the other",
               variants[i], shape_text(c->x.shape).text, relative_l2(fused, separate, n));
        free(fused);
        free(separate);
    }
}

static void test_norms(void) {
    static const float means[] = {0, 5}, sigmas[] = {1, 0.01f};
    static const size_t s[][5] = {{1, 1, 1, 1, 1}, {1, 4, 1, 1, 2},     {2, 6, 5, 7, 3},
                                  {1, 7, 3, 3, 7}, {2, 64, 16, 16, 32}, {1, 5, 61, 67, 1}};  // B, C, H, W, groups
    begin();
    for (size_t i = 0; i < sizeof s / sizeof s[0]; i++) {
        for (size_t size = 0; size < 2; size++) {
            size_t C = s[i][1];
            Case c = {random_tensor(shape4(s[i][0], C, s[i][2], s[i][3]), means[size], sigmas[size]), .a = s[i][4]};
            c.layer = (Layer){random_tensor(shape1(C), 1, 0.3f), random_tensor(shape1(C), 0, 0.3f)};
            expect_variants_agree(OP_GROUP_NORM, run_group_norm, &c, 1e-6);
            expect_variants_agree(OP_GROUP_NORM_SILU, run_group_norm_silu, &c, 1e-6);
            expect_fused_as_separate(&c);
            c.x.shape = shape2(shape_count(c.x.shape) / C, C);
            expect_variants_agree(OP_LAYER_NORM, run_layer_norm, &c, 1e-6);
        }
    }
    // A flat picture has variance 0, and rounding mustn't make it less than that.
    Case flat = {random_tensor(shape4(1, 3, 70, 90), 123456.789f, 0), .a = 1};
    flat.layer = (Layer){random_tensor(shape1(3), 1, 1), random_tensor(shape1(3), 1, 1)};
    expect_variants_agree(OP_GROUP_NORM, run_group_norm, &flat, 1e-6);
    expect_variants_agree(OP_GROUP_NORM_SILU, run_group_norm_silu, &flat, 1e-6);
    arena_close(&inputs);
}

// ---- what works number by number ------------------------------------------------------------------------------------

static Tensor run_silu(Context *ctx, const Case *c) { return silu(ctx, c->x); }
static Tensor run_add(Context *ctx, const Case *c) { return add(ctx, c->x, c->y); }
static Tensor run_scale_shift(Context *ctx, const Case *c) { return scale_shift(ctx, c->x, 2.5f, -0.7f); }
static Tensor run_geglu(Context *ctx, const Case *c) { return geglu(ctx, c->x); }

static void test_elementwise(void) {
    begin();
    static const size_t sizes[] = {1, 3, 4, 17, 1000, 40001};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        Case c = {.x = random_tensor(shape1(sizes[i]), 0, 4), .y = random_tensor(shape1(sizes[i]), 0, 4)};
        expect_variants_agree(OP_SILU, run_silu, &c, 3e-7);
        expect_variants_agree(OP_ADD, run_add, &c, 0);
        expect_variants_agree(OP_SCALE_SHIFT, run_scale_shift, &c, 2e-7);
        Case halves = {.x = random_tensor(shape2(sizes[i], 6), 0, 2)};
        expect_variants_agree(OP_GEGLU, run_geglu, &halves, 3e-7);
    }
    arena_close(&inputs);
}

static Tensor run_silu_inplace(Context *ctx, const Case *c) { return silu_inplace(ctx, copy_of(ctx, c->x)); }
static Tensor run_gelu(Context *ctx, const Case *c) { return gelu_inplace(ctx, copy_of(ctx, c->x)); }
static Tensor run_quick_gelu(Context *ctx, const Case *c) { return quick_gelu_inplace(ctx, copy_of(ctx, c->x)); }
static Tensor run_relu(Context *ctx, const Case *c) { return relu_inplace(ctx, copy_of(ctx, c->x)); }
static Tensor run_tanh(Context *ctx, const Case *c) { return tanh_inplace(ctx, copy_of(ctx, c->x)); }
static Tensor run_scale_shift_inplace(Context *ctx, const Case *c) {
    return scale_shift_inplace(ctx, copy_of(ctx, c->x), -1.7f, 0.3f);
}
static Tensor run_add_inplace(Context *ctx, const Case *c) { return add_inplace(ctx, copy_of(ctx, c->x), c->y); }
static Tensor run_add_per_channel(Context *ctx, const Case *c) {
    return add_per_channel_inplace(ctx, copy_of(ctx, c->x), c->y);
}

static void test_inplace(void) {
    begin();
    static const size_t sizes[][2] = {{1, 1}, {3, 5}, {17, 241}, {8, 64}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        Shape shape = shape4(2, sizes[i][0], sizes[i][1], 7);
        Case c = {.x = random_tensor(shape, 0, 3), .y = random_tensor(shape, 0, 3)};
        expect_variants_agree(OP_SILU, run_silu_inplace, &c, 3e-7);
        expect_variants_agree(OP_GELU, run_gelu, &c, 3e-7);
        expect_variants_agree(OP_QUICK_GELU, run_quick_gelu, &c, 3e-7);
        expect_variants_agree(OP_RELU, run_relu, &c, 0);
        expect_variants_agree(OP_TANH, run_tanh, &c, 0);
        expect_variants_agree(OP_SCALE_SHIFT, run_scale_shift_inplace, &c, 2e-7);
        expect_variants_agree(OP_ADD, run_add_inplace, &c, 0);
        c.y = random_tensor(shape2(2, sizes[i][0]), 0, 1);
        expect_variants_agree(OP_ADD_PER_CHANNEL, run_add_per_channel, &c, 0);
    }
    arena_close(&inputs);
}

// ---- what only moves numbers ----------------------------------------------------------------------------------------

static Tensor run_concat(Context *ctx, const Case *c) { return concat_channels(ctx, c->x, c->y); }
static Tensor run_pad(Context *ctx, const Case *c) { return pad_right_bottom(ctx, c->x); }
static Tensor run_upsample(Context *ctx, const Case *c) { return upsample_nearest(ctx, c->x, c->a, c->b); }
static Tensor run_to_tokens(Context *ctx, const Case *c) { return image_to_tokens(ctx, c->x); }
static Tensor run_to_image(Context *ctx, const Case *c) { return tokens_to_image(ctx, c->x, c->a, c->b); }

static void test_moves(void) {
    begin();
    static const size_t s[][3] = {{1, 1, 1}, {3, 5, 7}, {16, 16, 16}, {17, 3, 1}, {37, 33, 31}};  // C, H, W
    for (size_t i = 0; i < sizeof s / sizeof s[0]; i++) {
        size_t C = s[i][0], H = s[i][1], W = s[i][2];
        Case c = {.x = random_tensor(shape4(2, C, H, W), 0, 1), .y = random_tensor(shape4(2, C + 1, H, W), 0, 1)};
        expect_variants_agree(OP_CONCAT_CHANNELS, run_concat, &c, 0);
        expect_variants_agree(OP_PAD_RIGHT_BOTTOM, run_pad, &c, 0);
        expect_variants_agree(OP_IMAGE_TO_TOKENS, run_to_tokens, &c, 0);
        for (size_t size = 0; size < 4; size++) {
            size_t factor = size == 3 ? 3 : 2, less = size == 0 ? 0 : size == 1 ? 1 : H / 2;
            c.a = H * factor - less;
            c.b = W * factor - (size == 1);
            expect_variants_agree(OP_UPSAMPLE_NEAREST, run_upsample, &c, 0);
        }
        c = (Case){random_tensor(shape3(2, H * W, C), 0, 1), .a = H, .b = W};
        expect_variants_agree(OP_TOKENS_TO_IMAGE, run_to_image, &c, 0);
    }
    arena_close(&inputs);
}

int main(void) {
    TEST(test_conv2d);
    TEST(test_linear);
    TEST(test_linear_bf16);
    TEST(test_attention);
    TEST(test_norms);
    TEST(test_elementwise);
    TEST(test_inplace);
    TEST(test_moves);
    return test_summary();
}
