// pndm.c - PNDM: DDIM's step, with the noise that the last four answers let expect
//
// A multistep method for steps of equal length (Adams and Bashforth), but with DDIM's step for a ruler instead of a
// straight line, so that the latents stay where the model knows them. diffusers has two ways to begin, before four
// answers are known; this is PLMS (skip_prk_steps), Stable Diffusion's first scheduler: the first step is taken, judged
// at its end, and taken again with the mean of both answers. So S steps are S + 1 evaluations.
// Elsewhere: diffusers.PNDMScheduler with skip_prk_steps. Paper: Liu et al. 2022 (arXiv 2202.09778), section 3.3, eq. 11
// and 12. Read next: lms.c, the same idea in sigma.

#include "schedulers/coordinates.h"
#include "schedulers/history.h"
#include "schedulers/noise_schedule.h"

#include <math.h>
#include <string.h>

enum { ANSWERS = 4, START = 4 };  // rows of the history: the last answers, then where the first step began

// 801 601 601 401 201 1: the second one twice
static bool pndm_set_timesteps(Scheduler *s, size_t num_inference_steps, Error *error) {
    size_t S = num_inference_steps;
    if (!scheduler_reserve(s, S, S > 1 ? S + 1 : 1, error)) return false;
    for (size_t k = 0; k < s->timestep_count; k++) {
        s->timesteps[k] = (float)rint(timestep_at(&s->config, S, k < 2 ? k : k - 1));
    }
    s->init_noise_sigma = 1;
    return preserving_check(s, error);
}

// From what is known to what is expected between here and the next timestep (eq. 12). Of the second evaluation, which
// judges the first step, nothing is kept.
static float expected(const History *h, const float *answer, size_t i) {
    const float *e0 = history_row(h, 0), *e1 = history_row(h, 1), *e2 = history_row(h, 2), *e3 = history_row(h, 3);
    switch (h->known) {
    case 0: return e0[i];
    case 1: return (answer[i] + e0[i]) / 2;
    case 2: return (3 * e0[i] - e1[i]) / 2;
    case 3: return (23 * e0[i] - 16 * e1[i] + 5 * e2[i]) / 12;
    default: return (55 * e0[i] - 59 * e1[i] + 37 * e2[i] - 9 * e3[i]) / 24;
    }
}

// Eq. 11: DDIM's step, with the difference of the square roots multiplied out.
static void transfer(const Scheduler *s, float a_t, float a_prev, const float *x, const float *answer, float *out,
                     size_t n) {
    float of_x = sqrtf(a_prev / a_t);
    float below = a_t * sqrtf(1 - a_prev) + sqrtf(a_t * (1 - a_t) * a_prev);
    for (size_t i = 0; i < n; i++) {
        float noise = latents_split(s->config.prediction_type, a_t, x[i], answer[i]).noise;
        out[i] = of_x * x[i] - (a_prev - a_t) * noise / below;
    }
}

static void pndm_step(Scheduler *s, size_t k, const float *latents, const float *model_output, const float *fresh_noise,
                      float *prev_sample, float *pred_original_sample, size_t n) {
    (void)fresh_noise;
    History *history = &s->history;
    history_open(history, k, n);
    bool again = history->known == 1;
    size_t ratio = s->config.num_train_timesteps / s->num_inference_steps, t = (size_t)s->timesteps[k];
    float a_here = s->alphas_cumprod[t], a_t = again ? s->alphas_cumprod[t + ratio] : a_here;
    float a_prev = again ? a_here : t < ratio ? s->final_alpha_cumprod : s->alphas_cumprod[t - ratio];

    for (size_t i = 0; i < n; i++) {
        pred_original_sample[i] = latents_split(s->config.prediction_type, a_here, latents[i], model_output[i]).x0;
    }
    float *start = history_row(history, START);
    if (!again) {
        history_push(history, model_output, ANSWERS);
        memcpy(start, latents, n * sizeof *start);
    }
    for (size_t i = 0; i < n; i++) prev_sample[i] = expected(history, model_output, i);
    transfer(s, a_t, a_prev, start, prev_sample, prev_sample, n);
    history_close(history, k);
}

const SchedulerKind pndm_kind = {
    .name = "pndm",
    .class_name = "PNDMScheduler",
    .about = "what Stable Diffusion 1.x came with (PLMS): 50 steps, and one call more; wild with few and much guidance",
    .paper = "Liu et al. 2022, arXiv 2202.09778, eq. 11 and 12",
    .order = 4,
    .unet_calls_per_step = 1,
    .stochastic = false,
    .variance_preserving = true,
    .defaults = {.num_train_timesteps = 1000, .beta_start = 0.0001f, .beta_end = 0.02f, .clip_sample_range = 1},
    .settings = (const char *const[]){"timestep_spacing", "steps_offset", "set_alpha_to_one", NULL},
    .fixed_settings = (const char *const[]){"skip_prk_steps=true", NULL},
    .set_timesteps = pndm_set_timesteps,
    .scale_model_input = preserving_scale_model_input,
    .draws_noise = never_draws_noise,
    .step = pndm_step,
    .add_noise = preserving_add_noise,
};
