// unet.c - the U-Net: from a noisy picture to the noise in it
//
// Where: once per step. Elsewhere: diffusers.UNet2DConditionModel.
// Papers: Ronneberger et al. 2015 (arXiv 1505.04597), figure 1, for the U; Rombach et al. 2022 (arXiv 2112.10752),
// section 3.3, for the words in it.
//
//     latents -> conv_in -> down 0 ---------------- skips ----------------> up 3 -> conv_out -> noise
//                             down 1 ---------------- skips --------------> up 2
//                               down 2 ---------------- skips ----------> up 1
//                                 down 3 -> mid_block -> up 0
//
// Distilled ones (Kim et al. 2023, BK-SDM, arXiv 2305.15798) leave out the mid_block, and a layer of each block.
//
// On the way down the picture loses size and gains channels; on the way up each layer also gets what the layer opposite
// it made on the way down (a skip), since what was where got lost in between.
// From one step to the next little changes but what lies outermost in the U, and the words not at all: unet_forward_with
// can take over what an earlier call, or text_memory.c, has worked out.
// Read next: resnet_block.c and transformer.c (its two bricks), unet_load.c (where the weights come from); relay.h and
// base/arena.h for the lines about scopes and relays, which say how long a result is kept and compute nothing.

#include "base/check.h"
#include "stages/relay.h"
#include "stages/unet_weights.h"

// ---- skips: a stack, pushed on the way down, popped on the way up ---------------------------------------------------

enum { MAX_SKIPS = 1 + UNET_MAX_LEVELS * (UNET_MAX_LAYERS + 1) };

typedef struct Skips {
    Tensor tensors[MAX_SKIPS];
    size_t count;
} Skips;

static Tensor skips_push(Skips *skips, Tensor h) {
    CHECK(skips->count < MAX_SKIPS, "%zu skips", skips->count);
    skips->tensors[skips->count++] = h;
    return h;
}

static Tensor skips_top(const Skips *skips) {
    CHECK(skips->count > 0, "no skip is left for this layer");
    return skips->tensors[skips->count - 1];
}

static Tensor skips_pop(Skips *skips) {
    Tensor h = skips_top(skips);
    skips->count--;
    return h;
}

// ---- the time embedding: how noisy the picture is -------------------------------------------------------------------

// A U-Net that was taught to guide (Meng et al. 2022, arXiv 2210.03142, section 3.1; Luo et al. 2023, arXiv 2310.04378,
// section 4.2) learns how much of it is wanted as it learns the time: guidance [B], added to t [B, C0].
static void add_guidance_inplace(Context *ctx, Tensor t, const UNet *unet, Tensor guidance) {
    Scope scope = scope_open(&ctx->arena);
    Tensor w = guidance_embedding(ctx, guidance, unet->config.time_cond_proj_dim);  // [B, time_cond_proj_dim]
    w = linear(ctx, w, &unet->cond_proj);                                           // [B, C0]
    add_inplace(ctx, t, w);
    scope_close(&ctx->arena, &scope);
}

// timesteps [B], guidance [B] or absent -> [B, 4 C0]. Every ResNet block begins by taking the SiLU of it; here that is
// done once.
static Tensor time_embedding(Context *ctx, const UNet *unet, Tensor timesteps, Tensor guidance) {
    const UNetConfig *config = &unet->config;
    size_t C0 = config->block_out_channels[0];
    Scope scope = scope_open(&ctx->arena);
    Tensor t = timestep_embedding(ctx, timesteps, C0, config->flip_sin_to_cos, config->freq_shift);  // [B, C0]
    if (layer_present(&unet->cond_proj)) add_guidance_inplace(ctx, t, unet, guidance);
    t = linear(ctx, t, &unet->linear_1);  // [B, 4 C0]
    t = silu_inplace(ctx, t);
    scope_result(&ctx->arena, &scope);
    t = linear(ctx, t, &unet->linear_2);  // [B, 4 C0]
    scope_close(&ctx->arena, &scope);
    return silu_inplace(ctx, t);
}

// ---- the blocks -----------------------------------------------------------------------------------------------------

// x [B, Cin, H, W] -> [B, C, H, W]
static Tensor resnet_and_attention(Context *ctx, Tensor x, Tensor time, const Text *text, const UNetBlock *block,
                                   size_t i) {
    if (!block->attentions) return resnet_block_forward(ctx, x, time, &block->resnets[i]);

    Scope scope = scope_open(&ctx->arena);
    Tensor h = resnet_block_forward(ctx, x, time, &block->resnets[i]);
    scope_result(&ctx->arena, &scope);
    h = transformer_2d_forward(ctx, h, text, &block->attentions[i]);
    scope_close(&ctx->arena, &scope);
    return h;
}

// x [B, Cin, H, W] -> [B, C, H/2, W/2] (the same size in the last block). Every layer's output stays, as a skip.
static Tensor down_block(Context *ctx, Tensor x, Tensor time, const Text *text, const UNetBlock *block, size_t padding,
                         Skips *skips) {
    Tensor h = x;
    for (size_t i = 0; i < block->layers; i++) {
        h = skips_push(skips, resnet_and_attention(ctx, h, time, text, block, i));  // [B, C, H, W]
    }
    if (layer_present(&block->sampler)) {
        h = skips_push(skips, downsample(ctx, h, &block->sampler, padding));  // [B, C, H/2, W/2]
    }
    observe(ctx, h, "%s", block->place.text);
    return h;
}

// x [B, C, H, W] -> the same shape
static Tensor mid_block(Context *ctx, Tensor x, Tensor time, const Text *text, const UNet *unet) {
    bool attends = unet->config.mid_block_type == MID_BLOCK_CROSS_ATTENTION;
    Relay relay = relay_open(&ctx->arena, attends ? 3 : 1);
    relay_pass(&relay);
    Tensor h = resnet_block_forward(ctx, x, time, &unet->mid_resnets[0]);
    if (attends) {
        relay_pass(&relay);
        h = transformer_2d_forward(ctx, h, text, &unet->mid_attention);
        relay_pass(&relay);
        h = resnet_block_forward(ctx, h, time, &unet->mid_resnets[1]);
    }
    relay_close(&relay);
    observe(ctx, h, "unet.mid_block");
    return h;
}

// x [B, Cprev, H, W], skip [B, Cskip, H, W] -> [B, C, H, W]
static Tensor up_layer(Context *ctx, Tensor x, Tensor skip, Tensor time, const Text *text, const UNetBlock *block,
                       size_t i) {
    Scope scope = scope_open(&ctx->arena);
    Tensor h = concat_channels(ctx, x, skip);  // [B, Cprev + Cskip, H, W]
    scope_result(&ctx->arena, &scope);
    h = resnet_and_attention(ctx, h, time, text, block, i);
    scope_close(&ctx->arena, &scope);
    return h;
}

// x [B, Cprev, H, W] -> [B, C, 2H, 2W] (the same size in the last block), through the block's first so many layers. A
// side that couldn't be halved evenly on the way down isn't simply doubled: the next skip knows how long it was.
static Tensor up_block(Context *ctx, Tensor x, Tensor time, const Text *text, const UNetBlock *block, size_t layers,
                       Skips *skips) {
    bool has_upsampler = layer_present(&block->sampler);
    Relay relay = relay_open(&ctx->arena, layers + has_upsampler);
    Tensor h = x;
    for (size_t i = 0; i < layers; i++) {
        relay_pass(&relay);
        h = up_layer(ctx, h, skips_pop(skips), time, text, block, i);  // [B, C, H, W]
    }
    if (has_upsampler) {
        Shape next = skips_top(skips).shape;
        relay_pass(&relay);
        h = upsample(ctx, h, next.axis[2], next.axis[3], &block->sampler);  // [B, C, 2H, 2W]
    }
    relay_close(&relay);
    if (layers == block->layers) observe(ctx, h, "%s", block->place.text);
    return h;
}

// ---- the U ----------------------------------------------------------------------------------------------------------

// All of it but the first convolution and the last layer of the way up: x [B, C0, H, W] -> [B, C0, H, W]. What things
// are is decided here, and hardly changes from a step to the next; the rest knows how they look just now.
static Tensor deep_features(Context *ctx, Tensor x, Tensor time, const Text *text, const UNet *unet) {
    const UNetConfig *config = &unet->config;
    bool has_mid_block = config->mid_block_type != MID_BLOCK_NONE;
    Skips skips = {0};
    Scope scope = scope_open(&ctx->arena);
    Tensor h = skips_push(&skips, x);
    for (size_t i = 0; i < config->levels; i++) {
        h = down_block(ctx, h, time, text, &unet->down_blocks[i], config->downsample_padding, &skips);
    }

    scope_result(&ctx->arena, &scope);
    Relay relay = relay_open(&ctx->arena, has_mid_block + config->levels);
    if (has_mid_block) {
        relay_pass(&relay);
        h = mid_block(ctx, h, time, text, unet);  // [B, C3, H/8, W/8]
    }
    for (size_t i = 0; i < config->levels; i++) {
        const UNetBlock *block = &unet->up_blocks[i];
        relay_pass(&relay);
        h = up_block(ctx, h, time, text, block, block->layers - (i + 1 == config->levels), &skips);
    }
    relay_close(&relay);
    CHECK(skips.count == 1, "%zu skips are left for the last layer", skips.count);
    scope_close(&ctx->arena, &scope);
    return h;
}

Shape unet_deep_shape(const UNet *unet, size_t B, size_t H, size_t W) {
    return shape4(B, unet->config.block_out_channels[0], H, W);
}

Tensor unet_forward_with(Context *ctx, const UNet *unet, Tensor latents, Tensor timesteps, Tensor guidance,
                         Tensor text_embeddings, UNetShared shared) {
    const UNetConfig *config = &unet->config;
    const UNetBlock *last = &unet->up_blocks[config->levels - 1];
    Text text = {text_embeddings, shared.keys_values};
    Scope scope = scope_open(&ctx->arena);
    Tensor time = time_embedding(ctx, unet, timesteps, guidance);  // [B, 4 C0]

    Tensor h = latents;                                               // [B, in_channels, H, W]
    if (config->center_input_sample) h = scale_shift(ctx, h, 2, -1);  // 2 latents - 1
    Tensor first = conv2d(ctx, h, &unet->conv_in, 1, 1);              // [B, C0, H, W]
    Tensor deep = shared.deep;                                        // [B, C0, H, W]
    if (!shared.deep_known) {
        deep = deep_features(ctx, first, time, &text, unet);
        if (shared.deep.shape.rank > 0) keep_tensor(ctx, shared.deep, deep);
    }
    h = up_layer(ctx, deep, first, time, &text, last, last->layers - 1);  // [B, C0, H, W]
    observe(ctx, h, "%s", last->place.text);

    scope_result(&ctx->arena, &scope);
    h = norm_silu_conv(ctx, h, &unet->conv_norm_out, config->norm_num_groups, config->norm_eps, &unet->conv_out);
    scope_close(&ctx->arena, &scope);
    observe(ctx, h, "unet");
    return h;  // [B, out_channels, H, W]
}

Tensor unet_forward(Context *ctx, const UNet *unet, Tensor latents, Tensor timesteps, Tensor guidance,
                    Tensor text_embeddings) {
    return unet_forward_with(ctx, unet, latents, timesteps, guidance, text_embeddings, (UNetShared){0});
}

const UNetConfig *unet_config(const UNet *unet) { return &unet->config; }

size_t unet_parameters(const UNet *unet) { return unet->weights.parameters; }
size_t unet_weight_bytes(const UNet *unet) { return unet->weights.bytes; }
const size_t *unet_stored(const UNet *unet) { return unet->weights.stored; }
