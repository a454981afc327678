// vae_tiny_load.c - an AutoencoderTiny from its folder: config.json, then every layer by its number
//
// Elsewhere: the arguments of diffusers.AutoencoderTiny; the defaults here are its defaults. latent_magnitude and
// latent_shift are among them, but only say how latents would be kept as bytes: no picture depends on them.
// Read next: vae_tiny.c.

#include "stages/config_checks.h"
#include "stages/vae_tiny.h"
#include "stages/vae_weights.h"

#include <stdlib.h>

// ---- config.json ----------------------------------------------------------------------------------------------------

static void check_levels(Config *config, const char *key, size_t count, size_t levels) {
    if (config->failed || count == levels) return;
    config->failed = true;
    error_set(config->error,
              "%s: %s has %zu values and num_decoder_blocks %zu: both halves must have the same levels; restore the "
              "checkpoint's own config.json",
              config->path, key, count, levels);
}

// A width for each level, all the same: no layer leads from one to another.
static void read_channels(Config *config, const char *key, size_t *channels, size_t levels) {
    size_t widths[VAE_MAX_LEVELS] = {64, 64, 64, 64}, count = 4;
    config_sizes(config, key, widths, VAE_MAX_LEVELS, &count);
    check_levels(config, key, count, levels);
    *channels = widths[0];
    config_check_range(config, key, widths[0], 1, 1 << 16);
    for (size_t i = 1; i < count && !config->failed; i++) {
        if (widths[i] == widths[0]) continue;
        config->failed = true;
        error_set(config->error,
                  "%s: %s has %zu and %zu: an AutoencoderTiny's levels are equally wide; restore the checkpoint's own "
                  "config.json",
                  config->path, key, widths[0], widths[i]);
    }
}

static void read_block_counts(Config *config, const char *key, size_t blocks[VAE_MAX_LEVELS], size_t *count) {
    config_sizes(config, key, blocks, VAE_MAX_LEVELS, count);
    config_check_range(config, "num_encoder_blocks' and num_decoder_blocks' length", *count, 1, VAE_MAX_LEVELS);
    for (size_t i = 0; i < *count && !config->failed; i++)
        config_check_range(config, key, blocks[i], 0, VAE_MAX_LAYERS);
}

bool vae_tiny_config_read(Config *config, VaeConfig *common, VaeTinyConfig *out) {
    *common = (VaeConfig){.in_channels = 3, .out_channels = 3, .latent_channels = 4, .levels = 4, .scaling_factor = 1};
    *out = (VaeTinyConfig){.num_encoder_blocks = {1, 3, 3, 3}, .num_decoder_blocks = {3, 3, 3, 1}};
    size_t encoder_levels = 4;
    config_size(config, "in_channels", &common->in_channels);
    config_size(config, "out_channels", &common->out_channels);
    config_size(config, "latent_channels", &common->latent_channels);
    config_float(config, "scaling_factor", &common->scaling_factor);
    read_block_counts(config, "num_decoder_blocks", out->num_decoder_blocks, &common->levels);
    read_block_counts(config, "num_encoder_blocks", out->num_encoder_blocks, &encoder_levels);
    check_levels(config, "num_encoder_blocks", encoder_levels, common->levels);
    read_channels(config, "encoder_block_out_channels", &out->encoder_channels, common->levels);
    read_channels(config, "decoder_block_out_channels", &out->decoder_channels, common->levels);

    config_require_string(config, "act_fn", "relu");
    config_require_string(config, "upsample_fn", "nearest");
    config_require_float(config, "upsampling_scaling_factor", 2);
    config_require_float(config, "shift_factor", 0);
    config_check_range(config, "in_channels", common->in_channels, 1, 1 << 10);
    config_check_range(config, "out_channels", common->out_channels, 1, 1 << 10);
    config_check_range(config, "latent_channels", common->latent_channels, 1, 1 << 10);
    config_check_positive(config, "scaling_factor", common->scaling_factor);  // latents are divided by it
    return config_close(config);
}

// ---- weights --------------------------------------------------------------------------------------------------------
//
// The layers of a half are numbered through, those without weights too: "decoder.layers.1" is a ReLU. at is the half's
// name, *n the number that comes next.

static void load_blocks(Weights *weights, VaeTinyLevel *level, size_t count, const char *at, size_t *n, size_t C) {
    level->count = count;
    level->blocks = zeroed(count, sizeof *level->blocks);
    for (size_t i = 0; i < count; i++) {
        Name name = name_of("%s.layers.%zu", at, (*n)++);
        level->blocks[i] = (VaeTinyBlock){.place = name_of("vae.%s", name.text),
                                          .conv1 = load_conv2d(weights, name.text, "conv.0", C, C, 3),
                                          .conv2 = load_conv2d(weights, name.text, "conv.2", C, C, 3),
                                          .conv3 = load_conv2d(weights, name.text, "conv.4", C, C, 3)};
    }
}

static Layer load_numbered(Weights *weights, const char *at, size_t *n, size_t Cout, size_t Cin, bool has_bias) {
    Name name = name_of("layers.%zu", (*n)++);
    return has_bias ? load_conv2d(weights, at, name.text, Cout, Cin, 3)
                    : load_conv2d_without_bias(weights, at, name.text, Cout, Cin, 3);
}

static void load_encoder(VaeTiny *tiny, Weights *weights, const VaeConfig *common) {
    size_t C = tiny->config.encoder_channels, n = 0;
    for (size_t i = 0; i < tiny->levels; i++) {
        bool is_first = i == 0;
        tiny->encoder[i].conv = load_numbered(weights, "encoder", &n, C, is_first ? common->in_channels : C, is_first);
        load_blocks(weights, &tiny->encoder[i], tiny->config.num_encoder_blocks[i], "encoder", &n, C);
    }
    tiny->encoder_conv_out = load_numbered(weights, "encoder", &n, common->latent_channels, C, true);
}

static void load_decoder(VaeTiny *tiny, Weights *weights, const VaeConfig *common) {
    size_t C = tiny->config.decoder_channels, n = 0;
    tiny->decoder_conv_in = load_numbered(weights, "decoder", &n, C, common->latent_channels, true);
    n++;  // the ReLU
    for (size_t i = 0; i < tiny->levels; i++) {
        bool is_last = i + 1 == tiny->levels;
        load_blocks(weights, &tiny->decoder[i], tiny->config.num_decoder_blocks[i], "decoder", &n, C);
        if (!is_last) n++;  // the doubling
        tiny->decoder[i].conv = load_numbered(weights, "decoder", &n, is_last ? common->out_channels : C, C, is_last);
    }
}

VaeTiny *vae_tiny_load(Weights *weights, const VaeConfig *common, const VaeTinyConfig *config) {
    VaeTiny *tiny = zeroed(1, sizeof *tiny);
    tiny->config = *config;
    tiny->levels = common->levels;
    load_encoder(tiny, weights, common);
    load_decoder(tiny, weights, common);
    return tiny;
}

void vae_tiny_free(VaeTiny *tiny) {
    if (!tiny) return;
    for (size_t i = 0; i < VAE_MAX_LEVELS; i++) {
        free(tiny->encoder[i].blocks);
        free(tiny->decoder[i].blocks);
    }
    free(tiny);
}
