// solution.c - lesson 09: image to image and inpainting. In core/ they are in run/settings.c, run/start.c, run/inpaint.c

#include "exercise.h"

#include <math.h>

size_t first_step(size_t num_inference_steps, double strength) {
    size_t to_do = (size_t)((double)num_inference_steps * strength);
    return num_inference_steps - to_do;
}

void noisy_latents(const Scheduler *s, size_t k, const float *clean, const float *noise, float *noisy, size_t n) {
    float a = s->alphas_cumprod[(size_t)s->timesteps[k]];
    for (size_t i = 0; i < n; i++) noisy[i] = sqrtf(a) * clean[i] + sqrtf(1 - a) * noise[i];
}

void keep_known(const Scheduler *s, size_t k, const float *image_latents, const float *noise, const float *mask,
                float *latents, size_t height, size_t width) {
    size_t area = height * width;
    float a = k < s->timestep_count ? s->alphas_cumprod[(size_t)s->timesteps[k]] : 1;
    for (size_t i = 0; i < 4 * area; i++) {
        float known = sqrtf(a) * image_latents[i] + sqrtf(1 - a) * noise[i], m = mask[i % area];
        latents[i] = (1 - m) * known + m * latents[i];
    }
}
