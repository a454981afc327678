// euler.c - Euler: the same walk as an ordinary differential equation, solved with the simplest solver there is
//
// Where: between two U-Net calls, like ddim.c. Here the latents aren't kept at variance 1: they are the picture plus
// sigma times noise, and sigma falls from about 15 to 0. In these coordinates the picture moves along
//
//     dx / d sigma = (x - x0) / sigma                 Karras et al. 2022 (arXiv 2206.00364), eq. 3 and algorithm 1
//
// and Euler's method follows the tangent from one sigma to the next. DDIM's latents are these over sqrt(1 + sigma^2),
// and apart from where they stop, the two methods take the same steps.
// Elsewhere: diffusers.EulerDiscreteScheduler. Read next: ../pipeline.c.

#include "schedulers/noise_schedule.h"

#include <math.h>

// sigma = noise over picture: sqrt((1 - a) / a), from 0.03 at timestep 0 to 14.6 at Stable Diffusion's last
// (rescale_betas_zero_snr makes it infinite; there diffusers takes the smallest number that f16 knows for a)
static float sigma_at(const Scheduler *s, size_t timestep) {
    float a = s->alphas_cumprod[timestep] == 0 ? 0x1p-24f : s->alphas_cumprod[timestep];
    return sqrtf((1 - a) / a);
}

// Timesteps needn't be whole numbers here: between two, sigma is interpolated (in double, as numpy.interp does).
static float sigma_between(const Scheduler *s, float timestep) {
    size_t last = s->config.num_train_timesteps - 1, below = (size_t)timestep;
    if (below >= last) return sigma_at(s, last);
    double low = (double)sigma_at(s, below), high = (double)sigma_at(s, below + 1);
    return (float)(low + (high - low) * ((double)timestep - (double)below));
}

static bool euler_set_timesteps(Scheduler *s, size_t num_inference_steps, Error *error) {
    if (!scheduler_take_timesteps(s, num_inference_steps, false, error)) return false;
    for (size_t k = 0; k < s->timestep_count; k++) s->sigmas[k] = sigma_between(s, s->timesteps[k]);
    s->sigmas[s->timestep_count] = 0;

    // The first latents are all noise with "linspace" and "trailing", which begin at the last timestep; "leading"
    // begins before it, where picture and noise together have this variance.
    float largest = s->sigmas[0];
    s->init_noise_sigma = s->config.timestep_spacing == SPACING_LEADING ? sqrtf(largest * largest + 1) : largest;
    return true;
}

// The U-Net was trained on latents of variance 1.
static void euler_scale_model_input(const Scheduler *s, size_t k, const float *latents, float *out, size_t n) {
    float scale = sqrtf(s->sigmas[k] * s->sigmas[k] + 1);
    for (size_t i = 0; i < n; i++) out[i] = latents[i] / scale;
}

static bool euler_draws_noise(const Scheduler *s, size_t k) {
    (void)s, (void)k;
    return false;
}

// What the model said, as a finished picture. v (Salimans & Ho 2022) was defined on latents of variance 1, which
// these are once divided by sqrt(1 + sigma^2).
static float original_sample(PredictionType type, float sigma, float x, float model_output) {
    float variance = sigma * sigma + 1;
    switch (type) {
    case PREDICTION_EPSILON: return x - sigma * model_output;
    case PREDICTION_V: return model_output * (-sigma / sqrtf(variance)) + x / variance;
    case PREDICTION_SAMPLE: break;
    }
    return model_output;
}

static void euler_step(Scheduler *s, size_t k, const float *latents, const float *model_output,
                       const float *fresh_noise, float *prev_sample, float *pred_original_sample, size_t n) {
    (void)fresh_noise;
    float sigma = s->sigmas[k], step = s->sigmas[k + 1] - sigma;
    for (size_t i = 0; i < n; i++) {
        float x = latents[i], x0 = original_sample(s->config.prediction_type, sigma, x, model_output[i]);
        float derivative = (x - x0) / sigma;
        pred_original_sample[i] = x0;
        prev_sample[i] = x + derivative * step;
    }
}

static void euler_add_noise(const Scheduler *s, size_t k, const float *clean, const float *noise, float *out,
                            size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = clean[i] + noise[i] * s->sigmas[k];
}

const SchedulerKind euler_kind = {
    .name = "euler",
    .class_name = "EulerDiscreteScheduler",
    .about = "the same road as ddim in other coordinates: what most programs use by default, 20 to 30 steps",
    .paper = "Karras et al. 2022, arXiv 2206.00364, algorithm 1",
    .order = 1,
    .unet_calls_per_step = 1,
    .stochastic = false,
    .variance_preserving = false,
    .defaults = {.num_train_timesteps = 1000,
                 .beta_start = 0.0001f,
                 .beta_end = 0.02f,
                 .timestep_spacing = SPACING_LINSPACE,
                 .clip_sample_range = 1,
                 .set_alpha_to_one = true},
    .fixed_settings =
        (const char *const[]){"use_karras_sigmas=false", "use_exponential_sigmas=false", "use_beta_sigmas=false",
                              "interpolation_type=linear", "timestep_type=discrete", "final_sigmas_type=zero", NULL},
    .set_timesteps = euler_set_timesteps,
    .scale_model_input = euler_scale_model_input,
    .draws_noise = euler_draws_noise,
    .step = euler_step,
    .add_noise = euler_add_noise,
};
