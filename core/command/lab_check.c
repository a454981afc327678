// lab_check.c - whether a kernel is right: its numbers beside naive's, on shapes that break careless loops
//
// It is called as the stages call it, through its op, so that scratch memory and weights are what they will be. Its inputs
// are fenced (base/fence.h), its output is filled with unwritten numbers, and so is what lies behind it.
// Read next: ops/op_cases.c for the shapes, base/difference.c for what is said.

#include "command/lab.h"

#include "base/check.h"
#include "base/difference.h"
#include "base/fence.h"
#include "base/rng.h"
#include "ops/op_cases.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What the inputs are filled with. Not a number: one of them, which must come out where naive's comes out.
typedef enum Filling { ORDINARY, ZEROS, LARGE, ONE_NAN, FILLINGS } Filling;
static const char *const FILLING_NAMES[FILLINGS] = {"", "; all zeros", "; large numbers", "; with a NaN in it"};

enum { GUARD_BYTES = 4096, SMALL_CASE = 20000 };  // numbers in a case that is tried with every filling

typedef struct Filler {
    Rng rng;
    Filling filling;
    bool first;  // the first input is still to come
} Filler;

static Tensor fill_input(void *maker, const char *name, Shape shape, float mean, float deviation) {
    Filler *filler = maker;
    size_t n = shape_count(shape);
    float *values = fence_take(name, n);
    rng_normal(&filler->rng, values, n);
    for (size_t i = 0; i < n; i++) values[i] = mean + deviation * values[i];
    for (size_t i = 0; filler->filling == ZEROS && i < n; i++) values[i] = 0;
    for (size_t i = 0; filler->filling == LARGE && filler->first && i < n; i++) values[i] *= 1e4f;
    if (filler->filling == ONE_NAN && filler->first) values[rng_u32(&filler->rng) % n] = NAN;
    filler->first = false;
    return tensor_over(values, shape);
}

static OpInputs inputs_of(const OpCase *c, Filling filling, uint64_t seed) {
    static int64_t ids[1 << 10];
    Filler filler = {.filling = filling, .first = true};
    rng_seed(&filler.rng, seed);
    fence_release();
    return op_case_inputs(c, fill_input, &filler, ids);
}

// Scores that large leave softmax one key, and sines of such angles are noise; of ids there is no NaN.
static bool makes_sense(Op op, Filling filling) {
    bool angles = op == OP_TIMESTEP_EMBEDDING || op == OP_GUIDANCE_EMBEDDING;
    if (filling == LARGE) return !angles && op != OP_ATTENTION;
    if (filling == ONE_NAN) return op != OP_EMBEDDING;
    return true;
}

// How far numbers may be off, as a share of the largest right one. Floats may be added up in any order; angles of thousands
// are known to 1e-4 only.
static float tolerance_of(const Kernel *kernel) {
    if (kernel->precision == BF16 || kernel->weight_type == BF16) return 3e-2f;
    if (kernel->weight_type == F16) return 3e-3f;
    return kernel->op == OP_TIMESTEP_EMBEDDING || kernel->op == OP_GUIDANCE_EMBEDDING ? 2e-3f : 1e-4f;
}

// ---- one call -------------------------------------------------------------------------------------------------------

typedef struct Answer {
    float *values;  // malloc'ed
    Shape shape;
    bool overran;  // something was written behind them
} Answer;

static size_t planned_bytes(const Kernel *kernel, const OpCase *c, const OpInputs *in, double *flops) {
    Context plan;
    context_open_planning(&plan, NULL);
    plan.kernels[c->op] = kernel;
    op_case_run(&plan, c, in);
    size_t bytes = plan.arena.high_water;
    *flops = (double)plan.cost.flops;
    context_close(&plan);
    return bytes;
}

// The output lies at the arena's beginning and scratch at its end; between them is a guard.
static Answer answer_of(const Kernel *kernel, const OpCase *c, const OpInputs *in, int threads) {
    Context ctx;
    Error error = {0};
    double flops;
    size_t planned = planned_bytes(kernel, c, in, &flops), bytes = (planned + 63) / 64 * 64 + GUARD_BYTES;
    CHECK(context_open(&ctx, bytes, threads, &error), "%s", error.message);
    fill_unwritten((float *)ctx.arena.memory, bytes / sizeof(float));
    ctx.kernels[c->op] = kernel;
    int threads_before = context_enter(&ctx);
    Tensor out = op_case_run(&ctx, c, in);
    context_leave(threads_before);

    Answer answer = {.shape = out.shape};
    size_t n = shape_count(out.shape), behind = (n * sizeof(float) + 63) / 64 * 64 + GUARD_BYTES;
    const float *values = tensor_f32(out);
    answer.values = malloc(n * sizeof(float));
    CHECK(answer.values, "no memory for %zu numbers", n);
    memcpy(answer.values, values, n * sizeof(float));
    for (size_t i = n; i < behind / sizeof(float); i++) answer.overran = answer.overran || !is_unwritten(values[i]);
    context_close(&ctx);
    return answer;
}

// ---- one case -------------------------------------------------------------------------------------------------------

// A NaN spreads as far as a kernel's tiles and transforms go; what it must not do is vanish.
static void forgive_nans(float *yours, const float *right, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (isnan(yours[i]) && !is_unwritten(yours[i])) yours[i] = right[i];
    }
}

static bool nan_was_lost(const float *yours, const float *right, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (isnan(right[i]) && !isnan(yours[i])) return true;
    }
    return false;
}

static bool is_right(Lab *lab, const Answer *yours, const Answer *right, const Kernel *kernel, Filling filling) {
    LabReport *report = lab->report;
    size_t n = shape_count(right->shape);
    float allowed = tolerance_of(kernel) * largest_of(right->values, n);
    if (filling == ONE_NAN) forgive_nans(yours->values, right->values, n);
    if (!numbers_alike(yours->values, right->values, n, allowed)) {
        difference_describe("out", right->shape, yours->values, right->values, allowed, report->difference,
                            sizeof report->difference);
        if (!nan_was_lost(yours->values, right->values, n))
            difference_general("out", yours->values, right->values, n, allowed, report->sentence,
                               sizeof report->sentence);
        else
            snprintf(report->sentence, sizeof report->sentence,
                     "A NaN that goes in has to come out: it tells that something broke before.");
        return false;
    }
    if (!yours->overran) return true;
    snprintf(report->sentence, sizeof report->sentence,
             "It wrote behind the end of `out`: is an index too large, or does a loop go one too far?");
    return false;
}

static bool case_right(Lab *lab, const Kernel *kernel, const OpCase *c, Filling filling) {
    static const double SECONDS = 5, QUICK_SECONDS = 2, SECONDS_A_FLOP = 2e-8;  // of processor time: more is endless
    LabReport *report = lab->report;
    OpInputs in = inputs_of(c, filling, lab->options->seed + report->count);
    double flops;
    planned_bytes(kernel, c, &in, &flops);
    snprintf(report->where, sizeof report->where, "in case %zu: %s%s", report->count + 1, op_case_text(c).text,
             FILLING_NAMES[filling]);
    child_clock(0);
    Answer right = answer_of(kernel_find(c->op, "naive"), c, &in, lab->options->threads);
    child_clock((lab->options->quick ? QUICK_SECONDS : SECONDS) + flops * SECONDS_A_FLOP);
    Answer yours = answer_of(kernel, c, &in, lab->options->threads);
    child_clock(0);
    bool ok = is_right(lab, &yours, &right, kernel, filling);
    free(yours.values);
    free(right.values);
    report->count += ok;
    return ok;
}

// ---- all of them ----------------------------------------------------------------------------------------------------

void lab_check_kernel(void *subject) {
    static const double QUICK_FLOPS = 5e7;
    Lab *lab = subject;
    const Kernel *kernel = lab_load_kernel(lab);
    if (!kernel) return;
    OpCase c;
    for (size_t index = 0; op_case_odd(lab->op, index, &c); index++) {
        double flops;
        OpInputs in = inputs_of(&c, ORDINARY, 0);
        planned_bytes(kernel, &c, &in, &flops);
        if (lab->options->quick && flops > QUICK_FLOPS) continue;
        bool small = c.op == OP_EMBEDDING || shape_count(in.x.shape) < SMALL_CASE;
        for (int filling = 0; filling < (small ? FILLINGS : 1); filling++) {
            if (makes_sense(lab->op, filling) && !case_right(lab, kernel, &c, filling)) return;
        }
    }
    lab->report->right = true;
}
