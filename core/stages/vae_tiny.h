// vae_tiny.h - TAESD, the tiny autoencoder: the VAE's language, spoken roughly and fast
//
// Where: behind vae.h, which asks it where a folder holds an AutoencoderTiny; as a decoder, or for the previews of a
// run's steps. It was taught to make the pictures that Stable Diffusion's VAE makes, with 34 times fewer parameters; it
// has no posterior, so its encoder gives the latents themselves.
// Elsewhere: diffusers.AutoencoderTiny; Ollin Boer Bohan's TAESD (github.com/madebyollin/taesd).

#pragma once

#include "io/weights.h"
#include "ops/ops.h"
#include "stages/layers.h"
#include "stages/vae.h"

typedef struct VaeTinyConfig {
    size_t encoder_channels, decoder_channels;  // of every layer between the first and the last
    size_t num_encoder_blocks[VAE_MAX_LEVELS], num_decoder_blocks[VAE_MAX_LEVELS];  // a level; in the order of the data
} VaeTinyConfig;

typedef struct VaeTinyBlock {
    Name place;                 // "vae.decoder.layers.2"
    Layer conv1, conv2, conv3;  // conv.0, conv.2, conv.4: [C, C, 3, 3]
} VaeTinyBlock;

typedef struct VaeTinyLevel {
    size_t count;
    VaeTinyBlock *blocks;  // [count]
    Layer conv;            // [C, C, 3, 3]; before the blocks in the encoder, behind them in the decoder
} VaeTinyLevel;

typedef struct VaeTiny {
    VaeTinyConfig config;
    size_t levels;
    VaeTinyLevel encoder[VAE_MAX_LEVELS];  // from fine to coarse; the first conv takes the picture
    Layer encoder_conv_out;                // [latent_channels, C, 3, 3]
    Layer decoder_conv_in;                 // [C, latent_channels, 3, 3]
    VaeTinyLevel decoder[VAE_MAX_LEVELS];  // from coarse to fine; the last conv makes the picture
} VaeTiny;

// Reads an AutoencoderTiny's config.json: what every VAE has into *common, what it has of its own into *config.
bool vae_tiny_config_read(Config *config, VaeConfig *common, VaeTinyConfig *out);  // and closes it

// What is missing is noted in weights.
VaeTiny *vae_tiny_load(Weights *weights, const VaeConfig *common, const VaeTinyConfig *config);
void vae_tiny_free(VaeTiny *tiny);

// pixels [B, 3, H, W] in -1..1 -> latents [B, latent_channels, H/f, W/f]
Tensor vae_tiny_encode(Context *ctx, const VaeTiny *tiny, Tensor pixels);

// latents [B, latent_channels, h, w] -> pixels [B, 3, f h, f w], about -1..1, not clamped
Tensor vae_tiny_decode(Context *ctx, const VaeTiny *tiny, Tensor latents);
