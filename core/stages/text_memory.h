// text_memory.h - what the prompt says to each layer of the U-Net, worked out once a run
//
// In cross-attention a pixel's query meets a word's key, and takes as much of the word's value as they agree. Queries are
// new at every step. Keys and values only depend on the prompt: for Stable Diffusion 1.5 they are 16 pairs of matrices,
// 15 MB with both halves of guidance, and reading the prompt anew at every step would be 6 GFLOP of it.
//
// Where: after the text encoder, before the first step. Elsewhere: diffusers works them out at every step; language
// models call such a thing a KV cache. Read next: transformer.c, which asks for them.

#pragma once

#include "base/error.h"
#include "ops/ops.h"

typedef struct UNet UNet;

// What a context has to offer to one layer, and what it then says
typedef struct KeysValues {
    Tensor keys, values;  // [B, L, C]
} KeysValues;

typedef struct TextMemory {
    KeysValues *layers;  // [count], by AttentionLayer.reader
    size_t count;
    float *memory;  // all of their numbers; NULL if it was only planned
    size_t bytes;   // of memory
} TextMemory;

// text_embeddings [B, L, cross_attention_dim], through every layer of the U-Net that reads them. With a planning ctx
// there are only shapes, and bytes says what there would be.
bool text_memory_make(TextMemory *text, Context *ctx, const UNet *unet, Tensor text_embeddings, Error *error);
bool text_memory_copy(TextMemory *to, const TextMemory *from, Error *error);
void text_memory_free(TextMemory *text);
