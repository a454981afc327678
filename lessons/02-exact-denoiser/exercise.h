// exercise.h - lesson 02: the functions to be written, as their check calls them

#pragma once

#include <stddef.h>

// The best guess at the picture x0 that lies under the noise of x_t, from the training set alone: the mean of all pictures,
// each weighed by how likely it is the one.
//
//     x_t      = sqrt(a) * x0 + sqrt(1 - a) * noise                                     how it was made
//     weight_i = softmax over i of  -|x_t - sqrt(a) * picture_i|^2 / (2 * (1 - a))      how likely picture_i is x0
//     x0       = sum over i of weight_i * picture_i
//
// softmax: e to the power of each, divided by the sum of all of these. |...|^2 is the sum of n squares. It has to work for
// Stable Diffusion's n, 16384, where a power is far too small for a number.
//
//     x_t       [n]
//     a         alphas_cumprod at x_t's timestep, 0 < a < 1
//     pictures  [count, n]  the training set, without noise
//     x0        [n]
void best_guess(const float *x_t, double a, const float *pictures, size_t count, size_t n, float *x0);

// The same answer as a U-Net gives it: which noise is in x_t, if x0 is the picture.
//
//     x_t, x0     [n]
//     noise_pred  [n]  may be the same array as x0
void noise_of_guess(const float *x_t, double a, const float *x0, size_t n, float *noise_pred);
