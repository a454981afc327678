// lms.c - linear multistep: a curve through the last four directions, followed to the next sigma
//
// Euler takes the direction at the beginning of a step for the whole of it. Here the directions at the last sigmas make
// a polynomial, and the step is its integral: as exact as four evaluations a step, at the price of one. It is the
// method of Adams and Bashforth (1883) for steps of unequal length.
// Elsewhere: diffusers.LMSDiscreteScheduler; k-diffusion's sample_lms, where it comes from.
// Paper: Liu et al. 2022 (arXiv 2202.09778), section 3.2, on multistep methods; Karras et al. 2022 (arXiv 2206.00364),
// eq. 3, for the equation. Read next: pndm.c, the same idea with steps of equal length.

#include "schedulers/coordinates.h"
#include "schedulers/history.h"
#include "schedulers/sigmas.h"

enum { MAX_ORDER = 4 };

// Lagrange's polynomial at sigma: 1 at the sigma of step k - which, 0 at those of the other steps up to `order` back
static double lagrange(const Scheduler *s, size_t k, size_t order, size_t which, double sigma) {
    double product = 1, own = (double)s->sigmas[k - which];
    for (size_t j = 0; j < order; j++) {
        if (j != which) product *= (sigma - (double)s->sigmas[k - j]) / (own - (double)s->sigmas[k - j]);
    }
    return product;
}

// Its integral over the step. Simpson's rule is exact for polynomials up to the third degree, which these are.
static double coefficient(const Scheduler *s, size_t k, size_t order, size_t which) {
    double from = (double)s->sigmas[k], to = (double)s->sigmas[k + 1], middle = (from + to) / 2;
    double sum = lagrange(s, k, order, which, from) + 4 * lagrange(s, k, order, which, middle) +
                 lagrange(s, k, order, which, to);
    return (to - from) / 6 * sum;
}

// The curve has as many directions as are known. (diffusers, beginning in the middle of the list as image to image does,
// counts those of steps that were never taken, and its first steps are too long by half and more.)
static void lms_step(Scheduler *s, size_t k, const float *latents, const float *model_output, const float *fresh_noise,
                     float *prev_sample, float *pred_original_sample, size_t n) {
    (void)fresh_noise;
    History *history = &s->history;
    float sigma = s->sigmas[k], coefficients[MAX_ORDER] = {0};
    history_open(history, k, n);
    size_t order = history->known + 1 < MAX_ORDER ? history->known + 1 : MAX_ORDER;
    for (size_t j = 0; j < order; j++) coefficients[j] = (float)coefficient(s, k, order, j);

    for (size_t i = 0; i < n; i++) {
        pred_original_sample[i] = original_sample(s->config.prediction_type, sigma, latents[i], model_output[i]);
        prev_sample[i] = latents[i];
    }
    history_push(history, pred_original_sample, MAX_ORDER);
    float *derivative = history_row(history, 0);
    for (size_t i = 0; i < n; i++) {
        float way = 0;
        derivative[i] = (prev_sample[i] - derivative[i]) / sigma;
        for (size_t j = 0; j < order; j++) way += coefficients[j] * history_row(history, j)[i];
        prev_sample[i] += way;
    }
    history_close(history, k);
}

const SchedulerKind lms_kind = {
    .name = "lms",
    .class_name = "LMSDiscreteScheduler",
    .about = "four directions back for every step ahead: quick where they fit a curve, wild below 30 steps",
    .paper = "Liu et al. 2022, arXiv 2202.09778, section 3.2",
    .order = 4,
    .unet_calls_per_step = 1,
    .stochastic = false,
    .variance_preserving = false,
    .defaults = {.num_train_timesteps = 1000,
                 .beta_start = 0.0001f,
                 .beta_end = 0.02f,
                 .timestep_spacing = SPACING_LINSPACE,
                 .clip_sample_range = 1},
    .settings = (const char *const[]){"timestep_spacing", "steps_offset", "use_karras_sigmas", NULL},
    .fixed_settings = (const char *const[]){"use_exponential_sigmas=false", "use_beta_sigmas=false", NULL},
    .set_timesteps = scheduler_take_sigmas,
    .scale_model_input = exploding_scale_model_input,
    .draws_noise = never_draws_noise,
    .step = lms_step,
    .add_noise = exploding_add_noise,
};
