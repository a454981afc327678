// exercise.h - lesson 05: the functions to be written, as their check calls them. Together they are Euler's scheduler

#pragma once

#include "schedulers/scheduler.h"

// The noise levels of the run: sigmas[k] = sqrt((1 - a) / a) with a = s->alphas_cumprod at s->timesteps[k] (whole numbers
// here), and behind them the level at which the picture is finished, sigmas[s->timestep_count] = 0.
//
//     sigmas  [s->timestep_count + 1]
void euler_sigmas(const Scheduler *s, float *sigmas);

// Where the run starts: noise of variance 1 becomes as loud as picture and noise together are at the first level,
// init_noise_sigma = sqrt(sigmas[0]^2 + 1).
//
//     noise, latents  [n]
void euler_start(const float *sigmas, const float *noise, float *latents, size_t n);

// What the U-Net is shown at step k: it was trained on latents of variance 1, and these are picture + sigma * noise, so they
// are divided by sqrt(sigma^2 + 1).
//
//     latents, model_input  [n]
void euler_scale_model_input(const float *sigmas, size_t k, const float *latents, float *model_input, size_t n);

// Step k, along the tangent from sigma to the next one:
//
//     x0         = x - sigma * noise
//     derivative = (x - x0) / sigma
//     x_next     = x + derivative * (sigma_next - sigma)
//
//     latents               [n]  x: what the step starts from, at sigmas[k]
//     noise_pred            [n]  what the U-Net takes for noise in there
//     prev_sample           [n]  x_next, at sigmas[k + 1]. May be the same array as latents
//     pred_original_sample  [n]  x0: the picture as guessed at this step
void euler_step(const float *sigmas, size_t k, const float *latents, const float *noise_pred, float *prev_sample,
                float *pred_original_sample, size_t n);
