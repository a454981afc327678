// noise_schedule.h - what all schedulers agree on: how noise was added in training, and where to stop on the way back
//
// In training a picture is mixed with noise in num_train_timesteps small steps; betas say how much noise each adds.
// What remains of the picture after t of them is alphas_cumprod[t]. A sampler takes far fewer steps back and must
// choose which of the timesteps to visit: the spacing.
// Paper: Ho, Jain & Abbeel 2020 (arXiv 2006.11239), section 2. Read next: ddim.c.

#pragma once

#include "schedulers/scheduler.h"

// Fills alphas_cumprod [config->num_train_timesteps]: the product of (1 - beta) up to each timestep.
void noise_schedule_fill(const SchedulerConfig *config, float *alphas_cumprod);

// num_inference_steps timesteps by config's spacing, falling, as real numbers: linspace's lie between whole ones.
void timesteps_fill(const SchedulerConfig *config, size_t num_inference_steps, double *timesteps);

// Makes room for a schedule of this many timesteps and fills them, rounded to whole numbers (as DDIM asks) or not (as
// Euler can). Errors: no steps at all, or more than were trained.
bool scheduler_take_timesteps(Scheduler *s, size_t num_inference_steps, bool whole, Error *error);
