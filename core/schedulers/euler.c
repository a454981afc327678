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

#include "schedulers/coordinates.h"
#include "schedulers/sigmas.h"

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
    .settings =
        (const char *const[]){"timestep_spacing", "steps_offset", "rescale_betas_zero_snr", "use_karras_sigmas", NULL},
    .fixed_settings =
        (const char *const[]){"use_exponential_sigmas=false", "use_beta_sigmas=false", "interpolation_type=linear",
                              "timestep_type=discrete", "final_sigmas_type=zero", NULL},
    .set_timesteps = scheduler_take_sigmas,
    .scale_model_input = exploding_scale_model_input,
    .draws_noise = never_draws_noise,
    .step = euler_step,
    .add_noise = exploding_add_noise,
};
