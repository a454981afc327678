// solution.c - lesson 01: noise by alphas_cumprod and by sigma. core/schedulers/noise_schedule.c and coordinates.c are the same

#include "exercise.h"

#include <math.h>

void alphas_cumprod_fill(const float *betas, float *alphas_cumprod, size_t count) {
    double left = 1;  // in float, a thousand roundings are felt where 1 - a is small
    for (size_t t = 0; t < count; t++) {
        left *= 1 - (double)betas[t];
        alphas_cumprod[t] = (float)left;
    }
}

float sigma_from_alpha(float a) { return sqrtf((1 - a) / a); }

float alpha_from_sigma(float sigma) { return 1 / (1 + sigma * sigma); }

void add_noise(const float *x0, const float *noise, float a, float *x_t, size_t n) {
    float picture_share = sqrtf(a), noise_share = sqrtf(1 - a);
    for (size_t i = 0; i < n; i++) x_t[i] = picture_share * x0[i] + noise_share * noise[i];
}

void to_sigma_form(const float *x_t, float a, float *x_sigma, size_t n) {
    float picture_share = sqrtf(a);
    for (size_t i = 0; i < n; i++) x_sigma[i] = x_t[i] / picture_share;
}
