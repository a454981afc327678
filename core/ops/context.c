// context.c - see context.h

#include "ops/context.h"

#include "base/plugin.h"
#include "base/text.h"
#include "ops/kernel_file.h"

#include <cblas.h>
#include <omp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void cost_add(Cost *sum, const Cost *cost, size_t times) {
    sum->flops += times * cost->flops;
    sum->bytes += times * cost->bytes;
    sum->calls += times * cost->calls;
    for (int op = 0; op < OP_COUNT; op++) {
        sum->ops[op].flops += times * cost->ops[op].flops;
        sum->ops[op].bytes += times * cost->ops[op].bytes;
    }
}

void context_choose_defaults(Context *ctx, DType precision) {
    for (int op = 0; op < OP_COUNT; op++) ctx->kernels[op] = kernel_default((Op)op, precision);
}

bool context_open(Context *ctx, size_t arena_bytes, int threads, Error *error) {
    *ctx = (Context){0};
    context_choose_defaults(ctx, F32);
    ctx->threads = threads;
    if (arena_open(&ctx->arena, arena_bytes)) return true;
    return error_set(error, "memory: the system refused %.1f MB for activations; draw a smaller picture",
                     (double)arena_bytes / 1e6);
}

void context_open_planning(Context *ctx, const Kernel *const kernels[OP_COUNT]) {
    *ctx = (Context){.planning = true};
    context_choose_defaults(ctx, F32);
    if (kernels) memcpy(ctx->kernels, kernels, sizeof ctx->kernels);
    arena_open_planning(&ctx->arena);
}

void context_close(Context *ctx) {
    arena_close(&ctx->arena);
    *ctx = (Context){0};
}

static void set_threads(int threads) {
    omp_set_num_threads(threads);
    openblas_set_num_threads(threads);
}

int context_enter(const Context *ctx) {
    int before = omp_get_max_threads();
    if (ctx->threads > 0) set_threads(ctx->threads);
    return before;
}

void context_leave(int threads_before) {
    if (omp_get_max_threads() != threads_before) set_threads(threads_before);
}

bool context_choose_kernel(Context *ctx, const char *choice, Error *error) {
    char list[512] = "";
    const char *equals = strchr(choice, '=');
    if (!equals) {
        return error_set(error, "kernel %.100s: there is no \"=\" in it; write OP=VARIANT, such as conv2d=naive",
                         choice);
    }

    Op op;
    if (!op_find(choice, (size_t)(equals - choice), &op)) {
        for (int i = 0; i < OP_COUNT; i++) list_append(list, sizeof list, op_name((Op)i));
        return error_set(error, "kernel %.100s: no op has this name; the ops are %s", choice, list);
    }

    bool file = plugin_is_file(equals + 1);
    const Kernel *kernel = file ? kernel_loaded(op, equals + 1, error) : kernel_find(op, equals + 1);
    if (!kernel) {
        for (size_t i = 0; i < kernel_count(); i++) {
            if (kernel_at(i)->op == op) list_append(list, sizeof list, kernel_at(i)->variant);
        }
        return error_set(error, "kernel %.100s: %s has no such variant; it has %s", choice, op_name(op), list);
    }
    if (kernel->runs_here && !kernel->runs_here()) {
        return error_set(error, "kernel %.100s: this machine can't run it; `sculpt kernels` shows what it can", choice);
    }
    ctx->kernels[op] = kernel;
    return true;
}

bool context_choose_kernels(Context *ctx, DType precision, const char *const choices[], size_t count, Error *error) {
    bool ok = true;
    context_choose_defaults(ctx, precision);
    for (size_t i = 0; ok && i < count; i++) ok = context_choose_kernel(ctx, choices[i], error);
    return ok;
}

bool context_stopped(const Context *ctx) { return ctx->stop && atomic_load(ctx->stop); }

void observe(Context *ctx, Tensor tensor, const char *place, ...) {
    if (!ctx->observer || ctx->planning || context_stopped(ctx)) return;
    char text[256];
    va_list arguments;
    va_start(arguments, place);
    vsnprintf(text, sizeof text, place, arguments);
    va_end(arguments);
    ctx->observer(ctx->listener, text, tensor);
}
