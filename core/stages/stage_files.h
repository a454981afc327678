// stage_files.h - where a stage's config and weights lie, and how its numbers are to be kept
//
// Where: the argument of unet_open_from, vae_open_from and text_encoder_open_from.

#pragma once

#include "io/config.h"
#include "single_file/single_file.h"

typedef struct StageFiles {
    const char *folder;             // of diffusers' layout: config.json, and the weights beside it; NULL: they are in
    const SingleFile *single_file;  // this one, which must stay open for as long as the stage; NULL: nowhere
    const char *random_config;      // then this is config.json's text, and the weights are drawn (weights_open_random)
    DType matrix_type;              // F32, F16 or BF16 (weights.h)
    Loras *loras;                   // that change the weights, or NULL (lora.h)
} StageFiles;

// part: "unet", "vae" or "text_encoder"
bool stage_config_open(const StageFiles *files, const char *part, Config *config, Error *error);
bool stage_weights_open(const StageFiles *files, const char *part, Weights *weights, Error *error);
