// ldm_text.c - the text encoder of a single file: CLIP's in Stable Diffusion 1.x, OpenCLIP's in 2.x
//
// The first is transformers' own, under a prefix. OpenCLIP calls its layers otherwise, and stacks the three matrices
// that make queries, keys and values into one, "in_proj_weight" [3 D, D]. Stable Diffusion 2.x was trained on what its
// last layer but one puts out, so of 24 layers 23 are used; files that were converted back from diffusers have no more.
// Elsewhere: convert_open_clip_checkpoint in diffusers' single_file_utils; open_clip's model.py.

#include "single_file/ldm.h"

#include <stdio.h>
#include <string.h>

// ---- names ----------------------------------------------------------------------------------------------------------

typedef struct Renamed {
    const char *from, *to;
    size_t part, parts;
} Renamed;

static const Renamed OPEN_CLIP[] = {
    {"embeddings.token_embedding.weight", "token_embedding.weight", 0, 1},
    {"embeddings.position_embedding.weight", "positional_embedding", 0, 1},
    {"final_layer_norm.weight", "ln_final.weight", 0, 1},
    {"final_layer_norm.bias", "ln_final.bias", 0, 1},
};

// The same in a layer: transformer.resblocks.N.
static const Renamed OPEN_CLIP_LAYER[] = {
    {"layer_norm1.weight", "ln_1.weight", 0, 1},
    {"layer_norm1.bias", "ln_1.bias", 0, 1},
    {"layer_norm2.weight", "ln_2.weight", 0, 1},
    {"layer_norm2.bias", "ln_2.bias", 0, 1},
    {"mlp.fc1.weight", "mlp.c_fc.weight", 0, 1},
    {"mlp.fc1.bias", "mlp.c_fc.bias", 0, 1},
    {"mlp.fc2.weight", "mlp.c_proj.weight", 0, 1},
    {"mlp.fc2.bias", "mlp.c_proj.bias", 0, 1},
    {"self_attn.out_proj.weight", "attn.out_proj.weight", 0, 1},
    {"self_attn.out_proj.bias", "attn.out_proj.bias", 0, 1},
    {"self_attn.q_proj.weight", "attn.in_proj_weight", 0, 3},
    {"self_attn.k_proj.weight", "attn.in_proj_weight", 1, 3},
    {"self_attn.v_proj.weight", "attn.in_proj_weight", 2, 3},
    {"self_attn.q_proj.bias", "attn.in_proj_bias", 0, 3},
    {"self_attn.k_proj.bias", "attn.in_proj_bias", 1, 3},
    {"self_attn.v_proj.bias", "attn.in_proj_bias", 2, 3},
};

static bool named_in(StoredName *stored, const Renamed *table, size_t count, const char *at, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, table[i].from) != 0) continue;
        snprintf(stored->text, sizeof stored->text, LDM_OPEN_CLIP "%s%s", at, table[i].to);
        stored->part = table[i].part;
        stored->parts = table[i].parts;
        return true;
    }
    return false;
}

bool ldm_text_name(const void *context, const char *name, StoredName *stored) {
    const LdmLayout *layout = context;
    size_t layer;
    int end = 0;
    char at[64];
    if (!layout->open_clip) {
        snprintf(stored->text, sizeof stored->text, LDM_CLIP "%s", name);
        return true;
    }
    if (sscanf(name, "encoder.layers.%zu.%n", &layer, &end) != 1 || end == 0)
        return named_in(stored, OPEN_CLIP, sizeof OPEN_CLIP / sizeof *OPEN_CLIP, "", name);
    snprintf(at, sizeof at, "transformer.resblocks.%zu.", layer);
    return named_in(stored, OPEN_CLIP_LAYER, sizeof OPEN_CLIP_LAYER / sizeof *OPEN_CLIP_LAYER, at, name + end);
}

// ---- the architecture, read off the weights -------------------------------------------------------------------------

static json_t *text_config(const SafetensorsEntry *tokens, const SafetensorsEntry *positions,
                           const SafetensorsEntry *fc1, size_t layers, const char *hidden_act) {
    // Heads of 64 numbers, in all of CLIP's text encoders
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "vocab_size", (json_int_t)ldm_axis(tokens, 0),
                     "hidden_size", (json_int_t)ldm_axis(tokens, 1), "max_position_embeddings",
                     (json_int_t)ldm_axis(positions, 0), "intermediate_size", (json_int_t)ldm_axis(fc1, 0),
                     "num_hidden_layers", (json_int_t)layers, "num_attention_heads",
                     (json_int_t)ldm_axis(tokens, 1) / 64, "hidden_act", hidden_act);
}

static json_t *open_clip_config(const WeightFiles *files) {
    enum { WHOLE = 24 };  // layers of OpenCLIP ViT-H
    size_t layers = 0;
    while (ldm_find(files, LDM_OPEN_CLIP "transformer.resblocks.%zu.ln_1.weight", layers)) layers++;
    return text_config(ldm_find(files, LDM_OPEN_CLIP "token_embedding.weight"),
                       ldm_find(files, LDM_OPEN_CLIP "positional_embedding"),
                       ldm_find(files, LDM_OPEN_CLIP "transformer.resblocks.0.mlp.c_fc.weight"),
                       layers == WHOLE ? WHOLE - 1 : layers, "gelu");
}

json_t *ldm_text_config(LdmLayout *layout) {
    const WeightFiles *files = layout->files;
    layout->open_clip = ldm_find(files, LDM_OPEN_CLIP "token_embedding.weight") != NULL;
    if (layout->open_clip) return open_clip_config(files);

    const char *inner = ldm_find(files, LDM_CLIP "text_model.final_layer_norm.weight") ? "text_model." : "";
    size_t layers = 0;
    while (ldm_find(files, LDM_CLIP "%sencoder.layers.%zu.layer_norm1.weight", inner, layers)) layers++;
    return text_config(ldm_find(files, LDM_CLIP "%sembeddings.token_embedding.weight", inner),
                       ldm_find(files, LDM_CLIP "%sembeddings.position_embedding.weight", inner),
                       ldm_find(files, LDM_CLIP "%sencoder.layers.0.mlp.fc1.weight", inner), layers, "quick_gelu");
}
