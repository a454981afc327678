// transformer.h - where the picture looks at itself and at the words
//
// Where: after most ResNet blocks of the U-Net; its attention layer also stands alone in the middle of the VAE.
// Elsewhere: diffusers.Transformer2DModel, BasicTransformerBlock, Attention.
// Papers: Vaswani et al. 2017 (arXiv 1706.03762); Rombach et al. 2022 (arXiv 2112.10752), section 3.3 and appendix
// E.2.1.

#pragma once

#include "stages/layers.h"
#include "stages/text_memory.h"

typedef struct AttentionLayer {
    Name place;              // for observers: "unet.mid_block.attentions.0.transformer_blocks.0.attn2"
    size_t heads;            // C is a multiple
    Layer to_q, to_k, to_v;  // [C, C], [C, Ccontext], [C, Ccontext]
    Layer to_out;            // [C, C]
    size_t reader;           // of those that read the prompt: which one it is, counted through the whole U-Net
} AttentionLayer;

// The prompt as the layers read it
typedef struct Text {
    Tensor embeddings;  // [B, L, cross_attention_dim]
    const KeysValues
        *known;  // theirs, by AttentionLayer.reader; the last B rows count. NULL: each layer works them out
} Text;

typedef struct TransformerBlock {
    Layer norm1;
    AttentionLayer attn1;  // pixels look at pixels
    Layer norm2;
    AttentionLayer attn2;  // pixels look at words
    Layer norm3;
    Layer ff_proj, ff_out;  // ff.net.0.proj [8C, C], ff.net.2 [C, 4C]: what was seen is thought over, pixel by pixel
    bool only_cross_attention;  // attn1 looks at words too
} TransformerBlock;

typedef struct Transformer2D {
    Name place;
    size_t groups;
    Layer norm;               // [C]
    Layer proj_in, proj_out;  // [C, C], or [C, C, 1, 1] in Stable Diffusion 1.x
    TransformerBlock *transformer_blocks;
    size_t transformer_block_count;
} Transformer2D;

// What the config says about one level's transformers.
typedef struct TransformerShape {
    size_t C, heads, groups, transformer_layers, cross_attention_dim;
    bool use_linear_projection, only_cross_attention;
} TransformerShape;

Transformer2D load_transformer_2d(Weights *weights, const char *stage, const char *at, TransformerShape shape);
void transformer_2d_free(Transformer2D *transformer);

// x [B, C, H, W] -> [B, C, H, W]
Tensor transformer_2d_forward(Context *ctx, Tensor x, const Text *text, const Transformer2D *transformer);

// x [B, T, C] asks, context [B, Tc, Ccontext] answers -> [B, T, C]
Tensor attention_layer_forward(Context *ctx, Tensor x, Tensor context, const AttentionLayer *layer);

// The half of it that only depends on the context [B, Tc, Ccontext]
KeysValues keys_values(Context *ctx, Tensor context, const AttentionLayer *layer);
