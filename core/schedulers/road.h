// road.h - a road from noise to picture whose every place is known by formula, to measure schedulers on
//
// Say that every number of a picture is normal, of deviation c. Then the perfect denoiser is a line, and the road is known
// at every sigma:
//
//     x0 = c^2 / (c^2 + sigma^2) x          x = x_start sqrt((c^2 + sigma^2) / (c^2 + sigma_start^2))
//
// Where: `sculpt lab scheduler`, lesson 05. Paper: Karras et al. 2022 (arXiv 2206.00364), section 3, for what is measured.

#pragma once

#include "schedulers/scheduler.h"

// How far off the road a scheduler is, whose set_timesteps has been called, at its first stop at or below timestep
// `arrival`: ||latents - road|| / ||road||. calls: of the denoiser, until then.
double road_miss(Scheduler *s, float arrival, double *calls);
