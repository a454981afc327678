// coordinates.c - see coordinates.h

#include "schedulers/coordinates.h"

#include <math.h>

// ---- variance preserving --------------------------------------------------------------------------------------------

// Noise and picture follow from each other by x_t = sqrt(a_t) x0 + sqrt(1 - a_t) noise. v is a mixture of both that says
// something at every noise level.
Split latents_split(PredictionType type, float a_t, float x_t, float model_output) {
    float signal = sqrtf(a_t), chaos = sqrtf(1 - a_t);
    switch (type) {
    case PREDICTION_EPSILON: return (Split){(x_t - chaos * model_output) / signal, model_output};
    case PREDICTION_V: return (Split){signal * x_t - chaos * model_output, signal * model_output + chaos * x_t};
    case PREDICTION_SAMPLE: break;
    }
    return (Split){model_output, (x_t - signal * model_output) / chaos};
}

void preserving_scale_model_input(const Scheduler *s, size_t k, const float *latents, float *out, size_t n) {
    (void)s, (void)k;
    for (size_t i = 0; i < n; i++) out[i] = latents[i];
}

void preserving_add_noise(const Scheduler *s, size_t k, const float *clean, const float *noise, float *out, size_t n) {
    float a_t = s->alphas_cumprod[(size_t)s->timesteps[k]];
    float signal = sqrtf(a_t), chaos = sqrtf(1 - a_t);
    for (size_t i = 0; i < n; i++) out[i] = signal * clean[i] + chaos * noise[i];
}

bool preserving_check(const Scheduler *s, Error *error) {
    size_t first = (size_t)s->timesteps[0], N = s->config.num_train_timesteps;
    if (first >= N) {
        return error_set(error,
                         "steps: %zu steps with steps_offset %zu begin at timestep %zu, and the last trained one is "
                         "%zu; ask for fewer steps, or timestep_spacing=trailing",
                         s->num_inference_steps, s->config.steps_offset, first, N - 1);
    }
    if (s->alphas_cumprod[first] == 0 && s->config.prediction_type == PREDICTION_EPSILON) {
        return error_set(error,
                         "scheduler: rescale_betas_zero_snr leaves nothing of the picture at timestep %zu, and "
                         "noise alone can't be divided by nothing; use prediction_type=v_prediction",
                         first);
    }
    return true;
}

// ---- variance exploding ---------------------------------------------------------------------------------------------

// v was defined on latents of variance 1, which these are once divided by sqrt(1 + sigma^2).
float original_sample(PredictionType type, float sigma, float x, float model_output) {
    float variance = sigma * sigma + 1;
    switch (type) {
    case PREDICTION_EPSILON: return x - sigma * model_output;
    case PREDICTION_V: return model_output * (-sigma / sqrtf(variance)) + x / variance;
    case PREDICTION_SAMPLE: break;
    }
    return model_output;
}

void exploding_scale_model_input(const Scheduler *s, size_t k, const float *latents, float *out, size_t n) {
    float scale = sqrtf(s->sigmas[k] * s->sigmas[k] + 1);
    for (size_t i = 0; i < n; i++) out[i] = latents[i] / scale;
}

void exploding_add_noise(const Scheduler *s, size_t k, const float *clean, const float *noise, float *out, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = clean[i] + noise[i] * s->sigmas[k];
}

// ---- fresh noise ----------------------------------------------------------------------------------------------------

bool never_draws_noise(const Scheduler *s, size_t k) {
    (void)s, (void)k;
    return false;
}

bool always_draws_noise(const Scheduler *s, size_t k) {
    (void)s, (void)k;
    return true;
}
