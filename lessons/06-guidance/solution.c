// solution.c - lesson 06: classifier-free guidance. core/pipeline.c has the same, in guide() and rescale_guided()

#include "exercise.h"

#include <math.h>

void guide(const float *answer, float guidance_scale, float *noise_pred, size_t n) {
    const float *uncond = answer, *text = answer + n;
    for (size_t i = 0; i < n; i++) noise_pred[i] = uncond[i] + guidance_scale * (text[i] - uncond[i]);
}

bool step_is_guided(float guidance_scale, float sigma, float low, float high) {
    if (guidance_scale <= 1) return false;
    return high == 0 || (sigma > low && sigma <= high);
}

static float deviation(const float *values, size_t n) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) sum += (double)values[i];
    double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++) squares += ((double)values[i] - mean) * ((double)values[i] - mean);
    return (float)sqrt(squares / (double)n);
}

void rescale_guided(const float *text, float guidance_rescale, float *noise_pred, size_t n) {
    float ratio = deviation(text, n) / deviation(noise_pred, n);
    float scale = guidance_rescale * ratio + (1 - guidance_rescale);
    for (size_t i = 0; i < n; i++) noise_pred[i] *= scale;
}
