// decode.c - from latents to a picture that can be saved
//
// Where: after the last step, or at any step to see how it would look. Elsewhere: vae.decode and
// VaeImageProcessor.postprocess in diffusers. Read next: stages/vae.c; preview.c for the cheap way.

#include "run/run.h"

#include "base/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// pixels [3, H, W] in about -1..1 -> image bytes, and unrounded (or NULL) [3, H, W] in 0..1. False where a pixel isn't
// finite: clamped it would be black, or white, and nobody would know why.
static bool image_from_pixels(const float *pixels, Image *image, float *unrounded) {
    size_t area = image->height * image->width;
    for (size_t c = 0; c < 3; c++) {
        for (size_t i = 0; i < area; i++) {
            if (!isfinite(pixels[c * area + i])) return false;
            float value = fminf(fmaxf(pixels[c * area + i] / 2 + 0.5f, 0), 1);
            image->pixels[i * 3 + c] = (uint8_t)rintf(value * 255);
            if (unrounded) unrounded[c * area + i] = value;
        }
    }
    return true;
}

bool decode_through(const Run *run, Context *ctx, const Vae *vae, const float *latents, Image *image,
                    float *float_pixels, Error *error) {
    *image = (Image){0};
    float *unscaled = malloc(run->n * sizeof *unscaled);
    if (!unscaled) return error_set(error, "decoding: no memory for %zu latents; close other programs", run->n);
    for (size_t i = 0; i < run->n; i++) unscaled[i] = latents[i] / vae_config(vae)->scaling_factor;

    Scope scope = scope_open(&ctx->arena);
    int threads_before = context_enter(ctx);
    Tensor pixels = vae_decode(ctx, vae, tensor_over(unscaled, shape4(1, LATENT_CHANNELS, run->height, run->width)));
    context_leave(threads_before);
    bool ok = !context_stopped(ctx) || error_set(error, "cancelled");
    if (ok) {
        *image = image_new(run->settings.width, run->settings.height);
        ok = image->pixels || error_set(error, "decoding: no memory for the picture; close other programs");
    }
    if (ok && !image_from_pixels(tensor_f32(pixels), image, float_pixels)) {
        image_free(image);
        ok = error_set(error, "decoding: the VAE's answer is not finite; try other kernels, or check the weights");
    }
    scope_close(&ctx->arena, &scope);
    free(unscaled);
    return ok;
}

bool run_decode(Run *run, const float *latents, Image *image, float *float_pixels, Error *error) {
    double start = seconds_now();
    bool ok = decode_through(run, &run->ctx, run->model->vae, latents, image, float_pixels, error);
    if (atomic_exchange(&run->stop, false) && ok) {
        image_free(image);
        ok = error_set(error, "cancelled");
    }
    run->times.decode += seconds_now() - start;
    return ok;
}

bool run_finish(Run *run, Image *image, Error *error) { return run_decode(run, run->latents, image, NULL, error); }
