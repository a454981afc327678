// unet_config.c - what the U-Net's config.json says, and what of it we can't do
//
// Where: first thing of unet_open. Elsewhere: the arguments of diffusers.UNet2DConditionModel, under their own names,
// with its defaults. Many of the arguments were added for other models: those must stand at "without".

#include "stages/config_checks.h"
#include "stages/unet_weights.h"

#include <stdio.h>
#include <string.h>

static const UNetConfig DEFAULTS = {
    .sample_size = 64,
    .in_channels = 4,
    .out_channels = 4,
    .levels = 4,
    .block_out_channels = {320, 640, 1280, 1280},
    .down_has_attention = {true, true, true, false},
    .up_has_attention = {true, true, true, false},
    .cross_attention_dim = 1280,
    .norm_num_groups = 32,
    .downsample_padding = 1,
    .norm_eps = 1e-5f,
    .flip_sin_to_cos = true,
    .mid_block_type = MID_BLOCK_CROSS_ATTENTION,
};

// Which levels have attention. Up blocks are listed from the coarsest level on.
static void read_block_types(Config *config, UNetConfig *out) {
    size_t levels = out->levels;
    bool up[UNET_MAX_LEVELS] = {0};
    if (config_has(config, "down_block_types") || levels != DEFAULTS.levels) {
        config_block_types(config, "down_block_types", levels, "DownBlock2D", "CrossAttnDownBlock2D",
                           out->down_has_attention);
    }
    if (config_has(config, "up_block_types") || levels != DEFAULTS.levels) {
        config_block_types(config, "up_block_types", levels, "UpBlock2D", "CrossAttnUpBlock2D", up);
        for (size_t i = 0; i < levels; i++) out->up_has_attention[levels - 1 - i] = up[i];
    }
}

// Absent means the default, null means no block at all.
static void read_mid_block_type(Config *config, UNetConfig *out) {
    char type[64] = "UNetMidBlock2DCrossAttn";
    config_string(config, "mid_block_type", type, sizeof type);
    if (config_is_null(config, "mid_block_type")) {
        out->mid_block_type = MID_BLOCK_NONE;
    } else if (strcmp(type, "UNetMidBlock2D") == 0) {
        out->mid_block_type = MID_BLOCK_RESNET;
    } else if (strcmp(type, "UNetMidBlock2DCrossAttn") != 0) {
        config->failed = true;
        error_set(
            config->error,
            "%s: mid_block_type is %s: only UNetMidBlock2DCrossAttn, UNetMidBlock2D and null are supported; use a "
            "Stable Diffusion 1.x or 2.x checkpoint",
            config->path, type);
    }
}

// One number or a list of equal ones.
static void read_cross_attention_dim(Config *config, UNetConfig *out) {
    size_t dims[UNET_MAX_LEVELS];
    for (size_t i = 0; i < out->levels; i++) dims[i] = out->cross_attention_dim;
    config_sizes_per_level(config, "cross_attention_dim", dims, out->levels);
    out->cross_attention_dim = dims[0];
    for (size_t i = 1; i < out->levels; i++) {
        if (dims[i] == dims[0]) continue;
        config->failed = true;
        error_set(config->error,
                  "%s: cross_attention_dim is %zu and %zu: only one width of text is supported; "
                  "use a Stable Diffusion 1.x or 2.x checkpoint",
                  config->path, dims[0], dims[i]);
    }
}

// Of fewer than four numbers no clock can be made (ops/embedding.c).
static void read_time_cond_proj_dim(Config *config, UNetConfig *out) {
    if (!config_has(config, "time_cond_proj_dim")) return;
    config_size(config, "time_cond_proj_dim", &out->time_cond_proj_dim);
    config_check_range(config, "time_cond_proj_dim", out->time_cond_proj_dim, 4, 1 << 16);
}

// Whether a diffusers before 0.9 wrote the file. Checkpoints of Stable Diffusion 1.x from then say that their
// sample_size is 32 where 64 is right; StableDiffusionPipeline mends that on loading, and so do we.
static bool is_from_before_0_9(Config *config) {
    char version[64] = "";
    size_t major, minor;
    config_string(config, "_diffusers_version", version, sizeof version);
    return sscanf(version, "%zu.%zu", &major, &minor) == 2 && major == 0 && minor < 9;
}

// One number, or [height, width], which must be the same here.
static void read_sample_size(Config *config, UNetConfig *out) {
    size_t sides[2] = {out->sample_size, out->sample_size}, count = 0;
    config_sizes(config, "sample_size", sides, 2, &count);
    out->sample_size = count < 2 && sides[0] < 64 && is_from_before_0_9(config) ? 64 : sides[0];
    if (count == 2 && sides[1] != sides[0]) {
        config->failed = true;
        error_set(config->error, "%s: sample_size is %zu by %zu: only a square is supported; write one number",
                  config->path, sides[0], sides[1]);
    }
}

static void read_levels(Config *config, UNetConfig *out) {
    config_sizes(config, "block_out_channels", out->block_out_channels, UNET_MAX_LEVELS, &out->levels);
    config_check_range(config, "block_out_channels' length", out->levels, 1, UNET_MAX_LEVELS);
    if (config->failed) return;

    size_t levels = out->levels;
    for (size_t i = 0; i < levels; i++) {
        out->layers_per_block[i] = 2;
        out->transformer_layers_per_block[i] = 1;
        out->attention_heads[i] = 8;
    }
    read_block_types(config, out);
    config_sizes_per_level(config, "layers_per_block", out->layers_per_block, levels);
    config_sizes_per_level(config, "transformer_layers_per_block", out->transformer_layers_per_block, levels);
    config_sizes_per_level(config, "attention_head_dim", out->attention_heads, levels);
    config_sizes_per_level(config, "num_attention_heads", out->attention_heads, levels);
    config_bools_per_level(config, "only_cross_attention", out->only_cross_attention, levels);
    read_cross_attention_dim(config, out);
}

static void check_numbers(Config *config, const UNetConfig *out) {
    config_check_range(config, "sample_size", out->sample_size, 1, 1 << 16);
    config_check_range(config, "in_channels", out->in_channels, 1, 1 << 10);
    config_check_range(config, "out_channels", out->out_channels, 1, 1 << 10);
    config_check_range(config, "cross_attention_dim", out->cross_attention_dim, 1, 1 << 16);
    config_check_range(config, "downsample_padding", out->downsample_padding, 0, 1);
    config_check_positive(config, "norm_eps", out->norm_eps);
    for (size_t i = 0; i < out->levels && !config->failed; i++) {
        size_t C = out->block_out_channels[i];
        config_check_range(config, "block_out_channels", C, 1, 1 << 16);
        config_check_range(config, "layers_per_block", out->layers_per_block[i], 1, UNET_MAX_LAYERS);
        config_check_range(config, "transformer_layers_per_block", out->transformer_layers_per_block[i], 0, 64);
        config_check_multiple(config, "block_out_channels", C, "norm_num_groups", out->norm_num_groups);
        bool is_under_mid_block = i + 1 == out->levels && out->mid_block_type == MID_BLOCK_CROSS_ATTENTION;
        if (out->down_has_attention[i] || out->up_has_attention[i] || is_under_mid_block) {
            config_check_multiple(config, "block_out_channels", C, "attention_head_dim (the number of heads)",
                                  out->attention_heads[i]);
        }
    }
}

// What other models than Stable Diffusion 1.x and 2.x ask for.
static void refuse_other_models(Config *config) {
    static const char *const nulls[] = {"class_embed_type",      "num_class_embeds",
                                        "addition_embed_type",   "encoder_hid_dim",
                                        "encoder_hid_dim_type",  "time_embedding_dim",
                                        "time_embedding_act_fn", "timestep_post_act",
                                        "cross_attention_norm",  "reverse_transformer_layers_per_block"};
    for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++) config_require_null(config, nulls[i]);
    config_require_string(config, "act_fn", "silu");
    config_require_string(config, "time_embedding_type", "positional");
    config_require_string(config, "resnet_time_scale_shift", "default");
    config_require_string(config, "attention_type", "default");
    config_require_bool(config, "dual_cross_attention", false);
    config_require_bool(config, "class_embeddings_concat", false);
    config_require_bool(config, "resnet_skip_time_act", false);
    config_require_float(config, "resnet_out_scale_factor", 1);
    config_require_float(config, "mid_block_scale_factor", 1);
    config_require_float(config, "conv_in_kernel", 3);
    config_require_float(config, "conv_out_kernel", 3);
}

bool unet_config_read(Config *config, UNetConfig *out) {
    *out = DEFAULTS;
    refuse_other_models(config);
    read_sample_size(config, out);
    config_size(config, "in_channels", &out->in_channels);
    config_size(config, "out_channels", &out->out_channels);
    config_size(config, "norm_num_groups", &out->norm_num_groups);
    config_size(config, "downsample_padding", &out->downsample_padding);
    config_float(config, "norm_eps", &out->norm_eps);
    config_float(config, "freq_shift", &out->freq_shift);
    config_bool(config, "flip_sin_to_cos", &out->flip_sin_to_cos);
    config_bool(config, "use_linear_projection", &out->use_linear_projection);
    config_bool(config, "center_input_sample", &out->center_input_sample);
    read_mid_block_type(config, out);
    read_time_cond_proj_dim(config, out);
    read_levels(config, out);
    check_numbers(config, out);
    return config_close(config);
}
