// lora_scale.h - alpha / rank: by how much a LoRA's two matrices are multiplied
//
// Three customs. kohya's scripts write an alpha beside every layer. diffusers writes peft's settings into the file's
// metadata, one alpha for a stage and exceptions for some layers. Older diffusers knew no alpha: it is the rank.

#pragma once

#include "io/lora_names.h"
#include "io/safetensors.h"

typedef struct LoraSettings {
    void *json;  // jansson's object; NULL for a file without
    const char *path;
} LoraSettings;

// Reads "lora_adapter_metadata", if the file has it, and refuses what it says of no plain LoRA. path must outlive it.
bool lora_settings_open(LoraSettings *settings, const SafetensorsFile *file, const char *path, Error *error);
void lora_settings_close(LoraSettings *settings);

// alpha: the layer's own, or NULL.
bool lora_scale(const LoraSettings *settings, const SafetensorsEntry *alpha, const LoraNames *names, const char *layer,
                size_t rank, float *scale, Error *error);
