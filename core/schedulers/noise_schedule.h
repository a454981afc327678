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

// Timestep k of num_inference_steps by the config's spacing, as a real number: linspace's lie between whole ones.
double timestep_at(const SchedulerConfig *config, size_t num_inference_steps, size_t k);

// Makes room for this many evaluations, and forgets what was before. Errors: no steps at all, or more than were trained.
bool scheduler_reserve(Scheduler *s, size_t num_inference_steps, size_t evaluations, Error *error);

// The same for one evaluation a step, and fills timesteps, rounded to whole numbers (as DDIM asks) or not (as Euler
// can).
bool scheduler_take_timesteps(Scheduler *s, size_t num_inference_steps, bool whole, Error *error);
