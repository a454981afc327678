// noise_schedule.c - see noise_schedule.h
//
// Where: once, when a scheduler is made or its number of steps set. Elsewhere: the constructors and set_timesteps of
// diffusers' schedulers, matched to the last bit: an error here is in every step of every picture.

#include "schedulers/noise_schedule.h"

#include "base/text.h"
#include "schedulers/history.h"

#include <math.h>
#include <stdlib.h>

// ---- betas: how much noise each of training's steps adds ------------------------------------------------------------

// torch.linspace in float32: the step is rounded to float, and the upper half is counted down from the end.
static float linspace_at(float start, float end, size_t count, size_t i) {
    if (count == 1) return start;
    float step = (end - start) / (float)(count - 1);
    if (i < count / 2) return (float)(start + (double)step * (double)i);
    return (float)(end - (double)step * (double)(count - 1 - i));
}

// Nichol & Dhariwal 2021 (arXiv 2102.09672), eq. 17: what should be left of the picture at time t in 0..1
static double squared_cosine(double t) {
    double c = cos((t + 0.008) / 1.008 * M_PI / 2);
    return c * c;
}

static float beta_at(const SchedulerConfig *config, size_t i) {
    size_t N = config->num_train_timesteps;
    if (config->trained_betas) return config->trained_betas[i];

    double start = as_written(config->beta_start), end = as_written(config->beta_end);
    switch (config->beta_schedule) {
    case BETAS_LINEAR: return linspace_at((float)start, (float)end, N, i);
    case BETAS_SCALED_LINEAR: {  // Stable Diffusion's: the square roots are evenly spaced
        float root = linspace_at((float)sqrt(start), (float)sqrt(end), N, i);
        return root * root;
    }
    case BETAS_SQUAREDCOS_CAP_V2: break;
    }
    double now = squared_cosine((double)i / (double)N), next = squared_cosine((double)(i + 1) / (double)N);
    return (float)fmin(1 - next / now, 0.999);
}

// ---- alphas_cumprod: what is left of the picture --------------------------------------------------------------------

// torch.cumprod of floats multiplies in double and rounds each product for the reader: kept in float, 1 -
// alphas_cumprod would be off by 6.6e-6.
static void cumulative_product(float *values, size_t n) {
    double product = 1;
    for (size_t i = 0; i < n; i++) {
        product *= values[i];
        values[i] = (float)product;
    }
}

// Lin et al. 2023 (arXiv 2305.08891), algorithm 1: shift and stretch sqrt(alphas_cumprod) so that the last one is 0
// (pure noise, which the usual schedules never reach) and the first stays. In and out: alphas_cumprod [n].
static void rescale_zero_terminal_snr(float *alphas_cumprod, size_t n) {
    float first = sqrtf(alphas_cumprod[0]), last = sqrtf(alphas_cumprod[n - 1]);
    float stretch = first / (first - last), before = 1;
    for (size_t i = 0; i < n; i++) {
        float root = (sqrtf(alphas_cumprod[i]) - last) * stretch, alpha_bar = root * root;
        float beta = 1 - alpha_bar / before;  // the way over betas and back costs digits, and diffusers goes it
        before = alpha_bar;
        alphas_cumprod[i] = 1 - beta;
    }
    cumulative_product(alphas_cumprod, n);
}

void noise_schedule_fill(const SchedulerConfig *config, float *alphas_cumprod) {
    size_t N = config->num_train_timesteps;
    for (size_t i = 0; i < N; i++) alphas_cumprod[i] = 1 - beta_at(config, i);
    cumulative_product(alphas_cumprod, N);
    if (config->rescale_betas_zero_snr) rescale_zero_terminal_snr(alphas_cumprod, N);
}

// ---- timesteps: where to stop on the way back -----------------------------------------------------------------------
//
// Three habits, for N trained timesteps and S steps (Lin et al. 2023, table 2, shows what each does to a picture):
//
//     leading    0, N/S, 2N/S ...  plus steps_offset: begins well before the last timestep, so never from pure noise
//     linspace   0 .. N - 1 evenly, both ends included
//     trailing   N, N - N/S, ...  minus 1: begins at the very last timestep
//
// diffusers' trailing is a numpy.arange, whose length is rounded up: for 72 of the numbers of steps up to 1000 (61,
// 103, ...) it has one timestep too many, -1. Here it has as many as were asked for.

double timestep_at(const SchedulerConfig *config, size_t num_inference_steps, size_t k) {
    size_t N = config->num_train_timesteps, S = num_inference_steps, from_end = S - 1 - k;
    switch (config->timestep_spacing) {
    case SPACING_LEADING: return (double)(from_end * (N / S) + config->steps_offset);
    case SPACING_LINSPACE:
        if (S == 1) return 0;
        return k == 0 ? (double)(N - 1) : (double)from_end * ((double)(N - 1) / (double)(S - 1));
    case SPACING_TRAILING: break;
    }
    double end = (double)N, step = (end - end / (double)S) - end;  // rounded the way numpy.arange rounds it
    return rint(end + (double)k * step) - 1;
}

bool scheduler_reserve(Scheduler *s, size_t num_inference_steps, size_t evaluations, Error *error) {
    size_t N = s->config.num_train_timesteps, S = num_inference_steps;
    if (S == 0) return error_set(error, "steps: 0 steps draw nothing; ask for at least 1, 20 is usual");
    if (S > N) {
        return error_set(error, "steps: %zu asked for, and the model was trained on %zu timesteps; ask for 1 to %zu", S,
                         N, N);
    }
    float *timesteps = calloc(evaluations, sizeof *timesteps), *sigmas = calloc(evaluations + 1, sizeof *sigmas);
    if (!timesteps || !sigmas) {
        free(timesteps);
        free(sigmas);
        return error_set(error, "steps: no memory for %zu timesteps; close other programs", evaluations);
    }
    free(s->timesteps);
    free(s->sigmas);
    history_free(&s->history);
    s->timesteps = timesteps;
    s->sigmas = sigmas;
    s->num_inference_steps = S;
    s->timestep_count = evaluations;
    return true;
}

bool scheduler_take_timesteps(Scheduler *s, size_t num_inference_steps, bool whole, Error *error) {
    size_t S = num_inference_steps;
    if (!scheduler_reserve(s, S, S, error)) return false;
    for (size_t k = 0; k < S; k++) {
        double exact = timestep_at(&s->config, S, k);
        s->timesteps[k] = (float)(whole ? rint(exact) : exact);
    }
    return true;
}
