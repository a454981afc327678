// context.h - what every op is told beside its tensors
//
// One Context per thread of work: which kernel runs each op, where results go, who is watching and whether to stop.
// There are no globals, so two runs can be alive at once, each with its own Context.
//
// The same stage code runs in two modes. Executing, each op takes its output from the arena and calls its kernel.
// Planning, each op only works out its output's shape and adds up what it would have cost: `sculpt` prints that before
// a run and refuses a run that can't fit.

#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/tensor.h"
#include "ops/registry.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Cost {
    uint64_t flops;  // a multiply and an add are two
    uint64_t bytes;  // read and written by the ops: inputs, weights, outputs
    uint64_t calls;  // ops
    struct {
        uint64_t flops, bytes;
    } ops[OP_COUNT];  // how much of it is whose
} Cost;

// sum += times cost
void cost_add(Cost *sum, const Cost *cost, size_t times);

// Called with each tensor that a stage shows: where it stands ("unet.down_blocks.0.attentions.1") and what it holds.
// The tensor is only valid during the call.
typedef void Observer(void *listener, const char *place, Tensor tensor);

// Called with an attention's probabilities [B, heads, Tq, Tk] when `wants` said yes to its place. They are computed for
// this caller alone: no kernel keeps the whole matrix.
typedef struct AttentionObserver {
    bool (*wants)(void *listener, const char *place);
    Observer *probabilities;
} AttentionObserver;

typedef struct Context {
    Arena arena;
    const Kernel *kernels[OP_COUNT];  // the variant that runs each op
    int threads;                      // that its forward passes use; 0: as many as there are
    bool planning;
    Cost cost;  // summed over all ops since context_open; filled in both modes

    Observer *observer;  // NULL: nobody listens
    AttentionObserver attention_observer;
    void *listener;

    struct Profile *profile;  // takes down the time of every op that is executed (profile.h); NULL: nobody asks

    const atomic_bool *stop;  // looked at before every op; once true, ops return tensors of the right shape that hold
                              // nothing, so the pass ends within one op. NULL: can't be stopped
} Context;

// Opens a context whose arena can hold arena_bytes, with the fastest F32 kernels this machine can run. Pages become memory
// only when used, so a generous number costs nothing. threads: for context_enter.
bool context_open(Context *ctx, size_t arena_bytes, int threads, Error *error);

// A context that executes nothing. Afterwards ctx->arena.high_water and ctx->cost tell what executing would take.
// kernels: whose scratch memory to count; NULL for the defaults.
void context_open_planning(Context *ctx, const Kernel *const kernels[OP_COUNT]);

void context_close(Context *ctx);

// Around a forward pass: OpenMP and OpenBLAS know one number of threads for whoever calls them, and another context may
// want another. context_enter sets ctx's and returns the one before, which context_leave puts back.
int context_enter(const Context *ctx);
void context_leave(int threads_before);

// Chooses the fastest kernels of a precision, F32 or BF16, and F32 ones where there are none of it.
void context_choose_defaults(Context *ctx, DType precision);

// Chooses a kernel by "op=variant", e.g. "conv2d=naive"; or "conv2d=./mine.so", one that kernel_load has loaded
// (kernel_file.h). Errors: no such op, no such variant (both list what there is), or one that this machine can't run.
bool context_choose_kernel(Context *ctx, const char *choice, Error *error);

// The fastest of a precision, but for those that `count` choices name. Errors: as above.
bool context_choose_kernels(Context *ctx, DType precision, const char *const choices[], size_t count, Error *error);

bool context_stopped(const Context *ctx);

// Shows a tensor to whoever listens. place is printf-style.
void observe(Context *ctx, Tensor tensor, const char *place, ...) __attribute__((format(printf, 3, 4)));
