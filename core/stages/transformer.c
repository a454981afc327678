// transformer.c - see transformer.h
//
// A picture of H x W pixels with C channels is taken as a sentence of H W tokens of C numbers. Each block then adds
// three things to every token: what it learns from the other tokens, what it learns from the prompt, and what it makes
// of both.
// Read next: unet.c.

#include "stages/transformer.h"

#include <stdlib.h>

static const float GROUP_NORM_EPS = 1e-6f;  // not the ResNet blocks' 1e-5
static const float LAYER_NORM_EPS = 1e-5f;

// ---- loading --------------------------------------------------------------------------------------------------------

static AttentionLayer load_attention(Weights *weights, const char *stage, const char *at, size_t C, size_t Ccontext,
                                     size_t heads) {
    return (AttentionLayer){
        .place = name_of("%s.%s", stage, at),
        .heads = heads,
        .to_q = load_linear_without_bias(weights, at, "to_q", C, C),
        .to_k = load_linear_without_bias(weights, at, "to_k", C, Ccontext),
        .to_v = load_linear_without_bias(weights, at, "to_v", C, Ccontext),
        .to_out = load_linear(weights, at, "to_out.0", C, C),
    };
}

static TransformerBlock load_transformer_block(Weights *weights, const char *stage, const char *at,
                                               TransformerShape shape) {
    size_t C = shape.C, Ctext = shape.cross_attention_dim;
    bool only_cross = shape.only_cross_attention;
    Name attn1 = name_of("%s.attn1", at), attn2 = name_of("%s.attn2", at);
    return (TransformerBlock){
        .only_cross_attention = only_cross,
        .norm1 = load_norm(weights, at, "norm1", C),
        .attn1 = load_attention(weights, stage, attn1.text, C, only_cross ? Ctext : C, shape.heads),
        .norm2 = load_norm(weights, at, "norm2", C),
        .attn2 = load_attention(weights, stage, attn2.text, C, Ctext, shape.heads),
        .norm3 = load_norm(weights, at, "norm3", C),
        .ff_proj = load_linear(weights, at, "ff.net.0.proj", 8 * C, C),
        .ff_out = load_linear(weights, at, "ff.net.2", C, 4 * C),
    };
}

static Layer load_projection(Weights *weights, const char *at, const char *name, TransformerShape shape) {
    if (shape.use_linear_projection) return load_linear(weights, at, name, shape.C, shape.C);
    return load_conv2d(weights, at, name, shape.C, shape.C, 1);
}

Transformer2D load_transformer_2d(Weights *weights, const char *stage, const char *at, TransformerShape shape) {
    Transformer2D transformer = {
        .place = name_of("%s.%s", stage, at),
        .groups = shape.groups,
        .norm = load_norm(weights, at, "norm", shape.C),
        .proj_in = load_projection(weights, at, "proj_in", shape),
        .proj_out = load_projection(weights, at, "proj_out", shape),
        .transformer_blocks = zeroed(shape.transformer_layers, sizeof(TransformerBlock)),
        .transformer_block_count = shape.transformer_layers,
    };
    for (size_t i = 0; i < shape.transformer_layers; i++) {
        Name name = name_of("%s.transformer_blocks.%zu", at, i);
        transformer.transformer_blocks[i] = load_transformer_block(weights, stage, name.text, shape);
    }
    return transformer;
}

void transformer_2d_free(Transformer2D *transformer) { free(transformer->transformer_blocks); }

// ---- forward --------------------------------------------------------------------------------------------------------

KeysValues keys_values(Context *ctx, Tensor context, const AttentionLayer *layer) {
    Tensor k = linear(ctx, context, &layer->to_k);  // [B, Tc, C]: what each token of the context has to offer
    Tensor v = linear(ctx, context, &layer->to_v);  // [B, Tc, C]: and what it then says
    return (KeysValues){k, v};
}

// The prompt stays the same from step to step, and so do its keys and values: a run has them worked out once.
static KeysValues text_keys_values(Context *ctx, const Text *text, const AttentionLayer *layer) {
    if (!text->known) return keys_values(ctx, text->embeddings, layer);
    const KeysValues *known = &text->known[layer->reader];
    size_t B = text->embeddings.shape.axis[0];
    return (KeysValues){tensor_last_rows(known->keys, B), tensor_last_rows(known->values, B)};
}

// x [B, T, C] asks -> [B, T, C]: what it is answered
static Tensor attend(Context *ctx, Tensor x, KeysValues context, const AttentionLayer *layer) {
    Tensor q = linear(ctx, x, &layer->to_q);  // [B, T, C]: what each token asks
    return attention(ctx, q, context.keys, context.values, layer->heads, false, layer->place.text);
}

Tensor attention_layer_forward(Context *ctx, Tensor x, Tensor context, const AttentionLayer *layer) {
    Scope scope = scope_open(&ctx->arena);
    Tensor h = attend(ctx, x, keys_values(ctx, context, layer), layer);  // [B, T, C]
    scope_result(&ctx->arena, &scope);
    h = linear(ctx, h, &layer->to_out);  // [B, T, C]
    scope_close(&ctx->arena, &scope);
    return h;
}

// x += attention(norm(x), text); without a text the tokens look at each other.
static void add_attention_inplace(Context *ctx, Tensor x, const Text *text, const Layer *norm,
                                  const AttentionLayer *layer) {
    Scope scope = scope_open(&ctx->arena);
    Tensor h = layer_norm(ctx, x, norm, LAYER_NORM_EPS);  // [B, T, C]
    h = attend(ctx, h, text ? text_keys_values(ctx, text, layer) : keys_values(ctx, h, layer), layer);
    linear_add_inplace(ctx, x, h, &layer->to_out);
    scope_close(&ctx->arena, &scope);
}

// x += W2 geglu(W1 norm(x))
static void add_feed_forward_inplace(Context *ctx, Tensor x, const TransformerBlock *block) {
    Scope scope = scope_open(&ctx->arena);
    Tensor h = layer_norm(ctx, x, &block->norm3, LAYER_NORM_EPS);  // [B, T, C]
    h = linear(ctx, h, &block->ff_proj);                           // [B, T, 8C]
    h = geglu(ctx, h);                                             // [B, T, 4C]
    linear_add_inplace(ctx, x, h, &block->ff_out);
    scope_close(&ctx->arena, &scope);
}

static void transformer_block_inplace(Context *ctx, Tensor x, const Text *text, const TransformerBlock *block) {
    add_attention_inplace(ctx, x, block->only_cross_attention ? text : NULL, &block->norm1, &block->attn1);
    add_attention_inplace(ctx, x, text, &block->norm2, &block->attn2);
    add_feed_forward_inplace(ctx, x, block);
}

// proj_in and proj_out are 1x1 convolutions in Stable Diffusion 1.x and linear layers in 2.x. Both multiply the C
// numbers of each pixel by the same matrix, so here both are linear layers on tokens.
Tensor transformer_2d_forward(Context *ctx, Tensor x, const Text *text, const Transformer2D *transformer) {
    size_t H = x.shape.axis[2], W = x.shape.axis[3];
    Scope scope = scope_open(&ctx->arena);
    Tensor h = group_norm(ctx, x, &transformer->norm, transformer->groups, GROUP_NORM_EPS);  // [B, C, H, W]
    h = image_to_tokens(ctx, h);                                                             // [B, H W, C]
    h = linear(ctx, h, &transformer->proj_in);                                               // [B, H W, C]
    for (size_t i = 0; i < transformer->transformer_block_count; i++) {
        transformer_block_inplace(ctx, h, text, &transformer->transformer_blocks[i]);
    }
    h = linear(ctx, h, &transformer->proj_out);  // [B, H W, C]
    scope_result(&ctx->arena, &scope);
    h = tokens_to_image(ctx, h, H, W);  // [B, C, H, W]
    h = add_inplace(ctx, h, x);
    scope_close(&ctx->arena, &scope);
    observe(ctx, h, "%s", transformer->place.text);
    return h;
}
