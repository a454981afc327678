// start.c - the block of stone: the latents that the first step sees
//
// Text to image begins with noise alone. Image to image (Meng et al. 2021, SDEdit, arXiv 2108.01073) begins further on,
// with a picture under as much noise as the first step that is taken expects: strength says how far back in the
// schedule. Elsewhere: prepare_latents of StableDiffusionPipeline and StableDiffusionImg2ImgPipeline. A seed only gives
// the same picture there and here because both draw the same numbers in the same order: posterior, start, then the
// steps'.

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

// The encoder doesn't say "these latents" but "about these": moments [2, 4, h, w] hold a mean and the logarithm of a
// variance for each number, and one draw of that distribution is taken, of which the U-Net's scale is 1. A tiny VAE's
// does say "these", and nothing is drawn.
static void draw_posterior(Run *run, const float *moments) {
    const VaeConfig *vae = vae_config(run->model->vae);
    const float *mean = moments, *log_variance = moments + run->n;
    float scaling_factor = vae->scaling_factor, *noise = run->model_input;
    if (!vae->has_posterior) {
        for (size_t i = 0; i < run->n; i++) run->latents[i] = scaling_factor * mean[i];
        return;
    }
    rng_normal(&run->rng, noise, run->n);
    for (size_t i = 0; i < run->n; i++) {
        float deviation = expf(0.5f * fminf(fmaxf(log_variance[i], -30), 20));
        run->latents[i] = scaling_factor * (mean[i] + deviation * noise[i]);
    }
}

bool start_from_image(Run *run, const Image *init, Error *error) {
    const Settings *s = &run->settings;
    Image fitted = image_resize(init, s->width, s->height);
    float *pixels = malloc(3 * s->width * s->height * sizeof *pixels);
    if (!pixels || !fitted.pixels) {
        free(pixels);
        image_free(&fitted);
        return error_set(error, "init: no memory for %zux%zu pixels; close other programs", s->width, s->height);
    }
    pixels_from_image(&fitted, pixels);
    image_free(&fitted);

    Context *ctx = &run->ctx;
    Scope scope = scope_open(&ctx->arena);
    int threads_before = context_enter(ctx);
    Tensor moments = vae_encode(ctx, run->model->vae, tensor_over(pixels, shape4(1, 3, s->height, s->width)));
    context_leave(threads_before);
    draw_posterior(run, tensor_f32(moments));  // [1, 8, h, w], or [1, 4, h, w] without a posterior
    scope_close(&ctx->arena, &scope);
    free(pixels);
    if (!all_finite(run->latents, run->n)) {
        return error_set(error, "init: the VAE's answer is not finite; try other kernels, or check the weights");
    }

    float *noise = run->model_input;
    rng_normal(&run->rng, noise, run->n);
    run->scheduler->kind->add_noise(run->scheduler, run->next, run->latents, noise, run->latents, run->n);
    return true;
}
