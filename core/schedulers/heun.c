// heun.c - Heun: try Euler's step, look where it led, and go by the mean of both directions
//
// The tangent at the beginning of a step misses the curve; the mean of the tangents at both ends hits it much better. It
// costs two U-Net calls a step, so S steps are 2 S - 1 evaluations: the last step, to sigma 0, has no second tangent.
// Elsewhere: diffusers.HeunDiscreteScheduler. Paper: Karras et al. 2022 (arXiv 2206.00364), algorithm 1.
// Read next: kdpm2.c looks at the middle of the step instead.

#include "schedulers/coordinates.h"
#include "schedulers/history.h"
#include "schedulers/sigmas.h"

#include "base/check.h"

#include <math.h>

enum { START, DERIVATIVE };  // rows of the history: where the step began, and the tangent there

// Evaluations: sigmas[0], then each other one twice: at the end of a step that is tried, at the beginning of the next.
static bool heun_set_timesteps(Scheduler *s, size_t num_inference_steps, Error *error) {
    if (!scheduler_take_sigmas(s, num_inference_steps, error)) return false;
    return scheduler_double(s, error);
}

static void heun_step(Scheduler *s, size_t k, const float *latents, const float *model_output, const float *fresh_noise,
                      float *prev_sample, float *pred_original_sample, size_t n) {
    (void)fresh_noise;
    History *history = &s->history;
    bool trying = k % 2 == 0;
    float sigma = s->sigmas[k], step = trying ? s->sigmas[k + 1] - sigma : sigma - s->sigmas[k - 1];
    float range = s->config.clip_sample_range;
    history_open(history, k, n);
    CHECK(trying || history->known > 0, "step %zu is the second half of one that wasn't begun", k);

    float *start = history_row(history, START), *derivative = history_row(history, DERIVATIVE);
    for (size_t i = 0; i < n; i++) {
        float x = latents[i], x0 = original_sample(s->config.prediction_type, sigma, x, model_output[i]);
        if (s->config.clip_sample) x0 = fminf(fmaxf(x0, -range), range);
        pred_original_sample[i] = x0;
        float here = (x - x0) / sigma;
        if (trying) {
            start[i] = x;
            derivative[i] = here;
        }
        prev_sample[i] = start[i] + (trying ? here : (derivative[i] + here) / 2) * step;
    }
    history_close(history, k);
}

const SchedulerKind heun_kind = {
    .name = "heun",
    .class_name = "HeunDiscreteScheduler",
    .about = "twice the work of euler a step, and more exact for it: 10 to 15 steps",
    .paper = "Karras et al. 2022, arXiv 2206.00364, algorithm 1",
    .order = 2,
    .unet_calls_per_step = 2,
    .stochastic = false,
    .variance_preserving = false,
    .defaults = {.num_train_timesteps = 1000,
                 .beta_start = 0.00085f,
                 .beta_end = 0.012f,
                 .timestep_spacing = SPACING_LINSPACE,
                 .clip_sample_range = 1},
    .settings = (const char *const[]){"timestep_spacing", "steps_offset", "clip_sample", "clip_sample_range",
                                      "use_karras_sigmas", NULL},
    .fixed_settings = (const char *const[]){"use_exponential_sigmas=false", "use_beta_sigmas=false", NULL},
    .set_timesteps = heun_set_timesteps,
    .scale_model_input = exploding_scale_model_input,
    .draws_noise = never_draws_noise,
    .step = heun_step,
    .add_noise = exploding_add_noise,
};
