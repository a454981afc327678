// dpm_solver.h - what the DPM-Solver++ family and UniPC share: time measured as the logarithm of signal over noise
//
// With lambda = log(alpha / sigma) for a clock, the part of the walk's differential equation that is linear in x solves
// itself exactly, and from s to t only the predicted picture x0 remains to be integrated, which changes slowly:
//
//     x_t = sigma_t / sigma_s x_s + sigma_t * integral of e^lambda x0(lambda) from lambda_s to lambda_t
//
// The schedulers differ in how they guess x0 in between. Latents have variance 1: alpha^2 + sigma^2 = 1.
// Paper: Lu et al. 2022 (arXiv 2211.01095), proposition 4.1. Read next: dpmpp_2m.c.

#pragma once

#include "schedulers/scheduler.h"

// A noise level: x = alpha x0 + sigma noise. At the finished picture lambda is infinite.
typedef struct Level {
    float alpha, sigma, lambda;
} Level;

Level level_at(const Scheduler *s, size_t k);

// What the model said at step k, as a finished picture: into pred_original_sample, and to the front of the history, where
// the last `answers` of them are kept.
void dpm_solver_take_answer(Scheduler *s, size_t k, const float *latents, const float *model_output,
                            float *pred_original_sample, size_t n, size_t answers);

// One step of first order (which is DDIM's): x0 stays what it is from s to t.
void dpm_solver_first_order(Level s, Level t, const float *latents, const float *x0, float *prev_sample, size_t n);

// Whether dpmpp_2m and its SDE form go by this step's prediction alone: the first step knows no other; the last, to sigma
// 0, is infinitely long in lambda, and a line through two would overshoot.
bool dpm_solver_one_answer(const Scheduler *s, size_t k);

// These classes divide the way into one more step than asked for, of which the last would begin at the picture itself.
// Errors: so many steps that two begin at the same noise level, which has no length to divide by.
bool dpm_solver_set_timesteps(Scheduler *s, size_t num_inference_steps, Error *error);

// What DPMSolverMultistepScheduler can be told, whichever of its algorithms it is (SchedulerKind)
extern const char *const dpm_multistep_settings[], *const dpm_multistep_fixed_settings[];

void dpm_solver_add_noise(const Scheduler *s, size_t k, const float *clean, const float *noise, float *out, size_t n);
