// checkpoint.c - see checkpoint.h

#include "demo/checkpoint.h"

#include "demo/demo.h"
#include "io/file.h"
#include "io/ldm_unet_names.h"
#include "io/lora_names.h"
#include "io/program.h"
#include "single_file/ldm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char FOLDER[] = "data/models/critters";

static char *folder_path(const char *name) {
    char *folder = shipped_path(FOLDER), *path = path_join(folder, name);
    free(folder);
    return path;
}

// ---- names ----------------------------------------------------------------------------------------------------------

// In a row of blocks the doubling comes behind the ResNet block, and behind the transformer where there is one.
static int upsampler_place(const char *name, const UNetConfig *config) {
    size_t block = 0;  // counted from the coarsest level
    sscanf(name, "up_blocks.%zu.", &block);
    return block < config->levels && config->up_has_attention[config->levels - 1 - block] ? 2 : 1;
}

static void name_unet(CheckpointRow *row, const UNetConfig *config) {
    LdmUNetName layer;
    bool known = ldm_unet_layer(&layer, row->name, config->layers_per_block[0], upsampler_place(row->name, config));
    snprintf(row->stored, sizeof row->stored, LDM_UNET "%s", known ? layer.text : row->name);
}

// The matrices of the attention were convolutions of a single pixel there.
static void name_vae(CheckpointRow *row, const VaeConfig *config) {
    LdmLayout layout = {.vae_levels = config->levels};
    StoredName name;
    ldm_vae_name(&layout, row->name, &name);
    snprintf(row->stored, sizeof row->stored, "%s", name.text);
    Shape *shape = &row->tensor.shape;
    if (strstr(row->name, ".attentions.") && shape->rank == 2) shape->rank = 4;  // axes beyond the rank are 1
}

static void name_text(CheckpointRow *row) {
    snprintf(row->stored, sizeof row->stored, LDM_CLIP "text_model.%s", row->name);
}

// ---- the table ------------------------------------------------------------------------------------------------------

Shape checkpoint_shape(const SafetensorsEntry *entry) {
    Shape shape = {entry->rank, {1, 1, 1, 1}};
    for (size_t i = 0; i < entry->rank; i++) shape.axis[i] = entry->axis[i];
    return shape;
}

static Tensor tensor_of(const SafetensorsEntry *entry) {
    return (Tensor){(void *)entry->data, checkpoint_shape(entry), entry->dtype, ON_HOST};
}

Checkpoint checkpoint_read(const Model *model) {
    static const char *const STAGES[] = {"unet", "vae", "text_encoder"};
    static const char *const FILES[] = {"unet/diffusion_pytorch_model.safetensors",
                                        "vae/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors"};
    Error error = {0};
    Checkpoint checkpoint = {0};
    size_t count = 0;
    for (size_t f = 0; f < 3; f++) {
        char *path = folder_path(FILES[f]);
        checkpoint.files[f] = safetensors_open(path, &error);
        demo_needs(checkpoint.files[f], &error);
        count += safetensors_count(checkpoint.files[f]);
        free(path);
    }
    checkpoint.rows = calloc(count, sizeof *checkpoint.rows);
    demo_needs(checkpoint.rows, &error);
    for (size_t f = 0; f < 3; f++) {
        for (size_t i = 0; i < safetensors_count(checkpoint.files[f]); i++) {
            const SafetensorsEntry *entry = safetensors_at(checkpoint.files[f], i);
            CheckpointRow *row = &checkpoint.rows[checkpoint.count++];
            *row = (CheckpointRow){.stage = STAGES[f], .name = entry->name, .tensor = tensor_of(entry)};
            if (f == 0) name_unet(row, unet_config(model->unet));
            if (f == 1) name_vae(row, vae_config(model->vae));
            if (f == 2) name_text(row);
        }
    }
    return checkpoint;
}

void checkpoint_free(Checkpoint *checkpoint) {
    for (size_t f = 0; f < 3; f++) safetensors_close(checkpoint->files[f]);
    free(checkpoint->rows);
}

CheckpointRow *checkpoint_row(const Checkpoint *checkpoint, const char *stage, const char *name) {
    for (size_t i = 0; i < checkpoint->count; i++) {
        CheckpointRow *row = &checkpoint->rows[i];
        if (strcmp(row->stage, stage) == 0 && strcmp(row->name, name) == 0) return row;
    }
    Error error;
    error_set(&error, "%s has no %s", stage, name);
    demo_needs(false, &error);
    return NULL;
}

// ---- the file -------------------------------------------------------------------------------------------------------

void checkpoint_write(const Checkpoint *checkpoint, const char *path) {
    static const char *const CONFIGS[] = {"unet/config.json", "vae/config.json", "text_encoder/config.json",
                                          "scheduler/scheduler_config.json"};
    enum { COUNT = sizeof CONFIGS / sizeof *CONFIGS };
    Error error = {0};
    Metadata metadata[COUNT];
    char *texts[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        char *config = folder_path(CONFIGS[i]);
        texts[i] = file_read(config, NULL, &error);
        demo_needs(texts[i], &error);
        metadata[i] = (Metadata){CONFIGS[i], texts[i]};
        free(config);
    }
    NamedTensor *tensors = calloc(checkpoint->count, sizeof *tensors);
    demo_needs(tensors, &error);
    for (size_t i = 0; i < checkpoint->count; i++) {
        tensors[i] = (NamedTensor){checkpoint->rows[i].stored, checkpoint->rows[i].tensor};
    }
    demo_needs(safetensors_write(path, tensors, checkpoint->count, metadata, COUNT, &error), &error);
    free(tensors);
    for (size_t i = 0; i < COUNT; i++) free(texts[i]);
}

Model *checkpoint_open(const char *path, const LoraFile *loras, size_t lora_count, Error *error) {
    char *folder = shipped_path(FOLDER), *tokenizer = folder_path("tokenizer");
    ModelOptions options = {.loras = loras, .lora_count = lora_count, .tokenizer = path ? tokenizer : NULL};
    Model *model = model_open_with(path ? path : folder, &options, error);
    free(folder), free(tokenizer);
    return model;
}

bool checkpoint_lora_pair(const SafetensorsFile *lora, const CheckpointRow *row, LoraPair *pair) {
    const size_t layers_per_block = 1, tail = strlen(".weight"), length = strlen(row->name);
    if (length <= tail || strcmp(row->name + length - tail, ".weight") != 0) return false;
    char layer[160];
    snprintf(layer, sizeof layer, "%.*s", (int)(length - tail), row->name);
    for (size_t i = 0; i < lora_spellings(); i++) {
        LoraNames names;
        if (!lora_names(i, row->stage, layer, layers_per_block, &names)) continue;
        *pair = (LoraPair){safetensors_find(lora, names.down), safetensors_find(lora, names.up)};
        if (pair->down && pair->up) return true;
    }
    return false;
}
