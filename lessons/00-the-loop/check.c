// check.c - lesson 00: is it the loop? With a made-up network, two schedulers, and few steps
//
// The network is a formula that no two mistakes answer alike. What the loop ends in must be what ours ends in; the
// mistakes are the same loop with one thing done otherwise.
// Read next: check/check.h.

#include "exercise.h"

#include "check/check.h"

#include "base/check.h"
#include "demo/demo.h"
#include "demo/network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- a case ---------------------------------------------------------------------------------------------------------

typedef struct Question {
    Scheduler *s;
    size_t n;
    const float *noise, *weight;
} Question;

static void made_up_network(void *unet, const float *model_input, float timestep, float *noise_pred, size_t n) {
    const float *weight = unet;
    for (size_t i = 0; i < n; i++) {
        noise_pred[i] = tanhf(weight[i] + 0.8f * model_input[i]) + 0.3f * sinf(0.01f * timestep + (float)i);
    }
}

static Scheduler *scheduler_with(const SchedulerKind *kind, size_t num_inference_steps) {
    SchedulerConfig config = kind->defaults;
    config.beta_start = 0.00085f, config.beta_end = 0.012f, config.beta_schedule = BETAS_SCALED_LINEAR;
    config.steps_offset = 1, config.clip_sample = false, config.set_alpha_to_one = false;
    Error error = {0};
    Scheduler *s = scheduler_new(kind, &config, &error);
    CHECK(s && kind->set_timesteps(s, num_inference_steps, &error), "%s", error.message);
    return s;
}

// ---- the right loop, and what may be otherwise in it ----------------------------------------------------------------

typedef enum Otherwise {
    NOTHING,
    NO_INIT_SIGMA,
    NO_SCALING,
    STEPS_FROM_INPUT,
    TIMESTEP_IS_K,
    TIMESTEP_STAYS,
    ASKS_ONCE,
    ASKS_ABOUT_NOISE,
    STEPS_FROM_NOISE,
    LEAVES_OUT_FIRST,
    LEAVES_OUT_LAST,
    BACKWARDS,
    RETURNS_GUESS,
    SUBTRACTS_NOISE,
} Otherwise;

typedef struct Loop {
    float *input, *answer, *guess, *start;
} Loop;

static void loop_step(const Question *q, Otherwise what, size_t k, Loop loop, float *latents) {
    Scheduler *s = q->s;
    if (what == NO_SCALING) memcpy(loop.input, latents, q->n * sizeof *latents);
    if (what == ASKS_ABOUT_NOISE) s->kind->scale_model_input(s, k, loop.start, loop.input, q->n);
    if (what != NO_SCALING && what != ASKS_ABOUT_NOISE) s->kind->scale_model_input(s, k, latents, loop.input, q->n);

    float timestep = what == TIMESTEP_IS_K ? (float)k : s->timesteps[what == TIMESTEP_STAYS ? 0 : k];
    if (what != ASKS_ONCE || k == 0) made_up_network((float *)q->weight, loop.input, timestep, loop.answer, q->n);

    if (what == SUBTRACTS_NOISE) {
        for (size_t i = 0; i < q->n; i++) latents[i] -= loop.answer[i];
        return;
    }
    const float *from = what == STEPS_FROM_INPUT ? loop.input : what == STEPS_FROM_NOISE ? loop.start : latents;
    s->kind->step(s, k, from, loop.answer, NULL, latents, loop.guess, q->n);
}

static void loop_with(const void *question, Otherwise what, float *latents) {
    const Question *q = question;
    float *memory = calloc(4 * q->n, sizeof *memory);
    CHECK(memory, "no memory");
    Loop loop = {memory, memory + q->n, memory + 2 * q->n, memory + 3 * q->n};
    for (size_t i = 0; i < q->n; i++) {
        loop.start[i] = latents[i] = q->noise[i] * (what == NO_INIT_SIGMA ? 1 : q->s->init_noise_sigma);
    }
    size_t count = q->s->timestep_count;
    size_t first = what == LEAVES_OUT_FIRST ? 1 : 0, end = what == LEAVES_OUT_LAST ? count - 1 : count;
    for (size_t k = first; k < end; k++) loop_step(q, what, what == BACKWARDS ? count - 1 - k : k, loop, latents);
    if (what == RETURNS_GUESS) memcpy(latents, loop.guess, q->n * sizeof *latents);
    free(memory);
}

static void right(const void *q, float *out) { loop_with(q, NOTHING, out); }
static void no_init_sigma(const void *q, float *out) { loop_with(q, NO_INIT_SIGMA, out); }
static void no_scaling(const void *q, float *out) { loop_with(q, NO_SCALING, out); }
static void steps_from_input(const void *q, float *out) { loop_with(q, STEPS_FROM_INPUT, out); }
static void timestep_is_k(const void *q, float *out) { loop_with(q, TIMESTEP_IS_K, out); }
static void timestep_stays(const void *q, float *out) { loop_with(q, TIMESTEP_STAYS, out); }
static void asks_once(const void *q, float *out) { loop_with(q, ASKS_ONCE, out); }
static void asks_about_noise(const void *q, float *out) { loop_with(q, ASKS_ABOUT_NOISE, out); }
static void steps_from_noise(const void *q, float *out) { loop_with(q, STEPS_FROM_NOISE, out); }
static void leaves_out_first(const void *q, float *out) { loop_with(q, LEAVES_OUT_FIRST, out); }
static void leaves_out_last(const void *q, float *out) { loop_with(q, LEAVES_OUT_LAST, out); }
static void backwards(const void *q, float *out) { loop_with(q, BACKWARDS, out); }
static void returns_guess(const void *q, float *out) { loop_with(q, RETURNS_GUESS, out); }
static void subtracts_noise(const void *q, float *out) { loop_with(q, SUBTRACTS_NOISE, out); }

static void only_starts(const void *question, float *out) {
    const Question *q = question;
    for (size_t i = 0; i < q->n; i++) out[i] = q->noise[i] * q->s->init_noise_sigma;
}

static const CheckMistake MISTAKES[] = {
    {"The latents are still the noise: the loop never takes a step.", only_starts},
    {"Each step began with the noise: it begins where the last one ended, with latents.", steps_from_noise},
    {"The network was asked about the noise each time: show it the latents as they are now.", asks_about_noise},
    {"The network was asked only once: it has to look again at every step, since the latents have changed.", asks_once},
    {"The network was told the step's number k: it wants s->timesteps[k], from 999 downwards.", timestep_is_k},
    {"The network was told the same timestep at every step: s->timesteps[k] changes with k.", timestep_stays},
    {"The first step was left out: k counts from 0.", leaves_out_first},
    {"The last step was left out: k goes up to s->timestep_count - 1.", leaves_out_last},
    {"The steps were taken backwards: step 0 is the noisiest.", backwards},
    {"You handed back pred_original_sample, the last guess: the result is latents, after the last step.",
     returns_guess},
    {"You took the noise away yourself: how much of it goes is the scheduler's business, s->kind->step.",
     subtracts_noise},
    {NULL, NULL},
};

// Those that only schedulers in the other coordinates, such as Euler, can tell from the right loop
static const CheckMistake EULER_MISTAKES[] = {
    {"You started too quiet: noise is multiplied by s->init_noise_sigma first.", no_init_sigma},
    {"The network was shown latents that are too loud: s->kind->scale_model_input prepares them.", no_scaling},
    {"The step went on from model_input: that is for the network's eyes only, the step wants latents.",
     steps_from_input},
    {NULL, NULL},
};

// ---- the parts ------------------------------------------------------------------------------------------------------

static void check_loop(Check *check, const SchedulerKind *kind, const CheckMistake *mistakes) {
    for (size_t i = 0; i < 16; i++) {
        size_t steps = check_pick(check, 3, 12);
        Shape shape = shape3(4, check_pick(check, 3, 11), check_pick(check, 3, 11));
        check_case(check, "%s with %zu steps, latents %s", kind->name, steps, shape_text(shape).text);
        Question q = {.s = scheduler_with(kind, steps), .n = shape_count(shape)};
        q.noise = check_normal(check, "noise", shape), q.weight = check_normal(check, "unet", shape);
        float *latents = check_output(check, "latents", shape);
        sample(q.s, made_up_network, (float *)q.weight, q.noise, latents, q.n);
        check_values(check, latents, &q, right, mistakes);
        scheduler_free(q.s);
    }
}

static void check_ddim(Check *check) { check_loop(check, &ddim_kind, MISTAKES); }
static void check_euler(Check *check) { check_loop(check, &euler_kind, EULER_MISTAKES); }

// ---- a picture ------------------------------------------------------------------------------------------------------

static void show(Check *check) {
    check_seconds(check, 60);
    Model *model = demo_model();
    Settings settings = demo_settings(model);
    Network *network = network_open(model, &settings);
    Scheduler *s = scheduler_with(&ddim_kind, settings.num_inference_steps);
    float *latents = demo_floats(network->n);
    sample(s, network_ask, network, run_latents(network->run), latents, network->n);
    Image yours = demo_decode(network->run, latents), right_one = demo_draw(model, &settings);
    check_picture(check, "picture.png", &yours, &right_one);
}

int main(void) {
    static const CheckPart PARTS[] = {{"the loop, with DDIM", check_ddim}, {"the loop, with Euler", check_euler}};
    return check_run("00-the-loop", PARTS, sizeof PARTS / sizeof *PARTS, show);
}
