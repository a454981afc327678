// unet.h - the network that sees a noisy picture and says what in it is noise
//
// Where: once per step, between two schedulers' steps; with guidance both questions are one batch of two.
// Elsewhere: diffusers.UNet2DConditionModel.
// Paper: Rombach et al. 2022 (arXiv 2112.10752), section 3.3; Ho et al. 2020 (arXiv 2006.11239), appendix B.
//
//     Error error = {0};
//     Context ctx;
//     UNet *unet = unet_open("data/models/critters/unet", &error);
//     if (!unet || !context_open(&ctx, (size_t)1 << 30, 0, &error)) return puts(error.message);
//     Tensor latents = tensor_over(noise, shape4(1, 4, 16, 16));
//     Tensor timesteps = tensor_over(&timestep, shape1(1));
//     Tensor text = tensor_over(text_embeddings, shape3(1, 77, unet_config(unet)->cross_attention_dim));
//     Tensor noise_pred = unet_forward(&ctx, unet, latents, timesteps, tensor_absent(), text);  // lives as long as ctx
//     context_close(&ctx), unet_close(unet);

#pragma once

#include "base/error.h"
#include "ops/ops.h"
#include "stages/stage_files.h"
#include "stages/text_memory.h"

enum { UNET_MAX_LEVELS = 8 };

// mid_block_type: absent (null), UNetMidBlock2D (one ResNet block), UNetMidBlock2DCrossAttn
typedef enum { MID_BLOCK_NONE, MID_BLOCK_RESNET, MID_BLOCK_CROSS_ATTENTION } MidBlockType;

// The fields of config.json under their own names; an array holds one value per level, from the finest down.
typedef struct UNetConfig {
    size_t sample_size, in_channels, out_channels, levels;
    size_t block_out_channels[UNET_MAX_LEVELS], layers_per_block[UNET_MAX_LEVELS];
    size_t transformer_layers_per_block[UNET_MAX_LEVELS];
    size_t attention_heads[UNET_MAX_LEVELS];  // attention_head_dim, which is the number of heads: a known misnomer
    bool down_has_attention[UNET_MAX_LEVELS], up_has_attention[UNET_MAX_LEVELS];  // from down_ and up_block_types
    size_t cross_attention_dim, norm_num_groups;
    float norm_eps, freq_shift;
    bool flip_sin_to_cos, use_linear_projection, only_cross_attention[UNET_MAX_LEVELS];
    size_t downsample_padding;  // 1: zeros all round; 0: at the right and the bottom only
    bool center_input_sample;   // the latents go in as 2 latents - 1
    MidBlockType mid_block_type;
    size_t time_cond_proj_dim;  // width of the guidance embedding; 0: this U-Net isn't told the guidance
} UNetConfig;

// folder holds config.json and diffusion_pytorch_model.safetensors. A config that asks for what SD 1.x and 2.x don't
// have (class embeddings, other block types) is an error that names the key.
UNet *unet_open(const char *folder, Error *error);
UNet *unet_open_from(const StageFiles *files, Error *error);
void unet_close(UNet *unet);
const UNetConfig *unet_config(const UNet *unet);
size_t unet_parameters(const UNet *unet);
size_t unet_weight_bytes(const UNet *unet);   // that they take in memory
const size_t *unet_stored(const UNet *unet);  // how many are F32, F16, BF16 in the files

// latents [B, in_channels, H, W] (any H, W that the levels can halve, as diffusers), timesteps [B],
// text_embeddings [B, L, cross_attention_dim] -> the model's output [B, out_channels, H, W]: noise, or v
// guidance [B]: guidance_scale - 1, for a U-Net that was taught to guide (time_cond_proj_dim above 0) and whose one
// answer is the guided one. All others don't look at it; it may be absent.
Tensor unet_forward(Context *ctx, const UNet *unet, Tensor latents, Tensor timesteps, Tensor guidance,
                    Tensor text_embeddings);

// What the calls of one run have in common, or take over from each other; {0}: nothing.
typedef struct UNetShared {
    const KeysValues *keys_values;  // of the text embeddings (TextMemory.layers); NULL: they are worked out
    Tensor deep;                    // memory for deep features, unet_deep_shape; absent: they aren't kept
    bool deep_known;                // true: those in `deep` are used; false: they are computed, and written there
} UNetShared;

// DeepCache (Ma et al. 2023, arXiv 2312.00858, with the skip of branch 0): of two calls at neighbouring
// timesteps only the outermost layers see much of a difference. With deep features from an earlier call, this one
// computes the first convolution, the last layer of the way up and the last convolution, and nothing in between.
Tensor unet_forward_with(Context *ctx, const UNet *unet, Tensor latents, Tensor timesteps, Tensor guidance,
                         Tensor text_embeddings, UNetShared shared);
Shape unet_deep_shape(const UNet *unet, size_t B, size_t H, size_t W);
