// scheduler.c - how much of the predicted noise to take away at each step
//
// DDIM, to begin with: copy it, change it, and try
//
//     sculpt lab scheduler mine.c
//
// What each function is asked: core/schedulers/scheduler.h. How others do it: core/schedulers/. What is left out here is
// ddim's (or euler's, without variance_preserving): scale_model_input, draws_noise, add_noise, the settings.

#include "schedulers/my_scheduler.h"

#include <math.h>

// Which of the timesteps that the model was trained with are visited, from noise to picture. S of N, evenly, the last one
// first (diffusers' "trailing").
static bool my_set_timesteps(Scheduler *s, size_t num_inference_steps, Error *error) {
    size_t N = s->config.num_train_timesteps, S = num_inference_steps;
    if (!sculpt_scheduler.tools->reserve(s, S, S, error)) return false;
    for (size_t k = 0; k < S; k++) s->timesteps[k] = (float)(N - k * N / S - 1);
    s->init_noise_sigma = 1;
    return true;
}

// How much of the picture's variance is left at stop k; all of it behind the last.
static float alpha_cumprod_at(const Scheduler *s, size_t k) {
    return k < s->timestep_count ? s->alphas_cumprod[(size_t)s->timesteps[k]] : 1;
}

//     x0     = (x_t - sqrt(1 - a_t) noise) / sqrt(a_t)                 what the picture would be, if the noise is right
//     x_prev = sqrt(a_prev) x0 + sqrt(1 - a_prev) noise                so much of both as the next stop expects
//
// All arrays [n]. prev_sample may be the same array as latents.
static void my_step(Scheduler *s, size_t k, const float *latents, const float *model_output, const float *fresh_noise,
                    float *prev_sample, float *pred_original_sample, size_t n) {
    (void)fresh_noise;
    float a_t = alpha_cumprod_at(s, k), a_prev = alpha_cumprod_at(s, k + 1);
    for (size_t i = 0; i < n; i++) {
        float noise = model_output[i], x0 = (latents[i] - sqrtf(1 - a_t) * noise) / sqrtf(a_t);
        pred_original_sample[i] = x0;
        prev_sample[i] = sqrtf(a_prev) * x0 + sqrtf(1 - a_prev) * noise;
    }
}

SchedulerPlugin sculpt_scheduler = {
    SCHEDULER_ABI,
    .kind = {.variance_preserving = true, .order = 1, .set_timesteps = my_set_timesteps, .step = my_step}};
