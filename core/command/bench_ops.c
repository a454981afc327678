// bench_ops.c - `sculpt bench ops`: every op alone, and all its kernels side by side
//
// The shapes are those of Stable Diffusion 1.5 at 512 x 512 pixels where most of its time goes. The kernels of an op take
// turns, so that a busy moment of the machine strikes all of them; what counts is the fastest turn of each.
// Read next: ops/registry.c, where the fastest kernel stands last.

#include "command/bench.h"

#include "base/check.h"
#include "io/random_numbers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct OpCase {
    Op op;
    size_t x[4];     // what it reads, up to the first 0
    size_t with[4];  // its weight, or the second tensor
    size_t stride;   // of a convolution
} OpCase;

static const OpCase CASES[] = {
    {OP_CONV2D, .x = {1, 320, 64, 64}, .with = {320, 320, 3, 3}, .stride = 1},
    {OP_CONV2D, .x = {2, 320, 64, 64}, .with = {320, 320, 3, 3}, .stride = 1},
    {OP_CONV2D, .x = {1, 960, 64, 64}, .with = {320, 960, 3, 3}, .stride = 1},
    {OP_CONV2D, .x = {1, 640, 32, 32}, .with = {640, 640, 3, 3}, .stride = 1},
    {OP_CONV2D, .x = {2, 640, 32, 32}, .with = {640, 640, 3, 3}, .stride = 1},
    {OP_CONV2D, .x = {1, 1920, 32, 32}, .with = {640, 1920, 3, 3}, .stride = 1},
    {OP_CONV2D, .x = {1, 1280, 16, 16}, .with = {1280, 1280, 3, 3}, .stride = 1},
    {OP_CONV2D, .x = {2, 1280, 16, 16}, .with = {1280, 1280, 3, 3}, .stride = 1},
    {OP_CONV2D, .x = {1, 1280, 8, 8}, .with = {1280, 1280, 3, 3}, .stride = 1},
    {OP_CONV2D, .x = {2, 1280, 8, 8}, .with = {1280, 1280, 3, 3}, .stride = 1},
    {OP_CONV2D, .x = {1, 320, 64, 64}, .with = {320, 320, 3, 3}, .stride = 2},
    {OP_CONV2D, .x = {1, 960, 64, 64}, .with = {320, 960, 1, 1}, .stride = 1},
    {OP_CONV2D, .x = {1, 4, 64, 64}, .with = {320, 4, 3, 3}, .stride = 1},
    {OP_CONV2D, .x = {1, 512, 128, 128}, .with = {512, 512, 3, 3}, .stride = 1},
    {OP_CONV2D, .x = {1, 256, 256, 256}, .with = {256, 256, 3, 3}, .stride = 1},
    {OP_CONV2D, .x = {1, 128, 512, 512}, .with = {128, 128, 3, 3}, .stride = 1},
    {OP_LINEAR, .x = {1, 4096, 320}, .with = {320, 320}},
    {OP_LINEAR, .x = {1, 4096, 320}, .with = {2560, 320}},
    {OP_LINEAR, .x = {1, 1024, 640}, .with = {5120, 640}},
    {OP_LINEAR, .x = {1, 256, 5120}, .with = {1280, 5120}},
    {OP_LINEAR, .x = {1, 77, 768}, .with = {3072, 768}},
    {OP_LINEAR, .x = {1, 1280}, .with = {1280, 1280}},
    {OP_ATTENTION, .x = {1, 8, 4096, 40}, .with = {1, 8, 4096, 40}},
    {OP_ATTENTION, .x = {1, 8, 1024, 80}, .with = {1, 8, 1024, 80}},
    {OP_ATTENTION, .x = {1, 8, 256, 160}, .with = {1, 8, 256, 160}},
    {OP_ATTENTION, .x = {1, 8, 4096, 40}, .with = {1, 8, 77, 40}},
    {OP_ATTENTION, .x = {1, 1, 4096, 512}, .with = {1, 1, 4096, 512}},
    {OP_GROUP_NORM, .x = {1, 320, 64, 64}},
    {OP_GROUP_NORM, .x = {1, 128, 512, 512}},
    {OP_GROUP_NORM_SILU, .x = {1, 320, 64, 64}},
    {OP_GROUP_NORM_SILU, .x = {1, 128, 512, 512}},
    {OP_LAYER_NORM, .x = {1, 4096, 320}},
    {OP_SILU, .x = {1, 320, 64, 64}},
    {OP_SILU, .x = {1, 128, 512, 512}},
    {OP_GELU, .x = {1, 77, 3072}},
    {OP_QUICK_GELU, .x = {1, 77, 3072}},
    {OP_GEGLU, .x = {1, 4096, 2560}},
    {OP_ADD, .x = {1, 320, 64, 64}},
    {OP_ADD, .x = {1, 128, 512, 512}},
    {OP_ADD_PER_CHANNEL, .x = {1, 320, 64, 64}, .with = {1, 320}},
    {OP_CONCAT_CHANNELS, .x = {1, 640, 64, 64}, .with = {1, 320, 64, 64}},
    {OP_UPSAMPLE_NEAREST, .x = {1, 640, 32, 32}},
    {OP_IMAGE_TO_TOKENS, .x = {1, 320, 64, 64}},
    {OP_TOKENS_TO_IMAGE, .x = {1, 4096, 320}},
};
enum { CASE_COUNT = sizeof CASES / sizeof *CASES, LARGEST = 128 * 512 * 512 };

static Shape shape_of(const size_t axis[4]) {
    Shape shape = shape4(axis[0], axis[1] ? axis[1] : 1, axis[2] ? axis[2] : 1, axis[3] ? axis[3] : 1);
    while (shape.rank > 0 && axis[shape.rank - 1] == 0) shape.rank--;
    return shape;
}

// [B, heads, T, d] -> [B, T, heads d], as the op wants it
static Tensor heads_side_by_side(float *numbers, const size_t axis[4]) {
    return tensor_over(numbers, shape3(axis[0], axis[2], axis[1] * axis[3]));
}

// ---- one call -------------------------------------------------------------------------------------------------------

// What an op overwrites is a copy, or the tenth call would find numbers that nine have shrunk.
static Tensor copy_of(Context *ctx, Tensor x) {
    size_t bytes = shape_count(x.shape) * sizeof(float);
    float *copy = arena_take(&ctx->arena, bytes);
    if (copy) memcpy(copy, x.data, bytes);
    return tensor_over(copy, x.shape);
}

// numbers: LARGEST of them, read as whatever the op wants
static void call_once(Context *ctx, const OpCase *c, float *numbers) {
    enum { GROUPS = 32 };
    Tensor x = tensor_over(numbers, shape_of(c->x)), with = tensor_over(numbers, shape_of(c->with));
    size_t channels = c->op == OP_LAYER_NORM ? c->x[2] : c->x[1];
    Layer norm = {tensor_over(numbers, shape1(channels)), tensor_over(numbers, shape1(channels))};
    Layer matrix = {with, tensor_over(numbers, shape1(c->with[0]))};
    Tensor k = heads_side_by_side(numbers, c->with);
    size_t side = (size_t)sqrt((double)c->x[1]);
    switch (c->op) {
    case OP_CONV2D: conv2d(ctx, x, &matrix, c->stride, c->with[2] / 2); break;
    case OP_LINEAR: linear(ctx, x, &matrix); break;
    case OP_ATTENTION: attention(ctx, heads_side_by_side(numbers, c->x), k, k, c->x[1], false, "bench"); break;
    case OP_GROUP_NORM: group_norm(ctx, x, &norm, GROUPS, 1e-5f); break;
    case OP_GROUP_NORM_SILU: group_norm_silu(ctx, x, &norm, GROUPS, 1e-5f); break;
    case OP_LAYER_NORM: layer_norm(ctx, x, &norm, 1e-5f); break;
    case OP_SILU: silu(ctx, x); break;
    case OP_GELU: gelu_inplace(ctx, copy_of(ctx, x)); break;
    case OP_QUICK_GELU: quick_gelu_inplace(ctx, copy_of(ctx, x)); break;
    case OP_GEGLU: geglu(ctx, x); break;
    case OP_ADD: add(ctx, x, x); break;
    case OP_ADD_PER_CHANNEL: add_per_channel_inplace(ctx, copy_of(ctx, x), with); break;
    case OP_CONCAT_CHANNELS: concat_channels(ctx, x, with); break;
    case OP_UPSAMPLE_NEAREST: upsample_nearest(ctx, x, 2 * c->x[2], 2 * c->x[3]); break;
    case OP_IMAGE_TO_TOKENS: image_to_tokens(ctx, x); break;
    case OP_TOKENS_TO_IMAGE: tokens_to_image(ctx, x, side, side); break;
    default: CHECK(false, "no case for %s", op_name(c->op));
    }
}

static OpRecord record_of(Context *ctx, const OpCase *c, float *numbers) {
    profile_clear(ctx->profile);
    Scope scope = scope_open(&ctx->arena);
    call_once(ctx, c, numbers);
    scope_close(&ctx->arena, &scope);
    return ctx->profile->records[0];
}

// The fastest of the calls that fit into a moment
static OpRecord fastest_of(Context *ctx, const OpCase *c, float *numbers) {
    static const double MOMENT = 0.02;
    OpRecord fastest = record_of(ctx, c, numbers);
    for (double seconds = fastest.seconds; seconds < MOMENT;) {
        OpRecord record = record_of(ctx, c, numbers);
        seconds += record.seconds;
        if (record.seconds < fastest.seconds) fastest = record;
    }
    return fastest;
}

// ---- one op, in each way --------------------------------------------------------------------------------------------

typedef struct Turn {
    const Kernel *kernel;
    OpRecord fastest;
    double predicted;  // seconds a call; of an op that isn't arithmetic 0
} Turn;

enum { MOST_KERNELS = 16 };

static const double TOO_LONG = 3;  // seconds: kernels that take longer for a case aren't tried on it

// How long this kernel will take, judged by a small piece. Only ops of much arithmetic have kernels so slow that it
// matters.
static double predicted_seconds(Context *ctx, const OpCase *c, float *numbers) {
    static const OpCase SMALL[] = {{OP_CONV2D, .x = {1, 64, 64, 64}, .with = {64, 64, 3, 3}, .stride = 1},
                                   {OP_LINEAR, .x = {1, 64, 320}, .with = {320, 320}},
                                   {OP_ATTENTION, .x = {1, 8, 64, 40}, .with = {1, 8, 64, 40}}};
    Context plan;
    context_open_planning(&plan, NULL);
    call_once(&plan, c, numbers);
    double flops = (double)plan.cost.flops;
    context_close(&plan);
    for (size_t i = 0; i < sizeof SMALL / sizeof *SMALL; i++) {
        if (SMALL[i].op != c->op) continue;
        OpRecord record = fastest_of(ctx, &SMALL[i], numbers);
        return flops / (double)record.flops * record.seconds;
    }
    return 0;
}

// Whether it is one of those that --kernel names, or none are named.
static bool is_asked_for(const Kernel *kernel, const Options *o) {
    char choice[64];
    snprintf(choice, sizeof choice, "%s=%s", op_name(kernel->op), kernel->variant);
    for (size_t i = 0; i < o->kernel_count; i++) {
        if (strcmp(o->kernels[i], choice) == 0) return true;
    }
    return o->kernel_count == 0;
}

// Fills turns with the op's kernels that run here. Gives how many.
static size_t take_turns(Context *ctx, const OpCase *c, const Options *o, float *numbers, Turn turns[MOST_KERNELS]) {
    size_t count = 0, reps = o->reps ? o->reps : DEFAULT_REPS;
    for (size_t i = 0; i < kernel_count() && count < MOST_KERNELS; i++) {
        const Kernel *kernel = kernel_at(i);
        if (kernel->op != c->op || !is_asked_for(kernel, o)) continue;
        if (kernel->runs_here && !kernel->runs_here()) continue;
        ctx->kernels[c->op] = kernel;
        turns[count++] = (Turn){kernel, .predicted = predicted_seconds(ctx, c, numbers)};
    }
    for (size_t rep = 0; rep < reps; rep++) {
        for (size_t i = 0; i < count; i++) {
            if (turns[i].predicted > TOO_LONG) continue;
            ctx->kernels[c->op] = turns[i].kernel;
            OpRecord record = fastest_of(ctx, c, numbers);
            if (rep == 0 || record.seconds < turns[i].fastest.seconds) turns[i].fastest = record;
        }
    }
    return count;
}

// ---- all of them ----------------------------------------------------------------------------------------------------

// A line of the table for each, or an object in rows
static void report(const Turn *turns, size_t count, double gemm, json_t *rows) {
    for (size_t i = 0; i < count; i++) {
        const Turn *turn = &turns[i];
        bool tried = turn->predicted <= TOO_LONG;
        if (rows && tried) json_array_append_new(rows, bench_row_json(&turn->fastest, gemm));
        if (!rows && tried) bench_print_row(&turn->fastest, gemm);
        if (!rows && !tried)
            printf("%-65s %-9s about %.0f s a call: not tried\n", op_name(turn->kernel->op), turn->kernel->variant,
                   turn->predicted);
    }
}

static size_t arena_bytes(void) {
    size_t most = 0;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        for (size_t k = 0; k < kernel_count(); k++) {
            if (kernel_at(k)->op != CASES[i].op) continue;
            Context plan;
            context_open_planning(&plan, NULL);
            plan.kernels[CASES[i].op] = kernel_at(k);
            call_once(&plan, &CASES[i], NULL);
            if (plan.arena.high_water > most) most = plan.arena.high_water;
            context_close(&plan);
        }
    }
    return most;
}

static float *numbers_drawn(Error *error) {
    float *numbers = malloc(LARGEST * sizeof *numbers);
    if (!numbers) {
        error_set(error, "bench ops: no memory for %d numbers; close other programs", LARGEST);
        return NULL;
    }
    random_numbers(numbers, F32, LARGEST, 1, 0);
    return numbers;
}

static void measure_all(Context *ctx, const Options *o, float *numbers, json_t *rows) {
    for (size_t i = 0; i < CASE_COUNT; i++) {
        Turn turns[MOST_KERNELS];
        double gemm = gemm_rate(o->threads);
        int threads_before = context_enter(ctx);
        size_t count = take_turns(ctx, &CASES[i], o, numbers, turns);
        context_leave(threads_before);
        report(turns, count, fmax(gemm, gemm_rate(o->threads)), rows);
    }
}

bool bench_ops(const Options *o, Error *error) {
    Context ctx;
    Profile profile = {0};
    float *numbers = numbers_drawn(error);
    bool ok = numbers && context_open(&ctx, arena_bytes(), o->threads, error);
    if (ok) {
        ctx.profile = &profile;
        json_t *rows = o->json ? json_array() : NULL;
        if (!rows) bench_print_titles();
        measure_all(&ctx, o, numbers, rows);
        if (rows) ok = bench_print_json(json_pack("{s:s, s:o}", "part", "ops", "ops", rows), error);
        context_close(&ctx);
    }
    profile_free(&profile);
    free(numbers);
    return ok;
}
