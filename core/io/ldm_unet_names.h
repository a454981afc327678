// ldm_unet_names.h - what a layer of the U-Net is called in the original naming
//
// diffusers names what a layer is: level, kind, number. LDM numbers all modules of the way down and of the way up, as
// its constructor appended them. With L layers a level, on the way down
//
//     input_blocks.0              conv_in
//     input_blocks.1 ... L        level 0: .0 the ResNet block, .1 the transformer, where there is one
//     input_blocks.(L + 1)        level 0: .0.op halves the size
//     input_blocks.(L + 2) ...    level 1 ...
//
// and on the way up L + 1 to a level, the last of which also doubles the size: as .1.conv, or .2.conv behind a
// transformer.
//
// Where: checkpoints in a single file (single_file/ldm_unet.c), and LoRAs that were trained on one (lora_names.c).
// Elsewhere: convert_ldm_unet_checkpoint in diffusers' single_file_utils; openaimodel.py in LDM.

#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct LdmUNetName {
    char text[200];
} LdmUNetName;

// "down_blocks.0.resnets.0.conv1.weight" is "input_blocks.1.0.in_layers.2.weight". layers: L; upsampler: where in its
// chain the doubling stands, 1 or 2. False for what isn't a name in diffusers' U-Net.
bool ldm_unet_layer(LdmUNetName *out, const char *name, size_t layers, int upsampler);
