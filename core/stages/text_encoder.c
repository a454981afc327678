// text_encoder.c - CLIP's text transformer: every token learns what stands before it
//
// Where: once per prompt, between the tokenizer and the U-Net's cross-attention. Elsewhere: transformers.CLIPTextModel.
// Paper: Radford et al. 2021 (arXiv 2103.00020), section 2.4. Stable Diffusion doesn't use CLIP's one vector for a
// whole prompt but the last layer's vector of each token, so that each patch of the picture can look at single words.
// Read next: transformer.c, where these vectors are looked at.

#include "stages/text_encoder.h"

#include "base/check.h"
#include "stages/config_checks.h"
#include "stages/layers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct TextLayer {
    Name place, attention_place;
    Layer layer_norm1;                       // [D]
    Layer q_proj, k_proj, v_proj, out_proj;  // self_attn, [D, D]
    Layer layer_norm2;                       // [D]
    Layer fc1, fc2;                          // mlp: [intermediate, D], [D, intermediate]
} TextLayer;

struct TextEncoder {
    TextEncoderConfig config;
    Weights weights;
    Tensor token_embedding;     // [vocab_size, D]
    Tensor position_embedding;  // [max_position_embeddings, D]
    TextLayer *layers;
    Layer final_layer_norm;  // [D]
};

// ---- forward --------------------------------------------------------------------------------------------------------

// x += attention(norm(x)). causal: a token sees itself and those before it, as when CLIP was trained.
static void add_self_attention_inplace(Context *ctx, Tensor x, const TextLayer *layer,
                                       const TextEncoderConfig *config) {
    Scope scope = scope_open(&ctx->arena);
    Tensor h = layer_norm(ctx, x, &layer->layer_norm1, config->layer_norm_eps);  // [B, L, D]
    Tensor q = linear(ctx, h, &layer->q_proj);                                   // [B, L, D]
    Tensor k = linear(ctx, h, &layer->k_proj);                                   // [B, L, D]
    Tensor v = linear(ctx, h, &layer->v_proj);                                   // [B, L, D]
    h = attention(ctx, q, k, v, config->num_attention_heads, true, layer->attention_place.text);
    linear_add_inplace(ctx, x, h, &layer->out_proj);
    scope_close(&ctx->arena, &scope);
}

// x += mlp(norm(x))
static void add_mlp_inplace(Context *ctx, Tensor x, const TextLayer *layer, const TextEncoderConfig *config) {
    Scope scope = scope_open(&ctx->arena);
    Tensor h = layer_norm(ctx, x, &layer->layer_norm2, config->layer_norm_eps);  // [B, L, D]
    h = linear(ctx, h, &layer->fc1);                                             // [B, L, intermediate]
    h = config->hidden_act == TEXT_QUICK_GELU ? quick_gelu_inplace(ctx, h) : gelu_inplace(ctx, h);
    linear_add_inplace(ctx, x, h, &layer->fc2);
    scope_close(&ctx->arena, &scope);
}

// With clip_skip the vectors come from an earlier layer, but go through the final norm all the same, since that is what
// the U-Net is used to. (diffusers takes hidden_states[-(clip_skip + 1)]; in SD 2.x, whose U-Net was trained on the last
// layer but one, the config already has a layer less.)
Tensor text_encoder_forward(Context *ctx, const TextEncoder *encoder, Tensor input_ids, size_t clip_skip) {
    const TextEncoderConfig *config = &encoder->config;
    CHECK(input_ids.shape.rank == 2 && input_ids.shape.axis[1] <= config->max_position_embeddings,
          "ids %s, %zu positions", shape_text(input_ids.shape).text, config->max_position_embeddings);
    CHECK(clip_skip <= config->num_hidden_layers, "clip_skip %zu of %zu layers", clip_skip, config->num_hidden_layers);

    Scope scope = scope_open(&ctx->arena);
    Tensor h = embedding(ctx, input_ids, encoder->token_embedding, encoder->position_embedding);  // [B, L, D]
    observe(ctx, h, "text_encoder.embeddings");
    for (size_t i = 0; i < config->num_hidden_layers - clip_skip; i++) {
        add_self_attention_inplace(ctx, h, &encoder->layers[i], config);
        add_mlp_inplace(ctx, h, &encoder->layers[i], config);
        observe(ctx, h, "%s", encoder->layers[i].place.text);
    }
    scope_result(&ctx->arena, &scope);
    h = layer_norm(ctx, h, &encoder->final_layer_norm, config->layer_norm_eps);  // [B, L, D]
    scope_close(&ctx->arena, &scope);
    observe(ctx, h, "text_encoder");
    return h;
}

// ---- loading --------------------------------------------------------------------------------------------------------

static void read_hidden_act(Config *config, TextEncoderConfig *out) {
    char hidden_act[64] = "quick_gelu";
    config_string(config, "hidden_act", hidden_act, sizeof hidden_act);
    out->hidden_act = strcmp(hidden_act, "gelu") == 0 ? TEXT_GELU : TEXT_QUICK_GELU;
    if (out->hidden_act == TEXT_GELU || strcmp(hidden_act, "quick_gelu") == 0) return;
    config->failed = true;
    error_set(config->error, "%s: hidden_act is %s: only quick_gelu and gelu are supported; use a CLIP text encoder",
              config->path, hidden_act);
}

static bool read_config(Config *config, TextEncoderConfig *out) {
    *out = (TextEncoderConfig){.vocab_size = 49408,  // the defaults of transformers.CLIPTextConfig
                               .hidden_size = 512,
                               .intermediate_size = 2048,
                               .num_hidden_layers = 12,
                               .num_attention_heads = 8,
                               .max_position_embeddings = 77,
                               .layer_norm_eps = 1e-5f};
    config_size(config, "vocab_size", &out->vocab_size);
    config_size(config, "hidden_size", &out->hidden_size);
    config_size(config, "intermediate_size", &out->intermediate_size);
    config_size(config, "num_hidden_layers", &out->num_hidden_layers);
    config_size(config, "num_attention_heads", &out->num_attention_heads);
    config_size(config, "max_position_embeddings", &out->max_position_embeddings);
    config_float(config, "layer_norm_eps", &out->layer_norm_eps);
    read_hidden_act(config, out);
    config_require_bool(config, "use_attention_mask", false);  // true: padding is hidden from the other tokens

    config_check_range(config, "vocab_size", out->vocab_size, 1, 1 << 24);
    config_check_range(config, "hidden_size", out->hidden_size, 1, 1 << 16);
    config_check_range(config, "intermediate_size", out->intermediate_size, 1, 1 << 20);
    config_check_range(config, "num_hidden_layers", out->num_hidden_layers, 1, 256);
    config_check_range(config, "max_position_embeddings", out->max_position_embeddings, 1, 1 << 16);
    config_check_positive(config, "layer_norm_eps", out->layer_norm_eps);
    config_check_multiple(config, "hidden_size", out->hidden_size, "num_attention_heads", out->num_attention_heads);
    return config_close(config);
}

static TextLayer load_text_layer(Weights *weights, const char *at, size_t index, const TextEncoderConfig *config) {
    size_t D = config->hidden_size;
    return (TextLayer){
        .place = name_of("text_encoder.layers.%zu", index),
        .attention_place = name_of("text_encoder.layers.%zu.self_attn", index),
        .layer_norm1 = load_norm(weights, at, "layer_norm1", D),
        .q_proj = load_linear(weights, at, "self_attn.q_proj", D, D),
        .k_proj = load_linear(weights, at, "self_attn.k_proj", D, D),
        .v_proj = load_linear(weights, at, "self_attn.v_proj", D, D),
        .out_proj = load_linear(weights, at, "self_attn.out_proj", D, D),
        .layer_norm2 = load_norm(weights, at, "layer_norm2", D),
        .fc1 = load_linear(weights, at, "mlp.fc1", config->intermediate_size, D),
        .fc2 = load_linear(weights, at, "mlp.fc2", D, config->intermediate_size),
    };
}

// transformers 4 saved every name with "text_model." before it, transformers 5 saves none.
static void load_weights(TextEncoder *encoder) {
    const TextEncoderConfig *config = &encoder->config;
    Weights *weights = &encoder->weights;
    const char *prefix = weights_has(weights, "text_model.", "final_layer_norm.weight") ? "text_model." : "";
    size_t D = config->hidden_size;

    Name embeddings = name_of("%sembeddings.", prefix);
    encoder->token_embedding =
        weights_tensor(weights, shape2(config->vocab_size, D), embeddings.text, "token_embedding.weight");
    encoder->position_embedding = weights_tensor(weights, shape2(config->max_position_embeddings, D), embeddings.text,
                                                 "position_embedding.weight");
    encoder->layers = zeroed(config->num_hidden_layers, sizeof(TextLayer));
    for (size_t i = 0; i < config->num_hidden_layers; i++) {
        Name at = name_of("%sencoder.layers.%zu", prefix, i);
        encoder->layers[i] = load_text_layer(weights, at.text, i, config);
    }
    encoder->final_layer_norm = load_norm(weights, "", name_of("%sfinal_layer_norm", prefix).text, D);
}

TextEncoder *text_encoder_open_from(const StageFiles *files, Error *error) {
    TextEncoder *encoder = zeroed(1, sizeof *encoder);
    Config config;
    bool ok = stage_config_open(files, "text_encoder", &config, error) && read_config(&config, &encoder->config) &&
              stage_weights_open(files, "text_encoder", &encoder->weights, error);
    if (ok) {
        load_weights(encoder);
        ok = weights_ok(&encoder->weights);
    }
    if (ok) return encoder;
    text_encoder_close(encoder);
    return NULL;
}

TextEncoder *text_encoder_open(const char *folder, Error *error) {
    return text_encoder_open_from(&(StageFiles){.folder = folder, .matrix_type = F32}, error);
}

void text_encoder_close(TextEncoder *encoder) {
    if (!encoder) return;
    weights_close(&encoder->weights);
    free(encoder->layers);
    free(encoder);
}

const TextEncoderConfig *text_encoder_config(const TextEncoder *encoder) { return &encoder->config; }

size_t text_encoder_parameters(const TextEncoder *encoder) { return encoder->weights.parameters; }
size_t text_encoder_weight_bytes(const TextEncoder *encoder) { return encoder->weights.bytes; }
const size_t *text_encoder_stored(const TextEncoder *encoder) { return encoder->weights.stored; }
