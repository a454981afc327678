// lcm.c - latent consistency: a model taught to jump to the picture at once, and to be asked again
//
// A consistency model's answer at any noise level is the end of the walk, not a direction. Each step takes that picture
// and lays fresh noise over it, a little less every time, so that the next answer can mend it. Only models distilled for
// it draw well this way: 1 to 8 steps.
// Elsewhere: diffusers.LCMScheduler, which has no timestep_spacing: it skips among the original_inference_steps that the
// model was taught with. Papers: Luo et al. 2023 (arXiv 2310.04378), section 4; Song et al. 2023 (arXiv 2303.01469),
// algorithm 1. Read next: ddpm.c, the other one that draws noise at variance 1.

#include "schedulers/coordinates.h"
#include "schedulers/noise_schedule.h"

#include "base/check.h"

#include <math.h>

// With 50 original steps of 1000: 999 979 .. 19, of which S are taken, evenly, from the first on
static bool lcm_set_timesteps(Scheduler *s, size_t num_inference_steps, Error *error) {
    size_t N = s->config.num_train_timesteps, original = s->config.original_inference_steps, S = num_inference_steps;
    if (original == 0 || original > N) {
        return error_set(error, "scheduler: original_inference_steps is %zu; it must be 1 to %zu, 50 is usual",
                         original, N);
    }
    if (S > original) {
        return error_set(error,
                         "steps: %zu asked for, and lcm skips among the %zu that the model was taught with; ask "
                         "for 1 to %zu, 4 is usual",
                         S, original, original);
    }
    if (!scheduler_reserve(s, S, S, error)) return false;
    for (size_t k = 0; k < S; k++) {
        size_t skipped = (size_t)((double)k * ((double)original / (double)S));
        s->timesteps[k] = (float)((original - skipped) * (N / original) - 1);
    }
    s->init_noise_sigma = 1;
    return preserving_check(s, error);
}

static bool lcm_draws_noise(const Scheduler *s, size_t k) { return k + 1 < s->timestep_count; }

// At noise level 0 the latents are the picture, whatever the model says. These two, with sigma_data = 1/2, make it so
// (Luo et al., eq. 9); away from there c_skip is nearly 0 and c_out nearly 1.
//
//     denoised = c_skip x + c_out x0
//     x_prev   = sqrt(a_prev) denoised + sqrt(1 - a_prev) * fresh noise
static void lcm_step(Scheduler *s, size_t k, const float *latents, const float *model_output, const float *fresh_noise,
                     float *prev_sample, float *pred_original_sample, size_t n) {
    bool draws = lcm_draws_noise(s, k);
    float a_t = s->alphas_cumprod[(size_t)s->timesteps[k]];
    float a_prev = draws ? s->alphas_cumprod[(size_t)s->timesteps[k + 1]] : 1;
    float scaled = s->timesteps[k] * s->config.timestep_scaling, range = s->config.clip_sample_range;
    float c_skip = 0.25f / (scaled * scaled + 0.25f), c_out = scaled / sqrtf(scaled * scaled + 0.25f);
    CHECK(!draws || fresh_noise, "no fresh noise was drawn for step %zu", k);

    for (size_t i = 0; i < n; i++) {
        float x0 = latents_split(s->config.prediction_type, a_t, latents[i], model_output[i]).x0;
        if (s->config.clip_sample) x0 = fminf(fmaxf(x0, -range), range);
        float denoised = c_out * x0 + c_skip * latents[i];
        pred_original_sample[i] = denoised;
        prev_sample[i] = draws ? sqrtf(a_prev) * denoised + sqrtf(1 - a_prev) * fresh_noise[i] : denoised;
    }
}

const SchedulerKind lcm_kind = {
    .name = "lcm",
    .class_name = "LCMScheduler",
    .about = "for models distilled to consistency: 4 steps, guidance 1 to 2; with others, haze",
    .paper = "Luo et al. 2023, arXiv 2310.04378",
    .order = 1,
    .unet_calls_per_step = 1,
    .stochastic = true,
    .variance_preserving = true,
    .defaults = {.num_train_timesteps = 1000,
                 .beta_start = 0.00085f,
                 .beta_end = 0.012f,
                 .beta_schedule = BETAS_SCALED_LINEAR,
                 .clip_sample_range = 1,
                 .original_inference_steps = 50,
                 .timestep_scaling = 10},
    .settings = (const char *const[]){"steps_offset", "clip_sample", "clip_sample_range", "rescale_betas_zero_snr",
                                      "original_inference_steps", "timestep_scaling", NULL},
    .fixed_settings = (const char *const[]){"thresholding=false", NULL},
    .set_timesteps = lcm_set_timesteps,
    .scale_model_input = preserving_scale_model_input,
    .draws_noise = lcm_draws_noise,
    .step = lcm_step,
    .add_noise = preserving_add_noise,
};
