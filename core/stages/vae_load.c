// vae_load.c - the VAE from its folder: config.json, then every layer by its name
//
// Elsewhere: the arguments of diffusers.AutoencoderKL; the defaults here are its defaults. Read next: vae.c.

#include "stages/config_checks.h"
#include "stages/vae_weights.h"

#include <stdlib.h>
#include <string.h>

// ---- config.json ----------------------------------------------------------------------------------------------------

// Every block must be of the one type that AutoencoderKL has in Stable Diffusion, one for each level.
static void check_block_types(Config *config, const char *key, const char *supported, size_t levels) {
    if (config_has(config, key) || levels != 1) config_block_types(config, key, levels, supported, NULL, NULL);
}

static void check_config(Config *config, const VaeConfig *out) {
    config_check_range(config, "in_channels", out->in_channels, 1, 1 << 10);
    config_check_range(config, "out_channels", out->out_channels, 1, 1 << 10);
    config_check_range(config, "latent_channels", out->latent_channels, 1, 1 << 10);
    config_check_range(config, "layers_per_block", out->layers_per_block, 1, VAE_MAX_LAYERS);
    config_check_range(config, "block_out_channels' length", out->levels, 1, VAE_MAX_LEVELS);
    for (size_t i = 0; i < out->levels && !config->failed; i++) {
        config_check_range(config, "block_out_channels", out->block_out_channels[i], 1, 1 << 16);
        config_check_multiple(config, "block_out_channels", out->block_out_channels[i], "norm_num_groups",
                              out->norm_num_groups);
    }
    config_check_positive(config, "scaling_factor", out->scaling_factor);  // latents are divided by it
}

static bool read_config(Config *config, VaeConfig *out) {
    *out = (VaeConfig){.in_channels = 3,
                       .out_channels = 3,
                       .latent_channels = 4,
                       .levels = 1,
                       .layers_per_block = 1,
                       .norm_num_groups = 32,
                       .block_out_channels = {64},
                       .scaling_factor = 0.18215f,
                       .use_quant_conv = true,
                       .use_post_quant_conv = true,
                       .mid_block_add_attention = true,
                       .has_posterior = true};
    config_size(config, "in_channels", &out->in_channels);
    config_size(config, "out_channels", &out->out_channels);
    config_size(config, "latent_channels", &out->latent_channels);
    config_size(config, "layers_per_block", &out->layers_per_block);
    config_size(config, "norm_num_groups", &out->norm_num_groups);
    config_sizes(config, "block_out_channels", out->block_out_channels, VAE_MAX_LEVELS, &out->levels);
    config_float(config, "scaling_factor", &out->scaling_factor);
    config_bool(config, "use_quant_conv", &out->use_quant_conv);
    config_bool(config, "use_post_quant_conv", &out->use_post_quant_conv);
    config_bool(config, "mid_block_add_attention", &out->mid_block_add_attention);

    config_require_string(config, "act_fn", "silu");
    config_require_float(config, "shift_factor", 0);
    config_require_null(config, "latents_mean");
    config_require_null(config, "latents_std");
    check_block_types(config, "down_block_types", "DownEncoderBlock2D", out->levels);
    check_block_types(config, "up_block_types", "UpDecoderBlock2D", out->levels);
    check_config(config, out);
    return config_close(config);
}

// ---- weights --------------------------------------------------------------------------------------------------------

static ResnetBlock load_resnet(Vae *vae, const char *at, size_t Cin, size_t Cout) {
    return load_resnet_block(&vae->weights, "vae", at, Cin, Cout, 0, vae->config.norm_num_groups, 1e-6f);
}

// Files from before diffusers 0.15 call the attention's layers query, key, value and proj_attn.
static AttentionLayer load_attention(Vae *vae, const char *at, size_t C) {
    Weights *weights = &vae->weights;
    bool old = weights_has(weights, at, ".query.weight");
    return (AttentionLayer){
        .place = name_of("vae.%s", at),
        .heads = 1,
        .to_q = load_linear_or_conv1x1(weights, at, old ? "query" : "to_q", C, C),
        .to_k = load_linear_or_conv1x1(weights, at, old ? "key" : "to_k", C, C),
        .to_v = load_linear_or_conv1x1(weights, at, old ? "value" : "to_v", C, C),
        .to_out = load_linear_or_conv1x1(weights, at, old ? "proj_attn" : "to_out.0", C, C),
    };
}

static VaeMidBlock load_mid_block(Vae *vae, const char *at, size_t C) {
    VaeMidBlock block = {.place = name_of("vae.%s", at)};
    block.resnets[0] = load_resnet(vae, name_of("%s.resnets.0", at).text, C, C);
    block.resnets[1] = load_resnet(vae, name_of("%s.resnets.1", at).text, C, C);
    if (vae->config.mid_block_add_attention) {
        Name attention = name_of("%s.attentions.0", at);
        block.group_norm = load_norm(&vae->weights, attention.text, "group_norm", C);
        block.attention = load_attention(vae, attention.text, C);
    }
    return block;
}

static VaeBlock load_block(Vae *vae, const char *at, size_t layers, size_t Cin, size_t C, const char *sampler) {
    VaeBlock block = {.place = name_of("vae.%s", at), .layers = layers};
    block.resnets = zeroed(layers, sizeof(ResnetBlock));
    for (size_t i = 0; i < layers; i++) {
        block.resnets[i] = load_resnet(vae, name_of("%s.resnets.%zu", at, i).text, i == 0 ? Cin : C, C);
    }
    if (sampler) block.sampler = load_conv2d(&vae->weights, at, sampler, C, C, 3);
    return block;
}

static void load_encoder(Vae *vae) {
    const VaeConfig *config = &vae->config;
    const size_t *channels = config->block_out_channels;
    size_t last = config->levels - 1, moments = 2 * config->latent_channels;
    VaeHalf *encoder = &vae->encoder;
    encoder->conv_in = load_conv2d(&vae->weights, "encoder", "conv_in", channels[0], config->in_channels, 3);
    for (size_t i = 0; i < config->levels; i++) {
        encoder->blocks[i] =
            load_block(vae, name_of("encoder.down_blocks.%zu", i).text, config->layers_per_block,
                       channels[i > 0 ? i - 1 : 0], channels[i], i < last ? "downsamplers.0.conv" : NULL);
    }
    encoder->mid_block = load_mid_block(vae, "encoder.mid_block", channels[last]);
    encoder->conv_norm_out = load_norm(&vae->weights, "encoder", "conv_norm_out", channels[last]);
    encoder->conv_out = load_conv2d(&vae->weights, "encoder", "conv_out", moments, channels[last], 3);
    if (config->use_quant_conv) vae->quant_conv = load_conv2d(&vae->weights, "", "quant_conv", moments, moments, 1);
}

static void load_decoder(Vae *vae) {
    const VaeConfig *config = &vae->config;
    const size_t *channels = config->block_out_channels;
    size_t last = config->levels - 1, Clatent = config->latent_channels;
    VaeHalf *decoder = &vae->decoder;
    if (config->use_post_quant_conv) {
        vae->post_quant_conv = load_conv2d(&vae->weights, "", "post_quant_conv", Clatent, Clatent, 1);
    }
    decoder->conv_in = load_conv2d(&vae->weights, "decoder", "conv_in", channels[last], Clatent, 3);
    decoder->mid_block = load_mid_block(vae, "decoder.mid_block", channels[last]);
    for (size_t i = 0; i < config->levels; i++) {
        size_t level = last - i;
        decoder->blocks[i] =
            load_block(vae, name_of("decoder.up_blocks.%zu", i).text, config->layers_per_block + 1,
                       channels[i > 0 ? level + 1 : level], channels[level], level > 0 ? "upsamplers.0.conv" : NULL);
    }
    decoder->conv_norm_out = load_norm(&vae->weights, "decoder", "conv_norm_out", channels[0]);
    decoder->conv_out = load_conv2d(&vae->weights, "decoder", "conv_out", config->out_channels, channels[0], 3);
}

// ---- open and close -------------------------------------------------------------------------------------------------

// Which of the two kinds it is; files from before diffusers noted it are AutoencoderKL's.
static bool is_tiny(Config *config) {
    char name[64] = "AutoencoderKL";
    config_string(config, "_class_name", name, sizeof name);
    if (strcmp(name, "AutoencoderTiny") == 0) return true;
    if (!config->failed && strcmp(name, "AutoencoderKL") != 0) {
        config->failed = true;
        error_set(config->error, "%s: is a %s: only AutoencoderKL and AutoencoderTiny are supported; use one of those",
                  config->path, name);
    }
    return false;
}

// Reads either kind's config; *tiny tells which it was.
static bool read_any_config(const StageFiles *files, VaeConfig *out, VaeTinyConfig *tiny_out, bool *tiny,
                            Error *error) {
    Config config;
    if (!stage_config_open(files, "vae", &config, error)) return false;
    *tiny = is_tiny(&config);
    return *tiny ? vae_tiny_config_read(&config, out, tiny_out) : read_config(&config, out);
}

bool vae_config_read(const StageFiles *files, VaeConfig *config, Error *error) {
    VaeTinyConfig tiny_config;
    bool tiny;
    return read_any_config(files, config, &tiny_config, &tiny, error);
}

Vae *vae_open_from(const StageFiles *files, Error *error) {
    Vae *vae = zeroed(1, sizeof *vae);
    VaeTinyConfig tiny_config;
    bool tiny;
    bool ok = read_any_config(files, &vae->config, &tiny_config, &tiny, error) &&
              stage_weights_open(files, "vae", &vae->weights, error);
    if (ok && tiny) {
        vae->tiny = vae_tiny_load(&vae->weights, &vae->config, &tiny_config);
    } else if (ok) {
        load_encoder(vae);
        load_decoder(vae);
    }
    if (ok) ok = weights_ok(&vae->weights);
    if (ok) return vae;
    vae_close(vae);
    return NULL;
}

Vae *vae_open(const char *folder, Error *error) {
    return vae_open_from(&(StageFiles){.folder = folder, .matrix_type = F32}, error);
}

void vae_close(Vae *vae) {
    if (!vae) return;
    for (size_t i = 0; i < VAE_MAX_LEVELS; i++) {
        free(vae->encoder.blocks[i].resnets);
        free(vae->decoder.blocks[i].resnets);
    }
    vae_tiny_free(vae->tiny);
    weights_close(&vae->weights);
    free(vae);
}
