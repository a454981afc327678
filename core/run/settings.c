// settings.c - what may be asked of a run, and what it means for this model
//
// Everything here comes from outside (a command line, a window, a notebook), so nothing is CHECKed: a setting that
// makes no sense is a one-line error that says what would.
// Elsewhere: check_inputs and get_timesteps of diffusers' StableDiffusionPipeline, StableDiffusionImg2ImgPipeline and
// StableDiffusionInpaintPipeline.

#include "run/run.h"

#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

Settings settings_default(const Model *model) {
    size_t side = unet_config(model->unet)->sample_size * vae_factor(model->vae);
    bool lcm = unet_config(model->unet)->time_cond_proj_dim > 0;
    return (Settings){.prompt = "",
                      .negative_prompt = "",
                      .num_inference_steps = lcm ? LCM_NUM_INFERENCE_STEPS : DEFAULT_NUM_INFERENCE_STEPS,
                      .guidance_scale = lcm ? LCM_GUIDANCE_SCALE : DEFAULT_GUIDANCE_SCALE,
                      .width = side,
                      .height = side,
                      .strength = DEFAULT_STRENGTH,
                      .precision = model->matrix_type == BF16 ? BF16 : F32};
}

static bool side_check(const char *name, size_t pixels, size_t factor, Error *error) {
    if (pixels > 0 && pixels <= LARGEST_SIDE && pixels % factor == 0) return true;
    size_t nearest = (pixels + factor / 2) / factor * factor, largest = LARGEST_SIDE / factor * factor;
    if (pixels > largest) nearest = largest;
    if (nearest == 0) nearest = factor;
    return error_set(error, "%s: %zu pixels, and it must be a multiple of %zu up to %zu; %zu is the nearest", name,
                     pixels, factor, largest, nearest);
}

// A U-Net that adds zeros on two sides only (downsample_padding 0) can't halve a side of one latent.
static bool halving_check(const char *name, size_t pixels, const Model *model, Error *error) {
    const UNetConfig *unet = unet_config(model->unet);
    size_t least = vae_factor(model->vae) << (unet->levels - 1);
    if (unet->downsample_padding > 0 || pixels >= least) return true;
    return error_set(error, "%s: %zu pixels, which this U-Net can't halve %zu times; %zu is the least", name, pixels,
                     unet->levels - 1, least);
}

bool settings_check(const Model *model, const Settings *settings, Error *error) {
    size_t factor = vae_factor(model->vae);
    if (!settings->prompt || !settings->negative_prompt) {
        return error_set(error, "prompt: none was given; use \"\" for an empty one");
    }
    if (!side_check("width", settings->width, factor, error) ||
        !side_check("height", settings->height, factor, error) ||
        !halving_check("width", settings->width, model, error) ||
        !halving_check("height", settings->height, model, error)) {
        return false;
    }
    if (!isfinite(settings->guidance_scale)) {
        return error_set(error, "guidance: %g is no number to multiply with; 7.5 is usual, 1 turns it off",
                         (double)settings->guidance_scale);
    }
    if (!(settings->guidance_rescale >= 0 && settings->guidance_rescale <= 1)) {
        return error_set(error, "guidance_rescale: %g; it must be 0 (leave the contrast) to 1 (take all excess back)",
                         (double)settings->guidance_rescale);
    }
    float low = settings->guidance_low, high = settings->guidance_high;
    bool everywhere = low == 0 && high == 0, sound = isfinite(low) && isfinite(high) && 0 <= low && low < high;
    if (!everywhere && !sound) {
        return error_set(error, "guidance_interval: sigmas from %g to %g; it must be 0 <= low < high, as 0.28 to 5.42",
                         (double)low, (double)high);
    }
    size_t layers = text_encoder_config(model->text_encoder)->num_hidden_layers;
    if (settings->clip_skip > layers) {
        return error_set(error, "clip_skip: %zu layers to leave out, and this text encoder has %zu; leave out fewer",
                         settings->clip_skip, layers);
    }
    return exact_check(model, settings, error);
}

bool settings_check_start(const Model *model, const Settings *settings, Error *error) {
    const Image *init = settings->init, *mask = settings->mask;
    if (model_inpaints(model) && !(init && mask)) {
        return error_set(error,
                         "init and mask: this model's U-Net has %d channels of input and paints only into a picture, "
                         "where a mask says; give both, or take a model of %d",
                         INPAINT_CHANNELS, LATENT_CHANNELS);
    }
    if (mask && !init) {
        return error_set(error, "mask: it says what of a picture is painted anew, and there is none; give init, too");
    }
    if (init && settings->latents) {
        return error_set(error,
                         "init and latents: a run can begin from a picture or from latents, not both; leave one out");
    }
    if (init && !(settings->strength >= 0 && settings->strength <= 1)) {
        return error_set(error, "strength: %g; it must be 0 (keep the picture) to 1 (keep nothing of it)",
                         (double)settings->strength);
    }
    if (init && (init->width == 0 || init->height == 0)) {
        return error_set(error, "init: a picture without pixels; give one of at least 1x1");
    }
    if (mask && (mask->width == 0 || mask->height == 0)) {
        return error_set(error, "mask: a picture without pixels; give one of at least 1x1");
    }
    return true;
}

bool settings_guided(const Model *model, const Settings *settings) {
    return settings->guidance_scale > 1 && (settings->exact || unet_config(model->unet)->time_cond_proj_dim == 0);
}

Scheduler *settings_scheduler(const Model *model, const Settings *settings, Error *error) {
    Scheduler *scheduler = model_scheduler(model->path, model->single_file, settings->scheduler,
                                           settings->scheduler_overrides, settings->scheduler_override_count, error);
    if (scheduler && !scheduler->kind->set_timesteps(scheduler, settings->num_inference_steps, error)) {
        scheduler_free(scheduler);
        return NULL;
    }
    return scheduler;
}

// int(steps * strength), in double and of the decimal number that was asked for, as Python has it
bool settings_first_step(const Settings *settings, const Scheduler *scheduler, size_t *first, Error *error) {
    *first = 0;
    if (!settings->init) return true;
    size_t steps = settings->num_inference_steps, to_do = (size_t)((double)steps * as_written(settings->strength));
    if (to_do > steps) to_do = steps;
    if (to_do == 0) {
        return error_set(error, "strength: %g of %zu steps is less than one step; raise strength or steps",
                         (double)settings->strength, steps);
    }
    *first = (steps - to_do) * (size_t)scheduler->kind->unet_calls_per_step;
    return true;
}

bool settings_kernels(const Settings *settings, const Kernel *kernels[OP_COUNT], Error *error) {
    if (settings->precision != F32 && settings->precision != BF16) {
        return error_set(error, "precision: no kernel computes in %s; take F32 or BF16",
                         dtype_name(settings->precision));
    }
    Context chooser;
    context_open_planning(&chooser, NULL);
    bool ok = context_choose_kernels(&chooser, settings->precision, settings->kernels, settings->kernel_count, error);
    memcpy(kernels, chooser.kernels, sizeof chooser.kernels);
    context_close(&chooser);
    return ok;
}

// ---- settings that outlive their caller -----------------------------------------------------------------------------

bool settings_own_strings(Settings *settings, Error *error) {
    settings->prompt = strdup(settings->prompt);
    settings->negative_prompt = strdup(settings->negative_prompt);
    settings->scheduler = settings->scheduler ? strdup(settings->scheduler) : NULL;
    settings->scheduler_overrides = NULL;
    settings->scheduler_override_count = settings->kernel_count = 0;
    memset(settings->kernels, 0, sizeof settings->kernels);
    settings->init = settings->mask = NULL;
    settings->latents = NULL;
    if (settings->prompt && settings->negative_prompt) return true;
    settings_free_strings(settings);
    return error_set(error, "prompt: no memory for a copy of it; close other programs");
}

void settings_free_strings(Settings *settings) {
    free((char *)settings->prompt);
    free((char *)settings->negative_prompt);
    free((char *)settings->scheduler);
    settings->prompt = settings->negative_prompt = settings->scheduler = NULL;
}
