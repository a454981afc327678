// exercise.h - lesson 08: the four functions to be written, the ways into the VAE and out of it

#pragma once

#include <stddef.h>
#include <stdint.h>

// What the encoder is shown: a picture's bytes as numbers from -1 (0, black) to 1 (255).
//
//     rgb     [height, width, 3]  0..255; red, green and blue of a pixel side by side
//     pixels  [3, height, width]  -1..1; all of the red, then all of the green, then all of the blue
void pixels_from_image(const uint8_t *rgb, float *pixels, size_t height, size_t width);

// What the encoder answers isn't latents but a normal distribution for each of them. One draw of it, on the U-Net's scale:
//
//     sigma   = exp(log_variance / 2)
//     latents = scaling_factor * (mean + sigma * noise)
//
// log_variance counts as -30 where it is less, and as 20 where it is more.
//
//     moments  [2 n]  n means, and behind them n log_variances
//     noise    [n]    normal numbers, mean 0, variance 1
//     latents  [n]
void latents_from_moments(const float *moments, const float *noise, float scaling_factor, float *latents, size_t n);

// What the decoder is shown: a run's latents on the VAE's own scale. No noise: where to the run has come is certain.
//
//     latents, unscaled  [n]
void unscale_latents(const float *latents, float scaling_factor, float *unscaled, size_t n);

// What the decoder answers, as a picture: from -1..1 to the nearest byte. Some of it lies a little beyond -1 and 1.
//
//     pixels  [3, height, width]
//     rgb     [height, width, 3]
void image_from_pixels(const float *pixels, uint8_t *rgb, size_t height, size_t width);
