// dpmpp_1s.c - DPM-Solver++ single step: two evaluations make one step of second order, and then all is forgotten
//
// The even evaluations take a step of first order. The odd ones, at its end, know how the predicted picture changed on
// the way, go back to where that step began and take both steps at once. Unlike dpmpp_2m.c it needs no earlier step, but
// of all evaluations only every other one counts.
// Elsewhere: diffusers.DPMSolverSinglestepScheduler, algorithm_type "dpmsolver++", which has no timestep_spacing: it
// always divides the way evenly. Paper: Lu et al. 2022 (arXiv 2211.01095), algorithm 1. Read next: dpmpp_2m.c.

#include "schedulers/coordinates.h"
#include "schedulers/dpm_solver.h"
#include "schedulers/history.h"

#include <math.h>
#include <string.h>

enum { ANSWERS = 2, START = 2 };  // rows of the history: the last predictions, then where the double step began

// The class sets lower_order_final itself where the evaluations don't come in pairs or the last sigma is 0.
static bool second_half(const Scheduler *s, size_t k) {
    bool lower =
        s->config.lower_order_final || s->timestep_count % 2 == 1 || s->config.final_sigmas_type == FINAL_SIGMA_ZERO;
    return k % 2 == 1 && s->history.known > 0 && !(lower && k + 1 == s->timestep_count);
}

// The double step, from where it began, with m1 the prediction there and m0 the one in between, r0 of the way along:
//
//     x_t = sigma_t / sigma_s x - alpha_t (e^-h - 1) (m1 + D1 / 2),        D1 = (m0 - m1) / r0
static void double_step(const Scheduler *s, size_t k, float *prev_sample, size_t n) {
    const float *start = history_row(&s->history, START);
    const float *m0 = history_row(&s->history, 0), *m1 = history_row(&s->history, 1);
    Level from = level_at(s, k - 1), to = level_at(s, k + 1);
    float h = to.lambda - from.lambda, r0 = (level_at(s, k).lambda - from.lambda) / h;
    float shrink = to.alpha * (expf(-h) - 1);
    for (size_t i = 0; i < n; i++) {
        float d1 = 1 / r0 * (m0[i] - m1[i]);
        prev_sample[i] = to.sigma / from.sigma * start[i] - shrink * m1[i] - 0.5f * shrink * d1;
    }
}

static void dpmpp_1s_step(Scheduler *s, size_t k, const float *latents, const float *model_output,
                          const float *fresh_noise, float *prev_sample, float *pred_original_sample, size_t n) {
    (void)fresh_noise;
    History *history = &s->history;
    Level now = level_at(s, k);
    dpm_solver_take_answer(s, k, latents, model_output, pred_original_sample, n, ANSWERS);
    if (second_half(s, k)) {
        double_step(s, k, prev_sample, n);
    } else {
        memcpy(history_row(history, START), latents, n * sizeof *latents);
        dpm_solver_first_order(now, level_at(s, k + 1), latents, pred_original_sample, prev_sample, n);
    }
    history_close(history, k);
}

const SchedulerKind dpmpp_1s_kind = {
    .name = "dpmpp_1s",
    .class_name = "DPMSolverSinglestepScheduler",
    .algorithm_type = "dpmsolver++",
    .about = "like dpmpp_2m without a memory: steadier where guidance is high; an odd number of steps, 15 to 25",
    .paper = "Lu et al. 2022, arXiv 2211.01095, algorithm 1",
    .order = 2,
    .unet_calls_per_step = 1,
    .stochastic = false,
    .variance_preserving = true,
    .defaults = {.num_train_timesteps = 1000,
                 .beta_start = 0.0001f,
                 .beta_end = 0.02f,
                 .timestep_spacing = SPACING_LINSPACE,
                 .clip_sample_range = 1},
    .settings = (const char *const[]){"use_karras_sigmas", "final_sigmas_type", "lower_order_final", NULL},
    .fixed_settings =
        (const char *const[]){"solver_order=2", "solver_type=midpoint|logrho|bh1|bh2", "thresholding=false",
                              "use_exponential_sigmas=false", "use_beta_sigmas=false", "use_flow_sigmas=false", NULL},
    .set_timesteps = dpm_solver_set_timesteps,
    .scale_model_input = preserving_scale_model_input,
    .draws_noise = never_draws_noise,
    .step = dpmpp_1s_step,
    .add_noise = dpm_solver_add_noise,
};
