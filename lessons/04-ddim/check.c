// check.c - lesson 04: is it DDIM's step? On schedules of several lengths, random latents and random noise
//
// The right numbers are those of core/schedulers/ddim.c. The mistakes are written as what they compute.
// Read next: check/check.h.

#include "exercise.h"

#include "check/check.h"

#include "base/check.h"
#include "demo/demo.h"
#include "demo/steps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- a case ---------------------------------------------------------------------------------------------------------

typedef struct Question {
    Scheduler *s;
    size_t k, n;
    Shape shape;  // [4, h, w], n numbers
    const float *latents, *noise;
    float a_t, a_prev;
} Question;

static float alpha_at(const Scheduler *s, long t) { return t < 0 ? s->final_alpha_cumprod : s->alphas_cumprod[t]; }

static long timestep_of(const Question *q) { return (long)q->s->timesteps[q->k]; }

static float a_t(const void *question) { return ((const Question *)question)->a_t; }
static float a_prev(const void *question) { return ((const Question *)question)->a_prev; }

static long stride_of(const Question *q) {
    return (long)(q->s->config.num_train_timesteps / q->s->num_inference_steps);
}

// Stable Diffusion's noise schedule, with so many steps
static Scheduler *schedule_new(size_t num_inference_steps, bool set_alpha_to_one) {
    SchedulerConfig config = ddim_kind.defaults;
    config.beta_start = 0.00085f, config.beta_end = 0.012f, config.beta_schedule = BETAS_SCALED_LINEAR;
    config.steps_offset = 1, config.clip_sample = false, config.set_alpha_to_one = set_alpha_to_one;
    Error error = {0};
    Scheduler *s = scheduler_new(&ddim_kind, &config, &error);
    CHECK(s && ddim_kind.set_timesteps(s, num_inference_steps, &error), "%s", error.message);
    return s;
}

// Which steps a case may be about: mistakes differ best in the middle. Above the first step the schedule ends, and below
// the last.
typedef enum Where { MIDDLE, NOT_LAST, LAST } Where;

static Question question_new(Check *check, Where where) {
    static const size_t STEPS[] = {4, 5, 10, 20, 25, 40, 50};
    size_t steps = STEPS[check_pick(check, 0, 6)];
    size_t k = where == LAST ? steps - 1 : check_pick(check, where == MIDDLE ? 1 : 0, steps - 2);
    bool set_alpha_to_one = check_pick(check, 0, 1);
    Question q = {.s = schedule_new(steps, set_alpha_to_one), .k = k};
    q.shape = shape3(4, check_pick(check, 3, 17), check_pick(check, 3, 17));
    q.n = shape_count(q.shape);

    check_case(check, "step k = %zu of %zu, so timestep %ld; latents %s", k, steps, timestep_of(&q),
               shape_text(q.shape).text);
    q.latents = check_normal(check, "latents", q.shape), q.noise = check_normal(check, "noise_pred", q.shape);
    q.a_t = alpha_at(q.s, timestep_of(&q)), q.a_prev = alpha_at(q.s, timestep_of(&q) - stride_of(&q));
    return q;
}

// ---- right answers --------------------------------------------------------------------------------------------------

static void reference(const Question *q, float *prev_sample, float *x0) {
    float *other = malloc(q->n * sizeof *other);
    CHECK(other, "no memory");
    ddim_kind.step(q->s, q->k, q->latents, q->noise, NULL, prev_sample ? prev_sample : other, x0 ? x0 : other, q->n);
    free(other);
}

static void right_x0(const void *question, float *out) { reference(question, NULL, out); }
static void right_prev(const void *question, float *out) { reference(question, out, NULL); }

// ---- mistakes in the guess: x0 = (x_t - of_noise * noise) / divisor ------------------------------------------------

static void guess(const void *question, float of_noise, float divisor, float *out) {
    const Question *q = question;
    for (size_t i = 0; i < q->n; i++) out[i] = (q->latents[i] - of_noise * q->noise[i]) / divisor;
}

static void guess_by(const void *q, float a, float *out) { guess(q, sqrtf(1 - a), sqrtf(a), out); }

static float a_of_step(const void *question) {
    const Question *q = question;
    return q->s->alphas_cumprod[q->k];
}

static void divides_by_a(const void *q, float *out) { guess(q, sqrtf(1 - a_t(q)), a_t(q), out); }
static void divides_by_nothing(const void *q, float *out) { guess(q, sqrtf(1 - a_t(q)), 1, out); }
static void noise_without_root(const void *q, float *out) { guess(q, 1 - a_t(q), sqrtf(a_t(q)), out); }
static void whole_noise(const void *q, float *out) { guess(q, 1, sqrtf(a_t(q)), out); }
static void no_noise(const void *q, float *out) { guess(q, 0, sqrtf(a_t(q)), out); }
static void adds_noise(const void *q, float *out) { guess(q, -sqrtf(1 - a_t(q)), sqrtf(a_t(q)), out); }
static void roles_swapped(const void *q, float *out) { guess(q, sqrtf(a_t(q)), sqrtf(1 - a_t(q)), out); }
static void no_roots(const void *q, float *out) { guess(q, 1 - a_t(q), a_t(q), out); }
static void guesses_by_prev(const void *q, float *out) { guess_by(q, a_prev(q), out); }
static void guesses_by_step(const void *q, float *out) { guess_by(q, a_of_step(q), out); }

static const CheckMistake GUESS_MISTAKES[] = {
    {"x0 is too bright: divide by sqrt(a), not by a.", divides_by_a},
    {"x0 is too dark: noising had shrunk the picture to sqrt(a), so divide by that.", divides_by_nothing},
    {"You took away 1 - a of the noise: its share is the root of that, since variances add up, not sizes.",
     noise_without_root},
    {"You took away all of the noise that the U-Net named: there is only sqrt(1 - a) of it in the latents.",
     whole_noise},
    {"No noise was taken away: x0 = (x_t - sqrt(1 - a) * noise) / sqrt(a).", no_noise},
    {"You added the noise: take it away.", adds_noise},
    {"The roles are swapped: a belongs to the picture, 1 - a to the noise.", roles_swapped},
    {"Both roots are missing: a and 1 - a are variances, and latents are mixed by their roots.", no_roots},
    {"You guessed with a_prev: the latents are still at a_t.", guesses_by_prev},
    {"alphas_cumprod is counted in timesteps, not in steps: its index is s->timesteps[k].", guesses_by_step},
    {NULL, NULL},
};

// ---- mistakes in the next latents: x_prev = of_x0 * x0 + of_noise * noise -------------------------------------------

static void take(const void *question, float of_x0, float of_noise, float *out) {
    const Question *q = question;
    guess_by(q, q->a_t, out);
    for (size_t i = 0; i < q->n; i++) out[i] = of_x0 * out[i] + of_noise * q->noise[i];
}

static void take_by(const void *q, float a, float *out) { take(q, sqrtf(a), sqrtf(1 - a), out); }

// a, if the next stop were so many timesteps away
static float a_after(const void *question, long stride) {
    const Question *q = question;
    long t = timestep_of(q) - stride;
    return t < 1000 ? alpha_at(q->s, t) : 0;
}

static void goes_to_t_minus_1(const void *q, float *out) { take_by(q, a_after(q, 1), out); }
static void goes_up(const void *q, float *out) { take_by(q, a_after(q, -stride_of(q)), out); }
static void stays(const void *q, float *out) { take_by(q, a_t(q), out); }
static void old_noise(const void *q, float *out) { take(q, sqrtf(a_prev(q)), sqrtf(1 - a_t(q)), out); }
static void returns_x0(const void *q, float *out) { take(q, 1, 0, out); }
static void noiseless(const void *q, float *out) { take(q, sqrtf(a_prev(q)), 0, out); }
static void x0_not_shrunk(const void *q, float *out) { take(q, 1, sqrtf(1 - a_prev(q)), out); }
static void x0_by_a_prev(const void *q, float *out) { take(q, a_prev(q), sqrtf(1 - a_prev(q)), out); }
static void noise_by_rest(const void *q, float *out) { take(q, sqrtf(a_prev(q)), 1 - a_prev(q), out); }
static void old_picture(const void *q, float *out) { take(q, sqrtf(a_t(q)), sqrtf(1 - a_prev(q)), out); }
static void takes_noise_twice(const void *q, float *out) { take(q, sqrtf(a_prev(q)), -sqrtf(1 - a_prev(q)), out); }

static void latents_for_noise(const void *question, float *out) {
    const Question *q = question;
    guess_by(q, q->a_t, out);
    for (size_t i = 0; i < q->n; i++) out[i] = sqrtf(q->a_prev) * out[i] + sqrtf(1 - q->a_prev) * q->latents[i];
}

static const CheckMistake NEXT_MISTAKES[] = {
    {"You went to t - 1: the next stop is t - 1000 / num_inference_steps.", goes_to_t_minus_1},
    {"You went up, to where there is more noise: the next stop is t minus the stride.", goes_up},
    {"You stayed at a_t, and the latents are where they were: go on to a_prev.", stays},
    {"You put back the old level's noise: at the next stop its share is sqrt(1 - a_prev).", old_noise},
    {"You returned x0: the next call of the U-Net expects latents with noise in them.", returns_x0},
    {"You put no noise back: the next stop is told that sqrt(1 - a_prev) of it is there.", noiseless},
    {"x0 went in whole: at the next stop the picture's share is sqrt(a_prev).", x0_not_shrunk},
    {"The picture's share is sqrt(a_prev), not a_prev.", x0_by_a_prev},
    {"The noise's share is sqrt(1 - a_prev), not 1 - a_prev.", noise_by_rest},
    {"The picture's share is still that of the old level: use a_prev.", old_picture},
    {"You took the noise away a second time: put it back, smaller.", takes_noise_twice},
    {"You put back latents: it is the noise, noise_pred, that is put back.", latents_for_noise},
    {NULL, NULL},
};

// ---- mistakes at the last step, whose next stop lies below timestep 0 -----------------------------------------------

static void last_a_is_1(const void *q, float *out) { take_by(q, 1, out); }
static void last_a_is_0(const void *q, float *out) { take_by(q, 0, out); }

static void last_a_is_first(const void *question, float *out) {
    const Question *q = question;
    take_by(q, q->s->alphas_cumprod[0], out);
}

static const CheckMistake LAST_MISTAKES[] = {
    {"After the last step a_prev isn't always 1: Stable Diffusion was trained with timestep 0 as the end. Use "
     "s->final_alpha_cumprod.",
     last_a_is_1},
    {"After the last step a_prev isn't 0: that would be pure noise. Use s->final_alpha_cumprod.", last_a_is_0},
    {"After the last step a_prev isn't always that of timestep 0: use s->final_alpha_cumprod.", last_a_is_first},
    {"The last step stayed at its own level: where the next stop lies below 0, a_prev is s->final_alpha_cumprod.",
     stays},
    {NULL, NULL},
};

// ---- mistakes where prev_sample and latents are one array -----------------------------------------------------------

static void guesses_from_next(const void *question, float *out) {
    Question q = *(const Question *)question;
    float *next = malloc(q.n * sizeof *next);
    CHECK(next, "no memory");
    take_by(&q, q.a_prev, next);
    q.latents = next;
    guess_by(&q, q.a_t, out);
    free(next);
}

static const CheckMistake IN_PLACE_MISTAKES[] = {
    {"prev_sample may be the same array as latents: read latents[i] before prev_sample[i] is written.",
     guesses_from_next},
    {NULL, NULL},
};

// ---- the parts ------------------------------------------------------------------------------------------------------

enum { CASES = 24 };

static void check_step(Check *check, Where where, bool guessed, const CheckMistake *mistakes) {
    for (size_t i = 0; i < CASES; i++) {
        Question q = question_new(check, where);
        float *prev_sample = check_output(check, "prev_sample", q.shape);
        float *x0 = check_output(check, "pred_original_sample", q.shape);
        ddim_step(q.s, q.k, q.latents, q.noise, prev_sample, x0, q.n);
        if (guessed) check_values(check, x0, &q, right_x0, mistakes);
        if (!guessed) check_values(check, prev_sample, &q, right_prev, mistakes);
        scheduler_free(q.s);
    }
}

static void check_guess(Check *check) { check_step(check, MIDDLE, true, GUESS_MISTAKES); }
static void check_next(Check *check) { check_step(check, MIDDLE, false, NEXT_MISTAKES); }
static void check_last(Check *check) { check_step(check, LAST, false, LAST_MISTAKES); }

static void check_in_place(Check *check) {
    for (size_t i = 0; i < CASES; i++) {
        Question q = question_new(check, NOT_LAST);
        float *both = check_output(check, "prev_sample", q.shape);
        float *x0 = check_output(check, "pred_original_sample", q.shape);
        memcpy(both, q.latents, q.n * sizeof *both);
        ddim_step(q.s, q.k, both, q.noise, both, x0, q.n);
        check_values(check, both, &q, right_prev, NULL);
        check_values(check, x0, &q, right_x0, IN_PLACE_MISTAKES);
        scheduler_free(q.s);
    }
}

// ---- what it does to a picture --------------------------------------------------------------------------------------

static void learners_step(Scheduler *s, size_t k, const float *latents, const float *model_output,
                          const float *fresh_noise, float *prev_sample, float *pred_original_sample, size_t n) {
    (void)fresh_noise;
    ddim_step(s, k, latents, model_output, prev_sample, pred_original_sample, n);
}

static Image draw(const Model *model, StepFunction *step) {
    Settings settings = demo_settings(model);
    SchedulerKind kind;
    Run *run = demo_run(model, &settings);
    run_take_step(run, &kind, step);
    Image image = demo_finish(run);
    run_free(run);
    return image;
}

static void show(Check *check) {
    check_seconds(check, 60);
    Model *model = demo_model();
    Image right = draw(model, ddim_kind.step), yours = draw(model, learners_step);
    check_picture(check, "picture.png", &yours, &right);
}

int main(void) {
    static const CheckPart PARTS[] = {
        {"the guess, pred_original_sample", check_guess},
        {"the next latents, prev_sample", check_next},
        {"the last step", check_last},
        {"prev_sample and latents in one array", check_in_place},
    };
    return check_run("04-ddim", PARTS, sizeof PARTS / sizeof *PARTS, show);
}
