// ldm_unet.c - the U-Net in the original naming
//
// Read next: io/ldm_unet_names.c, which has the names.

#include "io/ldm_unet_names.h"
#include "single_file/ldm.h"

#include <stdio.h>
#include <string.h>

// The doubling stands behind a transformer, if there is one: of its two places, one is in the file.
bool ldm_unet_name(const void *context, const char *name, StoredName *stored) {
    const LdmLayout *layout = context;
    LdmUNetName layer;
    for (int upsampler = 2; upsampler >= 1; upsampler--) {
        if (!ldm_unet_layer(&layer, name, layout->unet_layers, upsampler)) return false;
        snprintf(stored->text, sizeof stored->text, LDM_UNET "%s", layer.text);
        if (weight_files_find(layout->files, stored->text)) return true;
    }
    return false;
}

// ---- the architecture, read off the weights -------------------------------------------------------------------------

enum { MAX_LEVELS = 32 };

typedef struct Level {
    size_t channels, layers, transformer_layers;
    bool attends;
} Level;

typedef struct Found {
    Level levels[MAX_LEVELS];  // from the finest
    size_t count;
    size_t cross_attention_dim;
    bool linear_projection;
} Found;

static void look_at_transformer(const WeightFiles *files, size_t n, Level *level, Found *found) {
    const SafetensorsEntry *proj_in = ldm_find(files, LDM_UNET "input_blocks.%zu.1.proj_in.weight", n);
    level->attends = proj_in != NULL;
    if (!proj_in) return;
    found->linear_projection = proj_in->rank == 2;
    found->cross_attention_dim =
        ldm_axis(ldm_find(files, LDM_UNET "input_blocks.%zu.1.transformer_blocks.0.attn2.to_k.weight", n), 1);
    size_t k = 0;
    while (ldm_find(files, LDM_UNET "input_blocks.%zu.1.transformer_blocks.%zu.norm1.weight", n, k)) k++;
    level->transformer_layers = k;
}

// Goes along the way down: ResNet blocks until one of the modules halves the size.
static void walk_down(const WeightFiles *files, Found *found) {
    found->count = 1;
    for (size_t n = 1; found->count < MAX_LEVELS; n++) {
        Level *level = &found->levels[found->count - 1];
        const SafetensorsEntry *conv = ldm_find(files, LDM_UNET "input_blocks.%zu.0.in_layers.2.weight", n);
        if (conv) {
            level->channels = ldm_axis(conv, 0);
            level->layers++;
            look_at_transformer(files, n, level, found);
        } else if (ldm_find(files, LDM_UNET "input_blocks.%zu.0.op.weight", n)) {
            found->count++;
        } else {
            return;
        }
    }
}

// Stable Diffusion 1.x has 8 heads at every level, 2.x heads of 64 channels. (The key means the number of heads.)
static json_t *head_counts(const Found *found) {
    if (!found->linear_projection) return json_integer(8);
    json_t *heads = json_array();
    for (size_t i = 0; i < found->count; i++)
        json_array_append_new(heads, json_integer((json_int_t)found->levels[i].channels / 64));
    return heads;
}

// One number a level, in the order of the levels or the other way round
static json_t *block_types(const Found *found, bool up) {
    json_t *types = json_array();
    for (size_t i = 0; i < found->count; i++) {
        bool attends = found->levels[up ? found->count - 1 - i : i].attends;
        const char *down_type = attends ? "CrossAttnDownBlock2D" : "DownBlock2D",
                   *up_type = attends ? "CrossAttnUpBlock2D" : "UpBlock2D";
        json_array_append_new(types, json_string(up ? up_type : down_type));
    }
    return types;
}

json_t *ldm_unet_config(LdmLayout *layout) {
    const WeightFiles *files = layout->files;
    const SafetensorsEntry *conv_in = ldm_find(files, LDM_UNET "input_blocks.0.0.weight"),
                           *conv_out = ldm_find(files, LDM_UNET "out.2.weight");
    Found found = {0};
    walk_down(files, &found);
    layout->unet_layers = found.levels[0].layers;

    json_t *config = json_pack("{s:s, s:I, s:I, s:I, s:I, s:b}", "_class_name", "UNet2DConditionModel", "in_channels",
                               (json_int_t)ldm_axis(conv_in, 1), "out_channels", (json_int_t)ldm_axis(conv_out, 0),
                               "layers_per_block", (json_int_t)found.levels[0].layers, "cross_attention_dim",
                               (json_int_t)found.cross_attention_dim, "use_linear_projection", found.linear_projection);
    json_t *channels = json_array(), *transformer_layers = json_array();
    for (size_t i = 0; i < found.count; i++) {
        size_t layers = found.levels[i].attends ? found.levels[i].transformer_layers : 1;
        json_array_append_new(channels, json_integer((json_int_t)found.levels[i].channels));
        json_array_append_new(transformer_layers, json_integer((json_int_t)layers));
    }
    json_object_set_new(config, "block_out_channels", channels);
    json_object_set_new(config, "transformer_layers_per_block", transformer_layers);
    json_object_set_new(config, "attention_head_dim", head_counts(&found));
    json_object_set_new(config, "down_block_types", block_types(&found, false));
    json_object_set_new(config, "up_block_types", block_types(&found, true));
    if (!ldm_find(files, LDM_UNET "middle_block.0.in_layers.2.weight"))
        json_object_set_new(config, "mid_block_type", json_null());
    return config;
}
