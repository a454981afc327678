// exercise.c - lesson 08: write the ways into the VAE and out of it
//
// exercise.h says what goes in and comes out of these four. `make check N=08` says how far you are, and sends a drawing
// through the VAE with what you wrote. Each is a loop of a few lines.

#include "exercise.h"

#include <math.h>

void pixels_from_image(const uint8_t *rgb, float *pixels, size_t height, size_t width) {
    // Here. Number c of pixel i is rgb[3 * i + c]; where does it go?
}

void latents_from_moments(const float *moments, const float *noise, float scaling_factor, float *latents, size_t n) {
    // Here.
}

void unscale_latents(const float *latents, float scaling_factor, float *unscaled, size_t n) {
    // Here.
}

void image_from_pixels(const float *pixels, uint8_t *rgb, size_t height, size_t width) {
    // Here.
}
