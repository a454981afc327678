// weight_files.h - the one or more safetensors files that hold a model's weights
//
// diffusers and transformers keep the weights of one network in its folder, under a stem ("diffusion_pytorch_model",
// "model") and in one of these forms:
//
//     STEM.safetensors                          one file
//     STEM.safetensors.index.json               a list of parts, and which of them holds which tensor
//     STEM.fp16.safetensors                     a variant in half precision, alone or beside the others
//     STEM.safetensors.index.fp16.json          the same in parts
//
// Elsewhere: the arguments variant and use_safetensors of diffusers' from_pretrained; huggingface_hub's
// split_torch_state_dict_into_shards.

#pragma once

#include "io/safetensors.h"

typedef struct WeightFiles {
    char *path;               // the file, or the index, for messages
    SafetensorsFile **files;  // [count], opened
    size_t count;
} WeightFiles;

// One file. False and an error if it can't be opened or is a pickle.
bool weight_files_open(WeightFiles *weights, const char *path, Error *error);
// The first of the forms above that folder holds. Errors: none of them, a pickle in their place, a part that is missing
// or lacks a tensor which the index promises.
bool weight_files_open_folder(WeightFiles *weights, const char *folder, const char *stem, Error *error);
void weight_files_close(WeightFiles *weights);

const SafetensorsEntry *weight_files_find(const WeightFiles *weights, const char *name);  // NULL if absent

// Whether a file's name says that it is a pickle (.ckpt, .bin, .pt, .pth); then the error says why it isn't opened.
bool weight_file_is_pickle(const char *path, Error *error);
