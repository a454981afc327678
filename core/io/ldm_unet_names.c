// ldm_unet_names.c - see ldm_unet_names.h

#include "io/ldm_unet_names.h"

#include <stdio.h>
#include <string.h>

typedef struct Renamed {
    const char *from, *to;
} Renamed;

// The layers that stand by themselves, as beginnings of names.
static const Renamed SINGLE[] = {
    {"time_embedding.linear_1.", "time_embed.0."},
    {"time_embedding.linear_2.", "time_embed.2."},
    {"conv_in.", "input_blocks.0.0."},
    {"conv_norm_out.", "out.0."},
    {"conv_out.", "out.2."},
    {"mid_block.attentions.0.", "middle_block.1."},
};

// The layers in a ResNet block
static const Renamed RESNET[] = {
    {"norm1.", "in_layers.0."},  {"conv1.", "in_layers.2."},  {"time_emb_proj.", "emb_layers.1."},
    {"norm2.", "out_layers.0."}, {"conv2.", "out_layers.3."}, {"conv_shortcut.", "skip_connection."},
};

// at: the block in LDM ("input_blocks.1.0"); rest: the name in diffusers' block ("conv1.weight")
static bool resnet_name(LdmUNetName *out, const char *at, const char *rest) {
    for (size_t i = 0; i < sizeof RESNET / sizeof *RESNET; i++) {
        size_t length = strlen(RESNET[i].from);
        if (strncmp(rest, RESNET[i].from, length) != 0) continue;
        snprintf(out->text, sizeof out->text, "%s.%s%s", at, RESNET[i].to, rest + length);
        return true;
    }
    return false;
}

// Layer i of a level on the way down or up is module n of its chain.
static bool layer_name(LdmUNetName *out, const char *chain, size_t n, bool is_resnet, const char *rest) {
    char at[64];
    snprintf(at, sizeof at, "%s.%zu.%d", chain, n, is_resnet ? 0 : 1);
    if (is_resnet) return resnet_name(out, at, rest);
    snprintf(out->text, sizeof out->text, "%s.%s", at, rest);
    return true;
}

bool ldm_unet_layer(LdmUNetName *out, const char *name, size_t L, int upsampler) {
    size_t level, i;
    int end = 0;
    for (size_t k = 0; k < sizeof SINGLE / sizeof *SINGLE; k++) {
        size_t length = strlen(SINGLE[k].from);
        if (strncmp(name, SINGLE[k].from, length) != 0) continue;
        snprintf(out->text, sizeof out->text, "%s%s", SINGLE[k].to, name + length);
        return true;
    }
    if (sscanf(name, "down_blocks.%zu.resnets.%zu.%n", &level, &i, &end) == 2 && end > 0)
        return layer_name(out, "input_blocks", 1 + level * (L + 1) + i, true, name + end);
    if (sscanf(name, "down_blocks.%zu.attentions.%zu.%n", &level, &i, &end) == 2 && end > 0)
        return layer_name(out, "input_blocks", 1 + level * (L + 1) + i, false, name + end);
    if (sscanf(name, "down_blocks.%zu.downsamplers.0.conv.%n", &level, &end) == 1 && end > 0) {
        snprintf(out->text, sizeof out->text, "input_blocks.%zu.0.op.%s", (level + 1) * (L + 1), name + end);
        return true;
    }
    if (sscanf(name, "mid_block.resnets.%zu.%n", &i, &end) == 1 && end > 0)
        return resnet_name(out, i == 0 ? "middle_block.0" : "middle_block.2", name + end);
    if (sscanf(name, "up_blocks.%zu.resnets.%zu.%n", &level, &i, &end) == 2 && end > 0)
        return layer_name(out, "output_blocks", level * (L + 1) + i, true, name + end);
    if (sscanf(name, "up_blocks.%zu.attentions.%zu.%n", &level, &i, &end) == 2 && end > 0)
        return layer_name(out, "output_blocks", level * (L + 1) + i, false, name + end);
    if (sscanf(name, "up_blocks.%zu.upsamplers.0.conv.%n", &level, &end) == 1 && end > 0) {
        snprintf(out->text, sizeof out->text, "output_blocks.%zu.%d.conv.%s", level * (L + 1) + L, upsampler,
                 name + end);
        return true;
    }
    return false;
}
