// kdpm2.c - DPM-Solver-2: half a step by Euler, then the whole step in the direction that was found there
//
// The tangent in the middle of a step says better than the one at its beginning where the step should lead. Two U-Net
// calls a step, so S steps are 2 S - 1 evaluations: the last one, to sigma 0, has no middle.
// Elsewhere: diffusers.KDPM2DiscreteScheduler, called DPM2 elsewhere. Papers: Lu et al. 2022 (arXiv 2206.00927),
// algorithm 1, in the coordinates of Karras et al. 2022 (arXiv 2206.00364), algorithm 2. Read next: dpmpp_1s.c.

#include "schedulers/coordinates.h"
#include "schedulers/history.h"
#include "schedulers/sigmas.h"

#include "base/check.h"

#include <math.h>

enum { START };  // the history's only row: where the step began

// The middle is one of logarithms: sqrt(sigma * next). Evaluations: sigma_0, middle, sigma_1, middle, sigma_2 ...
static bool kdpm2_set_timesteps(Scheduler *s, size_t num_inference_steps, Error *error) {
    if (!scheduler_take_sigmas(s, num_inference_steps, error) || !scheduler_double(s, error)) return false;
    for (size_t k = 0; k < s->timestep_count; k += 2) {
        if (s->config.use_karras_sigmas) s->timesteps[k] = rintf(s->timesteps[k]);
    }
    for (size_t k = 1; k < s->timestep_count; k += 2) {
        float before = logf(s->sigmas[k - 1]), after = logf(s->sigmas[k + 1]);
        s->sigmas[k] = expf(after + 0.5f * (before - after));
        s->timesteps[k] = (float)timestep_of_sigma(s, (double)s->sigmas[k]);
    }
    return true;
}

// k even: from sigma to the middle. k odd: from where the step began, over its whole length, by the middle's direction.
static void kdpm2_step(Scheduler *s, size_t k, const float *latents, const float *model_output,
                       const float *fresh_noise, float *prev_sample, float *pred_original_sample, size_t n) {
    (void)fresh_noise;
    History *history = &s->history;
    bool half = k % 2 == 0;
    float sigma = s->sigmas[k], step = s->sigmas[k + 1] - s->sigmas[half ? k : k - 1];
    history_open(history, k, n);
    CHECK(half || history->known > 0, "step %zu is the second half of one that wasn't begun", k);

    float *start = history_row(history, START);
    for (size_t i = 0; i < n; i++) {
        float x = latents[i], x0 = original_sample(s->config.prediction_type, sigma, x, model_output[i]);
        if (half) start[i] = x;
        pred_original_sample[i] = x0;
        prev_sample[i] = start[i] + (x - x0) / sigma * step;
    }
    history_close(history, k);
}

// Inpainting asks for noise in the middle of a step, too, and gets what the step's end has, a little less than the
// latents themselves have there: diffusers' class keeps the sigmas of the middles in a list that its add_noise doesn't
// look at.
static void kdpm2_add_noise(const Scheduler *s, size_t k, const float *clean, const float *noise, float *out,
                            size_t n) {
    bool half = k % 2 == 0;
    exploding_add_noise(s, half ? k : k + 1, clean, noise, out, n);
}

const SchedulerKind kdpm2_kind = {
    .name = "kdpm2",
    .class_name = "KDPM2DiscreteScheduler",
    .about = "looks at the middle of each step first: as exact as heun at the same price, 10 to 15 steps",
    .paper = "Lu et al. 2022, arXiv 2206.00927, algorithm 1",
    .order = 2,
    .unet_calls_per_step = 2,
    .stochastic = false,
    .variance_preserving = false,
    .defaults = {.num_train_timesteps = 1000,
                 .beta_start = 0.00085f,
                 .beta_end = 0.012f,
                 .timestep_spacing = SPACING_LINSPACE,
                 .clip_sample_range = 1},
    .settings = (const char *const[]){"timestep_spacing", "steps_offset", "use_karras_sigmas", NULL},
    .fixed_settings = (const char *const[]){"use_exponential_sigmas=false", "use_beta_sigmas=false", NULL},
    .set_timesteps = kdpm2_set_timesteps,
    .scale_model_input = exploding_scale_model_input,
    .draws_noise = never_draws_noise,
    .step = kdpm2_step,
    .add_noise = kdpm2_add_noise,
};
