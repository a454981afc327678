// text_memory.c - see text_memory.h

#include "stages/text_memory.h"

#include "stages/unet_weights.h"

#include <stdlib.h>
#include <string.h>

// Gives every tensor its place in memory, one behind the other, and counts the bytes. Without memory that is all.
static void lay_out(TextMemory *text) {
    size_t at = 0;
    for (size_t i = 0; i < text->count; i++) {
        Tensor *tensors[] = {&text->layers[i].keys, &text->layers[i].values};
        for (size_t k = 0; k < 2; k++) {
            *tensors[k] = tensor_over(text->memory ? text->memory + at : NULL, tensors[k]->shape);
            at += shape_count(tensors[k]->shape);
        }
    }
    text->bytes = at * sizeof *text->memory;
}

static bool take_memory(TextMemory *text, Error *error) {
    text->memory = malloc(text->bytes + 1);  // a U-Net in which nobody reads has 0
    if (!text->memory) return error_set(error, "prompt: no memory for %zu bytes; close other programs", text->bytes);
    lay_out(text);
    return true;
}

bool text_memory_make(TextMemory *text, Context *ctx, const UNet *unet, Tensor text_embeddings, Error *error) {
    size_t B = text_embeddings.shape.axis[0], L = text_embeddings.shape.axis[1];
    *text = (TextMemory){.layers = zeroed(unet->reader_count, sizeof *text->layers), .count = unet->reader_count};
    for (size_t i = 0; i < text->count; i++) {
        Shape shape = shape3(B, L, unet->readers[i]->to_k.weight.shape.axis[0]);
        text->layers[i] = (KeysValues){{.shape = shape}, {.shape = shape}};
    }
    lay_out(text);
    if (!ctx->planning && !take_memory(text, error)) {
        text_memory_free(text);
        return false;
    }
    for (size_t i = 0; i < text->count; i++) {
        Scope scope = scope_open(&ctx->arena);
        KeysValues offered = keys_values(ctx, text_embeddings, unet->readers[i]);  // [B, L, C] each
        keep_tensor(ctx, text->layers[i].keys, offered.keys);
        keep_tensor(ctx, text->layers[i].values, offered.values);
        scope_close(&ctx->arena, &scope);
    }
    return true;
}

bool text_memory_copy(TextMemory *to, const TextMemory *from, Error *error) {
    *to = *from;
    to->layers = zeroed(from->count, sizeof *to->layers);
    memcpy(to->layers, from->layers, from->count * sizeof *to->layers);
    if (!take_memory(to, error)) {
        text_memory_free(to);
        return false;
    }
    memcpy(to->memory, from->memory, from->bytes);
    return true;
}

void text_memory_free(TextMemory *text) {
    free(text->layers);
    free(text->memory);
    *text = (TextMemory){0};
}
