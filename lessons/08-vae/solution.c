// solution.c - lesson 08: the ways into the VAE and out of it. In core/ they are in run/start.c and run/decode.c

#include "exercise.h"

#include <math.h>

void pixels_from_image(const uint8_t *rgb, float *pixels, size_t height, size_t width) {
    size_t area = height * width;
    for (size_t i = 0; i < area; i++) {
        for (size_t c = 0; c < 3; c++) pixels[c * area + i] = (float)rgb[i * 3 + c] / 255 * 2 - 1;
    }
}

void latents_from_moments(const float *moments, const float *noise, float scaling_factor, float *latents, size_t n) {
    for (size_t i = 0; i < n; i++) {
        float mean = moments[i], log_variance = fminf(fmaxf(moments[n + i], -30), 20);
        latents[i] = scaling_factor * (mean + expf(log_variance / 2) * noise[i]);
    }
}

void unscale_latents(const float *latents, float scaling_factor, float *unscaled, size_t n) {
    for (size_t i = 0; i < n; i++) unscaled[i] = latents[i] / scaling_factor;
}

void image_from_pixels(const float *pixels, uint8_t *rgb, size_t height, size_t width) {
    size_t area = height * width;
    for (size_t i = 0; i < area; i++) {
        for (size_t c = 0; c < 3; c++) {
            float value = fminf(fmaxf(pixels[c * area + i] / 2 + 0.5f, 0), 1);
            rgb[i * 3 + c] = (uint8_t)rintf(255 * value);
        }
    }
}
