// exercise.h - lesson 04: the function to be written, as its check and Sculpt itself call it

#pragma once

#include "schedulers/scheduler.h"

// One step of DDIM, without randomness (eta is 0): from the latents at timestep s->timesteps[k] to those at the next stop,
// s->config.num_train_timesteps / s->num_inference_steps timesteps earlier.
//
//     x0     = (x_t - sqrt(1 - a_t) * noise) / sqrt(a_t)            guess everything
//     x_prev = sqrt(a_prev) * x0 + sqrt(1 - a_prev) * noise         take some
//
// a_t is s->alphas_cumprod at the step's timestep, a_prev the same at the next stop; where that lies below timestep 0, the
// picture is finished, and a_prev is s->final_alpha_cumprod.
//
//     latents               [n]  x_t: what the step starts from
//     noise_pred            [n]  what the U-Net takes for noise in there
//     prev_sample           [n]  x_prev: what the next step starts from. May be the same array as latents
//     pred_original_sample  [n]  x0: the picture as guessed at this step
void ddim_step(const Scheduler *s, size_t k, const float *latents, const float *noise_pred, float *prev_sample,
               float *pred_original_sample, size_t n);
