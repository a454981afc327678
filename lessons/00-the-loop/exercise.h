// exercise.h - lesson 00: the function to be written, as its check calls it

#pragma once

#include "schedulers/scheduler.h"

// The network, asked once: shown model_input [n] at a timestep, it writes what it takes for noise into noise_pred [n].
// The arrays may not be the same.
typedef void AskUnet(void *unet, const float *model_input, float timestep, float *noise_pred, size_t n);

// The whole of sampling: from noise to latents, which a decoder then turns into a picture.
//
//     latents = noise * s->init_noise_sigma
//     for each step k of s->timestep_count:
//         model_input = latents as the network wants them at step k     s->kind->scale_model_input
//         noise_pred  = the network's answer, at s->timesteps[k]        ask(unet, ...)
//         latents     = the scheduler's step                            s->kind->step
//
// The scheduler's two functions (core/schedulers/scheduler.h has all of them):
//
//     s->kind->scale_model_input(s, k, latents, model_input, n);
//     s->kind->step(s, k, latents, noise_pred, fresh_noise, prev_sample, pred_original_sample, n);
//
// These schedulers draw no fresh noise (NULL), and their step may write prev_sample, the next latents, over latents. It also
// writes pred_original_sample [n], for which it needs a place, although nothing here reads it.
//
//     s        its timesteps are set
//     noise    [n]  random numbers of variance 1
//     latents  [n]  where the result goes
void sample(Scheduler *s, AskUnet *ask, void *unet, const float *noise, float *latents, size_t n);
