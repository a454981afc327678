// exercise.h - lesson 09: the three functions to be written

#pragma once

#include "schedulers/scheduler.h"

// Which step is the first to be run, counted from 0, where of num_inference_steps only the last int(steps * strength) are
// run. int() cuts off, of the product as Python has it, which computes in double. strength 1 is all of them: 0.
//
// strength  0..1
size_t first_step(size_t num_inference_steps, double strength);

// What step k is shown: a picture's latents under as much noise as there is at its timestep, t = s->timesteps[k].
//
//     noisy = sqrt(a) * clean + sqrt(1 - a) * noise        a = s->alphas_cumprod at t
//
//     clean, noise, noisy  [n]
void noisy_latents(const Scheduler *s, size_t k, const float *clean, const float *noise, float *noisy, size_t n);

// Inpainting: called after every step. k is the step that comes next; s->timestep_count where none is left. Where the mask
// is 0, the latents become those of the picture to keep, under the noise that step k expects, and with no noise if none is
// left. Where it is 1 they stay what the step made of them, and in between it is (1 - mask) of one and mask of the other.
//
//     image_latents, noise  [4, height, width]
//     mask                  [height, width]: one number for all 4 channels of a place
//     latents               [4, height, width], read and written
void keep_known(const Scheduler *s, size_t k, const float *image_latents, const float *noise, const float *mask,
                float *latents, size_t height, size_t width);
