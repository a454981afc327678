// solution.c - lesson 03: training. demo/learning.c and demo/mlp.c are the same, with the products of matrices left to BLAS

#include "exercise.h"

#include <math.h>

float training_loss(AskNoise *ask, void *denoiser, const float *alphas_cumprod, const size_t *t, const float *x0,
                    const float *noise, size_t rows, float *x_t, float *noise_pred, float *d_noise_pred) {
    size_t n = rows * POINT;
    for (size_t i = 0; i < n; i++) {
        float a = alphas_cumprod[t[i / POINT]];
        x_t[i] = sqrtf(a) * x0[i] + sqrtf(1 - a) * noise[i];
    }
    ask(denoiser, x_t, t, rows, noise_pred);
    double squares = 0;
    for (size_t i = 0; i < n; i++) {
        float difference = noise_pred[i] - noise[i];
        squares += (double)difference * difference;
        d_noise_pred[i] = 2 * difference / (float)n;
    }
    return (float)(squares / (double)n);
}

void linear_backward(const float *in, const float *weight, const float *d_out, size_t rows, size_t in_size,
                     size_t out_size, float *d_weight, float *d_bias, float *d_in) {
    for (size_t o = 0; o < out_size; o++) {
        float *row_of_weight = d_weight + o * in_size;
        d_bias[o] = 0;
        for (size_t i = 0; i < in_size; i++) row_of_weight[i] = 0;
        for (size_t r = 0; r < rows; r++) {
            float d = d_out[r * out_size + o];
            d_bias[o] += d;
            for (size_t i = 0; i < in_size; i++) row_of_weight[i] += d * in[r * in_size + i];
        }
    }
    if (!d_in) return;
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < in_size; i++) d_in[r * in_size + i] = 0;
        for (size_t o = 0; o < out_size; o++) {
            float d = d_out[r * out_size + o];
            for (size_t i = 0; i < in_size; i++) d_in[r * in_size + i] += d * weight[o * in_size + i];
        }
    }
}

void adam_step(float *parameters, const float *gradients, float *m, float *v, size_t n, size_t step,
               float learning_rate) {
    const float beta1 = 0.9f, beta2 = 0.999f;
    float grown1 = 1 - powf(beta1, (float)step), grown2 = 1 - powf(beta2, (float)step);
    for (size_t i = 0; i < n; i++) {
        float g = gradients[i];
        m[i] = beta1 * m[i] + (1 - beta1) * g;
        v[i] = beta2 * v[i] + (1 - beta2) * g * g;
        parameters[i] -= learning_rate * m[i] / grown1 / (sqrtf(v[i] / grown2) + 1e-8f);
    }
}
