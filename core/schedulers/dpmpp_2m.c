// dpmpp_2m.c - DPM-Solver++ 2M: the step before tells where the predicted picture is going
//
// From one noise level to the next the predicted picture x0 changes a little. Two predictions, this step's and the last
// one's, make a line, and the line is carried on to the middle of the step ahead: second order at one U-Net call a step.
// Elsewhere: diffusers.DPMSolverMultistepScheduler, algorithm_type "dpmsolver++".
// Paper: Lu et al. 2022 (arXiv 2211.01095), algorithm 2. Read next: dpmpp_2m_sde.c, unipc.c.

#include "schedulers/coordinates.h"
#include "schedulers/dpm_solver.h"
#include "schedulers/history.h"

#include <math.h>

// One step, over h = lambda_t - lambda_s, from this prediction m0 and the one before, m1, which lies h0 behind:
//
//     D1  = (m0 - m1) / (h0 / h)                                        the change of x0 over the step ahead
//     x_t = sigma_t / sigma_s x - alpha_t (e^-h - 1) (m0 + D1 / 2)
static void dpmpp_2m_step(Scheduler *s, size_t k, const float *latents, const float *model_output,
                          const float *fresh_noise, float *prev_sample, float *pred_original_sample, size_t n) {
    (void)fresh_noise;
    History *history = &s->history;
    Level now = level_at(s, k), to = level_at(s, k + 1);
    dpm_solver_take_answer(s, k, latents, model_output, pred_original_sample, n, 2);
    if (dpm_solver_one_answer(s, k)) {
        dpm_solver_first_order(now, to, latents, pred_original_sample, prev_sample, n);
    } else {
        const float *m0 = history_row(history, 0), *m1 = history_row(history, 1);
        float h = to.lambda - now.lambda, h0 = now.lambda - level_at(s, k - 1).lambda, r0 = h0 / h;
        float shrink = to.alpha * (expf(-h) - 1);
        for (size_t i = 0; i < n; i++) {
            float d1 = 1 / r0 * (m0[i] - m1[i]);
            prev_sample[i] = to.sigma / now.sigma * latents[i] - shrink * m0[i] - 0.5f * shrink * d1;
        }
    }
    history_close(history, k);
}

const SchedulerKind dpmpp_2m_kind = {
    .name = "dpmpp_2m",
    .class_name = "DPMSolverMultistepScheduler",
    .algorithm_type = "dpmsolver++",
    .about =
        "good pictures from 15 to 25 steps: the usual choice (use_karras_sigmas=true spends more of them on details)",
    .paper = "Lu et al. 2022, arXiv 2211.01095, algorithm 2",
    .order = 2,
    .unet_calls_per_step = 1,
    .stochastic = false,
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
    .draws_noise = never_draws_noise,
    .step = dpmpp_2m_step,
    .add_noise = dpm_solver_add_noise,
};
