// model.c - a model is a folder of five parts, each with its own config, and an index that names them
//
//     model_index.json   what kind of pipeline this is     tokenizer/      words to ids
//     text_encoder/      ids to vectors                    unet/           the denoiser
//     vae/               latents to pixels and back        scheduler/      settings of the walk (opened for each run)
//
// or a single file in the original naming, with the three networks in it (single_file/single_file.h).
//
// Where: first of all. Elsewhere: diffusers.StableDiffusionPipeline.from_pretrained and from_single_file. Read next:
// pipeline.c.

#include "sculpt.h"

#include "base/check.h"
#include "base/clock.h"
#include "io/config.h"
#include "io/file.h"

#include <stdlib.h>
#include <string.h>

static bool pipeline_known(const char *class_name) {
    static const char *const names[] = {"StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline",
                                        "StableDiffusionInpaintPipeline", "LatentConsistencyModelPipeline",
                                        "LatentConsistencyModelImg2ImgPipeline"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(class_name, names[i]) == 0) return true;
    }
    return false;
}

// What other pipelines are called by people
static const char *family_named(const char *class_name) {
    static const char *const FAMILIES[][2] = {
        {"StableDiffusionXL", "Stable Diffusion XL"},
        {"StableDiffusion3", "Stable Diffusion 3"},
        {"Flux", "Flux"},
        {"StableCascade", "Stable Cascade"},
        {"PixArt", "PixArt"},
        {"Kandinsky", "Kandinsky"},
    };
    for (size_t i = 0; i < sizeof FAMILIES / sizeof *FAMILIES; i++) {
        if (strncmp(class_name, FAMILIES[i][0], strlen(FAMILIES[i][0])) == 0) return FAMILIES[i][1];
    }
    return class_name[0] ? class_name : "a file without _class_name";
}

static bool index_valid(const char *folder, Error *error) {
    Config index;
    char class_name[64] = "", *path = path_join(folder, "model_index.json");
    bool ok = config_open(&index, path, error);
    if (ok) {
        config_string(&index, "_class_name", class_name, sizeof class_name);
        ok = config_close(&index);
    }
    if (ok && !pipeline_known(class_name)) {
        ok = error_set(error,
                       "%s: is %s (%s), and only StableDiffusionPipeline and LatentConsistencyModelPipeline are known "
                       "here; use a Stable Diffusion 1.x or 2.x model",
                       path, family_named(class_name), class_name);
    }
    free(path);
    return ok;
}

// Each network is sound in itself by now; this is about whether they belong together.
static bool networks_fit(const Model *model, Error *error) {
    const UNetConfig *unet = unet_config(model->unet);
    const TextEncoderConfig *text = text_encoder_config(model->text_encoder);
    const VaeConfig *vae = vae_config(model->vae);
    if ((unet->in_channels != LATENT_CHANNELS && unet->in_channels != INPAINT_CHANNELS) ||
        unet->out_channels != LATENT_CHANNELS || vae->latent_channels != LATENT_CHANNELS) {
        return error_set(error,
                         "%s: the U-Net takes %zu channels and gives %zu, the VAE has %zu; all must be %d, or %d into "
                         "the U-Net of an inpainting model (upscaling and depth models have others)",
                         model->path, unet->in_channels, unet->out_channels, vae->latent_channels, LATENT_CHANNELS,
                         INPAINT_CHANNELS);
    }
    if (vae->in_channels != 3 || vae->out_channels != 3) {
        return error_set(error, "%s: the VAE's pictures have %zu and %zu channels; both must be 3, red green blue",
                         model->path, vae->in_channels, vae->out_channels);
    }
    if (unet->cross_attention_dim != text->hidden_size) {
        return error_set(error,
                         "%s: the text encoder's vectors have %zu numbers, and the U-Net wants %zu; take both from one "
                         "model",
                         model->path, text->hidden_size, unet->cross_attention_dim);
    }
    return true;
}

// ---- VAEs from elsewhere --------------------------------------------------------------------------------------------

// The VAE at path, for latents that come from levels halvings of a picture; 0: of any number.
static bool vae_fits(const Vae *vae, const char *path, size_t levels, Error *error) {
    const VaeConfig *config = vae_config(vae);
    if (config->latent_channels != LATENT_CHANNELS || config->in_channels != 3 || config->out_channels != 3) {
        return error_set(error,
                         "%s: this VAE turns pictures of %zu channels into latents of %zu and back into %zu; it must "
                         "be 3, %d and 3: take one for Stable Diffusion 1.x or 2.x",
                         path, config->in_channels, config->latent_channels, config->out_channels, LATENT_CHANNELS);
    }
    if (levels == 0 || config->levels == levels) return true;
    return error_set(error, "%s: a latent of this VAE is %zu pixels wide, and one of the model's own %zu; take another",
                     path, vae_factor(vae), (size_t)1 << (levels - 1));
}

// The levels of the model's own VAE, of which nothing but the config is looked at; 0 if there is none to compare with.
static size_t own_vae_levels(const StageFiles *own) {
    VaeConfig config;
    return vae_config_read(own, &config, NULL) ? config.levels : 0;
}

static bool vaes_open(Model *model, const StageFiles *own, const ModelOptions *options, Error *error) {
    StageFiles other = {.folder = options->vae, .matrix_type = own->matrix_type},
               preview = {.folder = options->preview_vae, .matrix_type = own->matrix_type};
    model->vae = vae_open_from(options->vae ? &other : own, error);
    if (!model->vae) return false;
    if (options->vae && !vae_fits(model->vae, options->vae, own_vae_levels(own), error)) return false;
    if (!options->preview_vae) return true;
    model->preview_vae = vae_open_from(&preview, error);
    return model->preview_vae &&
           vae_fits(model->preview_vae, options->preview_vae, vae_config(model->vae)->levels, error);
}

// ---- tokenizer ------------------------------------------------------------------------------------------------------

// Every id must have a row in the embedding. Of a tokenizer from elsewhere (NULL: the model's own) it isn't known whether
// it was made for this embedding, but then their sizes are the same.
static bool tokenizer_fits(const Model *model, const char *elsewhere, Error *error) {
    const TextEncoderConfig *text = text_encoder_config(model->text_encoder);
    size_t words = tokenizer_vocabulary_size(model->tokenizer), length = model->tokenizer->length;
    if (elsewhere && words != text->vocab_size) {
        return error_set(error,
                         "%s: this tokenizer has %zu ids, and the text encoder's embedding %zu rows; take the one that "
                         "the model was trained with",
                         elsewhere, words, text->vocab_size);
    }
    if (words > text->vocab_size) {
        return error_set(error,
                         "%s: the tokenizer has %zu ids, and the text encoder knows %zu; take both from one model",
                         model->path, words, text->vocab_size);
    }
    if (length > text->max_position_embeddings) {
        return error_set(error,
                         "%s: the tokenizer makes %zu ids a prompt, and the text encoder has %zu positions; set "
                         "model_max_length in tokenizer_config.json",
                         model->path, length, text->max_position_embeddings);
    }
    return true;
}

// tokenizer: a folder; NULL: the model's own
static Tokenizer *tokenizer_for(const char *path, const SingleFile *single_file, const char *tokenizer, Error *error) {
    if (single_file && !tokenizer) {
        error_set(error,
                  "%s: a single file has no tokenizer; name one with --tokenizer DIR (for Stable Diffusion, `make "
                  "clip-vocab` makes build/clip-vocab)",
                  path);
        return NULL;
    }
    char *own = path_join(path, "tokenizer");
    const char *pad_token = single_file ? single_file_pad_token(single_file) : NULL;
    Tokenizer *opened = tokenizer_open_padded(tokenizer ? tokenizer : own, pad_token, error);
    free(own);
    return opened;
}

Tokenizer *model_tokenizer(const char *path, const char *tokenizer, Error *error) {
    SingleFile *file = NULL;
    if (path_is_single_file(path) && !(file = single_file_open(path, error))) return NULL;
    Tokenizer *opened = tokenizer_for(path, file, tokenizer, error);
    single_file_close(file);
    return opened;
}

// ---- scheduler ------------------------------------------------------------------------------------------------------

Scheduler *model_scheduler(const char *path, const SingleFile *single_file, const char *name,
                           const char *const *overrides, size_t override_count, Error *error) {
    if (single_file) {
        return scheduler_open_text(path, single_file_config(single_file, "scheduler"), name, overrides, override_count,
                                   error);
    }
    char *folder = path_join(path, "scheduler");
    Scheduler *scheduler = scheduler_open(folder, name, overrides, override_count, error);
    free(folder);
    return scheduler;
}

const char *model_note(const Model *model) { return model->single_file ? single_file_note(model->single_file) : ""; }

// ---- open and close -------------------------------------------------------------------------------------------------

static bool networks_open(Model *model, Loras *loras, const ModelOptions *options, Error *error) {
    char *text_encoder = path_join(model->path, "text_encoder"), *unet = path_join(model->path, "unet"),
         *vae = path_join(model->path, "vae");
    StageFiles files = {.single_file = model->single_file, .matrix_type = options->matrix_type, .loras = loras};
    if (!model->single_file) files.folder = text_encoder;
    model->text_encoder = text_encoder_open_from(&files, error);
    if (!model->single_file) files.folder = unet;
    if (model->text_encoder) model->unet = unet_open_from(&files, error);
    if (!model->single_file) files.folder = vae;
    bool ok = model->unet && vaes_open(model, &files, options, error);
    free(text_encoder);
    free(unet);
    free(vae);
    return ok;
}

// What was added to the weights, noted for those who ask how a picture was made.
static void note_loras(Model *model, const Loras *loras, const ModelOptions *options) {
    model->loras = calloc(options->lora_count + 1, sizeof *model->loras);  // + 1: calloc(0) may answer NULL
    CHECK(model->loras, "out of memory");
    for (size_t i = 0; i < options->lora_count; i++) {
        model->loras[i] = (MergedLora){.path = strdup(options->loras[i].path),
                                       .weight = options->loras[i].weight,
                                       .layers = loras_layers(loras, i)};
        CHECK(model->loras[i].path, "out of memory");
        model->lora_count++;
    }
}

static bool changed_networks_open(Model *model, const ModelOptions *options, Error *error) {
    Loras *loras = loras_open(options->loras, options->lora_count, error);
    bool ok = loras && networks_open(model, loras, options, error) && loras_all_used(loras, error);
    if (ok) note_loras(model, loras, options);
    loras_close(loras);
    return ok;
}

static bool source_open(Model *model, Error *error) {
    if (!path_is_single_file(model->path)) return index_valid(model->path, error);
    model->single_file = single_file_open(model->path, error);
    return model->single_file != NULL;
}

Model *model_open(const char *path, Error *error) { return model_open_with(path, &(ModelOptions){0}, error); }

Model *model_open_with(const char *path, const ModelOptions *options, Error *error) {
    double start = seconds_now();
    Model *model = calloc(1, sizeof *model);
    CHECK(model, "out of memory");
    model->matrix_type = options->matrix_type;
    model->path = strdup(path);
    model->vae_path = options->vae ? strdup(options->vae) : NULL;
    CHECK(model->path && (model->vae_path || !options->vae), "out of memory");
    bool ok = source_open(model, error);
    bool reads = !(options->only_looked_at && model->single_file && !options->tokenizer);
    if (ok && reads) {
        model->tokenizer = tokenizer_for(path, model->single_file, options->tokenizer, error);
        ok = model->tokenizer != NULL;
    }
    ok = ok && changed_networks_open(model, options, error) &&
         (!reads || tokenizer_fits(model, options->tokenizer, error)) && networks_fit(model, error);
    if (!ok) {
        model_close(model);
        return NULL;
    }
    model->load_seconds = seconds_now() - start;
    return model;
}

bool model_inpaints(const Model *model) { return unet_config(model->unet)->in_channels == INPAINT_CHANNELS; }

void model_close(Model *model) {
    if (!model) return;
    if (model->tokenizer) tokenizer_close(model->tokenizer);
    if (model->text_encoder) text_encoder_close(model->text_encoder);
    if (model->unet) unet_close(model->unet);
    vae_close(model->vae);
    vae_close(model->preview_vae);
    single_file_close(model->single_file);  // the networks' weights lie in it
    free(model->path);
    free(model->vae_path);
    for (size_t i = 0; i < model->lora_count; i++) free(model->loras[i].path);
    free(model->loras);
    free(model);
}
