// layers.h - reading a stage's layers from its weights file
//
// Where: only at load time; unet_load.c, vae_load.c and text_encoder.c are lists of these calls.
// `at` is the block's name in the file ("down_blocks.0.resnets.1"; "" for the model itself), `name` the layer's in the
// block ("conv1"), and together they are what diffusers calls it. What is missing or has another shape is noted in the
// Weights (io/weights.h), so a list of loads needs one look at the error, at its end.

#pragma once

#include "io/weights.h"
#include "ops/ops.h"

// A name made with printf's format, as a value: name_of("%s.resnets.%zu", at, i).text
typedef struct Name {
    char text[160];
} Name;
Name name_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

Layer load_conv2d(Weights *weights, const char *at, const char *name, size_t Cout, size_t Cin, size_t K);
Layer load_conv2d_without_bias(Weights *weights, const char *at, const char *name, size_t Cout, size_t Cin, size_t K);
Layer load_linear(Weights *weights, const char *at, const char *name, size_t Cout, size_t Cin);
Layer load_linear_without_bias(Weights *weights, const char *at, const char *name, size_t Cout, size_t Cin);
Layer load_norm(Weights *weights, const char *at, const char *name, size_t C);

// A linear layer that some files keep as a 1x1 convolution, [Cout, Cin, 1, 1]; linear() takes both.
Layer load_linear_or_conv1x1(Weights *weights, const char *at, const char *name, size_t Cout, size_t Cin);

// False for a layer that the model doesn't have (all zero, never loaded).
static inline bool layer_present(const Layer *layer) { return layer->weight.shape.rank > 0; }

// Room for n structs, all zero. CHECKs that there is memory; free() gives it back.
void *zeroed(size_t n, size_t size);
