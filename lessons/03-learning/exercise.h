// exercise.h - lesson 03: the functions to be written, as their check and the training itself call them

#pragma once

#include "demo/learning.h"

// The loss of one batch, and how it changes with each number that the network says. POINT, 2, numbers are a point.
//
//     x_t          = sqrt(a) * x0 + sqrt(1 - a) * noise       a is alphas_cumprod[t[row]], each row has a t of its own
//     noise_pred   = what the network says, asked by ask(denoiser, x_t, t, rows, noise_pred)
//     loss         = mean over all rows * POINT numbers of (noise_pred - noise)^2
//     d_noise_pred = d loss / d noise_pred
//
//     t                             [rows]         timesteps
//     x0, noise                     [rows, POINT]  points of the data, and normal noise
//     x_t, noise_pred, d_noise_pred [rows, POINT]  to be filled
// Gives the loss.
float training_loss(AskNoise *ask, void *denoiser, const float *alphas_cumprod, const size_t *t, const float *x0,
                    const float *noise, size_t rows, float *x_t, float *noise_pred, float *d_noise_pred);

// Back through a linear layer, out[r, o] = sum over i of in[r, i] * weight[o, i] + bias[o]: given how the loss changes with
// what came out, how does it change with weight, bias, and what went in? All three are overwritten.
//
//     d_weight[o, i] = sum over r of d_out[r, o] * in[r, i]
//     d_bias[o]      = sum over r of d_out[r, o]
//     d_in[r, i]     = sum over o of d_out[r, o] * weight[o, i]
//
//     in, d_in          [rows, in_size]     d_in is NULL for the first layer: nobody asks
//     weight, d_weight  [out_size, in_size]
//     d_out             [rows, out_size]
//     d_bias            [out_size]
void linear_backward(const float *in, const float *weight, const float *d_out, size_t rows, size_t in_size,
                     size_t out_size, float *d_weight, float *d_bias, float *d_in);

// A step of Adam (Kingma & Ba 2014, arXiv 1412.6980, algorithm 1), for each of n parameters with its gradient g:
//
//     m = beta1 * m + (1 - beta1) * g                running means of the gradient
//     v = beta2 * v + (1 - beta2) * g^2              and of its square, both begun at 0
//     parameter -= learning_rate * m / (1 - beta1^step) / (sqrt(v / (1 - beta2^step)) + 1e-8)
//
// beta1 is 0.9, beta2 0.999. step counts from 1. parameters, m and v are changed in place.
void adam_step(float *parameters, const float *gradients, float *m, float *v, size_t n, size_t step,
               float learning_rate);
