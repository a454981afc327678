// unet_weights.h - the U-Net's parts, as they are called in the weights file
//
// Where: filled by unet_load.c, read by unet.c. The names are diffusers'.

#pragma once

#include "stages/resnet_block.h"
#include "stages/transformer.h"
#include "stages/unet.h"

enum { UNET_MAX_LAYERS = 16 };  // layers_per_block

// One level of the way down or up. down: layers_per_block pairs, then half the size; up: one pair more, then double
// size.
typedef struct UNetBlock {
    Name place;  // "unet.down_blocks.0"
    size_t layers;
    ResnetBlock *resnets;       // [layers]
    Transformer2D *attentions;  // [layers]; NULL in a block without
    Layer sampler;              // downsamplers.0.conv or upsamplers.0.conv [C, C, 3, 3]; absent in the last block
} UNetBlock;

struct UNet {
    UNetConfig config;
    Weights weights;
    Layer linear_1, linear_2;                // time_embedding: [4 C0, C0], [4 C0, 4 C0]
    Layer cond_proj;                         // time_embedding: [C0, time_cond_proj_dim], no bias; absent in most
    Layer conv_in;                           // [C0, in_channels, 3, 3]
    UNetBlock down_blocks[UNET_MAX_LEVELS];  // from the finest level to the coarsest
    ResnetBlock mid_resnets[2];              // mid_block.resnets, as many as mid_block_type has: 0, 1 or 2
    Transformer2D mid_attention;             // mid_block.attentions.0, with MID_BLOCK_CROSS_ATTENTION
    UNetBlock up_blocks[UNET_MAX_LEVELS];    // from the coarsest level to the finest
    Layer conv_norm_out;                     // [C0]
    Layer conv_out;                          // [out_channels, C0, 3, 3]
    const AttentionLayer **readers;          // the layers that read the prompt, by their number
    size_t reader_count;
};

bool unet_config_read(Config *config, UNetConfig *out);  // and closes it
