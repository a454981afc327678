// solution.c - lesson 04: DDIM's step. core/schedulers/ddim.c is the same with randomness (eta) and other predictions

#include "exercise.h"

#include <math.h>

void ddim_step(const Scheduler *s, size_t k, const float *latents, const float *noise_pred, float *prev_sample,
               float *pred_original_sample, size_t n) {
    long t = (long)s->timesteps[k];
    long t_prev = t - (long)(s->config.num_train_timesteps / s->num_inference_steps);
    float a_t = s->alphas_cumprod[t];
    float a_prev = t_prev < 0 ? s->final_alpha_cumprod : s->alphas_cumprod[t_prev];

    for (size_t i = 0; i < n; i++) {
        float noise = noise_pred[i];
        float x0 = (latents[i] - sqrtf(1 - a_t) * noise) / sqrtf(a_t);
        pred_original_sample[i] = x0;
        prev_sample[i] = sqrtf(a_prev) * x0 + sqrtf(1 - a_prev) * noise;
    }
}
