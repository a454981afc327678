// unipc.c - UniPC: predict the next latents, and when the model has looked at them, correct them
//
// The answer at the end of a step says how good the step was. heun.c asks for it and takes the step again, at twice the
// price. Here it costs nothing: it is the answer that the next step needs anyway. So each step first corrects the one
// before (UniC) and then goes on from there (UniP).
// Elsewhere: diffusers.UniPCMultistepScheduler with solver_order 2 and solver_type "bh2".
// Paper: Zhao et al. 2023 (arXiv 2302.04867), section 3, algorithms 5 and 6. Read next: dpmpp_2m.c, which is UniP alone.

#include "schedulers/coordinates.h"
#include "schedulers/dpm_solver.h"
#include "schedulers/history.h"

#include <math.h>
#include <string.h>

enum { ANSWERS = 3, START = 3 };  // rows of the history: the last predictions, then where the last step began

// Both halves are, over h = lambda_t - lambda_s from the prediction m0 at s,
//
//     x_t = sigma_t / sigma_s x - alpha_t B m0 - alpha_t B (rho_1 D1 + rho_2 Dt),        B = e^-h - 1   ("bh2")
//
// with D1 = (m1 - m0) / r, the change from the prediction before, r = (lambda_1 - lambda_s) / h below 0, and for the
// corrector Dt = mt - m0, the change to the prediction at t. The rhos make it exact for polynomials (eq. 9 and 10).
typedef struct Rhos {
    float before, ahead;
} Rhos;

static int order_of(const Scheduler *s, size_t k, size_t known) {
    bool low = (s->config.lower_order_final || s->sigmas[k + 1] == 0) && k + 1 == s->timestep_count;
    return low || known == 0 ? 1 : 2;
}

// rho_1 + rho_2 = b1 and r rho_1 + rho_2 = b2, with b1 and b2 from the integrals of e^lambda and lambda e^lambda
static Rhos corrector_rhos(float h, float r) {
    float hh = -h, B = expm1f(hh);
    float phi_1 = B / hh - 1, phi_2 = phi_1 / hh - 0.5f;
    float b1 = phi_1 / B, b2 = phi_2 * 2 / B, before = (b1 - b2) / (1 - r);
    return (Rhos){before, b1 - before};
}

// From the step that began at k, over its length, to x. Rows: m0, m1 the predictions at k and before; mt that at k + 1
// or NULL where it isn't known yet.
static void advance(const Scheduler *s, size_t k, int order, const float *m0, const float *m1, const float *mt,
                    float *x, size_t n) {
    const float *start = history_row(&s->history, START);
    Level from = level_at(s, k), to = level_at(s, k + 1);
    float h = to.lambda - from.lambda, B = expm1f(-h);
    float r = order == 2 ? (level_at(s, k - 1).lambda - from.lambda) / h : -1;
    Rhos rho = {order == 2 ? 0.5f : 0, mt ? 0.5f : 0};
    if (mt && order == 2) rho = corrector_rhos(h, r);
    for (size_t i = 0; i < n; i++) {
        float change = 0;
        if (order == 2) change += rho.before * ((m1[i] - m0[i]) / r);
        if (mt) change += rho.ahead * (mt[i] - m0[i]);
        x[i] = to.sigma / from.sigma * start[i] - to.alpha * B * m0[i] - to.alpha * B * change;
    }
}

static void unipc_step(Scheduler *s, size_t k, const float *latents, const float *model_output,
                       const float *fresh_noise, float *prev_sample, float *pred_original_sample, size_t n) {
    (void)fresh_noise;
    History *history = &s->history;
    dpm_solver_take_answer(s, k, latents, model_output, pred_original_sample, n, ANSWERS);
    const float *m0 = history_row(history, 0), *m1 = history_row(history, 1), *m2 = history_row(history, 2);

    memmove(prev_sample, latents, n * sizeof *latents);
    if (history->known > 0) advance(s, k - 1, order_of(s, k - 1, history->known - 1), m1, m2, m0, prev_sample, n);
    memcpy(history_row(history, START), prev_sample, n * sizeof *prev_sample);
    advance(s, k, order_of(s, k, history->known), m0, m1, NULL, prev_sample, n);
    history_close(history, k);
}

const SchedulerKind unipc_kind = {
    .name = "unipc",
    .class_name = "UniPCMultistepScheduler",
    .about = "corrects each step with the next one's answer: the one for very few steps, 8 to 15",
    .paper = "Zhao et al. 2023, arXiv 2302.04867, algorithms 5 and 6",
    .order = 3,
    .unet_calls_per_step = 1,
    .stochastic = false,
    .variance_preserving = true,
    .defaults = {.num_train_timesteps = 1000,
                 .beta_start = 0.0001f,
                 .beta_end = 0.02f,
                 .timestep_spacing = SPACING_LINSPACE,
                 .clip_sample_range = 1,
                 .lower_order_final = true},
    .settings = (const char *const[]){"timestep_spacing", "steps_offset", "rescale_betas_zero_snr", "use_karras_sigmas",
                                      "final_sigmas_type", "lower_order_final", NULL},
    .fixed_settings = (const char *const[]){"solver_order=2", "solver_type=bh2|midpoint|heun|logrho", "predict_x0=true",
                                            "thresholding=false", "use_exponential_sigmas=false",
                                            "use_beta_sigmas=false", "use_flow_sigmas=false", NULL},
    .set_timesteps = dpm_solver_set_timesteps,
    .scale_model_input = preserving_scale_model_input,
    .draws_noise = never_draws_noise,
    .step = unipc_step,
    .add_noise = dpm_solver_add_noise,
};
