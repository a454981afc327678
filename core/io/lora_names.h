// lora_names.h - what the trainers of LoRAs call a layer
//
// diffusers' own names have changed over the years, and kohya's scripts, where most LoRAs come from, write '_' for '.',
// which can't be read backwards: is "to_out_0" to_out.0 or to.out.0? So nothing is parsed: a layer's name, which we
// know, is written in every spelling there is, and each is looked up.

#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct LoraNames {
    char down[256], up[256], alpha[256];  // the keys of a layer's three tensors
    const char *settings;  // of which stage its settings in the file's metadata are: "unet", or "" for all
} LoraNames;

size_t lora_spellings(void);  // how many there are

// The keys of a layer in one of the spellings, numbered from 0; false if there is none for this layer or stage. layer:
// its name in diffusers without ".weight" (and without "text_model.").
bool lora_names(size_t spelling, const char *stage, const char *layer, size_t layers_per_block, LoraNames *names);
