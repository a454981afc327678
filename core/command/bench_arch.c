// bench_arch.c - see bench_arch.h
//
// From the config.json files of Stable Diffusion 1.5, the keys that say what its networks look like.

#include "command/bench_arch.h"

#include "base/check.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *part, *config;
} SD15[] = {
    {"unet", "{\"_class_name\": \"UNet2DConditionModel\", \"sample_size\": 64, \"in_channels\": 4, \"out_channels\": 4,"
             " \"block_out_channels\": [320, 640, 1280, 1280], \"layers_per_block\": 2, \"attention_head_dim\": 8,"
             " \"cross_attention_dim\": 768, \"norm_num_groups\": 32, \"norm_eps\": 1e-05,"
             " \"down_block_types\": [\"CrossAttnDownBlock2D\", \"CrossAttnDownBlock2D\", \"CrossAttnDownBlock2D\","
             " \"DownBlock2D\"], \"up_block_types\": [\"UpBlock2D\", \"CrossAttnUpBlock2D\", \"CrossAttnUpBlock2D\","
             " \"CrossAttnUpBlock2D\"]}"},
    {"vae", "{\"_class_name\": \"AutoencoderKL\", \"in_channels\": 3, \"out_channels\": 3, \"latent_channels\": 4,"
            " \"block_out_channels\": [128, 256, 512, 512], \"layers_per_block\": 2, \"norm_num_groups\": 32,"
            " \"scaling_factor\": 0.18215, \"down_block_types\": [\"DownEncoderBlock2D\", \"DownEncoderBlock2D\","
            " \"DownEncoderBlock2D\", \"DownEncoderBlock2D\"], \"up_block_types\": [\"UpDecoderBlock2D\","
            " \"UpDecoderBlock2D\", \"UpDecoderBlock2D\", \"UpDecoderBlock2D\"]}"},
    {"text_encoder", "{\"architectures\": [\"CLIPTextModel\"], \"vocab_size\": 49408, \"hidden_size\": 768,"
                     " \"intermediate_size\": 3072, \"num_hidden_layers\": 12, \"num_attention_heads\": 12,"
                     " \"max_position_embeddings\": 77, \"hidden_act\": \"quick_gelu\", \"layer_norm_eps\": 1e-05}"},
};

bool arch_known(const char *name) { return strcmp(name, "sd15") == 0; }

const char *arch_config(const char *part) {
    size_t i = 0, count = sizeof SD15 / sizeof *SD15;
    while (i < count && strcmp(SD15[i].part, part) != 0) i++;
    CHECK(i < count, "a model has no %s", part);
    return SD15[i].config;
}
