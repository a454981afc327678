// ldm_vae.c - the autoencoder in the original naming
//
// The decoder's levels are numbered from the finest, as the encoder's: LDM's up.3 is diffusers' up_blocks.0. The
// attention's matrices are 1x1 convolutions called q, k, v and proj_out.
// Elsewhere: convert_ldm_vae_checkpoint in diffusers' single_file_utils; model.py in LDM.

#include "single_file/ldm.h"

#include <stdio.h>
#include <string.h>

// ---- names ----------------------------------------------------------------------------------------------------------

typedef struct Renamed {
    const char *from, *to;
} Renamed;

// What is called otherwise within a block or a half; beginnings of names.
static const Renamed PARTS[] = {
    {"conv_shortcut.", "nin_shortcut."},
    {"group_norm.", "norm."},
    {"to_q.", "q."},
    {"to_k.", "k."},
    {"to_v.", "v."},
    {"to_out.0.", "proj_out."},
    {"conv_norm_out.", "norm_out."},
};

// at: where it stands in the file ("encoder.down.0.block.1."); rest: diffusers' name there ("conv1.weight")
static bool part_name(StoredName *stored, const char *at, const char *rest) {
    const char *begin = "";
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++) {
        size_t length = strlen(PARTS[i].from);
        if (strncmp(rest, PARTS[i].from, length) != 0) continue;
        begin = PARTS[i].to;
        rest += length;
        break;
    }
    snprintf(stored->text, sizeof stored->text, LDM_VAE "%s%s%s", at, begin, rest);
    return true;
}

// name: what follows "encoder." or "decoder.", which is half
static bool half_name(StoredName *stored, const LdmLayout *layout, const char *half, const char *name) {
    size_t level, i;
    int end = 0;
    char at[64];
    if (sscanf(name, "down_blocks.%zu.resnets.%zu.%n", &level, &i, &end) == 2 && end > 0)
        snprintf(at, sizeof at, "%sdown.%zu.block.%zu.", half, level, i);
    else if (sscanf(name, "down_blocks.%zu.downsamplers.0.%n", &level, &end) == 1 && end > 0)
        snprintf(at, sizeof at, "%sdown.%zu.downsample.", half, level);
    else if (sscanf(name, "up_blocks.%zu.resnets.%zu.%n", &level, &i, &end) == 2 && end > 0)
        snprintf(at, sizeof at, "%sup.%zu.block.%zu.", half, layout->vae_levels - 1 - level, i);
    else if (sscanf(name, "up_blocks.%zu.upsamplers.0.%n", &level, &end) == 1 && end > 0)
        snprintf(at, sizeof at, "%sup.%zu.upsample.", half, layout->vae_levels - 1 - level);
    else if (sscanf(name, "mid_block.resnets.%zu.%n", &i, &end) == 1 && end > 0)
        snprintf(at, sizeof at, "%smid.block_%zu.", half, i + 1);
    else if (sscanf(name, "mid_block.attentions.0.%n", &end) == 0 && end > 0)
        snprintf(at, sizeof at, "%smid.attn_1.", half);
    else
        snprintf(at, sizeof at, "%s", half);
    return part_name(stored, at, name + end);
}

bool ldm_vae_name(const void *context, const char *name, StoredName *stored) {
    static const char *const HALVES[] = {"encoder.", "decoder."};
    for (size_t i = 0; i < 2; i++) {
        size_t length = strlen(HALVES[i]);
        if (strncmp(name, HALVES[i], length) == 0) return half_name(stored, context, HALVES[i], name + length);
    }
    return part_name(stored, "", name);  // quant_conv, post_quant_conv
}

// ---- the architecture, read off the weights -------------------------------------------------------------------------

json_t *ldm_vae_config(LdmLayout *layout) {
    const WeightFiles *files = layout->files;
    json_t *channels = json_array(), *down = json_array(), *up = json_array();
    size_t levels = 0, layers = 0;
    const SafetensorsEntry *conv;
    while ((conv = ldm_find(files, LDM_VAE "encoder.down.%zu.block.0.conv1.weight", levels)) != NULL) {
        json_array_append_new(channels, json_integer((json_int_t)ldm_axis(conv, 0)));
        json_array_append_new(down, json_string("DownEncoderBlock2D"));
        json_array_append_new(up, json_string("UpDecoderBlock2D"));
        levels++;
    }
    while (ldm_find(files, LDM_VAE "encoder.down.0.block.%zu.conv1.weight", layers)) layers++;
    layout->vae_levels = levels;

    size_t in = ldm_axis(ldm_find(files, LDM_VAE "encoder.conv_in.weight"), 1),
           out = ldm_axis(ldm_find(files, LDM_VAE "decoder.conv_out.weight"), 0),
           latent = ldm_axis(ldm_find(files, LDM_VAE "decoder.conv_in.weight"), 1);
    json_t *config = json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:b, s:b, s:b, s:f}", "_class_name", "AutoencoderKL", "in_channels", (json_int_t)in,
        "out_channels", (json_int_t)out, "latent_channels", (json_int_t)latent, "layers_per_block", (json_int_t)layers,
        "use_quant_conv", ldm_find(files, LDM_VAE "quant_conv.weight") != NULL, "use_post_quant_conv",
        ldm_find(files, LDM_VAE "post_quant_conv.weight") != NULL, "mid_block_add_attention",
        ldm_find(files, LDM_VAE "encoder.mid.attn_1.q.weight") != NULL, "scaling_factor", 0.18215);
    json_object_set_new(config, "block_out_channels", channels);
    json_object_set_new(config, "down_block_types", down);
    json_object_set_new(config, "up_block_types", up);
    return config;
}
