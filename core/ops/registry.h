// registry.h - every op, and every way to compute it
//
// An op is what the paper's figure names (conv2d, attention); a variant is one way to compute it (naive, openmp, blas).
// Each variant is one function and one row in registry.c. All variants are always compiled; which one runs is chosen at
// run time, op by op: `sculpt --kernel conv2d=naive`. `sculpt kernels` prints the table.

#pragma once

#include "base/tensor.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum Op {
    OP_CONV2D,
    OP_LINEAR,
    OP_ATTENTION,
    OP_GROUP_NORM,
    OP_GROUP_NORM_SILU,
    OP_LAYER_NORM,
    OP_SILU,
    OP_GELU,
    OP_QUICK_GELU,
    OP_RELU,
    OP_TANH,
    OP_GEGLU,
    OP_ADD,
    OP_ADD_PER_CHANNEL,
    OP_SCALE_SHIFT,
    OP_CONCAT_CHANNELS,
    OP_PAD_RIGHT_BOTTOM,
    OP_UPSAMPLE_NEAREST,
    OP_IMAGE_TO_TOKENS,
    OP_TOKENS_TO_IMAGE,
    OP_EMBEDDING,
    OP_TIMESTEP_EMBEDDING,
    OP_GUIDANCE_EMBEDDING,
    OP_COUNT
} Op;

// Weights are laid out as the file has them: [Cout, Cin, K, K], [Cout, Cin], [C], [V, D]. A variant that wants them
// packed or transformed does that itself, a piece at a time in its scratch memory: kept beside the weights they would
// take as much memory again, or four times as much, and fetching that takes about as long as making it.
typedef struct Kernel {
    Op op;
    const char *variant;      // "naive", "openmp", "blas", ...
    const char *about;        // one line for `sculpt kernels`: what it does differently
    void (*function)(void);   // cast back to the op's own typedef (conv2d.h: Conv2dKernel, ...) by the op
    bool (*runs_here)(void);  // what it needs of the machine; NULL: nothing
    bool (*fast_here)(void);  // where it is faster than the rows above; NULL: wherever it runs
    DType weight_type;        // of the weights that it reads; nothing where the op has none
    DType precision;          // F32 or BF16: what the numbers that it multiplies are rounded to; it adds up in F32
    size_t (*scratch_size)(const void *shape);  // bytes of scratch for the op's own Shape struct; NULL: none
} Kernel;

const char *op_name(Op op);                             // "conv2d"
const char *op_about(Op op);                            // one line: what the op is for
bool op_find(const char *name, size_t length, Op *op);  // by the first `length` bytes of a text; false: there is none
size_t kernel_count(void);
const Kernel *kernel_at(size_t index);                  // rows in the order of Op, slowest variant first
const Kernel *kernel_find(Op op, const char *variant);  // NULL if there is none
// The fastest on this machine: the last row that runs here and is fast here, of those of this precision or, where the op
// has none of it, of the F32 ones.
const Kernel *kernel_default(Op op, DType precision);
