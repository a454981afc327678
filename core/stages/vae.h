// vae.h - pictures to latents and back: 8 x 8 pixels of 3 numbers become 4 numbers
//
// Where: the decoder after the last step, the encoder before the first of an image-to-image run.
// Elsewhere: diffusers.AutoencoderKL, and AutoencoderTiny (vae_tiny.h), which can stand in for it.
// Papers: Kingma & Welling 2013 (arXiv 1312.6114); Esser et al. 2021 (arXiv 2012.09841).
//
//     Error error = {0};
//     Context ctx;
//     Vae *vae = vae_open("data/models/critters/vae", &error);
//     if (!vae || !context_open(&ctx, (size_t)1 << 32, 0, &error)) return puts(error.message);
//     for (size_t i = 0; i < 4 * 16 * 16; i++) latents[i] /= vae_config(vae)->scaling_factor;
//     Tensor pixels = vae_decode(&ctx, vae, tensor_over(latents, shape4(1, 4, 16, 16)));  // lives in ctx until closed
//     context_close(&ctx), vae_close(vae);

#pragma once

#include "base/error.h"
#include "ops/ops.h"
#include "stages/stage_files.h"

enum { VAE_MAX_LEVELS = 8 };

// What is said of an AutoencoderKL alone is 0 for an AutoencoderTiny.
typedef struct VaeConfig {
    size_t in_channels, out_channels, latent_channels, levels, layers_per_block, norm_num_groups;
    size_t block_out_channels[VAE_MAX_LEVELS];
    float scaling_factor;  // latents that the U-Net sees = the encoder's * this, so that they have variance 1
    bool use_quant_conv, use_post_quant_conv, mid_block_add_attention;
    bool has_posterior;  // AutoencoderKL: the encoder gives a distribution; AutoencoderTiny: the latents
} VaeConfig;

typedef struct Vae Vae;

// folder holds config.json, of an AutoencoderKL or an AutoencoderTiny, and diffusion_pytorch_model.safetensors.
Vae *vae_open(const char *folder, Error *error);
Vae *vae_open_from(const StageFiles *files, Error *error);
void vae_close(Vae *vae);
bool vae_config_read(const StageFiles *files, VaeConfig *config, Error *error);  // of a VAE that need not be opened
const VaeConfig *vae_config(const Vae *vae);
size_t vae_parameters(const Vae *vae);
size_t vae_weight_bytes(const Vae *vae);   // that they take in memory
const size_t *vae_stored(const Vae *vae);  // how many are F32, F16, BF16 in the files
size_t vae_factor(const Vae *vae);         // pixels a latent, per side: 2 ^ (levels - 1), 8 in Stable Diffusion

// pixels [B, 3, H, W] in -1..1, sides multiples of the factor -> moments [B, 2 latent_channels, H/f, W/f]: the mean,
// then the logarithm of the variance of the posterior. Without has_posterior -> latents [B, latent_channels, H/f, W/f]
Tensor vae_encode(Context *ctx, const Vae *vae, Tensor pixels);

// latents [B, latent_channels, h, w] as the encoder makes them (divide a run's by scaling_factor first)
// -> pixels [B, 3, f h, f w], about -1..1, not clamped. Stable Diffusion's VAE takes 682 MB of activations for 512 x 512
// pixels, and as many times that as there are more pixels.
Tensor vae_decode(Context *ctx, const Vae *vae, Tensor latents);
