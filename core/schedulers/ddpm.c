// ddpm.c - DDPM: the walk as it was first described, with fresh noise at every step
//
// Training added noise in many small steps, each of which forgets a little. To go back one step is to draw from all the
// pictures that it could have come from: around a mean between the predicted picture and the latents, with some variance.
// Elsewhere: diffusers.DDPMScheduler. Paper: Ho, Jain & Abbeel 2020 (arXiv 2006.11239), section 3.2 and algorithm 2.
// Read next: ddim.c goes the same way without chance; euler_ancestral.c is this in other coordinates.

#include "schedulers/coordinates.h"
#include "schedulers/noise_schedule.h"

#include "base/check.h"

#include <math.h>

static bool ddpm_set_timesteps(Scheduler *s, size_t num_inference_steps, Error *error) {
    if (!scheduler_take_timesteps(s, num_inference_steps, true, error)) return false;
    s->init_noise_sigma = 1;
    return preserving_check(s, error);
}

// The step that ends at the picture itself is its mean. (Only "leading" without steps_offset and "linspace" have it.)
static bool ddpm_draws_noise(const Scheduler *s, size_t k) { return s->timesteps[k] > 0; }

// Ho et al., end of section 3.2: two choices that are exact for pictures of one kind or another, and give nearly the
// same result. small is eq. 7's variance; large is beta.
static float deviation(VarianceType type, float a_t, float a_prev, float beta) {
    float small = fmaxf((1 - a_prev) / (1 - a_t) * beta, 1e-20f);
    switch (type) {
    case VARIANCE_FIXED_SMALL: return sqrtf(small);
    case VARIANCE_FIXED_SMALL_LOG: return expf(0.5f * logf(small));
    case VARIANCE_FIXED_LARGE: break;
    }
    return sqrtf(beta);
}

// One step, from timestep t to the one before in the list, t_prev:
//
//     alpha  = a_t / a_prev,  beta = 1 - alpha                      how much picture, how much noise lies between both
//     mean   = sqrt(a_prev) beta / (1 - a_t) * x0  +  sqrt(alpha) (1 - a_prev) / (1 - a_t) * x_t           eq. 7
//     x_prev = mean + deviation * fresh noise
static void ddpm_step(Scheduler *s, size_t k, const float *latents, const float *model_output, const float *fresh_noise,
                      float *prev_sample, float *pred_original_sample, size_t n) {
    float a_t = s->alphas_cumprod[(size_t)s->timesteps[k]];
    float a_prev = k + 1 < s->timestep_count ? s->alphas_cumprod[(size_t)s->timesteps[k + 1]] : 1;
    float alpha = a_t / a_prev, beta = 1 - alpha;
    float of_x0 = sqrtf(a_prev) * beta / (1 - a_t), of_x = sqrtf(alpha) * (1 - a_prev) / (1 - a_t);
    float sigma = deviation(s->config.variance_type, a_t, a_prev, beta), range = s->config.clip_sample_range;
    CHECK(!ddpm_draws_noise(s, k) || fresh_noise, "no fresh noise was drawn for step %zu", k);

    for (size_t i = 0; i < n; i++) {
        float x0 = latents_split(s->config.prediction_type, a_t, latents[i], model_output[i]).x0;
        if (s->config.clip_sample) x0 = fminf(fmaxf(x0, -range), range);
        pred_original_sample[i] = x0;
        prev_sample[i] = of_x0 * x0 + of_x * latents[i];
        if (fresh_noise) prev_sample[i] += sigma * fresh_noise[i];
    }
}

const SchedulerKind ddpm_kind = {
    .name = "ddpm",
    .class_name = "DDPMScheduler",
    .about = "the original: fresh noise at every step, rough with few steps and at its best with hundreds",
    .paper = "Ho, Jain & Abbeel 2020, arXiv 2006.11239, algorithm 2",
    .order = 1,
    .unet_calls_per_step = 1,
    .stochastic = true,
    .variance_preserving = true,
    .defaults = {.num_train_timesteps = 1000,
                 .beta_start = 0.0001f,
                 .beta_end = 0.02f,
                 .clip_sample = true,
                 .clip_sample_range = 1},
    .settings = (const char *const[]){"timestep_spacing", "steps_offset", "clip_sample", "clip_sample_range",
                                      "rescale_betas_zero_snr", "variance_type", NULL},
    .fixed_settings = (const char *const[]){"thresholding=false", NULL},
    .set_timesteps = ddpm_set_timesteps,
    .scale_model_input = preserving_scale_model_input,
    .draws_noise = ddpm_draws_noise,
    .step = ddpm_step,
    .add_noise = preserving_add_noise,
};
