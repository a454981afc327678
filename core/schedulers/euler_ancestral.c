// euler_ancestral.c - Euler with fresh noise: go down too far, then come up again by noise that wasn't there before
//
// Each step ends at the sigma that euler.c ends at, but part of the noise is new: mistakes of earlier steps are washed
// out, and the picture never settles: with more steps it becomes another one, not a better one.
// Elsewhere: diffusers.EulerAncestralDiscreteScheduler; k-diffusion's sample_euler_ancestral, where it comes from.
// Paper: Song et al. 2021 (arXiv 2011.13456), appendix F, for ancestral sampling in sigma; Karras et al. 2022 (arXiv
// 2206.00364) for Euler's step. Read next: dpmpp_2m_sde.c.

#include "schedulers/coordinates.h"
#include "schedulers/sigmas.h"

#include "base/check.h"

#include <math.h>

// One step, from sigma to `to`. The noise that is left must have variance to^2 again: up^2 of it fresh, down^2 old.
//
//     up^2   = to^2 (sigma^2 - to^2) / sigma^2                    what DDPM's variance is in these coordinates
//     down^2 = to^2 - up^2
//     x_prev = x + (x - x0) / sigma * (down - sigma)  +  up * fresh noise
static void euler_a_step(Scheduler *s, size_t k, const float *latents, const float *model_output,
                         const float *fresh_noise, float *prev_sample, float *pred_original_sample, size_t n) {
    float sigma = s->sigmas[k], to = s->sigmas[k + 1];
    float up = sqrtf(to * to * (sigma * sigma - to * to) / (sigma * sigma));
    float down = sqrtf(to * to - up * up);
    CHECK(fresh_noise, "no fresh noise was drawn for step %zu", k);

    for (size_t i = 0; i < n; i++) {
        float x = latents[i], x0 = original_sample(s->config.prediction_type, sigma, x, model_output[i]);
        float derivative = (x - x0) / sigma;
        pred_original_sample[i] = x0;
        prev_sample[i] = x + derivative * (down - sigma) + fresh_noise[i] * up;
    }
}

const SchedulerKind euler_a_kind = {
    .name = "euler_a",
    .class_name = "EulerAncestralDiscreteScheduler",
    .about = "euler with fresh noise: soft and varied pictures from 20 to 30 steps, another with each number of steps",
    .paper = "Song et al. 2021, arXiv 2011.13456, appendix F",
    .order = 1,
    .unet_calls_per_step = 1,
    .stochastic = true,
    .variance_preserving = false,
    .defaults = {.num_train_timesteps = 1000,
                 .beta_start = 0.0001f,
                 .beta_end = 0.02f,
                 .timestep_spacing = SPACING_LINSPACE,
                 .clip_sample_range = 1},
    .settings = (const char *const[]){"timestep_spacing", "steps_offset", "rescale_betas_zero_snr", NULL},
    .fixed_settings = (const char *const[]){NULL},
    .set_timesteps = scheduler_take_sigmas,
    .scale_model_input = exploding_scale_model_input,
    .draws_noise = always_draws_noise,
    .step = euler_a_step,
    .add_noise = exploding_add_noise,
};
