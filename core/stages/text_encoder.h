// text_encoder.h - from token ids to vectors that the U-Net can look at
//
// Where: after the tokenizer, once per prompt. Elsewhere: transformers.CLIPTextModel (its last_hidden_state).
//
//     Error error = {0};
//     Context ctx;
//     TextEncoder *encoder = text_encoder_open("data/models/critters/text_encoder", &error);
//     if (!encoder || !context_open(&ctx, (size_t)1 << 28, 0, &error)) return puts(error.message);
//     Tensor input_ids = tensor_over_ids(ids, shape2(1, 77));
//     Tensor text_embeddings = text_encoder_forward(&ctx, encoder, input_ids, 0);  // lives in ctx until context_close
//     context_close(&ctx), text_encoder_close(encoder);

#pragma once

#include "base/error.h"
#include "ops/ops.h"
#include "stages/stage_files.h"

typedef enum TextActivation { TEXT_QUICK_GELU, TEXT_GELU } TextActivation;

typedef struct TextEncoderConfig {
    size_t vocab_size, hidden_size, intermediate_size;
    size_t num_hidden_layers, num_attention_heads, max_position_embeddings;
    float layer_norm_eps;
    TextActivation hidden_act;
} TextEncoderConfig;

typedef struct TextEncoder TextEncoder;

// folder holds config.json and model.safetensors (names with or without `text_model.`).
TextEncoder *text_encoder_open(const char *folder, Error *error);
TextEncoder *text_encoder_open_from(const StageFiles *files, Error *error);
void text_encoder_close(TextEncoder *encoder);
const TextEncoderConfig *text_encoder_config(const TextEncoder *encoder);
size_t text_encoder_parameters(const TextEncoder *encoder);
size_t text_encoder_weight_bytes(const TextEncoder *encoder);   // that they take in memory
const size_t *text_encoder_stored(const TextEncoder *encoder);  // how many are F32, F16, BF16 in the files

// input_ids [B, L] (I64), L at most max_position_embeddings -> [B, L, hidden_size]. clip_skip: how many of the last
// layers are left out, at most num_hidden_layers.
Tensor text_encoder_forward(Context *ctx, const TextEncoder *encoder, Tensor input_ids, size_t clip_skip);
