// loras.h - what the tests of LoRA files share: a layer, a change of its weight, and files that hold it

#pragma once

#include "io/lora.h"
#include "io/safetensors.h"

// up [2, 1] times down [1, 3]
extern float UP[2], DOWN[3];
extern const float PRODUCT[6];
#define LAYER "mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
#define KOHYA "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"
#define LORA_FOLDER "build/tmp/lora"  // made by test_folder("lora")

// A file of these tensors in LORA_FOLDER, and of metadata unless that is NULL; its path, malloc'ed.
char *loras_put(const char *name, const NamedTensor *tensors, size_t count, const char *metadata);
// A file with DOWN and UP under these names.
char *loras_put_pair(const char *down, const char *up, const char *metadata);
// Opened, which it must be possible to do; NULL if it isn't.
Loras *loras_open_one(const char *path, float weight);
