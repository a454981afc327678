// faults.c - see faults.h. SPOILERS
//
// They get into a run by what core/run/run.h says a run is made of, which nobody else outside core should use.

#include "faults.h"

#include "demo/demo.h"
#include "demo/steps.h"
#include "ops/attention.h"
#include "ops/conv2d.h"
#include "run/run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const Fault no_fault = {0};

// ---- words ----------------------------------------------------------------------------------------------------------

// As if there were no room for more than the first words
static void cut(Settings *settings) {
    static char first[32];
    snprintf(first, sizeof first, "%.9s", settings->prompt);
    settings->prompt = first;
}
const Fault cut_prompt = {.settings = cut};

// ---- kernels --------------------------------------------------------------------------------------------------------

static void run_kernel(Run *run, Op op, const Kernel *kernel) { run->ctx.kernels[op] = kernel; }

// The scores q k^T / sqrt(d), without the division
static void attention_unscaled(float *out, const float *q, const float *k, const float *v, AttentionShape s,
                               void *scratch) {
    size_t n = s.B * s.Tq * s.heads * s.d;
    float *larger = demo_floats(n);
    for (size_t i = 0; i < n; i++) larger[i] = q[i] * sqrtf((float)s.d);
    ((AttentionKernel *)kernel_default(OP_ATTENTION, F32)->function)(out, larger, k, v, s, scratch);
    free(larger);
}

// The prompts are read again with it: the text encoder has attention, too.
static void use_attention_unscaled(Run *run, const Settings *settings, SchedulerKind *kind) {
    (void)settings, (void)kind;
    static Kernel kernel;
    Error error = {0};
    kernel = *kernel_default(OP_ATTENTION, F32);
    kernel.function = (void (*)(void))attention_unscaled;
    run_kernel(run, OP_ATTENTION, &kernel);
    prompts_free(&run->prompts);
    demo_needs(prompts_encode(&run->prompts, &run->ctx, run->model, &run->settings, &error), &error);
}
const Fault attention_scale = {.start = use_attention_unscaled};

// What mathematics calls a convolution; what networks call one doesn't turn its kernels. weight [Cout, Cin, K, K]
static void conv2d_flipped(float *out, const float *in, const void *weight, const float *bias, Conv2dShape s,
                           void *scratch) {
    size_t area = s.K * s.K, n = s.Cout * s.Cin * area;
    const float *from = weight;
    float *turned = demo_floats(n);
    for (size_t i = 0; i < n; i++) turned[i] = from[i / area * area + (area - 1 - i % area)];
    ((Conv2dKernel *)kernel_default(OP_CONV2D, F32)->function)(out, in, turned, bias, s, scratch);
    free(turned);
}

static void use_conv2d_flipped(Run *run, const Settings *settings, SchedulerKind *kind) {
    (void)settings, (void)kind;
    static Kernel kernel;
    kernel = *kernel_default(OP_CONV2D, F32);
    kernel.function = (void (*)(void))conv2d_flipped;
    run_kernel(run, OP_CONV2D, &kernel);
}
const Fault conv_flip = {.start = use_conv2d_flipped};

static void cache_deep_features(Settings *settings) { settings->deep_cache = 2; }
const Fault deep_cache = {.settings = cache_deep_features};

// ---- the start ------------------------------------------------------------------------------------------------------

static void forget_offset(Settings *settings) {
    static const char *const overrides[] = {"steps_offset=0"};
    settings->scheduler_overrides = overrides;
    settings->scheduler_override_count = 1;
}
const Fault no_offset = {.settings = forget_offset};

static void start_quietly(Run *run, const Settings *settings, SchedulerKind *kind) {
    (void)settings, (void)kind;
    for (size_t i = 0; i < run->n; i++) run->latents[i] /= run->scheduler->init_noise_sigma;
}
const Fault quiet_start = {.start = start_quietly};

// The picture is encoded again, and not multiplied by scaling_factor; the generator draws what it drew before.
static void encode_unscaled(Run *run, const Settings *settings, SchedulerKind *kind) {
    (void)kind;
    Error error = {0};
    rng_seed(&run->rng, settings->seed);
    float *pixels = start_pixels(run, settings->init, &error), *noise = run->model_input;
    demo_needs(pixels && start_encode(run, pixels, run->latents, &error), &error);
    free(pixels);
    float scaling_factor = vae_config(run->model->vae)->scaling_factor;
    for (size_t i = 0; i < run->n; i++) run->latents[i] /= scaling_factor;
    rng_normal(&run->rng, noise, run->n);
    run->scheduler->kind->add_noise(run->scheduler, run->next, run->latents, noise, run->latents, run->n);
}
const Fault unscaled_encode = {.start = encode_unscaled};

// ---- the U-Net's question and answer --------------------------------------------------------------------------------

static void as_it_is(const Scheduler *s, size_t k, const float *latents, float *out, size_t n) {
    (void)s, (void)k;
    memmove(out, latents, n * sizeof *out);
}

static void leave_input_loud(Run *run, const Settings *settings, SchedulerKind *kind) {
    (void)run, (void)settings;
    kind->scale_model_input = as_it_is;
}
const Fault loud_input = {.start = leave_input_loud};

// The U-Net is asked once more, and told the first step's timestep.
static void ask_at_first_timestep(Run *run, size_t k, float *uncond, float *text, size_t n) {
    (void)k, (void)n;
    Error error = {0};
    Run *twin = run_copy(run, &error);
    demo_needs(twin, &error);
    twin->scheduler->timesteps[twin->next] = twin->scheduler->timesteps[0];
    demo_needs(run_ask(twin, run->settings.negative_prompt, uncond, &error) && run_ask(twin, NULL, text, &error),
               &error);
    run_free(twin);
}
const Fault stuck_clock = {.answer = ask_at_first_timestep};

static void answer_again(Run *run, size_t k, float *uncond, float *text, size_t n) {
    (void)uncond;
    if (k == 4) memcpy(text, run_last_step(run)->noise_pred_text, n * sizeof *text);
}
const Fault stale_answer = {.answer = answer_again};

// ---- guidance -------------------------------------------------------------------------------------------------------

static void guide_swapped(float guidance_scale, const float *uncond, const float *text, float *noise_pred, size_t n) {
    guide(guidance_scale, text, uncond, noise_pred, n);
}
const Fault swapped_rows = {.guide = guide_swapped};

static void guide_whole(float guidance_scale, const float *uncond, const float *text, float *noise_pred, size_t n) {
    guide(floorf(guidance_scale), uncond, text, noise_pred, n);
}
const Fault int_guidance = {.guide = guide_whole};

// ---- steps ----------------------------------------------------------------------------------------------------------

// sqrt(a) of a step's latents, and of the next ones
static float picture_share(const Scheduler *s, size_t k) { return sqrtf(s->alphas_cumprod[(size_t)s->timesteps[k]]); }
static float next_picture_share(const Scheduler *s, size_t k) {
    return k + 1 < s->timestep_count ? picture_share(s, k + 1) : sqrtf(s->final_alpha_cumprod);
}
static float noise_share(float picture) { return sqrtf(1 - picture * picture); }

static void ddim_by_a(Scheduler *s, size_t k, const float *latents, const float *model_output, const float *fresh_noise,
                      float *prev_sample, float *pred_original_sample, size_t n) {
    (void)fresh_noise;
    float picture = picture_share(s, k), next = next_picture_share(s, k);
    for (size_t i = 0; i < n; i++) {
        float x0 = (latents[i] - noise_share(picture) * model_output[i]) / (picture * picture);
        pred_original_sample[i] = x0;
        prev_sample[i] = next * x0 + noise_share(next) * model_output[i];
    }
}

static void ddim_old_noise(Scheduler *s, size_t k, const float *latents, const float *model_output,
                           const float *fresh_noise, float *prev_sample, float *pred_original_sample, size_t n) {
    (void)fresh_noise;
    float picture = picture_share(s, k), next = next_picture_share(s, k);
    for (size_t i = 0; i < n; i++) {
        float x0 = (latents[i] - noise_share(picture) * model_output[i]) / picture;
        pred_original_sample[i] = x0;
        prev_sample[i] = next * x0 + noise_share(picture) * model_output[i];
    }
}

static void euler_backwards(Scheduler *s, size_t k, const float *latents, const float *model_output,
                            const float *fresh_noise, float *prev_sample, float *pred_original_sample, size_t n) {
    euler_kind.step(s, k, latents, model_output, fresh_noise, prev_sample, pred_original_sample, n);
    if (k != 3) return;
    for (size_t i = 0; i < n; i++) prev_sample[i] = latents[i] - (prev_sample[i] - latents[i]);
}

static void take_x0_by_a(Run *run, const Settings *settings, SchedulerKind *kind) {
    (void)run, (void)settings;
    kind->step = ddim_by_a;
}
static void take_old_noise(Run *run, const Settings *settings, SchedulerKind *kind) {
    (void)run, (void)settings;
    kind->step = ddim_old_noise;
}
static void take_backwards(Run *run, const Settings *settings, SchedulerKind *kind) {
    (void)run, (void)settings;
    kind->step = euler_backwards;
}
const Fault x0_by_a = {.start = take_x0_by_a}, old_noise = {.start = take_old_noise},
            reversed_stride = {.start = take_backwards};

static void end_before_zero(Run *run, const Settings *settings, SchedulerKind *kind) {
    (void)settings, (void)kind;
    size_t last = run->scheduler->timestep_count;
    run->scheduler->sigmas[last] = run->scheduler->sigmas[last - 1] / 2;
}
const Fault last_sigma = {.start = end_before_zero};

// generator=torch.Generator().manual_seed(seed), inside the loop
static void seed_again(Run *run, size_t k) {
    (void)k;
    rng_seed(&run->rng, run->settings.seed);
}
const Fault reseeded = {.before = seed_again};

static void forget_history(Run *run, size_t k) {
    if (k == 3) run->scheduler->history.known = 0;
}
const Fault lost_history = {.before = forget_history};

// ---- the picture ----------------------------------------------------------------------------------------------------

// run_decode divides by it
static void undo_scaling(const Model *model, float *latents, size_t n) {
    float scaling_factor = vae_config(model->vae)->scaling_factor;
    for (size_t i = 0; i < n; i++) latents[i] *= scaling_factor;
}
const Fault unscaled_decode = {.decode = undo_scaling};

static void swap_red_and_blue(float *pixels, size_t area) {
    for (size_t i = 0; i < area; i++) {
        float red = pixels[i];
        pixels[i] = pixels[2 * area + i];
        pixels[2 * area + i] = red;
    }
}
const Fault bgr = {.picture = swap_red_and_blue};
