// single_file.c - see single_file.h. Read next: ldm_unet.c.

#include "single_file/single_file.h"

#include "base/check.h"
#include "single_file/ldm.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { UNET, VAE, TEXT_ENCODER, SCHEDULER, PART_COUNT };

static const struct {
    const char *name, *metadata;
} PARTS[PART_COUNT] = {
    {"unet", "unet/config.json"},
    {"vae", "vae/config.json"},
    {"text_encoder", "text_encoder/config.json"},
    {"scheduler", "scheduler/scheduler_config.json"},
};

struct SingleFile {
    WeightFiles files;
    LdmLayout layout;
    char *configs[PART_COUNT];  // JSON, malloc'ed
    const char *note;
};

// ---- looking up -----------------------------------------------------------------------------------------------------

const SafetensorsEntry *ldm_find(const WeightFiles *files, const char *format, ...) {
    char name[256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    CHECK(length >= 0 && (size_t)length < sizeof name, "%s... is too long", name);
    return weight_files_find(files, name);
}

size_t ldm_axis(const SafetensorsEntry *entry, size_t axis) {
    return entry && axis < entry->rank ? entry->axis[axis] : 0;
}

static bool is_called_safetensors(const char *path) {
    static const char ENDING[] = ".safetensors";
    size_t length = strlen(path), tail = strlen(ENDING);
    return length > tail && strcmp(path + length - tail, ENDING) == 0;
}

static bool refuse_ending(const char *path, Error *error) {
    return error_set(
        error, "%s: is a file and no .safetensors; name such a one, or the folder of a model in diffusers' layout",
        path);
}

bool path_is_single_file(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 ? !S_ISDIR(status.st_mode) : is_called_safetensors(path);
}

// ---- what isn't opened ----------------------------------------------------------------------------------------------

// Whether a tensor's name begins (or, after a '*', continues) with this
typedef struct Sign {
    const char *beginning, *family;
} Sign;

static const Sign OTHER_FAMILIES[] = {
    {"conditioner.embedders.", "Stable Diffusion XL"},
    {"model.diffusion_model.label_emb.", "Stable Diffusion XL"},
    {"model.diffusion_model.joint_blocks.", "Stable Diffusion 3"},
    {"joint_blocks.", "Stable Diffusion 3"},
    {"model.diffusion_model.double_blocks.", "Flux"},
    {"double_blocks.", "Flux"},
    {"model.diffusion_model.double_layers.", "AuraFlow"},
    {"clip_txt_mapper.", "Stable Cascade"},
    {"control_model.", "a ControlNet"},
    {"controlnet_cond_embedding.", "a ControlNet"},
};

static const Sign SINGLE_PARTS[] = {
    {"down_blocks.", "only a U-Net"},
    {"encoder.down_blocks.", "only an autoencoder"},
    {"first_stage_model.", "only an autoencoder"},
    {"encoder.down.", "only an autoencoder"},
    {"text_model.", "only a text encoder"},
};

static bool begins(const char *name, const char *beginning) { return strncmp(name, beginning, strlen(beginning)) == 0; }

// The family of the first sign that one of the tensors bears; NULL for none.
static const char *family_of(const SafetensorsFile *file, const Sign *signs, size_t count) {
    for (size_t s = 0; s < count; s++) {
        for (size_t i = 0; i < safetensors_count(file); i++) {
            if (begins(safetensors_at(file, i)->name, signs[s].beginning)) return signs[s].family;
        }
    }
    return NULL;
}

static bool is_lora(const SafetensorsFile *file) {
    for (size_t i = 0; i < safetensors_count(file); i++) {
        const char *name = safetensors_at(file, i)->name;
        if (begins(name, "lora_") || strstr(name, ".lora_") || strstr(name, "_lora.") || strstr(name, ".lora."))
            return true;
    }
    return false;
}

static bool is_stable_diffusion(const WeightFiles *weights, Error *error) {
    const SafetensorsFile *file = weights->files[0];
    const char *family = family_of(file, OTHER_FAMILIES, sizeof OTHER_FAMILIES / sizeof *OTHER_FAMILIES);
    if (family) {
        return error_set(error,
                         "%s: is %s, whose networks are built otherwise; use a Stable Diffusion 1.x or 2.x model",
                         weights->path, family);
    }
    if (is_lora(file)) {
        return error_set(error,
                         "%s: is a LoRA, a change to a model and none itself; name the model with --model and "
                         "this file with --lora",
                         weights->path);
    }
    if (ldm_find(weights, LDM_UNET "input_blocks.0.0.weight")) return true;
    family = family_of(file, SINGLE_PARTS, sizeof SINGLE_PARTS / sizeof *SINGLE_PARTS);
    if (family) {
        return error_set(error,
                         "%s: is %s, and a picture takes three networks; name a file with all of them, or the "
                         "folder that this one belongs to",
                         weights->path, family);
    }
    return error_set(error, "%s: holds no %s..., so it is no Stable Diffusion model; name one, or a model's folder",
                     weights->path, LDM_UNET "input_blocks");
}

// Files may be pruned down to the U-Net; what they lack has to come from elsewhere, and here nothing else is known.
static bool is_whole(const SingleFile *file, Error *error) {
    const WeightFiles *files = &file->files;
    bool has_text = ldm_find(files, LDM_OPEN_CLIP "token_embedding.weight") ||
                    ldm_find(files, LDM_CLIP "text_model.embeddings.token_embedding.weight") ||
                    ldm_find(files, LDM_CLIP "embeddings.token_embedding.weight");
    const char *lacking = !has_text                                           ? "text encoder (cond_stage_model)"
                          : ldm_find(files, LDM_VAE "decoder.conv_in.weight") ? NULL
                                                                              : "autoencoder (first_stage_model)";
    if (!lacking) return true;
    return error_set(error, "%s: holds a U-Net and no %s; get the whole model", files->path, lacking);
}

// ---- configs --------------------------------------------------------------------------------------------------------

static char *json_text(json_t *json) {
    char *text = json_dumps(json, JSON_INDENT(2));
    CHECK(text, "out of memory");
    json_decref(json);
    return text;
}

// Stable Diffusion 1.x: PLMS, as in the folder of 1.5. 2.x: DDIM, as in that of 2.1.
static json_t *scheduler_config(bool open_clip, const char *prediction_type) {
    json_t *config = json_pack("{s:s, s:i, s:f, s:f, s:s, s:s, s:i, s:b}", "_class_name",
                               open_clip ? "DDIMScheduler" : "PNDMScheduler", "num_train_timesteps", 1000, "beta_start",
                               0.00085, "beta_end", 0.012, "beta_schedule", "scaled_linear", "prediction_type",
                               prediction_type, "steps_offset", 1, "set_alpha_to_one", 0);
    if (open_clip)
        json_object_set_new(config, "clip_sample", json_false());
    else
        json_object_set_new(config, "skip_prk_steps", json_true());
    return config;
}

// Epsilon or v: the weights have the same names and shapes. Stable Diffusion 1.x and inpainting models predict epsilon;
// of 2.x there is one of each, of which diffusers takes the one for 768x768, with v. Newer files say it (Stability AI's
// modelspec).
static const char *prediction_type(SingleFile *file, size_t in_channels) {
    const char *said = safetensors_metadata(file->files.files[0], "modelspec.prediction_type");
    if (said && begins(said, "v")) return "v_prediction";
    if (!file->layout.open_clip || in_channels != 4 || said) return "epsilon";
    file->note =
        "taken for the Stable Diffusion 2.x that was trained at 768x768 with v-prediction, which weights don't "
        "tell; if it is a \"base\" model, add --scheduler-config prediction_type=epsilon -W 512 -H 512";
    return "v_prediction";
}

static void read_configs(SingleFile *file) {
    json_t *unet = ldm_unet_config(&file->layout);
    file->configs[VAE] = json_text(ldm_vae_config(&file->layout));
    file->configs[TEXT_ENCODER] = json_text(ldm_text_config(&file->layout));
    size_t in_channels = (size_t)json_integer_value(json_object_get(unet, "in_channels"));
    const char *prediction = prediction_type(file, in_channels);
    json_object_set_new(unet, "sample_size", json_integer(strcmp(prediction, "v_prediction") == 0 ? 96 : 64));
    file->configs[UNET] = json_text(unet);
    file->configs[SCHEDULER] = json_text(scheduler_config(file->layout.open_clip, prediction));
    for (int i = 0; i < PART_COUNT; i++) {
        const char *own = safetensors_metadata(file->files.files[0], PARTS[i].metadata);
        if (!own) continue;
        free(file->configs[i]);
        file->configs[i] = strdup(own);
        CHECK(file->configs[i], "out of memory");
        if (i == SCHEDULER) file->note = "";
    }
}

// ---- open and ask ---------------------------------------------------------------------------------------------------

SingleFile *single_file_open(const char *path, Error *error) {
    SingleFile *file = calloc(1, sizeof *file);
    CHECK(file, "out of memory");
    file->note = "";
    file->layout.files = &file->files;
    bool ok = !weight_file_is_pickle(path, error) && (is_called_safetensors(path) || refuse_ending(path, error)) &&
              weight_files_open(&file->files, path, error) && is_stable_diffusion(&file->files, error) &&
              is_whole(file, error);
    if (!ok) {
        single_file_close(file);
        return NULL;
    }
    read_configs(file);
    return file;
}

void single_file_close(SingleFile *file) {
    if (!file) return;
    weight_files_close(&file->files);
    for (int i = 0; i < PART_COUNT; i++) free(file->configs[i]);
    free(file);
}

static int part_named(const char *name) {
    int part = 0;
    while (part < PART_COUNT && strcmp(PARTS[part].name, name) != 0) part++;
    CHECK(part < PART_COUNT, "a model has no %s", name);
    return part;
}

const char *single_file_path(const SingleFile *file) { return file->files.path; }

const char *single_file_config(const SingleFile *file, const char *part) { return file->configs[part_named(part)]; }

void single_file_weights(const SingleFile *file, const char *part, Weights *weights, Error *error) {
    static StoredNaming *const NAMINGS[] = {
        [UNET] = ldm_unet_name, [VAE] = ldm_vae_name, [TEXT_ENCODER] = ldm_text_name};
    int index = part_named(part);
    CHECK(index != SCHEDULER, "a scheduler has no weights");
    weights_open_over(weights, &file->files, NAMINGS[index], &file->layout, error);
}

const char *single_file_pad_token(const SingleFile *file) { return file->layout.open_clip ? "!" : NULL; }

const char *single_file_note(const SingleFile *file) { return file->note; }
