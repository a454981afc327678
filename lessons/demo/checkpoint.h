// checkpoint.h - the small model as a table of names and numbers, to be written as one file
//
// The folder's three networks, each tensor with the name that diffusers has for it and with the one that Stable Diffusion
// was published under (core/single_file/). Nothing is computed: numbers stay as the folder's files have them, and only
// the names are others. Whoever wants to change something changes a row before it is written.
// Elsewhere: data/critters/train/single_file.py, and diffusers' convert_diffusers_to_original_stable_diffusion.py.

#pragma once

#include "io/safetensors.h"
#include "sculpt.h"

typedef struct CheckpointRow {
    const char *stage, *name;  // "unet", "vae" or "text_encoder"; the name there: "conv_in.weight"
    char stored[256];          // the name in the file: "model.diffusion_model.input_blocks.0.0.weight"
    Tensor tensor;             // over the folder's file, which can't be written
} CheckpointRow;

typedef struct Checkpoint {
    CheckpointRow *rows;
    size_t count;
    SafetensorsFile *files[3];
} Checkpoint;

// All of these end the program where something fails.
Checkpoint checkpoint_read(const Model *model);  // a model from a folder
void checkpoint_free(Checkpoint *checkpoint);
CheckpointRow *checkpoint_row(const Checkpoint *checkpoint, const char *stage, const char *name);
Shape checkpoint_shape(const SafetensorsEntry *entry);  // of one of the model's tensors: at most four axes
// With the folder's configs in the metadata: weights don't tell how many heads an attention has.
void checkpoint_write(const Checkpoint *checkpoint, const char *path);

// The small model from such a file (NULL: from the folder), with the folder's tokenizer and LoRAs merged into it. NULL and
// an error where it can't be opened.
Model *checkpoint_open(const char *path, const LoraFile *loras, size_t lora_count, Error *error);

// A LoRA's two matrices for a row, down [r, I] and up [O, r]; false where it doesn't change that row.
typedef struct LoraPair {
    const SafetensorsEntry *down, *up;
} LoraPair;
bool checkpoint_lora_pair(const SafetensorsFile *lora, const CheckpointRow *row, LoraPair *pair);
