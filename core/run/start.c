// start.c - the block of stone: the latents that the first step sees
//
// Text to image begins with noise alone. Image to image (Meng et al. 2021, SDEdit, arXiv 2108.01073) begins further on,
// with a picture under as much noise as the first step that is taken expects: strength says how far back in the
// schedule. Elsewhere: prepare_latents of StableDiffusionPipeline and StableDiffusionImg2ImgPipeline. A seed only gives
// the same picture there and here because both draw the same numbers in the same order: posterior, start, then the
// steps'. Read next: inpaint.c, which begins with a picture and a mask.

#include "run/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool start_from_noise(Run *run, const float *latents, Error *error) {
    if (latents)
        memcpy(run->latents, latents, run->n * sizeof *latents);
    else
        rng_normal(&run->rng, run->latents, run->n);
    if (!all_finite(run->latents, run->n)) return error_set(error, "latents: some are not finite; give real numbers");
    for (size_t i = 0; i < run->n; i++) run->latents[i] *= run->scheduler->init_noise_sigma;
    return true;
}

// [height, width, 3] bytes -> [3, height, width] in -1..1
static void pixels_from_image(const Image *image, float *pixels) {
    size_t area = image->height * image->width;
    for (size_t i = 0; i < area; i++) {
        for (size_t c = 0; c < 3; c++) pixels[c * area + i] = (float)image->pixels[i * 3 + c] / 255.0f * 2 - 1;
    }
}

float *start_pixels(const Run *run, const Image *init, Error *error) {
    const Settings *s = &run->settings;
    Image fitted = image_resize(init, s->width, s->height);
    float *pixels = fitted.pixels ? malloc(3 * s->width * s->height * sizeof *pixels) : NULL;
    if (pixels)
        pixels_from_image(&fitted, pixels);
    else
        error_set(error, "init: no memory for %zux%zu pixels; close other programs", s->width, s->height);
    image_free(&fitted);
    return pixels;
}

// The encoder doesn't say "these latents" but "about these": moments [2, 4, h, w] hold a mean and the logarithm of a
// variance for each number, and one draw of that distribution is taken, of which the U-Net's scale is 1. A tiny VAE's
// does say "these", and nothing is drawn.
static void draw_posterior(Run *run, const float *moments, float *latents) {
    const VaeConfig *vae = vae_config(run->model->vae);
    const float *mean = moments, *log_variance = moments + run->n;
    float scaling_factor = vae->scaling_factor, *noise = run->model_input;
    if (!vae->has_posterior) {
        for (size_t i = 0; i < run->n; i++) latents[i] = scaling_factor * mean[i];
        return;
    }
    rng_normal(&run->rng, noise, run->n);
    for (size_t i = 0; i < run->n; i++) {
        float deviation = expf(0.5f * fminf(fmaxf(log_variance[i], -30), 20));
        latents[i] = scaling_factor * (mean[i] + deviation * noise[i]);
    }
}

bool start_encode(Run *run, const float *pixels, float *latents, Error *error) {
    Context *ctx = &run->ctx;
    Shape shape = shape4(1, 3, run->settings.height, run->settings.width);
    Scope scope = scope_open(&ctx->arena);
    int threads_before = context_enter(ctx);
    // The picture isn't written to; tensor_over just has no const form. [1, 8, h, w], or [1, 4, h, w] without a posterior
    Tensor moments = vae_encode(ctx, run->model->vae, tensor_over((float *)pixels, shape));
    context_leave(threads_before);
    draw_posterior(run, tensor_f32(moments), latents);
    scope_close(&ctx->arena, &scope);
    return all_finite(latents, run->n) ||
           error_set(error, "init: the VAE's answer is not finite; try other kernels, or check the weights");
}

bool start_from_image(Run *run, const Image *init, Error *error) {
    float *pixels = start_pixels(run, init, error), *noise = run->model_input;
    bool ok = pixels && start_encode(run, pixels, run->latents, error);
    free(pixels);
    if (!ok) return false;
    rng_normal(&run->rng, noise, run->n);
    run->scheduler->kind->add_noise(run->scheduler, run->next, run->latents, noise, run->latents, run->n);
    return true;
}
