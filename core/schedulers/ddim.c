// ddim.c - DDIM: walk from noise to picture in few, deterministic steps
//
// Where: between two U-Net calls. The U-Net says what is noise in the latents; this says how much of it to take away.
// Elsewhere: diffusers.DDIMScheduler. Paper: Song, Meng & Ermon 2020 (arXiv 2010.02502), section 4.1, eq. 12.
// Read next: euler.c takes the same step in other coordinates.

#include "schedulers/coordinates.h"
#include "schedulers/noise_schedule.h"

#include "base/check.h"

#include <math.h>

static bool ddim_set_timesteps(Scheduler *s, size_t num_inference_steps, Error *error) {
    if (!scheduler_take_timesteps(s, num_inference_steps, true, error)) return false;
    s->init_noise_sigma = 1;
    return preserving_check(s, error);
}

static bool ddim_draws_noise(const Scheduler *s, size_t k) {
    (void)k;
    return s->config.eta > 0;
}

static float alpha_cumprod_at(const Scheduler *s, double timestep) {
    return timestep < 0 ? s->final_alpha_cumprod : s->alphas_cumprod[(size_t)timestep];
}

// Where step k goes to. Not timesteps[k + 1]: diffusers subtracts a whole number of training steps, and so, to draw the
// same picture, do we. With "leading" both are the same (7 steps of 1000: 853 711 .. 143 1, then below 0: finished).
// With "trailing" the list is 999 856 713 570 428 285 142, but 999 - 142 = 857, 714, 571 ..: the latents arrive with a
// little more noise than the U-Net is told, and the last step ends at timestep 0, not at the finished picture.
// "linspace" errs more: 999 832 666 .. against 857, 690, 524 ...
static double ddim_previous_timestep(const Scheduler *s, size_t k) {
    return (double)s->timesteps[k] - (double)(s->config.num_train_timesteps / s->num_inference_steps);
}

// One step, from timestep t to the earlier timestep t_prev (below 0 is the finished picture):
//
//     x0        = (x_t - sqrt(1 - a_t) * noise) / sqrt(a_t)                what the picture would be, if noise is right
//     direction = sqrt(1 - a_prev - sigma^2) * noise                     the noise that should still be there at t_prev
//     x_prev    = sqrt(a_prev) * x0 + direction + sigma * fresh noise
//
// a is alphas_cumprod: how much of the picture's variance is left at that timestep, 1 at the picture, near 0 at chaos.
// sigma is 0 when eta is 0: nothing random happens, and the same latents always end in the same picture. With eta 1
// this is DDPM, which replaces noise by fresh noise all the way.

static void ddim_step(Scheduler *s, size_t k, const float *latents, const float *model_output, const float *fresh_noise,
                      float *prev_sample, float *pred_original_sample, size_t n) {
    float a_t = alpha_cumprod_at(s, (double)s->timesteps[k]);
    float a_prev = alpha_cumprod_at(s, ddim_previous_timestep(s, k));

    float sigma = s->config.eta * sqrtf((1 - a_prev) / (1 - a_t) * (1 - a_t / a_prev));  // eq. 16
    // Where rescale_betas_zero_snr leaves nothing of the picture, eta 1 makes all noise fresh: what is kept of the old
    // is 0, and rounding may put it just below.
    float kept = 1 - a_prev - sigma * sigma, keep = sqrtf(kept < 0 ? 0 : kept);
    CHECK(!ddim_draws_noise(s, k) || fresh_noise, "eta is %g and no fresh noise was drawn", (double)s->config.eta);

    for (size_t i = 0; i < n; i++) {
        Split predicted = latents_split(s->config.prediction_type, a_t, latents[i], model_output[i]);
        float x0 = predicted.x0;
        if (s->config.clip_sample) x0 = fminf(fmaxf(x0, -s->config.clip_sample_range), s->config.clip_sample_range);

        pred_original_sample[i] = x0;
        prev_sample[i] = sqrtf(a_prev) * x0 + keep * predicted.noise;
        if (fresh_noise) prev_sample[i] += sigma * fresh_noise[i];
    }
}

const SchedulerKind ddim_kind = {
    .name = "ddim",
    .class_name = "DDIMScheduler",
    .about = "few steps, nothing random: the one to learn with, and good from 20 steps on (eta=1 makes it DDPM)",
    .paper = "Song, Meng & Ermon 2020, arXiv 2010.02502",
    .order = 1,
    .unet_calls_per_step = 1,
    .stochastic = true,
    .variance_preserving = true,
    .defaults = {.num_train_timesteps = 1000,
                 .beta_start = 0.0001f,
                 .beta_end = 0.02f,
                 .clip_sample = true,
                 .clip_sample_range = 1,
                 .set_alpha_to_one = true},
    .settings = (const char *const[]){"timestep_spacing", "steps_offset", "clip_sample", "clip_sample_range",
                                      "set_alpha_to_one", "rescale_betas_zero_snr", "eta", NULL},
    .fixed_settings = (const char *const[]){"thresholding=false", NULL},
    .set_timesteps = ddim_set_timesteps,
    .scale_model_input = preserving_scale_model_input,
    .draws_noise = ddim_draws_noise,
    .step = ddim_step,
    .add_noise = preserving_add_noise,
};
