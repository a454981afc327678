// vae_tiny.c - TAESD: an autoencoder of nothing but 3x3 convolutions and ReLUs
//
// Where: called by vae.c. Elsewhere: diffusers.models.autoencoders.vae.EncoderTiny, DecoderTiny, and
// AutoencoderTinyBlock.
// Read next: vae.c, which does the same with norms, attention and up to 512 channels, and sees what that buys.

#include "stages/vae_tiny.h"

#include "stages/relay.h"
#include "stages/resnet_block.h"

// x [B, C, H, W] -> the same shape
static Tensor tiny_block(Context *ctx, Tensor x, const VaeTinyBlock *block) {
    Relay relay = relay_open(&ctx->arena, 3);
    relay_pass(&relay);
    Tensor h = relu_inplace(ctx, conv2d(ctx, x, &block->conv1, 1, 1));
    relay_pass(&relay);
    h = relu_inplace(ctx, conv2d(ctx, h, &block->conv2, 1, 1));
    relay_pass(&relay);
    h = conv2d(ctx, h, &block->conv3, 1, 1);
    relay_close(&relay);
    h = relu_inplace(ctx, add_inplace(ctx, h, x));
    observe(ctx, h, "%s", block->place.text);
    return h;
}

// x [B, Cin, H, W] -> [B, C, H/stride, W/stride]
static Tensor encoder_level(Context *ctx, Tensor x, const VaeTinyLevel *level, size_t stride) {
    Relay relay = relay_open(&ctx->arena, 1 + level->count);
    relay_pass(&relay);
    Tensor h = conv2d(ctx, x, &level->conv, stride, 1);
    for (size_t i = 0; i < level->count; i++) {
        relay_pass(&relay);
        h = tiny_block(ctx, h, &level->blocks[i]);
    }
    relay_close(&relay);
    return h;
}

// x [B, C, H, W] -> [B, C, 2H, 2W]; the last level makes the picture, [B, 3, H, W]
static Tensor decoder_level(Context *ctx, Tensor x, const VaeTinyLevel *level, bool is_last) {
    size_t H = x.shape.axis[2], W = x.shape.axis[3];
    Relay relay = relay_open(&ctx->arena, level->count + 1);
    Tensor h = x;
    for (size_t i = 0; i < level->count; i++) {
        relay_pass(&relay);
        h = tiny_block(ctx, h, &level->blocks[i]);
    }
    relay_pass(&relay);
    h = is_last ? conv2d(ctx, h, &level->conv, 1, 1) : upsample(ctx, h, 2 * H, 2 * W, &level->conv);
    relay_close(&relay);
    return h;
}

Tensor vae_tiny_encode(Context *ctx, const VaeTiny *tiny, Tensor pixels) {
    Relay relay = relay_open(&ctx->arena, 2 + tiny->levels);
    relay_pass(&relay);
    Tensor h = scale_shift(ctx, pixels, 0.5f, 0.5f);  // [B, 3, H, W] in 0..1
    for (size_t i = 0; i < tiny->levels; i++) {
        relay_pass(&relay);
        h = encoder_level(ctx, h, &tiny->encoder[i], i == 0 ? 1 : 2);
    }
    relay_pass(&relay);
    h = conv2d(ctx, h, &tiny->encoder_conv_out, 1, 1);  // [B, latent_channels, H/f, W/f]
    relay_close(&relay);
    observe(ctx, h, "vae.encoder");
    return h;
}

// No latent of a picture is far beyond 3; those that are, of a run that went astray, would burn their surroundings.
// 3 tanh(x / 3) leaves small ones as they are.
static Tensor bounded(Context *ctx, Tensor latents) {
    Tensor h = scale_shift(ctx, latents, 1.0f / 3, 0);
    h = tanh_inplace(ctx, h);
    return scale_shift_inplace(ctx, h, 3, 0);
}

Tensor vae_tiny_decode(Context *ctx, const VaeTiny *tiny, Tensor latents) {
    Relay relay = relay_open(&ctx->arena, 2 + tiny->levels);
    relay_pass(&relay);
    Tensor h = bounded(ctx, latents);  // [B, latent_channels, h, w]
    relay_pass(&relay);
    h = relu_inplace(ctx, conv2d(ctx, h, &tiny->decoder_conv_in, 1, 1));  // [B, C, h, w]
    for (size_t i = 0; i < tiny->levels; i++) {
        relay_pass(&relay);
        h = decoder_level(ctx, h, &tiny->decoder[i], i + 1 == tiny->levels);
    }
    relay_close(&relay);
    h = scale_shift_inplace(ctx, h, 2, -1);  // [B, 3, f h, f w], from 0..1 to -1..1
    observe(ctx, h, "vae.decoder");
    return h;
}
