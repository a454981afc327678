// my_kernel.h - for a kernel that is compiled by itself and loaded: what it includes, and what it exports
//
//     #include "ops/my_kernel.h"
//
//     static void my_silu(float *out, const float *in, size_t n) { ... }
//
//     KernelPlugin sculpt_kernel = {KERNEL_ABI, "silu", .silu = my_silu};
//
// `sculpt lab silu mine.c` compiles it, checks it, measures it and draws with it; `--kernel silu=./mine.so` uses one that
// was compiled by hand (lessons/lab/README.md). It needs nothing of the program, so it may be built anywhere.
// Read next: lessons/lab/conv2d.c, the shortest whole one; ops/kernel_file.c, where it is loaded.

#pragma once

#include "ops/activation.h"
#include "ops/attention.h"
#include "ops/conv2d.h"
#include "ops/embedding.h"
#include "ops/linear.h"
#include "ops/norm.h"
#include "ops/registry.h"
#include "ops/shape.h"

// Another number wherever a kernel's arguments, a Shape struct or what follows changes: what was compiled before would
// read its arguments wrongly, and is refused.
#define KERNEL_ABI 1

typedef struct KernelPlugin {
    int abi;         // KERNEL_ABI, as it was when this was compiled
    const char *op;  // "conv2d": the op that it computes
    union {          // and by which function: the member has the op's name, and so the compiler knows its arguments
        Conv2dKernel *conv2d;
        LinearKernel *linear;
        AttentionKernel *attention;
        GroupNormKernel *group_norm, *group_norm_silu;
        LayerNormKernel *layer_norm;
        ActivationKernel *silu, *gelu, *quick_gelu, *relu, *tanh;
        GegluKernel *geglu;
        AddKernel *add;
        AddPerChannelKernel *add_per_channel;
        ScaleShiftKernel *scale_shift;
        ConcatKernel *concat_channels;
        PadKernel *pad_right_bottom;
        UpsampleKernel *upsample_nearest;
        TokensKernel *image_to_tokens, *tokens_to_image;
        EmbeddingKernel *embedding;
        TimestepEmbeddingKernel *timestep_embedding;
        GuidanceEmbeddingKernel *guidance_embedding;
        void (*function)(void);
    };
    size_t (*scratch_size)(const void *shape);  // the rest means what it means in a registry row; 0 and NULL are fine
    DType weight_type, precision;
    Kernel row;  // the loader's: leave it out
} KernelPlugin;

extern KernelPlugin sculpt_kernel;
