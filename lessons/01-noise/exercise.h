// exercise.h - lesson 01: the functions to be written, as their check calls them

#pragma once

#include <stddef.h>

// How much of the picture's variance is left at each timestep: in timestep t training keeps 1 - betas[t] of it, so what is
// left after t is the product of 1 - beta over timesteps 0 to t, that of t included.
//
//     betas, alphas_cumprod  [count]
void alphas_cumprod_fill(const float *betas, float *alphas_cumprod, size_t count);

// The noise over the picture, sqrt((1 - a) / a), and the way back, from sigma to a
float sigma_from_alpha(float a);
float alpha_from_sigma(float sigma);

// The mixture that a U-Net is trained on, of variance 1 as both of its parts are:
//
//     x_t = sqrt(a) * x0 + sqrt(1 - a) * noise
//
//     x0, noise, x_t  [n]
void add_noise(const float *x0, const float *noise, float a, float *x_t, size_t n);

// The same latents in the form in which the picture keeps its size, x0 + sigma * noise: you are given x_t alone, and
// neither x0 nor the noise.
//
//     x_t, x_sigma    [n]
void to_sigma_form(const float *x_t, float a, float *x_sigma, size_t n);
