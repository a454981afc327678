// speed.c - see speed.h
//
// A network's time is nearly the sum of its ops' times, and an op's time is nearly proportional to its arithmetic
// (conv2d, linear, attention) or to the memory that it reads and writes (all others). So it is enough to know one rate
// an op. It differs from kernel to kernel and, by a factor of two, with the sizes: hence it is measured, and on
// pieces of about the model's own sizes. Read next: inspect.c.

#include "command/speed.h"

#include "base/clock.h"
#include "base/convert.h"
#include "base/least.h"
#include "base/rng.h"
#include "run/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// What the ops are tried on. All numbers are the same few, over and over: what they are doesn't matter.
typedef struct Trial {
    size_t C0, T0;     // channels and tokens of the U-Net's finest level
    size_t C1, side1;  // channels and side of the next, where pictures are about half as large
    size_t heads, groups;
    float *numbers;    // [number_count], normally distributed
    uint16_t *halves;  // the same as the model keeps its matrices, if that is in F16 or BF16; else NULL
    DType matrix_type;
    size_t number_count;
} Trial;

enum { MOST_TOKENS = 4096, LINEAR_TOKENS = 1024, QUERIES = 256, MOST_SIDE = 32, DRAWN = 1 << 16 };

static Trial trial_for(const Model *model, const Settings *settings) {
    const UNetConfig *unet = unet_config(model->unet);
    size_t factor = vae_factor(model->vae), latents = settings->width / factor * (settings->height / factor);
    size_t half = (size_t)sqrt((double)latents) / 2;
    size_t C0 = unet->block_out_channels[0], heads = unet->attention_heads[0];
    return (Trial){.C0 = C0,
                   .T0 = least(latents, MOST_TOKENS),
                   .C1 = unet->block_out_channels[unet->levels > 1],
                   .side1 = half < 1 ? 1 : least(half, MOST_SIDE),
                   .heads = heads > 0 && C0 % heads == 0 ? heads : 1,  // a level without attention may have any
                   .groups = unet->norm_num_groups,
                   .matrix_type = model->matrix_type};
}

// The smallest piece: for kernels that would take seconds for a larger one.
static Trial trial_small(const Trial *trial) {
    Trial small = *trial;
    small.C1 = least(trial->C1, 32);
    small.side1 = least(trial->side1, 8);
    small.T0 = least(trial->T0, 64);
    return small;
}

static Tensor numbers(const Trial *trial, Shape shape) { return tensor_over(trial->numbers, shape); }

static Layer layer_over(const Trial *trial, Shape shape) {
    Layer layer = {numbers(trial, shape), numbers(trial, shape1(shape.axis[0]))};
    if (trial->halves && shape.rank > 1) layer.weight = (Tensor){trial->halves, shape, trial->matrix_type, ON_HOST};
    return layer;
}

// ---- one call of each -----------------------------------------------------------------------------------------------

typedef void Try(Context *ctx, const Trial *trial);

static void try_conv2d(Context *ctx, const Trial *t) {
    Layer conv = layer_over(t, shape4(t->C1, t->C1, 3, 3));
    conv2d(ctx, numbers(t, shape4(1, t->C1, t->side1, t->side1)), &conv, 1, 1);
}

static void try_linear(Context *ctx, const Trial *t) {
    Layer linear_layer = layer_over(t, shape2(4 * t->C0, t->C0));
    linear(ctx, numbers(t, shape3(1, least(t->T0, LINEAR_TOKENS), t->C0)), &linear_layer);
}

static void try_attention(Context *ctx, const Trial *t) {
    Tensor q = numbers(t, shape3(1, least(t->T0, QUERIES), t->C0)), k = numbers(t, shape3(1, t->T0, t->C0));
    attention(ctx, q, k, k, t->heads, false, "speed");
}

static Tensor image(const Trial *t) { return numbers(t, shape4(1, t->C0, 1, t->T0)); }
static Tensor tokens(const Trial *t) { return numbers(t, shape3(1, t->T0, t->C0)); }

static void try_group_norm(Context *ctx, const Trial *t) {
    Layer norm = layer_over(t, shape1(t->C0));
    group_norm(ctx, image(t), &norm, t->groups, 1e-5f);
}

static void try_group_norm_silu(Context *ctx, const Trial *t) {
    Layer norm = layer_over(t, shape1(t->C0));
    group_norm_silu(ctx, image(t), &norm, t->groups, 1e-5f);
}

static void try_layer_norm(Context *ctx, const Trial *t) {
    Layer norm = layer_over(t, shape1(t->C0));
    layer_norm(ctx, tokens(t), &norm, 1e-5f);
}

static void try_silu(Context *ctx, const Trial *t) { silu(ctx, image(t)); }
static void try_geglu(Context *ctx, const Trial *t) { geglu(ctx, numbers(t, shape3(1, t->T0, 2 * t->C0))); }
static void try_add(Context *ctx, const Trial *t) { add(ctx, image(t), image(t)); }
static void try_tokens(Context *ctx, const Trial *t) { image_to_tokens(ctx, image(t)); }

// An op with next to nothing to do.
static void try_nothing(Context *ctx, const Trial *t) { add(ctx, numbers(t, shape1(1)), numbers(t, shape1(1))); }

// ---- a rate of each -------------------------------------------------------------------------------------------------

static const struct {
    Op op;
    Try *once;
    bool arithmetic;
} TRIALS[] = {
    {OP_CONV2D, try_conv2d, true},
    {OP_LINEAR, try_linear, true},
    {OP_ATTENTION, try_attention, true},
    {OP_GROUP_NORM, try_group_norm, false},
    {OP_GROUP_NORM_SILU, try_group_norm_silu, false},
    {OP_LAYER_NORM, try_layer_norm, false},
    {OP_SILU, try_silu, false},
    {OP_GEGLU, try_geglu, false},
    {OP_ADD, try_add, false},
    {OP_IMAGE_TO_TOKENS, try_tokens, false},
};
enum { TRIAL_COUNT = sizeof TRIALS / sizeof *TRIALS };

static double seconds_for(size_t calls, Try *once, Context *ctx, const Trial *trial) {
    double start = seconds_now();
    for (size_t i = 0; i < calls; i++) {
        Scope scope = scope_open(&ctx->arena);
        once(ctx, trial);
        scope_close(&ctx->arena, &scope);
    }
    return seconds_now() - start;
}

// Seconds that a call takes: the second one (the first warms up), or the average of as many as there is time for.
static double seconds_of(Try *once, Context *ctx, const Trial *trial) {
    static const double ENOUGH = 0.03, MANY = 1000;
    seconds_for(1, once, ctx, trial);
    double seconds = seconds_for(1, once, ctx, trial);
    if (seconds > ENOUGH) return seconds;
    size_t calls = (size_t)fmin(ENOUGH / seconds, MANY) + 1;
    return seconds_for(calls, once, ctx, trial) / (double)calls;
}

static Cost cost_of(Try *once, const Context *ctx, const Trial *trial) {
    Context plan;
    context_open_planning(&plan, ctx->kernels);
    once(&plan, trial);
    Cost cost = plan.cost;
    context_close(&plan);
    return cost;
}

// FLOP, or bytes, that the op gets done in a second.
static double rate_of(size_t i, Context *ctx, const Trial *typical, const Trial *small) {
    static const double TOO_LONG = 1;
    Cost small_cost = cost_of(TRIALS[i].once, ctx, small), cost = cost_of(TRIALS[i].once, ctx, typical);
    double small_work = (double)(TRIALS[i].arithmetic ? small_cost.flops : small_cost.bytes);
    double work = (double)(TRIALS[i].arithmetic ? cost.flops : cost.bytes);
    double small_rate = small_work / seconds_of(TRIALS[i].once, ctx, small);
    if (work / small_rate > TOO_LONG) return small_rate;
    return work / seconds_of(TRIALS[i].once, ctx, typical);
}

static void measure(Speed *speed, Context *ctx, const Trial *typical) {
    Trial small = trial_small(typical);
    speed->seconds_a_call = seconds_of(try_nothing, ctx, &small);
    for (size_t i = 0; i < TRIAL_COUNT; i++) {
        double *rates = TRIALS[i].arithmetic ? speed->flops_a_second : speed->bytes_a_second;
        rates[TRIALS[i].op] = rate_of(i, ctx, typical, &small);
    }
    // Those that weren't tried are rare, or do little but read and write.
    speed->bytes_a_second[OP_GELU] = speed->bytes_a_second[OP_QUICK_GELU] = speed->bytes_a_second[OP_SILU];
    for (int op = 0; op < OP_COUNT; op++) {
        bool known = speed->flops_a_second[op] > 0 || speed->bytes_a_second[op] > 0;
        if (!known) speed->bytes_a_second[op] = speed->bytes_a_second[OP_ADD];
    }
}

// ---- all of it ------------------------------------------------------------------------------------------------------

// Room for what the largest try reads, filled.
static bool trial_fill(Trial *trial, Error *error) {
    bool half_weights = dtype_size(trial->matrix_type) == sizeof *trial->halves;
    size_t conv = trial->C1 * trial->C1 * 9, middle = trial->C1 * trial->side1 * trial->side1;
    size_t matrix = 4 * trial->C0 * trial->C0, fine = 2 * trial->C0 * trial->T0;
    trial->number_count = conv + middle + matrix + fine;  // each of them fits
    trial->numbers = malloc(trial->number_count * sizeof *trial->numbers);
    if (half_weights) trial->halves = malloc(trial->number_count * sizeof *trial->halves);
    if (!trial->numbers || (half_weights && !trial->halves)) {
        return error_set(error, "inspect: no memory for trying out the ops; close other programs");
    }
    Rng rng;
    rng_seed(&rng, 0);
    size_t drawn = least(trial->number_count, DRAWN);
    rng_normal(&rng, trial->numbers, drawn);
    for (size_t i = drawn; i < trial->number_count; i++) trial->numbers[i] = trial->numbers[i - drawn];
    if (half_weights) convert(trial->halves, trial->matrix_type, trial->numbers, F32, trial->number_count);
    return true;
}

static size_t arena_for(const Trial *trial, const Kernel *const kernels[OP_COUNT]) {
    size_t most = 0;
    for (size_t i = 0; i < TRIAL_COUNT; i++) {
        Context plan;
        context_open_planning(&plan, kernels);
        TRIALS[i].once(&plan, trial);
        if (plan.arena.high_water > most) most = plan.arena.high_water;
        context_close(&plan);
    }
    return most;
}

bool speed_measure(Speed *speed, const Model *model, const Settings *settings, Error *error) {
    const Kernel *kernels[OP_COUNT];
    Context ctx;
    *speed = (Speed){0};
    if (!settings_kernels(settings, kernels, error)) return false;
    Trial trial = trial_for(model, settings);
    bool ok = trial_fill(&trial, error) && context_open(&ctx, arena_for(&trial, kernels), settings->threads, error);
    if (ok) {
        memcpy(ctx.kernels, kernels, sizeof kernels);
        int threads_before = context_enter(&ctx);
        measure(speed, &ctx, &trial);
        context_leave(threads_before);
        context_close(&ctx);
    }
    free(trial.numbers);
    free(trial.halves);
    return ok;
}

// The ops one after the other take longer than each over and over: each finds the caches full of the one before it, and
// writes to memory that has been given to another in between. In CPU time, runs of the small model at 128, 256 and 512
// pixels and of Stable Diffusion 1.5 at 256 and 512, with several kernels, took 0.95 to 1.24 times the sum.
static const double MORE_THAN_THE_SUM = 1.12;

double speed_seconds(const Speed *speed, const Cost *cost) {
    double seconds = speed->seconds_a_call * (double)cost->calls;
    for (int op = 0; op < OP_COUNT; op++) {
        if (speed->flops_a_second[op] > 0)
            seconds += (double)cost->ops[op].flops / speed->flops_a_second[op];
        else
            seconds += (double)cost->ops[op].bytes / speed->bytes_a_second[op];
    }
    return seconds * MORE_THAN_THE_SUM;
}
