// dpmpp_2m_sde.c - DPM-Solver++ 2M for the stochastic equation: the same line through two predictions, and fresh noise
//
// The ordinary differential equation of dpmpp_2m.c has a stochastic twin with the same pictures at its end, in which
// noise is taken away twice as fast and half of that put back anew. Solved alike, it forgets the errors of early steps.
// Elsewhere: diffusers.DPMSolverMultistepScheduler, algorithm_type "sde-dpmsolver++".
// Paper: Lu et al. 2022 (arXiv 2211.01095), section 5 and appendix D. Read next: euler_ancestral.c for the simplest of
// its kind.

#include "schedulers/coordinates.h"
#include "schedulers/dpm_solver.h"
#include "schedulers/history.h"

#include "base/check.h"

#include <math.h>

// One step, over h = lambda_t - lambda_s, with m0, m1 and D1 as in dpmpp_2m.c (D1 = 0 where there is one prediction):
//
//     x_t = sigma_t / sigma_s e^-h x + alpha_t (1 - e^-2h) (m0 + D1 / 2) + sigma_t sqrt(1 - e^-2h) * fresh noise
static void dpmpp_2m_sde_step(Scheduler *s, size_t k, const float *latents, const float *model_output,
                              const float *fresh_noise, float *prev_sample, float *pred_original_sample, size_t n) {
    History *history = &s->history;
    Level now = level_at(s, k), to = level_at(s, k + 1);
    CHECK(fresh_noise, "no fresh noise was drawn for step %zu", k);
    dpm_solver_take_answer(s, k, latents, model_output, pred_original_sample, n, 2);

    bool one = dpm_solver_one_answer(s, k);
    const float *m0 = history_row(history, 0), *m1 = history_row(history, one ? 0 : 1);
    float h = to.lambda - now.lambda, r0 = one ? 1 : (now.lambda - level_at(s, k - 1).lambda) / h;
    float keep = to.sigma / now.sigma * expf(-h), new = 1 - expf(-2 * h);
    float noise = to.sigma * sqrtf(fmaxf(new, 0));  // a last step of no length rounds to just below 0
    for (size_t i = 0; i < n; i++) {
        float d1 = 1 / r0 * (m0[i] - m1[i]);
        prev_sample[i] = keep * latents[i] + to.alpha * new *m0[i] + 0.5f * (to.alpha * new) * d1;
        prev_sample[i] += noise * fresh_noise[i];
    }
    history_close(history, k);
}

const SchedulerKind dpmpp_2m_sde_kind = {
    .name = "dpmpp_2m_sde",
    .class_name = "DPMSolverMultistepScheduler",
    .algorithm_type = "sde-dpmsolver++",
    .about = "dpmpp_2m with fresh noise: rich detail from 25 steps on, best with use_karras_sigmas=true",
    .paper = "Lu et al. 2022, arXiv 2211.01095, section 5",
    .order = 2,
    .unet_calls_per_step = 1,
    .stochastic = true,
    .variance_preserving = true,
    .defaults = {.num_train_timesteps = 1000,
                 .beta_start = 0.0001f,
                 .beta_end = 0.02f,
                 .timestep_spacing = SPACING_LINSPACE,
                 .clip_sample_range = 1,
                 .lower_order_final = true},
    .settings = dpm_multistep_settings,
    .fixed_settings = dpm_multistep_fixed_settings,
    .set_timesteps = dpm_solver_set_timesteps,
    .scale_model_input = preserving_scale_model_input,
    .draws_noise = always_draws_noise,
    .step = dpmpp_2m_sde_step,
    .add_noise = dpm_solver_add_noise,
};
