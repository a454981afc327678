// sigmas.h - noise levels as sigma, the noise over the picture, for the schedulers that count in it
//
// Paper: Karras et al. 2022 (arXiv 2206.00364), sections 2 and 3. Elsewhere: the sigmas of diffusers'
// EulerDiscreteScheduler and its kin. Read next: euler.c.

#pragma once

#include "schedulers/scheduler.h"

// sqrt((1 - a) / a): from 0.03 at timestep 0 to 14.6 at Stable Diffusion's last
float sigma_at(const Scheduler *s, size_t timestep);

// The same between two timesteps, which needn't be whole numbers, and the way back. Both stay within what was trained.
double sigma_between(const Scheduler *s, double timestep);
double timestep_of_sigma(const Scheduler *s, double sigma);

// Karras et al. 2022, eq. 5: step k of `steps` from the sigma `first` down to `last`
double karras_sigma(double first, double last, size_t k, size_t steps);

// Timesteps by the config's spacing and a sigma for each, then 0; use_karras_sigmas moves both. Sets init_noise_sigma.
bool scheduler_take_sigmas(Scheduler *s, size_t num_inference_steps, Error *error);

// For steps in two halves: every sigma but the first and the last twice, 2 S - 1 evaluations instead of S
bool scheduler_double(Scheduler *s, Error *error);
