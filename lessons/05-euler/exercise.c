// exercise.c - lesson 05: write Euler's scheduler
//
// exercise.h says what goes in and comes out, README.md why. `make check N=05` says how far you are. Two to six lines each.

#include "exercise.h"

#include <math.h>

void euler_sigmas(const Scheduler *s, float *sigmas) {
    // Here.
}

void euler_start(const float *sigmas, const float *noise, float *latents, size_t n) {
    // Here.
}

void euler_scale_model_input(const float *sigmas, size_t k, const float *latents, float *model_input, size_t n) {
    // Here.
}

void euler_step(const float *sigmas, size_t k, const float *latents, const float *noise_pred, float *prev_sample,
                float *pred_original_sample, size_t n) {
    // Here.
}
