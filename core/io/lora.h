// lora.h - LoRA files: small changes to a model's weights, added while these are read
//
// Fine-tuning moves a weight W [O, I] by a matrix of low rank r, which is kept as two thin ones (Hu et al. 2021, arXiv
// 2106.09685, section 4.1):
//
//     W' = W + weight * alpha / r * up down                  up [O, r]    down [r, I]
//
// alpha is the trainer's: with it a rank can be changed and the learning rate kept. weight is the user's: 1 is the change
// as it was learnt, 0 none of it, less than 0 the other way. A convolution's weight [O, I, k, k] is taken as a matrix
// [O, I k k]: down [r, I, k, k] is a convolution to r channels, up [O, r, 1, 1] one of a single pixel.
//
// Where: model_open_with opens the files, weights_tensor (weights.h) asks about every weight that it hands out, and at
// the end whatever no layer has asked for is an error: then the LoRA was made for another model.
// Elsewhere: load_lora_weights of diffusers' StableDiffusionLoraLoaderMixin, with set_adapters for the weights; there W
// stays as it is and the change is computed beside it, at every call.

#pragma once

#include "base/error.h"
#include "base/tensor.h"

typedef struct LoraFile {
    const char *path;  // a .safetensors file
    float weight;
} LoraFile;

typedef struct Loras Loras;

// Opens all files and refuses what isn't a LoRA for Stable Diffusion 1.x or 2.x, saying what it is instead. The files'
// paths must outlive it. The same file may be given more than once.
Loras *loras_open(const LoraFile *files, size_t count, Error *error);
void loras_close(Loras *loras);  // NULL is fine

// Names as LDM's own code has them count a U-Net's blocks through, for which it must be known how long a level is.
void loras_set_layers_per_block(Loras *loras, size_t layers_per_block);

// Whether any of the files changes this weight. stage: "unet" or "text_encoder"; name: what diffusers (or, with or
// without "text_model.", transformers) calls the weight in it, "conv_in.weight". loras may be NULL.
bool loras_change(const Loras *loras, const char *stage, const char *name);

// Adds every file's change to the weight's numbers, and notes what was used for it. False, and an error with both shapes,
// where the weight of the model that the LoRA was made for has another.
bool loras_add(Loras *loras, const char *stage, const char *name, Shape shape, float *numbers, Error *error);

// Once all stages are open: false, and an error, if a file holds something that no layer has used.
bool loras_all_used(const Loras *loras, Error *error);

size_t loras_layers(const Loras *loras, size_t index);  // how many layers file number `index` has changed
