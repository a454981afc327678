// solution.c - lesson 00: the loop. core/pipeline.c is the same turned inside out, so that it can be watched and stopped

#include "exercise.h"

#include <stdlib.h>

void sample(Scheduler *s, AskUnet *ask, void *unet, const float *noise, float *latents, size_t n) {
    float *model_input = malloc(n * sizeof *model_input);
    float *noise_pred = malloc(n * sizeof *noise_pred);
    float *pred_original_sample = malloc(n * sizeof *pred_original_sample);

    for (size_t i = 0; i < n; i++) latents[i] = noise[i] * s->init_noise_sigma;

    for (size_t k = 0; k < s->timestep_count; k++) {
        s->kind->scale_model_input(s, k, latents, model_input, n);
        ask(unet, model_input, s->timesteps[k], noise_pred, n);
        s->kind->step(s, k, latents, noise_pred, NULL, latents, pred_original_sample, n);
    }

    free(model_input);
    free(noise_pred);
    free(pred_original_sample);
}
