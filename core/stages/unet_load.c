// unet_load.c - the U-Net from its folder: every layer by its name, every shape from the config
//
// Read next: unet.c, which uses them; unet_config.c, which decides the shapes.

#include "base/check.h"
#include "stages/unet_weights.h"

#include <stdlib.h>

static TransformerShape transformer_shape(const UNetConfig *config, size_t level, bool only_cross_attention) {
    return (TransformerShape){
        .C = config->block_out_channels[level],
        .heads = config->attention_heads[level],
        .groups = config->norm_num_groups,
        .transformer_layers = config->transformer_layers_per_block[level],
        .cross_attention_dim = config->cross_attention_dim,
        .use_linear_projection = config->use_linear_projection,
        .only_cross_attention = only_cross_attention,
    };
}

static ResnetBlock load_resnet(UNet *unet, const char *at, size_t Cin, size_t Cout) {
    size_t time = 4 * unet->config.block_out_channels[0];
    return load_resnet_block(&unet->weights, "unet", at, Cin, Cout, time, unet->config.norm_num_groups,
                             unet->config.norm_eps);
}

// A block's frame: its arrays, and its transformers, which are the same all through a block.
static UNetBlock load_block(UNet *unet, const char *at, size_t level, size_t layers, bool has_attention) {
    const UNetConfig *config = &unet->config;
    UNetBlock block = {.place = name_of("unet.%s", at), .layers = layers};
    block.resnets = zeroed(layers, sizeof(ResnetBlock));
    if (!has_attention) return block;

    TransformerShape shape = transformer_shape(config, level, config->only_cross_attention[level]);
    block.attentions = zeroed(layers, sizeof(Transformer2D));
    for (size_t i = 0; i < layers; i++) {
        Name name = name_of("%s.attentions.%zu", at, i);
        block.attentions[i] = load_transformer_2d(&unet->weights, "unet", name.text, shape);
    }
    return block;
}

static UNetBlock load_down_block(UNet *unet, size_t level) {
    const UNetConfig *config = &unet->config;
    const size_t *channels = config->block_out_channels;
    size_t C = channels[level], Cprev = channels[level > 0 ? level - 1 : 0];
    Name at = name_of("down_blocks.%zu", level);
    UNetBlock block =
        load_block(unet, at.text, level, config->layers_per_block[level], config->down_has_attention[level]);
    for (size_t i = 0; i < block.layers; i++) {
        block.resnets[i] = load_resnet(unet, name_of("%s.resnets.%zu", at.text, i).text, i == 0 ? Cprev : C, C);
    }
    if (level + 1 < config->levels) {
        block.sampler = load_conv2d(&unet->weights, at.text, "downsamplers.0.conv", C, C, 3);
    }
    return block;
}

// Layer i of an up block takes the channels of what comes from below it and of its skip. A level's skips, the last made
// first, are its own layers' outputs, and at the end what the level was given: the finer level's channels.
static UNetBlock load_up_block(UNet *unet, size_t index) {
    const UNetConfig *config = &unet->config;
    const size_t *channels = config->block_out_channels;
    size_t level = config->levels - 1 - index;
    size_t C = channels[level], Cbelow = channels[index > 0 ? level + 1 : level],
           Cfiner = channels[level > 0 ? level - 1 : 0];
    Name at = name_of("up_blocks.%zu", index);
    UNetBlock block =
        load_block(unet, at.text, level, config->layers_per_block[level] + 1, config->up_has_attention[level]);
    for (size_t i = 0; i < block.layers; i++) {
        size_t Cskip = i + 1 == block.layers ? Cfiner : C;
        size_t Cin = (i == 0 ? Cbelow : C) + Cskip;
        block.resnets[i] = load_resnet(unet, name_of("%s.resnets.%zu", at.text, i).text, Cin, C);
    }
    if (level > 0) block.sampler = load_conv2d(&unet->weights, at.text, "upsamplers.0.conv", C, C, 3);
    return block;
}

static void load_mid_block(UNet *unet) {
    const UNetConfig *config = &unet->config;
    size_t level = config->levels - 1, C = config->block_out_channels[level];
    if (config->mid_block_type == MID_BLOCK_NONE) return;
    unet->mid_resnets[0] = load_resnet(unet, "mid_block.resnets.0", C, C);
    if (config->mid_block_type == MID_BLOCK_RESNET) return;
    unet->mid_resnets[1] = load_resnet(unet, "mid_block.resnets.1", C, C);
    unet->mid_attention =
        load_transformer_2d(&unet->weights, "unet", "mid_block.attentions.0", transformer_shape(config, level, false));
}

static void load_weights(UNet *unet) {
    const UNetConfig *config = &unet->config;
    Weights *weights = &unet->weights;
    size_t C0 = config->block_out_channels[0];
    unet->linear_1 = load_linear(weights, "time_embedding", "linear_1", 4 * C0, C0);
    unet->linear_2 = load_linear(weights, "time_embedding", "linear_2", 4 * C0, 4 * C0);
    if (config->time_cond_proj_dim > 0) {
        unet->cond_proj =
            load_linear_without_bias(weights, "time_embedding", "cond_proj", C0, config->time_cond_proj_dim);
    }
    unet->conv_in = load_conv2d(weights, "", "conv_in", C0, config->in_channels, 3);
    for (size_t i = 0; i < config->levels; i++) unet->down_blocks[i] = load_down_block(unet, i);
    load_mid_block(unet);
    for (size_t i = 0; i < config->levels; i++) unet->up_blocks[i] = load_up_block(unet, i);
    unet->conv_norm_out = load_norm(weights, "", "conv_norm_out", C0);
    unet->conv_out = load_conv2d(weights, "", "conv_out", config->out_channels, C0, 3);
}

// ---- who reads the prompt -------------------------------------------------------------------------------------------

static void add_reader(UNet *unet, AttentionLayer *layer) {
    layer->reader = unet->reader_count++;
    unet->readers = realloc(unet->readers, unet->reader_count * sizeof *unet->readers);
    CHECK(unet->readers, "out of memory");
    unet->readers[layer->reader] = layer;
}

static void add_readers(UNet *unet, Transformer2D *transformer) {
    for (size_t i = 0; i < transformer->transformer_block_count; i++) {
        TransformerBlock *block = &transformer->transformer_blocks[i];
        if (block->only_cross_attention) add_reader(unet, &block->attn1);
        add_reader(unet, &block->attn2);
    }
}

static void add_block_readers(UNet *unet, UNetBlock *block) {
    for (size_t i = 0; block->attentions && i < block->layers; i++) add_readers(unet, &block->attentions[i]);
}

static void number_readers(UNet *unet) {
    for (size_t i = 0; i < unet->config.levels; i++) add_block_readers(unet, &unet->down_blocks[i]);
    add_readers(unet, &unet->mid_attention);
    for (size_t i = 0; i < unet->config.levels; i++) add_block_readers(unet, &unet->up_blocks[i]);
}

// ---- open and close -------------------------------------------------------------------------------------------------

UNet *unet_open_from(const StageFiles *files, Error *error) {
    UNet *unet = zeroed(1, sizeof *unet);
    Config config;
    bool ok = stage_config_open(files, "unet", &config, error) && unet_config_read(&config, &unet->config) &&
              stage_weights_open(files, "unet", &unet->weights, error);
    if (ok) {
        if (files->loras) loras_set_layers_per_block(files->loras, unet->config.layers_per_block[0]);
        load_weights(unet);
        ok = weights_ok(&unet->weights);
    }
    if (ok) number_readers(unet);
    if (ok) return unet;
    unet_close(unet);
    return NULL;
}

UNet *unet_open(const char *folder, Error *error) {
    return unet_open_from(&(StageFiles){.folder = folder, .matrix_type = F32}, error);
}

static void block_free(UNetBlock *block) {
    for (size_t i = 0; block->attentions && i < block->layers; i++) transformer_2d_free(&block->attentions[i]);
    free(block->attentions);
    free(block->resnets);
}

void unet_close(UNet *unet) {
    if (!unet) return;
    for (size_t i = 0; i < UNET_MAX_LEVELS; i++) {
        block_free(&unet->down_blocks[i]);
        block_free(&unet->up_blocks[i]);
    }
    transformer_2d_free(&unet->mid_attention);
    free(unet->readers);
    weights_close(&unet->weights);
    free(unet);
}
