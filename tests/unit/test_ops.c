// test_ops.c - are the definitions right, and does a Context keep its promises?
//
// test_kernels.c compares variants with naive; here naive itself is held against numbers worked out by hand or by torch
// 2.13, chosen where a wrong definition gives a number close enough to be overlooked.

#include "base/machine.h"
#include "test.h"

#include "base/convert.h"
#include "ops/exp.h"
#include "ops/ops.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static Context naive_context(void) {
    Context ctx;
    Error error = {0};
    EXPECT(context_open(&ctx, 16 << 20, 0, &error), "%s", error.message);
    for (int op = 0; op < OP_COUNT; op++) ctx.kernels[op] = kernel_find((Op)op, "naive");
    return ctx;
}

static void expect_numbers(Tensor t, const float *expected, double tolerance, const char *what) {
    for (size_t i = 0; i < shape_count(t.shape); i++) {
        EXPECT(fabs((double)tensor_f32(t)[i] - expected[i]) <= tolerance, "%s: number %zu is %.8g, not %.8g", what, i,
               tensor_f32(t)[i], expected[i]);
    }
}

// ---- definitions ----------------------------------------------------------------------------------------------------

static void test_conv2d_by_hand(void) {
    Context ctx = naive_context();
    float x[] = {1, 2, 3, 4, 5, 6}, w[] = {1, 2, 0, 0, 10, 0, 0, 0, 100}, b[] = {1000};  // no window symmetry
    Layer layer = {tensor_over(w, shape4(1, 1, 3, 3)), tensor_over(b, shape1(1))};
    Tensor image = tensor_over(x, shape4(1, 1, 2, 3));
    expect_numbers(conv2d(&ctx, image, &layer, 1, 1), (float[]){1510, 1620, 1030, 1042, 1055, 1068}, 0, "padding 1");
    expect_numbers(conv2d(&ctx, image, &layer, 2, 1), (float[]){1510, 1030}, 0, "stride 2");
    EXPECT(ctx.cost.flops == 2 * 9 * (6 + 2) && ctx.cost.calls == 2, "%d flops", (int)ctx.cost.flops);
    context_close(&ctx);
}

static void test_attention_by_hand(void) {
    Context ctx = naive_context();
    // Two heads of two numbers. Scores of head 0: q0.k0 / sqrt 2 = 1, q0.k1 / sqrt 2 = 0, so shares e/(e+1), 1/(e+1).
    float q[] = {1.41421356f, 0, 0, 0, 0, 0, 0, 0}, k[] = {1, 5, 0, 0, 0, 5, 0, 0}, v[] = {1, 2, 3, 4, 5, 6, 7, 8};
    Tensor Q = tensor_over(q, shape3(1, 2, 4)), K = tensor_over(k, shape3(1, 2, 4)),
           V = tensor_over(v, shape3(1, 2, 4));
    expect_numbers(attention(&ctx, Q, K, V, 2, false, ""), (float[]){2.07576569f, 3.07576569f, 5, 6, 3, 4, 5, 6}, 1e-6,
                   "attention");
    expect_numbers(attention(&ctx, Q, K, V, 2, true, ""), (float[]){1, 2, 3, 4, 3, 4, 5, 6}, 1e-6, "causal");
    EXPECT(ctx.cost.flops == 4 * 4 * (4 + 3), "%d flops", (int)ctx.cost.flops);
    context_close(&ctx);
}

static void test_norms_by_hand(void) {
    Context ctx = naive_context();
    float one[] = {1, 1}, zero[] = {0, 0}, x[] = {0.01f, -0.01f, 0.02f, 0.02f};
    Layer layer = {tensor_over(one, shape1(2)), tensor_over(zero, shape1(2))};
    // Small numbers, so that eps shows: 0.01 / sqrt(1e-4 + eps). A group of its own for each channel, then one for
    // both.
    Tensor image = tensor_over(x, shape4(1, 2, 1, 2));
    expect_numbers(group_norm(&ctx, image, &layer, 2, 1e-5f), (float[]){0.95346259f, -0.95346259f, 0, 0}, 1e-6, "1e-5");
    expect_numbers(group_norm(&ctx, image, &layer, 2, 1e-6f), (float[]){0.99503719f, -0.99503719f, 0, 0}, 1e-6, "1e-6");
    expect_numbers(group_norm(&ctx, image, &layer, 1, 0), (float[]){0, -1.63299316f, 0.81649658f, 0.81649658f}, 1e-6,
                   "one group");
    expect_numbers(layer_norm(&ctx, tensor_over(x, shape2(2, 2)), &layer, 1e-5f),
                   (float[]){0.95346259f, -0.95346259f, 0, 0}, 1e-6, "layer_norm");
    context_close(&ctx);
}

static void test_activations_by_hand(void) {
    Context ctx = naive_context();
    float x[] = {-2, -0.5f, 0, 1, 3};
    Tensor t = tensor_over(x, shape1(5));
    expect_numbers(silu(&ctx, t), (float[]){-0.23840584f, -0.18877033f, 0, 0.73105858f, 2.85772238f}, 5e-7, "silu");
    // The tanh form would be off by 1.5e-4 at 1 and 3e-4 at -2.
    expect_numbers(gelu_inplace(&ctx, t), (float[]){-0.04550026f, -0.15426877f, 0, 0.84134475f, 2.99595031f}, 5e-7,
                   "gelu");
    float y[] = {1}, z[] = {2, 3, -2, 1}, bends[] = {-2, -0.5f, 0, 1, 3}, broken[] = {NAN};
    expect_numbers(quick_gelu_inplace(&ctx, tensor_over(y, shape1(1))), (float[]){0.84579577f}, 5e-7, "quick_gelu");
    expect_numbers(geglu(&ctx, tensor_over(z, shape2(1, 4))), (float[]){2 * -0.04550026f, 3 * 0.84134475f}, 5e-7,
                   "geglu");
    Tensor bent = tensor_over(bends, shape1(5));
    expect_numbers(tanh_inplace(&ctx, bent), (float[]){-0.96402758f, -0.46211716f, 0, 0.76159416f, 0.99505475f}, 2e-7,
                   "tanh");
    expect_numbers(relu_inplace(&ctx, bent), (float[]){0, 0, 0, 0.76159416f, 0.99505475f}, 2e-7, "relu");
    EXPECT(isnan(tensor_f32(relu_inplace(&ctx, tensor_over(broken, shape1(1))))[0]), "relu loses NaN");
    context_close(&ctx);
}

static void test_exp(void) {
    double worst = 0;
    for (float x = -87.3f; x < 88; x += 0.0137f) worst = fmax(worst, fabs(exp_inline(x) / exp(x) - 1));
    EXPECT(worst < 2e-7, "off by %.2e", worst);
    EXPECT(exp_inline(0) == 1, "e^0 is %.9g", exp_inline(0));
    EXPECT(exp_inline(-1e30f) < 2e-38f && exp_inline(-INFINITY) < 2e-38f, "e^-1e30 is %g", exp_inline(-1e30f));
    EXPECT(isinf(exp_inline(89)) && isinf(exp_inline(1e30f)), "e^89 is %g", exp_inline(89));
    EXPECT(isnan(exp_inline(NAN)), "NaN was lost");
}

static void test_exp2_of_negative(void) {
    double worst = 0;
    for (float x = -126; x <= 0; x += 0.0137f) worst = fmax(worst, fabs(exp2_of_negative(x) / exp2(x) - 1));
    EXPECT(worst < 3e-7, "off by %.2e", worst);
    EXPECT(fabsf(exp2_of_negative(0) - 1) < 2e-7f, "2^0 is %.9g", exp2_of_negative(0));
    EXPECT(exp2_of_negative(-1e30f) < 2e-38f && exp2_of_negative(-INFINITY) < 2e-38f, "2^-1e30 is %g",
           exp2_of_negative(-1e30f));
    EXPECT(isnan(exp2_of_negative(NAN)), "NaN was lost");
}

static void test_shapes_by_hand(void) {
    Context ctx = naive_context();
    float x[] = {1, 2, 3, 4, 5, 6};
    Tensor image = tensor_over(x, shape4(1, 1, 2, 3)), pair = tensor_over(x, shape4(1, 2, 1, 3));
    expect_numbers(scale_shift(&ctx, image, 2, -1), (float[]){1, 3, 5, 7, 9, 11}, 0, "scale_shift");
    expect_numbers(upsample_nearest(&ctx, image, 3, 5), (float[]){1, 1, 2, 2, 3, 1, 1, 2, 2, 3, 4, 4, 5, 5, 6}, 0,
                   "odd");
    expect_numbers(pad_right_bottom(&ctx, image), (float[]){1, 2, 3, 0, 4, 5, 6, 0, 0, 0, 0, 0}, 0, "pad");
    Tensor tokens = image_to_tokens(&ctx, pair);
    expect_numbers(tokens, (float[]){1, 4, 2, 5, 3, 6}, 0, "tokens");
    expect_numbers(tokens_to_image(&ctx, tokens, 1, 3), x, 0, "and back");
    expect_numbers(concat_channels(&ctx, pair, pair), (float[]){1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6}, 0, "concat");
    float per_channel[] = {10, 20};
    expect_numbers(add_per_channel_inplace(&ctx, pair, tensor_over(per_channel, shape2(1, 2))),
                   (float[]){11, 12, 13, 24, 25, 26}, 0, "per channel");
    context_close(&ctx);
}

static void test_embeddings(void) {
    Context ctx = naive_context();
    int64_t ids[] = {2, 0};
    float tokens[] = {1, 2, 3, 4, 5, 6}, positions[] = {10, 20, 30, 40, 50, 60}, t[] = {999};
    Tensor out = embedding(&ctx, tensor_over_ids(ids, shape2(1, 2)), tensor_over(tokens, shape2(3, 2)),
                           tensor_over(positions, shape2(3, 2)));
    expect_numbers(out, (float[]){15, 26, 31, 42}, 0, "embedding");

    // diffusers' get_timestep_embedding. The tolerance is what a float knows of an angle of 999.
    Tensor time = tensor_over(t, shape1(1));
    const float *clock = tensor_f32(timestep_embedding(&ctx, time, 320, true, 0));
    expect_numbers(
        tensor_over((float[]){clock[0], clock[1], clock[159], clock[160], clock[161], clock[319]}, shape1(6)),
        (float[]){0.999649823f, 0.802677512f, 0.994406343f, -0.026460752f, 0.596413314f, 0.105622061f}, 1e-4,
        "320 numbers, cosines first");
    expect_numbers(timestep_embedding(&ctx, time, 4, false, 1),
                   (float[]){-0.026460752f, 0.099733911f, 0.999649823f, 0.995014131f}, 1e-6,
                   "freq_shift 1, sines first");
    EXPECT(tensor_f32(timestep_embedding(&ctx, time, 5, true, 0))[4] == 0, "an odd dim's last number isn't 0");

    // get_guidance_scale_embedding: angles of 7500, 348, 16 and 0.75, and their negatives for a guidance below 1
    float guidance[] = {7.5f, -1};
    expect_numbers(guidance_embedding(&ctx, tensor_over(guidance, shape1(2)), 9),
                   (float[]){-0.851235867f, 0.562671125f, -0.435233027f, 0.681638718f, -0.524783254f, -0.826680839f,
                             -0.900317848f, 0.731688917f, 0, -0.826879561f, -0.650315821f, -0.834463179f, -0.099833407f,
                             0.562379062f, -0.759663999f, -0.551063657f, 0.995004177f, 0},
                   1e-6, "guidance");
    context_close(&ctx);
}

// ---- the context ----------------------------------------------------------------------------------------------------

static void test_choose_kernel(void) {
    static const struct {
        const char *choice, *says;
    } wrong[] = {
        {"conv2d", "OP=VARIANT"},
        {"", "OP=VARIANT"},
        {"=naive", "the ops are conv2d, linear"},
        {"conv3d=naive", "the ops are"},
        {"conv=naive", "the ops are"},
        {"conv2d=", "it has naive, openmp, blas"},
        {"conv2d=warp\n", "it has naive"},
        {"conv2d=naive=", "it has naive"},
    };
    Context ctx = naive_context();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        Error error = {0};
        EXPECT(!context_choose_kernel(&ctx, wrong[i].choice, &error), "%s was accepted", wrong[i].choice);
        EXPECT(strstr(error.message, wrong[i].says) && !strchr(error.message, '\n'), "it said: %s", error.message);
    }
    Error error = {0};
    EXPECT(context_choose_kernel(&ctx, "conv2d=openmp", &error), "%s", error.message);
    EXPECT(ctx.kernels[OP_CONV2D] == kernel_find(OP_CONV2D, "openmp"), "openmp was chosen, %s runs",
           ctx.kernels[OP_CONV2D]->variant);
    const char *fastest = machine_has_avx2() ? "winograd" : "blas";
    EXPECT(strcmp(kernel_default(OP_CONV2D, F32)->variant, fastest) == 0, "the default is %s",
           kernel_default(OP_CONV2D, F32)->variant);
    context_close(&ctx);
}

static void test_registry(void) {
    size_t variants[OP_COUNT] = {0};
    for (size_t row = 0; row < kernel_count(); row++) {
        const Kernel *kernel = kernel_at(row);
        EXPECT(row == 0 || kernel->op >= kernel_at(row - 1)->op, "row %zu is out of order", row);
        EXPECT(variants[kernel->op] > 0 || strcmp(kernel->variant, "naive") == 0, "%s doesn't begin with naive",
               op_name(kernel->op));
        EXPECT(kernel_find(kernel->op, kernel->variant) == kernel, "two rows for %s=%s", op_name(kernel->op),
               kernel->variant);
        variants[kernel->op]++;
    }
    for (int op = 0; op < OP_COUNT; op++) {
        EXPECT(op_name((Op)op) && op_about((Op)op) && variants[op] > 0, "op %d is not in the tables", op);
    }
}

static void test_stop(void) {
    Context ctx = naive_context();
    atomic_bool stop = false;
    ctx.stop = &stop;
    float x[] = {1, 2};
    Tensor t = tensor_over(x, shape1(2));
    EXPECT(!context_stopped(&ctx), "stopped before it was told to");
    silu_inplace(&ctx, t);
    stop = true;
    float before = x[1];
    silu_inplace(&ctx, t);
    EXPECT(context_stopped(&ctx) && x[1] == before, "an op ran after the stop: %g", x[1]);
    EXPECT(shape_equal(add(&ctx, t, t).shape, t.shape), "a stopped op's tensor has another shape");
    context_close(&ctx);
}

typedef struct Seen {
    char place[64];
    float first, sum;
    int calls;
} Seen;

static void see(void *listener, const char *place, Tensor tensor) {
    Seen *seen = listener;
    snprintf(seen->place, sizeof seen->place, "%s", place);
    seen->first = tensor_f32(tensor)[0];
    seen->sum = 0;
    for (size_t i = 0; i < shape_count(tensor.shape); i++) seen->sum += tensor_f32(tensor)[i];
    seen->calls++;
}

static bool wants_second(void *listener, const char *place) {
    (void)listener;
    return strcmp(place, "attentions.1") == 0;
}

static Tensor two_attentions(Context *ctx) {
    static float q[] = {1.41421356f, 0, 0, 0}, k[] = {1, 0, 0, 0}, v[] = {1, 2, 3, 4};
    Tensor Q = tensor_over(q, shape3(1, 2, 2)), K = tensor_over(k, shape3(1, 2, 2)),
           V = tensor_over(v, shape3(1, 2, 2));
    attention(ctx, Q, K, V, 1, false, "attentions.0");
    return attention(ctx, Q, K, V, 1, false, "attentions.1");
}

static void test_observers(void) {
    Seen seen = {0};
    AttentionObserver observer = {wants_second, see};
    Context plan, ctx;
    Error error = {0};
    context_open_planning(&plan, NULL);
    plan.attention_observer = observer;
    plan.observer = see;
    plan.listener = &seen;
    observe(&plan, two_attentions(&plan), "planned");
    EXPECT(seen.calls == 0, "a planning context showed something");

    EXPECT(context_open(&ctx, plan.arena.high_water, 0, &error), "%s", error.message);
    ctx.attention_observer = observer;
    ctx.listener = &seen;
    Tensor out = two_attentions(&ctx);
    EXPECT(seen.calls == 1 && strcmp(seen.place, "attentions.1") == 0, "%d calls, last at %s", seen.calls, seen.place);
    EXPECT(fabsf(seen.first - 0.73105858f) < 1e-6f && fabsf(seen.sum - 2) < 1e-6f, "p[0,0] %g, sum %g", seen.first,
           seen.sum);
    EXPECT(plan.cost.flops == ctx.cost.flops && ctx.cost.flops == 2 * 4 * 4 * 2, "%d flops", (int)ctx.cost.flops);
    EXPECT(ctx.arena.used[0] == 128 && ctx.arena.used[1] == 0, "%zu + %zu bytes held", ctx.arena.used[0],
           ctx.arena.used[1]);

    observe(&ctx, out, "nobody.listens");
    ctx.observer = see;
    observe(&ctx, out, "unet.%s.%d", "down_blocks", 3);
    EXPECT(seen.calls == 2 && strcmp(seen.place, "unet.down_blocks.3") == 0, "%d calls, %s", seen.calls, seen.place);
    context_close(&ctx);
    context_close(&plan);
}

static void six_numbers_for_seven(void) {
    Context ctx;
    context_open_planning(&ctx, NULL);
    Layer layer = {.weight = {NULL, shape2(5, 7), F32, NOWHERE}};
    linear(&ctx, (Tensor){NULL, shape3(1, 2, 6), F32, NOWHERE}, &layer);
}

// A weight in every format, read as F32 and as BF16. 300.5 is a number of F32 and F16, 2^-30 one of F32 and BF16.
static void test_weight_formats(void) {
    static const DType KEPT[] = {F32, F16, BF16};
    static const float NUMBERS[] = {300.5f, 0x1p-30f, 1},
                       READ[][3] = {{300.5f, 0x1p-30f, 1}, {300.5f, 0, 1}, {300, 0x1p-30f, 1}};
    float x[] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    for (size_t i = 0; i < 6; i++) {
        const Kernel *kernel = kernel_find(OP_LINEAR, i < 3 ? "naive" : "bf16");
        DType kept = KEPT[i % 3];
        float numbers[3];
        convert(numbers, kept, NUMBERS, F32, 3);
        Layer layer = {.weight = {numbers, shape2(1, 3), kept, ON_HOST}};
        Context ctx = naive_context();
        ctx.kernels[OP_LINEAR] = kernel;
        Tensor out = linear(&ctx, tensor_over(x, shape2(3, 3)), &layer);
        for (size_t k = 0; k < 3; k++) {
            float read = READ[i % 3][k], expected = kernel->precision == BF16 ? bf16_to_f32(f32_to_bf16(read)) : read;
            EXPECT(tensor_f32(out)[k] == expected, "linear=%s: %g kept as %s became %g, not %g", kernel->variant,
                   (double)NUMBERS[k], dtype_name(kept), (double)tensor_f32(out)[k], (double)expected);
        }
        context_close(&ctx);
    }
}

// The mistake ends its process, and says both words.
static void expect_stops(void (*mistake)(void), const char *one, const char *other) {
    int ends[2];
    if (pipe(ends) != 0) SKIP("no pipe");
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        mistake();
        _exit(0);
    }
    close(ends[1]);
    char text[1024] = "";
    size_t length = 0;
    for (ssize_t n; length < sizeof text - 1 && (n = read(ends[0], text + length, sizeof text - 1 - length)) > 0;) {
        length += (size_t)n;
    }
    int status = 0;
    waitpid(child, &status, 0);
    close(ends[0]);
    EXPECT(WIFSIGNALED(status), "the mistake that should say %s went through", one);
    EXPECT(strstr(text, one) && strstr(text, other), "it said: %s", text);
}

// A mismatch between layers must stop at once and say both sides.
static void test_mismatch_stops(void) { expect_stops(six_numbers_for_seven, "[5, 7]", "[1, 2, 6]"); }

static void test_blas_is_the_openmp_build(void) {
    EXPECT(openblas_get_parallel() == 2,
           "OpenBLAS of kind %d: the pthread build (1) fights OpenMP's threads; link and "
           "run with libopenblas-openmp-dev's folder (-L and -Wl,-rpath)",
           openblas_get_parallel());
}

int main(void) {
    TEST(test_mismatch_stops);  // first: it forks, and there are no other threads yet
    TEST(test_conv2d_by_hand);
    TEST(test_attention_by_hand);
    TEST(test_norms_by_hand);
    TEST(test_activations_by_hand);
    TEST(test_exp);
    TEST(test_exp2_of_negative);
    TEST(test_shapes_by_hand);
    TEST(test_embeddings);
    TEST(test_weight_formats);
    TEST(test_choose_kernel);
    TEST(test_registry);
    TEST(test_stop);
    TEST(test_observers);
    TEST(test_blas_is_the_openmp_build);
    return test_summary();
}
