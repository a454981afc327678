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

static const OpCase CASES[] = {
    {OP_CONV2D, .x = {1, 320, 64, 64}, .with = {320, 320, 3, 3}, .stride = 1, .padding = 1, .bias = true},
    {OP_CONV2D, .x = {2, 320, 64, 64}, .with = {320, 320, 3, 3}, .stride = 1, .padding = 1, .bias = true},
    {OP_CONV2D, .x = {1, 960, 64, 64}, .with = {320, 960, 3, 3}, .stride = 1, .padding = 1, .bias = true},
    {OP_CONV2D, .x = {1, 640, 32, 32}, .with = {640, 640, 3, 3}, .stride = 1, .padding = 1, .bias = true},
    {OP_CONV2D, .x = {2, 640, 32, 32}, .with = {640, 640, 3, 3}, .stride = 1, .padding = 1, .bias = true},
    {OP_CONV2D, .x = {1, 1920, 32, 32}, .with = {640, 1920, 3, 3}, .stride = 1, .padding = 1, .bias = true},
    {OP_CONV2D, .x = {1, 1280, 16, 16}, .with = {1280, 1280, 3, 3}, .stride = 1, .padding = 1, .bias = true},
    {OP_CONV2D, .x = {2, 1280, 16, 16}, .with = {1280, 1280, 3, 3}, .stride = 1, .padding = 1, .bias = true},
    {OP_CONV2D, .x = {1, 1280, 8, 8}, .with = {1280, 1280, 3, 3}, .stride = 1, .padding = 1, .bias = true},
    {OP_CONV2D, .x = {2, 1280, 8, 8}, .with = {1280, 1280, 3, 3}, .stride = 1, .padding = 1, .bias = true},
    {OP_CONV2D, .x = {1, 320, 64, 64}, .with = {320, 320, 3, 3}, .stride = 2, .padding = 1, .bias = true},
    {OP_CONV2D, .x = {1, 960, 64, 64}, .with = {320, 960, 1, 1}, .stride = 1, .padding = 0, .bias = true},
    {OP_CONV2D, .x = {1, 4, 64, 64}, .with = {320, 4, 3, 3}, .stride = 1, .padding = 1, .bias = true},
    {OP_CONV2D, .x = {1, 512, 128, 128}, .with = {512, 512, 3, 3}, .stride = 1, .padding = 1, .bias = true},
    {OP_CONV2D, .x = {1, 256, 256, 256}, .with = {256, 256, 3, 3}, .stride = 1, .padding = 1, .bias = true},
    {OP_CONV2D, .x = {1, 128, 512, 512}, .with = {128, 128, 3, 3}, .stride = 1, .padding = 1, .bias = true},
    {OP_LINEAR, .x = {1, 4096, 320}, .with = {320, 320}, .bias = true},
    {OP_LINEAR, .x = {1, 4096, 320}, .with = {2560, 320}, .bias = true},
    {OP_LINEAR, .x = {1, 1024, 640}, .with = {5120, 640}, .bias = true},
    {OP_LINEAR, .x = {1, 256, 5120}, .with = {1280, 5120}, .bias = true},
    {OP_LINEAR, .x = {1, 77, 768}, .with = {3072, 768}, .bias = true},
    {OP_LINEAR, .x = {1, 1280}, .with = {1280, 1280}, .bias = true},
    {OP_ATTENTION, .x = {1, 8, 4096, 40}, .with = {1, 8, 4096, 40}},
    {OP_ATTENTION, .x = {1, 8, 1024, 80}, .with = {1, 8, 1024, 80}},
    {OP_ATTENTION, .x = {1, 8, 256, 160}, .with = {1, 8, 256, 160}},
    {OP_ATTENTION, .x = {1, 8, 4096, 40}, .with = {1, 8, 77, 40}},
    {OP_ATTENTION, .x = {1, 1, 4096, 512}, .with = {1, 1, 4096, 512}},
    {OP_GROUP_NORM, .x = {1, 320, 64, 64}, .groups = 32},
    {OP_GROUP_NORM, .x = {1, 128, 512, 512}, .groups = 32},
    {OP_GROUP_NORM_SILU, .x = {1, 320, 64, 64}, .groups = 32},
    {OP_GROUP_NORM_SILU, .x = {1, 128, 512, 512}, .groups = 32},
    {OP_LAYER_NORM, .x = {4096, 320}},
    {OP_SILU, .x = {1, 320, 64, 64}},
    {OP_SILU, .x = {1, 128, 512, 512}},
    {OP_GELU, .x = {1, 77, 3072}},
    {OP_QUICK_GELU, .x = {1, 77, 3072}},
    {OP_GEGLU, .x = {1, 4096, 2560}},
    {OP_ADD, .x = {1, 320, 64, 64}, .with = {1, 320, 64, 64}},
    {OP_ADD, .x = {1, 128, 512, 512}, .with = {1, 128, 512, 512}},
    {OP_ADD_PER_CHANNEL, .x = {1, 320, 64, 64}, .with = {1, 320}},
    {OP_CONCAT_CHANNELS, .x = {1, 640, 64, 64}, .with = {1, 320, 64, 64}},
    {OP_UPSAMPLE_NEAREST, .x = {1, 640, 32, 32}, .H = 64, .W = 64},
    {OP_IMAGE_TO_TOKENS, .x = {1, 320, 64, 64}},
    {OP_TOKENS_TO_IMAGE, .x = {1, 4096, 320}, .H = 64, .W = 64},
};
enum { CASE_COUNT = sizeof CASES / sizeof *CASES, LARGEST = 128 * 512 * 512 };

// ---- one call -------------------------------------------------------------------------------------------------------

// All inputs are the same numbers; numbers: LARGEST of them, or NULL for a plan
static Tensor same_numbers(void *numbers, const char *name, Shape shape, float mean, float deviation) {
    (void)name, (void)mean, (void)deviation;
    return tensor_over(numbers, shape);
}

static OpInputs inputs_of(const OpCase *c, float *numbers) { return op_case_inputs(c, same_numbers, numbers, NULL); }

static OpRecord record_of(Context *ctx, const OpCase *c, const OpInputs *inputs) {
    profile_clear(ctx->profile);
    Scope scope = scope_open(&ctx->arena);
    op_case_run(ctx, c, inputs);
    scope_close(&ctx->arena, &scope);
    return ctx->profile->records[0];
}

OpRecord bench_fastest(Context *ctx, const OpCase *c, const OpInputs *inputs) {
    static const double MOMENT = 0.02;
    OpRecord fastest = record_of(ctx, c, inputs);
    for (double seconds = fastest.seconds; seconds < MOMENT;) {
        OpRecord record = record_of(ctx, c, inputs);
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
    static const OpCase SMALL[] = {
        {OP_CONV2D, .x = {1, 64, 64, 64}, .with = {64, 64, 3, 3}, .stride = 1, .padding = 1, .bias = true},
        {OP_LINEAR, .x = {1, 64, 320}, .with = {320, 320}, .bias = true},
        {OP_ATTENTION, .x = {1, 8, 64, 40}, .with = {1, 8, 64, 40}}};
    Context plan;
    context_open_planning(&plan, NULL);
    OpInputs inputs = inputs_of(c, numbers);
    op_case_run(&plan, c, &inputs);
    double flops = (double)plan.cost.flops;
    context_close(&plan);
    for (size_t i = 0; i < sizeof SMALL / sizeof *SMALL; i++) {
        if (SMALL[i].op != c->op) continue;
        OpInputs inputs = inputs_of(&SMALL[i], numbers);
        OpRecord record = bench_fastest(ctx, &SMALL[i], &inputs);
        return flops / (double)record.flops * record.seconds;
    }
    return 0;
}

// The op's kernels to measure: those that --kernel names, or else all that run here. Gives how many.
static size_t kernels_of(Op op, const Options *o, const Kernel *kernels[MOST_KERNELS]) {
    size_t count = 0;
    Context chooser;
    context_open_planning(&chooser, NULL);
    for (size_t i = 0; i < o->kernel_count && count < MOST_KERNELS; i++) {
        chooser.kernels[op] = NULL;
        if (context_choose_kernel(&chooser, o->kernels[i], NULL) && chooser.kernels[op])
            kernels[count++] = chooser.kernels[op];
    }
    context_close(&chooser);
    for (size_t i = 0; o->kernel_count == 0 && i < kernel_count() && count < MOST_KERNELS; i++) {
        const Kernel *kernel = kernel_at(i);
        if (kernel->op == op && (!kernel->runs_here || kernel->runs_here())) kernels[count++] = kernel;
    }
    return count;
}

// Fills turns, one for each of the op's kernels. Gives how many.
static size_t take_turns(Context *ctx, const OpCase *c, const Options *o, float *numbers, Turn turns[MOST_KERNELS]) {
    const Kernel *kernels[MOST_KERNELS];
    size_t count = kernels_of(c->op, o, kernels), reps = o->reps ? o->reps : DEFAULT_REPS;
    OpInputs inputs = inputs_of(c, numbers);
    for (size_t i = 0; i < count; i++) {
        ctx->kernels[c->op] = kernels[i];
        turns[i] = (Turn){kernels[i], .predicted = predicted_seconds(ctx, c, numbers)};
    }
    for (size_t rep = 0; rep < reps; rep++) {
        for (size_t i = 0; i < count; i++) {
            if (turns[i].predicted > TOO_LONG) continue;
            ctx->kernels[c->op] = turns[i].kernel;
            OpRecord record = bench_fastest(ctx, c, &inputs);
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

static size_t arena_bytes(const Options *o) {
    size_t most = 0;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        const Kernel *kernels[MOST_KERNELS];
        size_t count = kernels_of(CASES[i].op, o, kernels);
        for (size_t k = 0; k < count; k++) {
            Context plan;
            context_open_planning(&plan, NULL);
            plan.kernels[CASES[i].op] = kernels[k];
            OpInputs inputs = inputs_of(&CASES[i], NULL);
            op_case_run(&plan, &CASES[i], &inputs);
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
    bool ok = numbers && context_open(&ctx, arena_bytes(o), o->threads, error);
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
