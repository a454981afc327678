// vae_weights.h - the VAE's parts, as they are called in the weights file
//
// Where: filled by vae_load.c, read by vae.c. The names are diffusers'.

#pragma once

#include "stages/resnet_block.h"
#include "stages/transformer.h"
#include "stages/vae.h"
#include "stages/vae_tiny.h"

enum { VAE_MAX_LAYERS = 16 };  // layers_per_block

typedef struct VaeMidBlock {
    Name place;  // "vae.decoder.mid_block"
    ResnetBlock resnets[2];
    Layer group_norm;          // attentions.0.group_norm [C]; absent without mid_block_add_attention
    AttentionLayer attention;  // attentions.0, one head
} VaeMidBlock;

typedef struct VaeBlock {
    Name place;
    size_t layers;
    ResnetBlock *resnets;  // layers_per_block in the encoder, one more in the decoder
    Layer sampler;         // downsamplers.0.conv or upsamplers.0.conv [C, C, 3, 3]; absent in the last block
} VaeBlock;

// The encoder or the decoder: the same parts, put together the other way round.
typedef struct VaeHalf {
    Layer conv_in;
    VaeBlock blocks[VAE_MAX_LEVELS];  // down_blocks, from fine to coarse, or up_blocks, from coarse to fine
    VaeMidBlock mid_block;
    Layer conv_norm_out, conv_out;
} VaeHalf;

struct Vae {
    VaeConfig config;
    Weights weights;
    VaeHalf encoder, decoder;
    Layer quant_conv, post_quant_conv;  // 1x1; absent where the config says so
    VaeTiny *tiny;                      // an AutoencoderTiny's layers, then there are no others; else NULL
};
