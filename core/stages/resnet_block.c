// resnet_block.c - see resnet_block.h
//
// Read next: transformer.c, the other block of the U-Net.

#include "stages/resnet_block.h"

ResnetBlock load_resnet_block(Weights *weights, const char *stage, const char *at, size_t Cin, size_t Cout, size_t time,
                              size_t groups, float eps) {
    ResnetBlock block = {.place = name_of("%s.%s", stage, at), .groups = groups, .eps = eps};
    block.norm1 = load_norm(weights, at, "norm1", Cin);
    block.conv1 = load_conv2d(weights, at, "conv1", Cout, Cin, 3);
    if (time > 0) block.time_emb_proj = load_linear(weights, at, "time_emb_proj", Cout, time);
    block.norm2 = load_norm(weights, at, "norm2", Cout);
    block.conv2 = load_conv2d(weights, at, "conv2", Cout, Cout, 3);
    if (Cin != Cout) block.conv_shortcut = load_conv2d(weights, at, "conv_shortcut", Cout, Cin, 1);
    return block;
}

Tensor norm_silu_conv(Context *ctx, Tensor x, const Layer *norm, size_t groups, float eps, const Layer *conv) {
    Scope scope = scope_open(&ctx->arena);
    Tensor h = group_norm_silu(ctx, x, norm, groups, eps);  // [B, Cin, H, W]
    scope_result(&ctx->arena, &scope);
    h = conv2d(ctx, h, conv, 1, 1);  // [B, Cout, H, W]
    scope_close(&ctx->arena, &scope);
    return h;
}

// The shortcut: what the block was given goes past it. Where the channels change, a 1x1 convolution makes them fit.
static void add_shortcut_inplace(Context *ctx, Tensor h, Tensor x, const ResnetBlock *block) {
    Scope scope = scope_open(&ctx->arena);
    if (layer_present(&block->conv_shortcut)) x = conv2d(ctx, x, &block->conv_shortcut, 1, 0);  // [B, Cout, H, W]
    add_inplace(ctx, h, x);
    scope_close(&ctx->arena, &scope);
}

Tensor resnet_block_forward(Context *ctx, Tensor x, Tensor time_embedding, const ResnetBlock *block) {
    Scope scope = scope_open(&ctx->arena);
    Tensor h = norm_silu_conv(ctx, x, &block->norm1, block->groups, block->eps, &block->conv1);  // [B, Cout, H, W]
    if (layer_present(&block->time_emb_proj)) {
        Tensor time = linear(ctx, time_embedding, &block->time_emb_proj);  // [B, Cout]: how noisy the picture is
        h = add_per_channel_inplace(ctx, h, time);
    }
    scope_result(&ctx->arena, &scope);
    h = norm_silu_conv(ctx, h, &block->norm2, block->groups, block->eps, &block->conv2);  // [B, Cout, H, W]
    add_shortcut_inplace(ctx, h, x, block);
    scope_close(&ctx->arena, &scope);
    observe(ctx, h, "%s", block->place.text);
    return h;
}

Tensor downsample(Context *ctx, Tensor x, const Layer *conv, size_t padding) {
    Scope scope = scope_open(&ctx->arena);
    if (padding == 0) x = pad_right_bottom(ctx, x);  // [B, C, H + 1, W + 1]
    scope_result(&ctx->arena, &scope);
    Tensor h = conv2d(ctx, x, conv, 2, padding);
    scope_close(&ctx->arena, &scope);
    return h;
}

Tensor upsample(Context *ctx, Tensor x, size_t H, size_t W, const Layer *conv) {
    Scope scope = scope_open(&ctx->arena);
    Tensor h = upsample_nearest(ctx, x, H, W);  // [B, C, H, W]
    scope_result(&ctx->arena, &scope);
    h = conv2d(ctx, h, conv, 1, 1);
    scope_close(&ctx->arena, &scope);
    return h;
}
