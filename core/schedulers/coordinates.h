// coordinates.h - the same latents in two coordinates, and what the model says of them as a picture
//
//     variance preserving   x = sqrt(a) x0 + sqrt(1 - a) noise     a is alphas_cumprod; the variance stays 1
//     variance exploding    x = x0 + sigma noise                   sigma = sqrt((1 - a) / a): larger by sqrt(1 + sigma^2)
//
// Papers write their formulas in the one that makes them short. A scheduler takes its scale_model_input and add_noise
// from here, and turns the model's output (noise, v or sample) into x0.
// Papers: Song et al. 2021 (arXiv 2011.13456), section 3.4, for the two; Salimans & Ho 2022 (arXiv 2202.00512), section
// 4, for v. Read next: ddim.c and euler.c, one step in either.

#pragma once

#include "schedulers/scheduler.h"

// ---- variance preserving --------------------------------------------------------------------------------------------

// What the model said, as a finished picture and as the noise in the latents
typedef struct Split {
    float x0, noise;
} Split;

Split latents_split(PredictionType type, float a_t, float x_t, float model_output);

// The U-Net sees the latents as they are.
void preserving_scale_model_input(const Scheduler *s, size_t k, const float *latents, float *out, size_t n);
void preserving_add_noise(const Scheduler *s, size_t k, const float *clean, const float *noise, float *out, size_t n);

// Errors: a first timestep that wasn't trained, or where nothing of the picture is left to divide the noise by.
bool preserving_check(const Scheduler *s, Error *error);

// ---- variance exploding ---------------------------------------------------------------------------------------------

float original_sample(PredictionType type, float sigma, float x, float model_output);

// The U-Net was trained on latents of variance 1: it sees these over sqrt(1 + sigma^2).
void exploding_scale_model_input(const Scheduler *s, size_t k, const float *latents, float *out, size_t n);
void exploding_add_noise(const Scheduler *s, size_t k, const float *clean, const float *noise, float *out, size_t n);

// ---- fresh noise ----------------------------------------------------------------------------------------------------

bool never_draws_noise(const Scheduler *s, size_t k);
bool always_draws_noise(const Scheduler *s, size_t k);
