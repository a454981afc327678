// check.c - lesson 05: is it Euler's scheduler? On schedules of several lengths, random latents and random noise
//
// The right numbers are those of core/schedulers/euler.c. The mistakes are written as what they compute.
// Read next: check/check.h.

#include "exercise.h"

#include "check/check.h"

#include "base/check.h"
#include "demo/demo.h"
#include "demo/network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CASES = 24 };

// ---- a case ---------------------------------------------------------------------------------------------------------

typedef struct Question {
    Scheduler *s;
    size_t k, n;
    Shape shape;  // [4, h, w], n numbers
    const float *latents, *noise;
} Question;

// Stable Diffusion's noise schedule, with so many steps
static Scheduler *schedule_new(size_t num_inference_steps) {
    SchedulerConfig config = euler_kind.defaults;
    config.beta_start = 0.00085f, config.beta_end = 0.012f, config.beta_schedule = BETAS_SCALED_LINEAR;
    config.timestep_spacing = SPACING_LEADING, config.steps_offset = 1;
    Error error = {0};
    Scheduler *s = scheduler_new(&euler_kind, &config, &error);
    CHECK(s && euler_kind.set_timesteps(s, num_inference_steps, &error), "%s", error.message);
    return s;
}

static Question question_new(Check *check) {
    static const size_t STEPS[] = {4, 5, 10, 20, 25, 40, 50};
    size_t steps = STEPS[check_pick(check, 0, 6)], k = check_pick(check, 0, steps - 2);
    Question q = {.s = schedule_new(steps), .k = k};
    q.shape = shape3(4, check_pick(check, 3, 17), check_pick(check, 3, 17));
    q.n = shape_count(q.shape);
    check_case(check, "step k = %zu of %zu, sigma %.4f; latents %s", k, steps, (double)q.s->sigmas[k],
               shape_text(q.shape).text);
    q.latents = check_normal(check, "latents", q.shape), q.noise = check_normal(check, "noise_pred", q.shape);
    return q;
}

static float sigma_of(const void *question) {
    return ((const Question *)question)->s->sigmas[((const Question *)question)->k];
}
static float next_of(const void *question) {
    return ((const Question *)question)->s->sigmas[((const Question *)question)->k + 1];
}

// of_x * latents + of_noise * noise
static void combine(const void *question, float of_x, float of_noise, float *out) {
    const Question *q = question;
    for (size_t i = 0; i < q->n; i++) out[i] = of_x * q->latents[i] + of_noise * q->noise[i];
}

// ---- euler_sigmas ---------------------------------------------------------------------------------------------------

static void right_sigmas(const void *question, float *out) {
    const Scheduler *s = ((const Question *)question)->s;
    memcpy(out, s->sigmas, (s->timestep_count + 1) * sizeof *out);
}

typedef enum Level { SQUARED, ROOT_OF_REST, UPSIDE_DOWN, BY_STEP, ALPHA, RISING } Level;

static void levels(const void *question, Level level, float *out) {
    const Scheduler *s = ((const Question *)question)->s;
    for (size_t k = 0; k < s->timestep_count; k++) {
        size_t from = level == RISING ? s->timestep_count - 1 - k : k;
        float a = s->alphas_cumprod[level == BY_STEP ? k : (size_t)s->timesteps[from]];
        out[k] = level == SQUARED        ? (1 - a) / a
                 : level == ROOT_OF_REST ? sqrtf(1 - a)
                 : level == UPSIDE_DOWN  ? sqrtf(a / (1 - a))
                 : level == ALPHA        ? a
                                         : sqrtf((1 - a) / a);
    }
    out[s->timestep_count] = 0;
}

static void squared(const void *q, float *out) { levels(q, SQUARED, out); }
static void root_of_rest(const void *q, float *out) { levels(q, ROOT_OF_REST, out); }
static void upside_down(const void *q, float *out) { levels(q, UPSIDE_DOWN, out); }
static void by_step(const void *q, float *out) { levels(q, BY_STEP, out); }
static void alphas(const void *q, float *out) { levels(q, ALPHA, out); }
static void rising(const void *q, float *out) { levels(q, RISING, out); }

static void last_is(const void *question, float last, float *out) {
    right_sigmas(question, out);
    out[((const Question *)question)->s->timestep_count] = last;
}

static void last_repeats(const void *question, float *out) {
    const Scheduler *s = ((const Question *)question)->s;
    last_is(question, s->sigmas[s->timestep_count - 1], out);
}

static void last_is_smallest(const void *question, float *out) {
    float a = ((const Question *)question)->s->alphas_cumprod[0];
    last_is(question, sqrtf((1 - a) / a), out);
}

static void last_is_1(const void *question, float *out) { last_is(question, 1, out); }

static const CheckMistake SIGMA_MISTAKES[] = {
    {"The last sigma must be 0: there the picture is finished. You repeated the one before.", last_repeats},
    {"The last sigma must be 0: that of timestep 0 still has noise in it.", last_is_smallest},
    {"The last sigma must be 0, not 1: it is how much noise is left, not how much picture.", last_is_1},
    {"Those are sigmas squared: the root is missing.", squared},
    {"That is the noise's share, sqrt(1 - a): sigma is the noise over the picture, so divide by sqrt(a).",
     root_of_rest},
    {"That is the picture over the noise: sigma is large where a is small.", upside_down},
    {"alphas_cumprod is counted in timesteps, not in steps: its index is s->timesteps[k].", by_step},
    {"Those are alphas_cumprod: sigma is sqrt((1 - a) / a).", alphas},
    {"The sigmas rise: step 0 is the noisiest.", rising},
    {NULL, NULL},
};

static void check_sigmas(Check *check) {
    for (size_t i = 0; i < CASES; i++) {
        Question q = question_new(check);
        float *sigmas = check_output(check, "sigmas", shape1(q.s->timestep_count + 1));
        Scheduler bare = *q.s;  // the answer isn't handed out with the question
        bare.sigmas = NULL;
        euler_sigmas(&bare, sigmas);
        check_values(check, sigmas, &q, right_sigmas, SIGMA_MISTAKES);
        scheduler_free(q.s);
    }
}

// ---- euler_start ----------------------------------------------------------------------------------------------------

static void right_start(const void *question, float *out) {
    combine(question, 0, ((const Question *)question)->s->init_noise_sigma, out);
}
static void too_quiet(const void *q, float *out) { combine(q, 0, 1, out); }
static void divided(const void *question, float *out) {
    combine(question, 0, 1 / ((const Question *)question)->s->init_noise_sigma, out);
}

static float first_sigma(const void *question) { return ((const Question *)question)->s->sigmas[0]; }

static void by_sigma(const void *q, float *out) { combine(q, 0, first_sigma(q), out); }
static void by_variance(const void *q, float *out) { combine(q, 0, first_sigma(q) * first_sigma(q) + 1, out); }
static void by_sum(const void *q, float *out) { combine(q, 0, first_sigma(q) + 1, out); }

static void by_last(const void *question, float *out) {
    const Question *q = question;
    float last = q->s->sigmas[q->s->timestep_count - 1];
    combine(q, 0, sqrtf(last * last + 1), out);
}

static const CheckMistake START_MISTAKES[] = {
    {"You start too quiet: times init_noise_sigma, sqrt(sigma^2 + 1).", too_quiet},
    {"You divided by init_noise_sigma: the first latents are loud, the noise is multiplied by it.", divided},
    {"You start with the variance: it is the root of sigma^2 + 1.", by_variance},
    {"You added sizes, sigma + 1: variances add up, so it is sqrt(sigma^2 + 1).", by_sum},
    {"You start as loud as the last step: sigmas[0] is the first, and the largest.", by_last},
    {"You start with sigma alone: there is to be a picture beside the noise, of variance 1, so it is sqrt(sigma^2 + "
     "1).",
     by_sigma},
    {NULL, NULL},
};

static void check_start(Check *check) {
    for (size_t i = 0; i < CASES; i++) {
        Question q = question_new(check);
        float *latents = check_output(check, "latents", q.shape);
        euler_start(q.s->sigmas, q.noise, latents, q.n);
        check_values(check, latents, &q, right_start, START_MISTAKES);
        scheduler_free(q.s);
    }
}

// ---- euler_scale_model_input ----------------------------------------------------------------------------------------

static void right_input(const void *question, float *out) {
    const Question *q = question;
    euler_kind.scale_model_input(q->s, q->k, q->latents, out, q->n);
}

static float size_at(float sigma) { return sqrtf(sigma * sigma + 1); }

static void too_loud(const void *q, float *out) { combine(q, 1, 0, out); }
static void input_multiplied(const void *q, float *out) { combine(q, size_at(sigma_of(q)), 0, out); }
static void input_by_variance(const void *q, float *out) { combine(q, 1 / powf(size_at(sigma_of(q)), 2), 0, out); }
static void input_by_sigma(const void *q, float *out) { combine(q, 1 / sigma_of(q), 0, out); }
static void input_by_next(const void *q, float *out) { combine(q, 1 / size_at(next_of(q)), 0, out); }
static void input_by_first(const void *q, float *out) { combine(q, 1 / size_at(first_sigma(q)), 0, out); }

static const CheckMistake INPUT_MISTAKES[] = {
    {"The U-Net's input is too loud: divide by sqrt(sigma^2 + 1).", too_loud},
    {"The U-Net's input became louder still: divide by sqrt(sigma^2 + 1).", input_multiplied},
    {"You divided by the variance: it is the root of sigma^2 + 1.", input_by_variance},
    {"You divided by sigma alone, which leaves the picture out: divide by sqrt(sigma^2 + 1).", input_by_sigma},
    {"You divided by the next level's size: the latents are still at sigmas[k].", input_by_next},
    {"You divided by the first level's size: the latents grow quieter with each step, so take sigmas[k].",
     input_by_first},
    {NULL, NULL},
};

// Not at the first step, where the first level is the right one
static void check_input_of_unet(Check *check) {
    for (size_t i = 0; i < CASES; i++) {
        Question q = question_new(check);
        if (q.k == 0) q.k = 1;
        float *model_input = check_output(check, "model_input", q.shape);
        euler_scale_model_input(q.s->sigmas, q.k, q.latents, model_input, q.n);
        check_values(check, model_input, &q, right_input, INPUT_MISTAKES);
        scheduler_free(q.s);
    }
}

// ---- euler_step -----------------------------------------------------------------------------------------------------

static void reference(const Question *q, float *prev_sample, float *x0) {
    float *other = malloc(q->n * sizeof *other);
    CHECK(other, "no memory");
    euler_kind.step(q->s, q->k, q->latents, q->noise, NULL, prev_sample ? prev_sample : other, x0 ? x0 : other, q->n);
    free(other);
}

static void right_x0(const void *question, float *out) { reference(question, NULL, out); }
static void right_prev(const void *question, float *out) { reference(question, out, NULL); }

static void x0_adds(const void *q, float *out) { combine(q, 1, sigma_of(q), out); }
static void x0_by_next(const void *q, float *out) { combine(q, 1, -next_of(q), out); }
static void x0_whole_noise(const void *q, float *out) { combine(q, 1, -1, out); }
static void x0_by_square(const void *q, float *out) { combine(q, 1, -sigma_of(q) * sigma_of(q), out); }
static void x0_preserving(const void *q, float *out) { combine(q, size_at(sigma_of(q)), -sigma_of(q), out); }

static const CheckMistake GUESS_MISTAKES[] = {
    {"You added the noise: x0 = x - sigma * noise.", x0_adds},
    {"You guessed with the next sigma: the latents are still at sigmas[k].", x0_by_next},
    {"You took the noise away once: there is sigma times as much of it in x.", x0_whole_noise},
    {"You took sigma squared of the noise away: sizes go by sigma.", x0_by_square},
    {"That is DDIM's guess: these latents aren't shrunk, so nothing is to be made larger. x0 = x - sigma * noise.",
     x0_preserving},
    {NULL, NULL},
};

static void reversed(const void *q, float *out) { combine(q, 1, sigma_of(q) - next_of(q), out); }
static void takes_whole_stride(const void *q, float *out) { combine(q, 1, -sigma_of(q), out); }
static void to_next_only(const void *q, float *out) { combine(q, 1, next_of(q), out); }
static void no_division(const void *q, float *out) { combine(q, 1, sigma_of(q) * (next_of(q) - sigma_of(q)), out); }
static void stays(const void *q, float *out) { combine(q, 1, 0, out); }
static void one_noise(const void *q, float *out) { combine(q, 1, -1, out); }
static void ratio(const void *q, float *out) { combine(q, 1, next_of(q) / sigma_of(q) - 1, out); }

// The derivative by the next sigma
static void divides_by_next(const void *q, float *out) {
    combine(q, 1, sigma_of(q) / next_of(q) * (next_of(q) - sigma_of(q)), out);
}

static void from_scaled(const void *q, float *out) {
    combine(q, 1 / size_at(sigma_of(q)), next_of(q) - sigma_of(q), out);
}

static void from_guess(const void *q, float *out) { combine(q, 1, next_of(q) - 2 * sigma_of(q), out); }

static const CheckMistake NEXT_MISTAKES[] = {
    {"sigma_next - sigma is negative: you reversed it, and noise grows.", reversed},
    {"You went all the way to x0: the stride is sigma_next - sigma, and the next call expects noise.",
     takes_whole_stride},
    {"Your stride is sigma_next: it is the way from here to there, sigma_next - sigma.", to_next_only},
    {"The derivative is (x - x0) / sigma: you left out the division.", no_division},
    {"You stayed where you were.", stays},
    {"You took the noise away once: the stride is sigma_next - sigma.", one_noise},
    {"You divided by sigma twice: noise_pred is the derivative already, (x - x0) / sigma.", ratio},
    {"You divided by the next sigma: the tangent is taken here, at sigmas[k]. (And the last one is 0.)",
     divides_by_next},
    {"You stepped from the U-Net's input: that is for its eyes only, the step wants latents.", from_scaled},
    {"You stepped from x0: the tangent starts at x, where you are.", from_guess},
    {NULL, NULL},
};

typedef enum Where { ANYWHERE, AT_THE_END } Where;

static void check_step(Check *check, Where where, bool guessed, const CheckMistake *mistakes) {
    for (size_t i = 0; i < CASES; i++) {
        Question q = question_new(check);
        if (where == AT_THE_END) q.k = q.s->timestep_count - 1;
        float *prev_sample = check_output(check, "prev_sample", q.shape);
        float *x0 = check_output(check, "pred_original_sample", q.shape);
        euler_step(q.s->sigmas, q.k, q.latents, q.noise, prev_sample, x0, q.n);
        if (guessed) check_values(check, x0, &q, right_x0, mistakes);
        if (!guessed) check_values(check, prev_sample, &q, right_prev, mistakes);
        scheduler_free(q.s);
    }
}

static void check_guess(Check *check) { check_step(check, ANYWHERE, true, GUESS_MISTAKES); }
static void check_next(Check *check) { check_step(check, ANYWHERE, false, NEXT_MISTAKES); }
static void check_last(Check *check) { check_step(check, AT_THE_END, false, NULL); }

static void guesses_from_next(const void *question, float *out) {
    combine(question, 1, next_of(question) - 2 * sigma_of(question), out);
}

static const CheckMistake IN_PLACE_MISTAKES[] = {
    {"prev_sample may be the same array as latents: read latents[i] before prev_sample[i] is written.",
     guesses_from_next},
    {NULL, NULL},
};

static void check_in_place(Check *check) {
    for (size_t i = 0; i < CASES; i++) {
        Question q = question_new(check);
        float *both = check_output(check, "prev_sample", q.shape);
        float *x0 = check_output(check, "pred_original_sample", q.shape);
        memcpy(both, q.latents, q.n * sizeof *both);
        euler_step(q.s->sigmas, q.k, both, q.noise, both, x0, q.n);
        check_values(check, both, &q, right_prev, NULL);
        check_values(check, x0, &q, right_x0, IN_PLACE_MISTAKES);
        scheduler_free(q.s);
    }
}

// ---- a picture ------------------------------------------------------------------------------------------------------

static void show(Check *check) {
    check_seconds(check, 60);
    Model *model = demo_model();
    Settings settings = demo_settings(model);
    settings.scheduler = "euler";
    Network *network = network_open(model, &settings);
    Rng rng;
    rng_seed(&rng, settings.seed);
    const Scheduler *s = run_scheduler(network->run);
    size_t n = network->n;
    float *sigmas = demo_floats(s->timestep_count + 1), *latents = demo_floats(n), *noise = demo_floats(n);
    float *input = demo_floats(n), *guess = demo_floats(n);
    rng_normal(&rng, noise, n);
    euler_sigmas(s, sigmas);
    euler_start(sigmas, noise, latents, n);
    for (size_t k = 0; k < s->timestep_count; k++) {
        euler_scale_model_input(sigmas, k, latents, input, n);
        network_ask(network, input, s->timesteps[k], noise, n);
        euler_step(sigmas, k, latents, noise, latents, guess, n);
    }
    Image yours = demo_decode(network->run, latents), right = demo_draw(model, &settings);
    check_picture(check, "picture.png", &yours, &right);
}

int main(void) {
    static const CheckPart PARTS[] = {
        {"euler_sigmas", check_sigmas},
        {"euler_start", check_start},
        {"euler_scale_model_input", check_input_of_unet},
        {"euler_step: the guess, pred_original_sample", check_guess},
        {"euler_step: the next latents, prev_sample", check_next},
        {"euler_step: the last step", check_last},
        {"euler_step: prev_sample and latents in one array", check_in_place},
    };
    return check_run("05-euler", PARTS, sizeof PARTS / sizeof *PARTS, show);
}
