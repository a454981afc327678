// model.c - a model is a folder: five parts, each with its own config, and an index that names them
//
//     model_index.json   what kind of pipeline this is     tokenizer/      words to ids
//     text_encoder/      ids to vectors                    unet/           the denoiser
//     vae/               latents to pixels and back        scheduler/      settings of the walk (opened for each run)
//
// Where: first of all. Elsewhere: diffusers.StableDiffusionPipeline.from_pretrained. Read next: pipeline.c.

#include "sculpt.h"

#include "base/check.h"
#include "base/clock.h"
#include "io/config.h"
#include "io/file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool pipeline_known(const char *class_name) {
    static const char *const names[] = {"StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline",
                                        "LatentConsistencyModelPipeline", "LatentConsistencyModelImg2ImgPipeline"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(class_name, names[i]) == 0) return true;
    }
    return false;
}

static bool index_valid(const char *folder, Error *error) {
    struct stat status;
    if (stat(folder, &status) == 0 && !S_ISDIR(status.st_mode)) {
        return error_set(error, "%s: is a file; name the folder of a model in diffusers' layout", folder);
    }
    Config index;
    char class_name[64] = "", *path = path_join(folder, "model_index.json");
    bool ok = config_open(&index, path, error);
    if (ok) {
        config_string(&index, "_class_name", class_name, sizeof class_name);
        ok = config_close(&index);
    }
    if (ok && !pipeline_known(class_name)) {
        ok = error_set(
            error,
            "%s: is a %s, and only StableDiffusionPipeline and LatentConsistencyModelPipeline are known here; "
            "use a Stable Diffusion 1.x or 2.x model",
            path, class_name[0] ? class_name : "file without _class_name");
    }
    free(path);
    return ok;
}

// Each part is sound in itself by now; this is about whether they belong together.
static bool parts_fit(const Model *model, Error *error) {
    const UNetConfig *unet = unet_config(model->unet);
    const TextEncoderConfig *text = text_encoder_config(model->text_encoder);
    const VaeConfig *vae = vae_config(model->vae);
    size_t words = tokenizer_vocabulary_size(model->tokenizer), length = model->tokenizer->length;

    if (unet->in_channels != LATENT_CHANNELS || unet->out_channels != LATENT_CHANNELS ||
        vae->latent_channels != LATENT_CHANNELS) {
        return error_set(
            error,
            "%s: the U-Net takes %zu channels and gives %zu, the VAE has %zu; all must be %d (inpainting and "
            "upscaling models have others)",
            model->path, unet->in_channels, unet->out_channels, vae->latent_channels, LATENT_CHANNELS);
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
static size_t own_vae_levels(const char *folder) {
    VaeConfig config;
    return vae_config_read(folder, &config, NULL) ? config.levels : 0;
}

static bool vaes_open(Model *model, const char *own, const ModelOptions *options, Error *error) {
    model->vae = vae_open(options->vae ? options->vae : own, error);
    if (!model->vae) return false;
    if (options->vae && !vae_fits(model->vae, options->vae, own_vae_levels(own), error)) return false;
    if (!options->preview_vae) return true;
    model->preview_vae = vae_open(options->preview_vae, error);
    return model->preview_vae &&
           vae_fits(model->preview_vae, options->preview_vae, vae_config(model->vae)->levels, error);
}

// ---- open and close -------------------------------------------------------------------------------------------------

static bool parts_open(Model *model, const ModelOptions *options, Error *error) {
    char *tokenizer = path_join(model->path, "tokenizer"), *text_encoder = path_join(model->path, "text_encoder");
    char *unet = path_join(model->path, "unet"), *vae = path_join(model->path, "vae");
    model->tokenizer = tokenizer_open(tokenizer, error);
    if (model->tokenizer) model->text_encoder = text_encoder_open(text_encoder, error);
    if (model->text_encoder) model->unet = unet_open(unet, error);
    bool ok = model->unet && vaes_open(model, vae, options, error);
    free(tokenizer);
    free(text_encoder);
    free(unet);
    free(vae);
    return ok;
}

Model *model_open(const char *path, Error *error) { return model_open_with(path, &(ModelOptions){0}, error); }

Model *model_open_with(const char *path, const ModelOptions *options, Error *error) {
    double start = seconds_now();
    if (!index_valid(path, error)) return NULL;
    Model *model = calloc(1, sizeof *model);
    CHECK(model, "out of memory");
    model->path = strdup(path);
    model->vae_path = options->vae ? strdup(options->vae) : NULL;
    CHECK(model->path && (model->vae_path || !options->vae), "out of memory");
    if (!parts_open(model, options, error) || !parts_fit(model, error)) {
        model_close(model);
        return NULL;
    }
    model->load_seconds = seconds_now() - start;
    return model;
}

void model_close(Model *model) {
    if (!model) return;
    if (model->tokenizer) tokenizer_close(model->tokenizer);
    if (model->text_encoder) text_encoder_close(model->text_encoder);
    if (model->unet) unet_close(model->unet);
    vae_close(model->vae);
    vae_close(model->preview_vae);
    free(model->path);
    free(model->vae_path);
    free(model);
}
