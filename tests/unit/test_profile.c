// test_profile.c - does a context's profile hear of every op, once, with the right numbers? And weights that are drawn

#include "test.h"

#include "base/check.h"
#include "base/clock.h"
#include "io/random_numbers.h"
#include "io/weights.h"
#include "ops/ops.h"
#include "ops/profile.h"
#include "runs.h"

#include <math.h>
#include <omp.h>
#include <string.h>

static Context profiled_context(Profile *profile) {
    Context ctx;
    Error error = {0};
    bool opened = context_open(&ctx, 16 << 20, 0, &error);
    CHECK(opened, "%s", error.message);
    ctx.profile = profile;
    return ctx;
}

static float zeros[4096];
static Tensor t1(size_t a) { return tensor_over(zeros, shape1(a)); }
static Tensor t2(size_t a, size_t b) { return tensor_over(zeros, shape2(a, b)); }
static Tensor t3(size_t a, size_t b, size_t c) { return tensor_over(zeros, shape3(a, b, c)); }
static Tensor t4(size_t a, size_t b, size_t c, size_t d) { return tensor_over(zeros, shape4(a, b, c, d)); }

// ---- every op -------------------------------------------------------------------------------------------------------

// Each op once; what each is told to have been called on.
static void all_ops(Context *ctx) {
    static int64_t ids[6];
    Layer conv = {t4(6, 4, 3, 3), t1(6)}, matrix = {t2(5, 4), tensor_absent()}, norm = {t1(4), t1(4)};
    Tensor image = t4(2, 4, 3, 5), tokens = t3(2, 6, 4);
    conv2d(ctx, image, &conv, 2, 1);
    linear(ctx, tokens, &matrix);
    attention(ctx, tokens, t3(2, 7, 4), t3(2, 7, 4), 2, false, "");
    group_norm(ctx, image, &norm, 2, 1e-5f);
    group_norm_silu(ctx, image, &norm, 2, 1e-5f);
    layer_norm(ctx, tokens, &norm, 1e-5f);
    silu(ctx, tokens);
    gelu_inplace(ctx, tokens);
    quick_gelu_inplace(ctx, tokens);
    relu_inplace(ctx, tokens);
    tanh_inplace(ctx, tokens);
    geglu(ctx, tokens);
    add(ctx, tokens, tokens);
    add_per_channel_inplace(ctx, image, t2(2, 4));
    scale_shift(ctx, tokens, 1, 0);
    concat_channels(ctx, image, t4(2, 1, 3, 5));
    pad_right_bottom(ctx, image);
    upsample_nearest(ctx, image, 6, 10);
    image_to_tokens(ctx, image);
    tokens_to_image(ctx, tokens, 2, 3);
    embedding(ctx, tensor_over_ids(ids, shape2(2, 3)), t2(9, 4), t2(3, 4));
    timestep_embedding(ctx, t1(2), 8, true, 0);
    guidance_embedding(ctx, t1(2), 8);
}

static const char *const SHAPES[OP_COUNT] = {[OP_CONV2D] = "2x4x3x5 * 6x4x3x3 -> 2x6x2x3",
                                             [OP_LINEAR] = "2x6x4 * 5x4 -> 2x6x5",
                                             [OP_ATTENTION] = "2x2x6x2 * 2x2x7x2",
                                             [OP_GROUP_NORM] = "2x4x3x5",
                                             [OP_GROUP_NORM_SILU] = "2x4x3x5",
                                             [OP_LAYER_NORM] = "2x6x4",
                                             [OP_SILU] = "2x6x4",
                                             [OP_GELU] = "2x6x4",
                                             [OP_QUICK_GELU] = "2x6x4",
                                             [OP_RELU] = "2x6x4",
                                             [OP_TANH] = "2x6x4",
                                             [OP_GEGLU] = "2x6x4 -> 2x6x2",
                                             [OP_ADD] = "2x6x4",
                                             [OP_ADD_PER_CHANNEL] = "2x4x3x5 * 2x4",
                                             [OP_SCALE_SHIFT] = "2x6x4",
                                             [OP_CONCAT_CHANNELS] = "2x4x3x5 * 2x1x3x5 -> 2x5x3x5",
                                             [OP_PAD_RIGHT_BOTTOM] = "2x4x3x5 -> 2x4x4x6",
                                             [OP_UPSAMPLE_NEAREST] = "2x4x3x5 -> 2x4x6x10",
                                             [OP_IMAGE_TO_TOKENS] = "2x4x3x5 -> 2x15x4",
                                             [OP_TOKENS_TO_IMAGE] = "2x6x4 -> 2x4x2x3",
                                             [OP_EMBEDDING] = "2x3 * 9x4 -> 2x3x4",
                                             [OP_TIMESTEP_EMBEDDING] = "2 -> 2x8",
                                             [OP_GUIDANCE_EMBEDDING] = "2 -> 2x8"};

static void test_every_op_is_heard_of(void) {
    Profile profile = {0};
    Context ctx = profiled_context(&profile);
    bool chosen = context_choose_kernel(&ctx, "conv2d=naive", NULL);
    EXPECT(chosen, "conv2d has no naive");
    double start = seconds_now();
    all_ops(&ctx);
    double wall = seconds_now() - start;

    EXPECT(profile.count == OP_COUNT, "%zu ops were heard of, of %d", profile.count, OP_COUNT);
    for (size_t i = 0; i < profile.count; i++) {
        const OpRecord *record = &profile.records[i];
        EXPECT((size_t)record->op == i, "call %zu is said to be of %s", i, op_name(record->op));
        EXPECT(record->kernel == ctx.kernels[i], "%s: another kernel, %s", op_name(record->op),
               record->kernel->variant);
        EXPECT(strcmp(op_shape_text(record).text, SHAPES[i]) == 0, "%s: %s, not %s", op_name(record->op),
               op_shape_text(record).text, SHAPES[i]);
        EXPECT(record->flops == ctx.cost.ops[i].flops && record->bytes == ctx.cost.ops[i].bytes && record->calls == 1,
               "%s: %llu FLOP", op_name(record->op), (unsigned long long)record->flops);
        EXPECT(record->seconds > 0, "%s took %g s", op_name(record->op), record->seconds);
    }
    EXPECT(profile_seconds(&profile) > 0 && profile_seconds(&profile) <= wall, "%g s of ops in %g s",
           profile_seconds(&profile), wall);
    context_close(&ctx);
    profile_free(&profile);
}

static void test_what_is_not_executed_is_not_heard_of(void) {
    atomic_bool stop = true;
    Profile profile = {0};
    Context ctx = profiled_context(&profile), plan;
    ctx.stop = &stop;
    all_ops(&ctx);
    EXPECT(profile.count == 0, "%zu ops of a stopped pass", profile.count);
    stop = false;
    add(&ctx, t1(7), t1(7));
    EXPECT(profile.count == 1, "%zu ops", profile.count);
    context_close(&ctx);
    context_open_planning(&plan, NULL);
    plan.profile = &profile;
    all_ops(&plan);
    EXPECT(profile.count == 1, "%zu ops after planning", profile.count);
    context_close(&plan);
    profile_free(&profile);
}

// ---- calls alike ----------------------------------------------------------------------------------------------------

static void test_groups(void) {
    Profile profile = {0};
    Context ctx = profiled_context(&profile);
    for (int i = 0; i < 3; i++) silu(&ctx, t1(100));
    silu(&ctx, t1(101));
    ctx.kernels[OP_SILU] = kernel_find(OP_SILU, "naive");
    silu(&ctx, t1(100));
    add(&ctx, t1(100), t1(100));
    static const double SECONDS[] = {1, 2, 4, 3, 20, 8};
    for (size_t i = 0; i < profile.count; i++) profile.records[i].seconds = SECONDS[i];
    double before = profile_seconds(&profile);
    profile_group(&profile);

    EXPECT(profile.count == 4 && profile_seconds(&profile) == before, "%zu groups of %g s", profile.count,
           profile_seconds(&profile));
    static const struct {
        Op op;
        bool naive;
        size_t n, calls;
        double seconds;
    } EXPECTED[] = {{OP_SILU, true, 100, 1, 20},
                    {OP_ADD, false, 100, 1, 8},
                    {OP_SILU, false, 100, 3, 7},
                    {OP_SILU, false, 101, 1, 3}};
    for (size_t i = 0; i < 4; i++) {
        const OpRecord *record = &profile.records[i];
        EXPECT(record->op == EXPECTED[i].op && record->x.axis[0] == EXPECTED[i].n &&
                   record->calls == EXPECTED[i].calls && record->seconds == EXPECTED[i].seconds &&
                   record->bytes == record->calls * 4 * record->x.axis[0] * (record->op == OP_ADD ? 3 : 2) &&
                   (strcmp(record->kernel->variant, "naive") == 0) == EXPECTED[i].naive,
               "group %zu: %llu calls of %s, %s on %s, %g s", i, (unsigned long long)record->calls, op_name(record->op),
               record->kernel->variant, op_shape_text(record).text, record->seconds);
    }
    context_close(&ctx);
    profile_free(&profile);
}

// ---- a run ----------------------------------------------------------------------------------------------------------

static void test_a_run_is_what_was_planned(void) {
    Error error = {0};
    Profile profile = {0};
    RunCost cost;
    Image image = {0};
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.profile = &profile;
    EXPECT(run_cost(model, &settings, &cost, &error), "%s", error.message);
    Run *run = runs_begin(model, &settings);
    EXPECT(profile.count == cost.text.calls, "%zu ops for the text", profile.count);
    runs_finish(run);
    EXPECT(profile.count == cost.text.calls + cost.timestep_count * cost.step.calls, "%zu ops", profile.count);
    EXPECT(run_finish(run, &image, &error), "%s", error.message);
    size_t all = cost.text.calls + cost.timestep_count * cost.step.calls + cost.decode.calls;
    EXPECT(profile.count == all, "%zu ops, and %zu were planned", profile.count, all);
    image_free(&image);
    run_free(run);
    model_close(model);
    profile_free(&profile);
}

// ---- random weights -------------------------------------------------------------------------------------------------

static void test_random_numbers(void) {
    enum { N = 100003 };
    static float one[N], three[N];
    static uint16_t halves[N];
    int threads_before = omp_get_max_threads();
    omp_set_num_threads(1);
    random_numbers(one, F32, N, 0.5f, 7);
    omp_set_num_threads(3);
    random_numbers(three, F32, N, 0.5f, 7);
    random_numbers(halves, F16, N, 0.5f, 7);
    omp_set_num_threads(threads_before);
    EXPECT(memcmp(one, three, sizeof one) == 0, "three threads draw other numbers than one");

    double sum = 0, squares = 0, most = 0, off = 0;
    for (size_t i = 0; i < N; i++) {
        sum += one[i];
        squares += (double)one[i] * one[i];
        most = fmax(most, fabs((double)one[i]));
        off = fmax(off, fabs((double)f16_to_f32(halves[i]) - one[i]));
    }
    // Uniform in -b..b: mean 0 (deviating by b / sqrt(3 N)), variance b^2 / 3
    EXPECT(fabs(sum / N) < 0.003, "their mean is %g", sum / N);
    EXPECT(fabs(squares / N / (0.25 / 3) - 1) < 0.02, "their variance is %g", squares / N);
    EXPECT(most <= 0.5 && most > 0.499, "the largest is %g", most);
    EXPECT(off < 0.0002, "in half precision they are off by %g", off);  // half a unit of f16 between 1/4 and 1/2
    random_numbers(three, F32, N, 0.5f, 8);
    EXPECT(memcmp(one, three, sizeof one) != 0, "another seed draws the same numbers");
}

static void test_random_weights(void) {
    Error error = {0};
    Weights weights;
    weights_open_random(&weights, &error);
    Tensor matrix = weights_matrix(&weights, shape4(8, 4, 3, 3), "any.", "weight");
    Tensor other = weights_matrix(&weights, shape4(8, 4, 3, 3), "other.", "weight");
    Tensor bias = weights_tensor(&weights, shape1(8), "any.", "bias");
    EXPECT(weights_ok(&weights), "%s", error.message);
    EXPECT(weights.parameters == 2 * 288 + 8 && weights.bytes == 4 * weights.parameters, "%zu", weights.parameters);
    EXPECT(bias.shape.axis[0] == 8 && memcmp(matrix.data, other.data, 288 * sizeof(float)) != 0, "twice the same");
    for (size_t i = 0; i < 288; i++) EXPECT(fabsf(tensor_f32(matrix)[i]) <= 1 / 6.0f, "%g", tensor_f32(matrix)[i]);
    weights_close(&weights);
}

int main(void) {
    TEST(test_every_op_is_heard_of);
    TEST(test_what_is_not_executed_is_not_heard_of);
    TEST(test_groups);
    TEST(test_a_run_is_what_was_planned);
    TEST(test_random_numbers);
    TEST(test_random_weights);
    return test_summary();
}
