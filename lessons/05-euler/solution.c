// solution.c - lesson 05: Euler's scheduler. core/schedulers/euler.c, sigmas.c and coordinates.c are the same

#include "exercise.h"

#include <math.h>

void euler_sigmas(const Scheduler *s, float *sigmas) {
    for (size_t k = 0; k < s->timestep_count; k++) {
        float a = s->alphas_cumprod[(size_t)s->timesteps[k]];
        sigmas[k] = sqrtf((1 - a) / a);
    }
    sigmas[s->timestep_count] = 0;
}

void euler_start(const float *sigmas, const float *noise, float *latents, size_t n) {
    float init_noise_sigma = sqrtf(sigmas[0] * sigmas[0] + 1);
    for (size_t i = 0; i < n; i++) latents[i] = noise[i] * init_noise_sigma;
}

void euler_scale_model_input(const float *sigmas, size_t k, const float *latents, float *model_input, size_t n) {
    float scale = sqrtf(sigmas[k] * sigmas[k] + 1);
    for (size_t i = 0; i < n; i++) model_input[i] = latents[i] / scale;
}

// (x - x0) / sigma is noise_pred again: in these coordinates the noise is the direction of the road.
void euler_step(const float *sigmas, size_t k, const float *latents, const float *noise_pred, float *prev_sample,
                float *pred_original_sample, size_t n) {
    float sigma = sigmas[k], stride = sigmas[k + 1] - sigma;
    for (size_t i = 0; i < n; i++) {
        float x = latents[i], derivative = noise_pred[i];
        pred_original_sample[i] = x - sigma * derivative;
        prev_sample[i] = x + derivative * stride;
    }
}
