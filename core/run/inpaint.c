// inpaint.c - a picture of which only a part is painted anew
//
// Where: beside pipeline.c's loop. At the start, a picture and a mask m in place of noise alone: m is 1 where to paint
// and 0 where to keep. Then, depending on the U-Net, either before it is asked or after each step.
// Elsewhere: diffusers.StableDiffusionInpaintPipeline, for both. Read next: schedulers/scheduler.h for add_noise.
//
// How does the new part come to go with the old? A U-Net of 9 input channels was trained for it (Rombach et al. 2022,
// arXiv 2112.10752, section 4.5): beside the noisy latents it is shown what there is to go with,
//
//     model_input = (x_t, m, latents of the picture with the part to paint grey)                            4 + 1 + 4
//
// and it learns to paint the grey away. What is kept, it copies: nearly, not exactly.
//
// Any other U-Net has never heard of masks, but it makes the parts of a picture go with each other. So it is given the
// old picture as one of its own halfway to the end: after each step, the latents to keep are put back, under as much
// noise as the next step expects (Avrahami et al. 2022, Blended Latent Diffusion, arXiv 2206.02779; in pixels,
// Lugmayr et al. 2022, RePaint, arXiv 2201.09865, eq. 8):
//
//     known = add_noise(picture, noise, t_prev)
//     x_prev = (1 - m) known + m step(x_t)
//
// What is put back doesn't follow what was painted so far: only the steps that come after can bring the two together,
// which is why seams show where few are left. RePaint goes back and forth over the same noise levels to give them time,
// with fresh noise for `known` each time; diffusers doesn't, and uses one noise all along.
//
// A latent is kept or painted as a whole, 8x8 pixels by the one at their top left; and the decoder draws all of them, so
// that pixels of the kept part come back nearly, not exactly, as they were.

#include "run/run.h"

#include <stdlib.h>
#include <string.h>

// ---- the mask -------------------------------------------------------------------------------------------------------

// Whether a pixel [3] is to be painted: from the middle between black and white on. Of colours counts the brightness,
// ITU-R 601's luma as Pillow's convert("L") rounds it. In two corners diffusers' masks are others, since Pillow forgets
// what was transparent (here it lies over white) and resizes pictures of 1 bit or with a palette by the nearest pixel.
static bool painted(const uint8_t *rgb) {
    unsigned luma = (19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 0x8000) >> 16;
    return luma >= 128;
}

// mask, of the run's size -> [h, w] of 0 and 1, as torch's interpolate (nearest) makes it smaller
static void mask_latents(const Run *run, const Image *mask, float *latents) {
    size_t factor = vae_factor(run->model->vae);
    for (size_t y = 0; y < run->height; y++) {
        for (size_t x = 0; x < run->width; x++) {
            const uint8_t *top_left = mask->pixels + (y * factor * mask->width + x * factor) * 3;
            latents[y * run->width + x] = painted(top_left);
        }
    }
}

// pixels [3, H, W] in -1..1: grey, which is 0, where the mask says paint
static void mask_pixels(const Image *mask, float *pixels) {
    size_t area = mask->height * mask->width;
    for (size_t i = 0; i < area; i++) {
        for (size_t c = 0; c < 3 && painted(mask->pixels + i * 3); c++) pixels[c * area + i] = 0;
    }
}

// ---- start ----------------------------------------------------------------------------------------------------------

static bool take_memory(Inpaint *inpaint, const Run *run, Error *error) {
    size_t n = run->n, area = run->height * run->width;
    inpaint->memory = calloc(3 * n + area, sizeof *inpaint->memory);
    if (!inpaint->memory) return error_set(error, "mask: no memory for %zu latents; draw a smaller picture", n);
    inpaint->image_latents = inpaint->memory;
    inpaint->noise = inpaint->memory + n;
    inpaint->masked_image_latents = inpaint->memory + 2 * n;
    inpaint->mask = inpaint->memory + 3 * n;
    return true;
}

// The random numbers are drawn in diffusers' order: the picture's posterior, if the picture is looked at; noise; the
// masked picture's posterior. A U-Net of 4 channels has no use for the last. It isn't encoded for it, but its random
// numbers are drawn, since those of a stochastic scheduler come after.
// With strength 1 (diffusers' is_strength_max) the run begins with noise alone, and the picture is nowhere in it, where
// image to image would leave a trace of it. pixels [3, H, W] are used up.
static bool latents_start(Run *run, float *pixels, const Image *mask, Error *error) {
    Inpaint *inpaint = &run->inpaint;
    Scheduler *scheduler = run->scheduler;
    bool from_noise = run->settings.strength == 1, sees_mask = model_inpaints(run->model);

    if (!(sees_mask && from_noise) && !start_encode(run, pixels, inpaint->image_latents, error)) return false;
    rng_normal(&run->rng, inpaint->noise, run->n);
    if (from_noise) {
        for (size_t i = 0; i < run->n; i++) run->latents[i] = inpaint->noise[i] * scheduler->init_noise_sigma;
    } else {
        scheduler->kind->add_noise(scheduler, run->next, inpaint->image_latents, inpaint->noise, run->latents, run->n);
    }

    mask_latents(run, mask, inpaint->mask);
    if (!sees_mask) {
        if (vae_config(run->model->vae)->has_posterior) rng_normal(&run->rng, inpaint->masked_image_latents, run->n);
        return true;
    }
    mask_pixels(mask, pixels);
    return start_encode(run, pixels, inpaint->masked_image_latents, error);
}

bool start_from_mask(Run *run, const Image *init, const Image *mask, Error *error) {
    size_t width = run->settings.width, height = run->settings.height;
    if (!take_memory(&run->inpaint, run, error)) return false;
    Image fitted = image_resize(mask, width, height);
    if (!fitted.pixels) {
        return error_set(error, "mask: no memory for %zux%zu pixels; close other programs", width, height);
    }
    float *pixels = start_pixels(run, init, error);
    bool ok = pixels && latents_start(run, pixels, &fitted, error);
    free(pixels);
    image_free(&fitted);
    return ok;
}

// ---- on the way -----------------------------------------------------------------------------------------------------

void inpaint_show(const Run *run, float *model_input) {
    size_t area = run->height * run->width;
    memcpy(model_input + run->n, run->inpaint.mask, area * sizeof *model_input);
    memcpy(model_input + run->n + area, run->inpaint.masked_image_latents, run->n * sizeof *model_input);
}

bool inpaint_blends(const Run *run) { return run->inpaint.memory && !model_inpaints(run->model); }

// model_input, which the U-Net has read by now, holds what is known meanwhile. Behind the last step it has no noise.
void inpaint_blend(Run *run, size_t k, float *latents) {
    const Inpaint *inpaint = &run->inpaint;
    const Scheduler *scheduler = run->scheduler;
    size_t area = run->height * run->width;
    float *known = run->model_input;
    if (k < scheduler->timestep_count)
        scheduler->kind->add_noise(scheduler, k, inpaint->image_latents, inpaint->noise, known, run->n);
    else
        memcpy(known, inpaint->image_latents, run->n * sizeof *known);
    for (size_t i = 0; i < run->n; i++) {
        float m = inpaint->mask[i % area];
        latents[i] = (1 - m) * known[i] + m * latents[i];
    }
}

// ---- copies ---------------------------------------------------------------------------------------------------------

bool inpaint_copy(Run *copy, const Run *run, Error *error) {
    if (!run->inpaint.memory) return true;
    if (!take_memory(&copy->inpaint, run, error)) return false;
    memcpy(copy->inpaint.memory, run->inpaint.memory, (3 * run->n + run->height * run->width) * sizeof(float));
    return true;
}

void inpaint_free(Inpaint *inpaint) {
    free(inpaint->memory);
    *inpaint = (Inpaint){0};
}
