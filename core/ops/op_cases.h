// op_cases.h - an op on given shapes: what it reads, and the call
//
// Where: whatever tries kernels: `sculpt bench ops`, `sculpt lab`, tests/unit/test_kernels.c. It speaks of every op there
// is in one way, as ops.h can't: a table of shapes is enough to try them all.

#pragma once

#include "ops/ops.h"

typedef struct OpCase {
    Op op;
    size_t x[4];  // what it reads, up to the first 0. attention: [B, heads, Tq, d]; embedding: ids [B, L]
    size_t
        with[4];  // conv2d and linear: the weight. attention: k and v, [B, heads, Tk, d]. embedding: the tokens [V, D].
                  // concat_channels: b. The ops that add: what is added
    size_t stride, padding;  // conv2d
    bool bias;               // conv2d, linear: the layer has one
    bool add;                // linear: linear_add_inplace
    bool inplace;            // what can be done in place is: silu, add, scale_shift
    bool causal;             // attention
    size_t groups;           // group_norm
    size_t H, W;             // upsample_nearest, tokens_to_image: the picture's new size
    size_t dim;              // timestep_embedding, guidance_embedding
    float mean, deviation;   // of the numbers in x, and in k; deviation 0: whatever is usual for the op
} OpCase;

// What a case reads. Absent where the op has no such thing.
typedef struct OpInputs {
    Tensor x, y, z;
    Layer layer;
} OpInputs;

// Makes an input: numbers of this mean and deviation. Names are those of the kernels' parameters.
typedef Tensor OpInput(void *maker, const char *name, Shape shape, float mean, float deviation);

// The inputs of a case, each made by `make`; ids (of embedding) are written into ids_memory, which has room for all.
OpInputs op_case_inputs(const OpCase *c, OpInput *make, void *maker, int64_t *ids_memory);

// Calls the op with ctx's kernel. What it overwrites is a copy, so the inputs stay.
Tensor op_case_run(Context *ctx, const OpCase *c, const OpInputs *in);

// "x [2, 3, 7, 5], weight [4, 3, 3, 3], stride 1, padding 1"
typedef struct OpCaseText {
    char text[256];
} OpCaseText;
OpCaseText op_case_text(const OpCase *c);

// Case `index` of those that break careless loops: single pixels, odd sizes, edges; false behind the last. Every op has
// some.
bool op_case_odd(Op op, size_t index, OpCase *c);

// A case of the size that a small model has, for measuring; every op has one.
OpCase op_case_usual(Op op);
