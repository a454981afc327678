// ldm.h - names and shapes of the three networks in the original naming, shared by the files of single_file/

#pragma once

#include "io/weights.h"

#include <jansson.h>

#define LDM_UNET "model.diffusion_model."
#define LDM_VAE "first_stage_model."
#define LDM_CLIP "cond_stage_model.transformer."
#define LDM_OPEN_CLIP "cond_stage_model.model."

// What the names depend on beside themselves.
typedef struct LdmLayout {
    const WeightFiles *files;
    size_t unet_layers;  // layers_per_block: blocks are numbered through over all levels
    size_t vae_levels;   // the decoder's levels are numbered from the finest
    bool open_clip;
} LdmLayout;

// The tensor of a name made with printf's format; NULL if the file has none.
const SafetensorsEntry *ldm_find(const WeightFiles *files, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// Its size along an axis; 0 if there is none.
size_t ldm_axis(const SafetensorsEntry *entry, size_t axis);

// Fills the layout's fields of one network and returns its config as diffusers would have it (a new reference).
json_t *ldm_unet_config(LdmLayout *layout);
json_t *ldm_vae_config(LdmLayout *layout);
json_t *ldm_text_config(LdmLayout *layout);

// diffusers' name -> the file's; a StoredNaming each, with an LdmLayout as context.
StoredNaming ldm_unet_name, ldm_vae_name, ldm_text_name;
