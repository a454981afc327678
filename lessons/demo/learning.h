// learning.h - a network learns which noise is in a point, and then draws points from noise
//
// For lesson 03. All of a diffusion model is here in small: data (points.h), a noise schedule (Stable Diffusion's), a network
// (mlp.h) that is told the timestep, training, and sampling with DDIM. What a U-Net has beyond that is size.
// Elsewhere: data/critters/train/train.py, the same with torch. Read next: learning.c.

#pragma once

#include "base/rng.h"
#include "demo/mlp.h"
#include "demo/points.h"
#include "schedulers/scheduler.h"

// Whoever is asked for the noise in points: x_t [rows, POINT], t [rows] -> noise_pred [rows, POINT]
typedef void AskNoise(void *denoiser, const float *x_t, const size_t *t, size_t rows, float *noise_pred);

// The loss of a batch: noises x0 into x_t, asks, and says how the loss changes with each number of the answer.
typedef float TrainingLoss(AskNoise *ask, void *denoiser, const float *alphas_cumprod, const size_t *t, const float *x0,
                           const float *noise, size_t rows, float *x_t, float *noise_pred, float *d_noise_pred);

enum { BATCH = 256, TIMESTEPS = 1000 };

typedef struct Learner {
    Mlp *mlp;
    Scheduler *scheduler;
    float *of_time;               // [TIMESTEPS, ...]: what the network is told of each timestep
    float *directions;            // [..., POINT]: of the waves that it is told of a point
    float *inputs;                // [BATCH, ...]
    TrainingLoss *training_loss;  // may be replaced
    Rng rng;
} Learner;

Learner *learner_new(uint64_t seed);
void learner_free(Learner *learner);

// One step of training on points [count, POINT]: the loss before it.
float learner_step(Learner *learner, const float *points, size_t count, float learning_rate);
// An AskNoise; any number of rows.
void learner_ask(void *learner, const float *x_t, const size_t *t, size_t rows, float *noise_pred);

// Points from noise, by DDIM with so many steps; [count, POINT]
float *points_sample(AskNoise *ask, void *denoiser, Scheduler *scheduler, size_t steps, size_t count, uint64_t seed);
// The mean squared error of what is said about the same noise over the same points at timestep t
float noise_error(AskNoise *ask, void *denoiser, const Scheduler *scheduler, const float *points, size_t count,
                  size_t t, uint64_t seed);

// The exact denoiser of lesson 02 over these points, as an AskNoise: nobody has less error.
typedef struct ExactPoints {
    const float *points;  // [count, POINT]
    size_t count;
    const float *alphas_cumprod;
} ExactPoints;
void exact_points_ask(void *exact, const float *x_t, const size_t *t, size_t rows, float *noise_pred);
