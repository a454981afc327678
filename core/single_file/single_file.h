// single_file.h - a whole checkpoint in one .safetensors file, under the names of its first implementation
//
// Stable Diffusion was first written in CompVis' latent-diffusion (LDM), and most checkpoints that people share are
// still one file in its naming: "model.diffusion_model.input_blocks.1.0.in_layers.2.weight" is what diffusers calls
// "down_blocks.0.resnets.0.conv1.weight" of the U-Net. There are no configs in it; what the networks look like is read
// off the weights' names and shapes, and what these can't tell (the number of attention heads, the kind of prediction)
// follows from which Stable Diffusion it is. A file may bring the folder's configs in its metadata, under
// "unet/config.json" and so on: then these are believed, and models of other sizes fit into one file too.
//
// Where: between io/ and stages/: the stages get configs and weights as if from a folder.
// Elsewhere: diffusers.loaders.single_file_utils; scripts/convert_diffusers_to_original_stable_diffusion.py.
// Read next: ldm_unet.c, which has most of the names.

#pragma once

#include "io/weights.h"

typedef struct SingleFile SingleFile;

// Errors: no .safetensors, a pickle, another family (SDXL, SD 3, Flux and others, by name), one part of a model, a LoRA, no model at all.
SingleFile *single_file_open(const char *path, Error *error);
void single_file_close(SingleFile *file);
const char *single_file_path(const SingleFile *file);

// The JSON text that a diffusers folder has as PART/config.json (scheduler/scheduler_config.json); part: "unet", "vae",
// "text_encoder" or "scheduler".
const char *single_file_config(const SingleFile *file, const char *part);

// The weights of "unet", "vae" or "text_encoder" under diffusers' names. The file must stay open for longer.
void single_file_weights(const SingleFile *file, const char *part, Weights *weights, Error *error);

// The token that prompts are padded with: "!" in Stable Diffusion 2.x, whose text encoder is OpenCLIP's; else NULL, and
// the tokenizer's own is right.
const char *single_file_pad_token(const SingleFile *file);

// What had to be assumed, in a sentence; "" if nothing.
const char *single_file_note(const SingleFile *file);

// Whether path is to be opened as a single file: it is no folder, or not there and called like one.
bool path_is_single_file(const char *path);
