// dpm_solver.c - see dpm_solver.h

#include "schedulers/dpm_solver.h"

#include "schedulers/history.h"
#include "schedulers/noise_schedule.h"
#include "schedulers/sigmas.h"

#include <math.h>

// s->sigmas are noise over picture, as Euler's; here the sum of both squares is 1.
Level level_at(const Scheduler *s, size_t k) {
    float ratio = s->sigmas[k], alpha = 1 / sqrtf(ratio * ratio + 1), sigma = ratio * alpha;
    return (Level){alpha, sigma, logf(alpha) - logf(sigma)};
}

static float level_original_sample(PredictionType type, Level level, float x, float model_output) {
    switch (type) {
    case PREDICTION_EPSILON: return (x - level.sigma * model_output) / level.alpha;
    case PREDICTION_V: return level.alpha * x - level.sigma * model_output;
    case PREDICTION_SAMPLE: break;
    }
    return model_output;
}

void dpm_solver_take_answer(Scheduler *s, size_t k, const float *latents, const float *model_output,
                            float *pred_original_sample, size_t n, size_t answers) {
    Level now = level_at(s, k);
    history_open(&s->history, k, n);
    for (size_t i = 0; i < n; i++) {
        pred_original_sample[i] = level_original_sample(s->config.prediction_type, now, latents[i], model_output[i]);
    }
    history_push(&s->history, pred_original_sample, answers);
}

void dpm_solver_first_order(Level s, Level t, const float *latents, const float *x0, float *prev_sample, size_t n) {
    float shrink = expf(-(t.lambda - s.lambda)) - 1;
    for (size_t i = 0; i < n; i++) prev_sample[i] = t.sigma / s.sigma * latents[i] - t.alpha * shrink * x0[i];
}

bool dpm_solver_one_answer(const Scheduler *s, size_t k) {
    const SchedulerConfig *c = &s->config;
    bool last = k + 1 == s->timestep_count;
    bool low = c->euler_at_final || (c->lower_order_final && s->timestep_count < 15) || s->sigmas[k + 1] == 0;
    return s->history.known == 0 || (last && low);
}

static double dpm_solver_timestep(const SchedulerConfig *config, size_t S, size_t k) {
    size_t N = config->num_train_timesteps, from_end = S - k;
    switch (config->timestep_spacing) {
    case SPACING_LEADING: return (double)(from_end * (N / (S + 1)) + config->steps_offset);
    case SPACING_LINSPACE: return k == 0 ? (double)(N - 1) : rint((double)from_end * ((double)(N - 1) / (double)S));
    case SPACING_TRAILING: break;
    }
    return timestep_at(config, S, k);
}

bool dpm_solver_set_timesteps(Scheduler *s, size_t num_inference_steps, Error *error) {
    size_t S = num_inference_steps, N = s->config.num_train_timesteps;
    if (!scheduler_reserve(s, S, S, error)) return false;
    s->init_noise_sigma = 1;
    for (size_t k = 0; k < S; k++) {
        double timestep = dpm_solver_timestep(&s->config, S, k), sigma = sigma_between(s, timestep);
        if (s->config.use_karras_sigmas) {
            sigma = karras_sigma((double)sigma_at(s, N - 1), (double)sigma_at(s, 0), k, S);
            timestep = rint(timestep_of_sigma(s, sigma));
        }
        s->timesteps[k] = (float)timestep;
        s->sigmas[k] = (float)sigma;
        if (k > 0 && s->sigmas[k] >= s->sigmas[k - 1]) {
            return error_set(
                error,
                "steps: of %zu steps the ones at timesteps %g and %g have the same noise; ask for fewer, or "
                "another timestep_spacing",
                S, (double)s->timesteps[k - 1], timestep);
        }
    }
    s->sigmas[S] = s->config.final_sigmas_type == FINAL_SIGMA_MIN ? sigma_at(s, 0) : 0;
    return true;
}

void dpm_solver_add_noise(const Scheduler *s, size_t k, const float *clean, const float *noise, float *out, size_t n) {
    Level level = level_at(s, k);
    for (size_t i = 0; i < n; i++) out[i] = level.alpha * clean[i] + level.sigma * noise[i];
}

const char *const dpm_multistep_settings[] = {
    "timestep_spacing",  "steps_offset",      "rescale_betas_zero_snr", "use_karras_sigmas",
    "final_sigmas_type", "lower_order_final", "euler_at_final",         NULL};

const char *const dpm_multistep_fixed_settings[] = {"solver_order=2",
                                                    "solver_type=midpoint|logrho|bh1|bh2",
                                                    "thresholding=false",
                                                    "use_lu_lambdas=false",
                                                    "use_exponential_sigmas=false",
                                                    "use_beta_sigmas=false",
                                                    "use_flow_sigmas=false",
                                                    NULL};
