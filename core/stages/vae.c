// vae.c - the variational autoencoder: the picture's own small language
//
// Where: the decoder turns the last latents into the picture, the encoder turns an image-to-image run's first picture
// into latents. Elsewhere: diffusers.AutoencoderKL. Papers: see vae.h; Rombach et al. 2022 (arXiv 2112.10752), section
// 3.1, for why: 64 x 64 x 4 numbers are 48 times fewer than 512 x 512 x 3, and it is those that the U-Net has to clean.
// Read next: relay.h (how it keeps one picture at a time), resnet_block.c (its brick), vae_tiny.c (a small stand-in).

#include "base/check.h"
#include "stages/relay.h"
#include "stages/vae_weights.h"

static const float EPS = 1e-6f;  // of every norm in here

// The latents' pixels look at each other, each at all: x [B, C, h, w] -> the same shape
static Tensor self_attention(Context *ctx, Tensor x, const VaeMidBlock *block, size_t groups) {
    size_t H = x.shape.axis[2], W = x.shape.axis[3];
    Scope scope = scope_open(&ctx->arena);
    Tensor h = group_norm(ctx, x, &block->group_norm, groups, EPS);  // [B, C, h, w]
    h = image_to_tokens(ctx, h);                                     // [B, h w, C]
    h = attention_layer_forward(ctx, h, h, &block->attention);       // [B, h w, C]
    scope_result(&ctx->arena, &scope);
    h = tokens_to_image(ctx, h, H, W);  // [B, C, h, w]
    h = add_inplace(ctx, h, x);
    scope_close(&ctx->arena, &scope);
    return h;
}

// x [B, C, h, w] -> the same shape
static Tensor mid_block(Context *ctx, Tensor x, const VaeMidBlock *block, size_t groups, Relay *relay) {
    relay_pass(relay);
    Tensor h = resnet_block_forward(ctx, x, tensor_absent(), &block->resnets[0]);
    if (layer_present(&block->group_norm)) {
        relay_pass(relay);
        h = self_attention(ctx, h, block, groups);
    }
    relay_pass(relay);
    h = resnet_block_forward(ctx, h, tensor_absent(), &block->resnets[1]);
    observe(ctx, h, "%s", block->place.text);
    return h;
}

// x [B, Cin, H, W] -> [B, C, H/2, W/2] (the same size in the last block)
static Tensor down_block(Context *ctx, Tensor x, const VaeBlock *block, Relay *relay) {
    Tensor h = x;
    for (size_t i = 0; i < block->layers; i++) {
        relay_pass(relay);
        h = resnet_block_forward(ctx, h, tensor_absent(), &block->resnets[i]);  // [B, C, H, W]
    }
    if (layer_present(&block->sampler)) {
        relay_pass(relay);
        h = downsample(ctx, h, &block->sampler, 0);  // [B, C, H/2, W/2]
    }
    observe(ctx, h, "%s", block->place.text);
    return h;
}

// x [B, Cin, H, W] -> [B, C, 2H, 2W] (the same size in the last block)
static Tensor up_block(Context *ctx, Tensor x, const VaeBlock *block, Relay *relay) {
    size_t H = x.shape.axis[2], W = x.shape.axis[3];
    Tensor h = x;
    for (size_t i = 0; i < block->layers; i++) {
        relay_pass(relay);
        h = resnet_block_forward(ctx, h, tensor_absent(), &block->resnets[i]);  // [B, C, H, W]
    }
    if (layer_present(&block->sampler)) {
        relay_pass(relay);
        h = upsample(ctx, h, 2 * H, 2 * W, &block->sampler);  // [B, C, 2H, 2W]
    }
    observe(ctx, h, "%s", block->place.text);
    return h;
}

// Layers from conv_in to conv_out that hand over to each other, all in one relay. With a relay for each block, a block's
// input would stay until the whole block is done, and at 512 x 512 pixels the decoder's last one is given 268 MB.
static size_t layer_count(const VaeHalf *half, size_t levels) {
    _Static_assert(5 + VAE_MAX_LEVELS * (VAE_MAX_LAYERS + 2) + 1 <= RELAY_MAX, "the largest decoder needs more layers");
    size_t layers = 1 + 2 + layer_present(&half->mid_block.group_norm) + 1;
    for (size_t i = 0; i < levels; i++) layers += half->blocks[i].layers + layer_present(&half->blocks[i].sampler);
    return layers;
}

Tensor vae_encode(Context *ctx, const Vae *vae, Tensor pixels) {
    const VaeConfig *config = &vae->config;
    const VaeHalf *encoder = &vae->encoder;
    size_t H = pixels.shape.axis[2], W = pixels.shape.axis[3], factor = vae_factor(vae),
           groups = config->norm_num_groups;
    CHECK(H % factor == 0 && W % factor == 0, "pixels %s, factor %zu", shape_text(pixels.shape).text, factor);
    if (vae->tiny) return vae_tiny_encode(ctx, vae->tiny, pixels);

    Relay relay = relay_open(&ctx->arena, layer_count(encoder, config->levels) + config->use_quant_conv);
    relay_pass(&relay);
    Tensor h = conv2d(ctx, pixels, &encoder->conv_in, 1, 1);  // [B, C0, H, W]
    for (size_t i = 0; i < config->levels; i++) h = down_block(ctx, h, &encoder->blocks[i], &relay);
    h = mid_block(ctx, h, &encoder->mid_block, groups, &relay);  // [B, C3, h, w]
    relay_pass(&relay);
    h = norm_silu_conv(ctx, h, &encoder->conv_norm_out, groups, EPS,
                       &encoder->conv_out);  // [B, 2 latent_channels, h, w]
    if (config->use_quant_conv) {
        relay_pass(&relay);
        h = conv2d(ctx, h, &vae->quant_conv, 1, 0);
    }
    relay_close(&relay);
    observe(ctx, h, "vae.encoder");
    return h;
}

Tensor vae_decode(Context *ctx, const Vae *vae, Tensor latents) {
    const VaeConfig *config = &vae->config;
    const VaeHalf *decoder = &vae->decoder;
    size_t groups = config->norm_num_groups;
    if (vae->tiny) return vae_tiny_decode(ctx, vae->tiny, latents);

    Relay relay = relay_open(&ctx->arena, layer_count(decoder, config->levels) + config->use_post_quant_conv);
    Tensor h = latents;  // [B, latent_channels, h, w]
    if (config->use_post_quant_conv) {
        relay_pass(&relay);
        h = conv2d(ctx, h, &vae->post_quant_conv, 1, 0);
    }
    relay_pass(&relay);
    h = conv2d(ctx, h, &decoder->conv_in, 1, 1);  // [B, C3, h, w]
    h = mid_block(ctx, h, &decoder->mid_block, groups, &relay);
    for (size_t i = 0; i < config->levels; i++) h = up_block(ctx, h, &decoder->blocks[i], &relay);
    relay_pass(&relay);
    h = norm_silu_conv(ctx, h, &decoder->conv_norm_out, groups, EPS, &decoder->conv_out);  // [B, 3, f h, f w]
    relay_close(&relay);
    observe(ctx, h, "vae.decoder");
    return h;
}

const VaeConfig *vae_config(const Vae *vae) { return &vae->config; }

size_t vae_parameters(const Vae *vae) { return vae->weights.parameters; }
size_t vae_weight_bytes(const Vae *vae) { return vae->weights.bytes; }
const size_t *vae_stored(const Vae *vae) { return vae->weights.stored; }

size_t vae_factor(const Vae *vae) { return (size_t)1 << (vae->config.levels - 1); }
