// check.c - lesson 09: the first step, what it is shown, and what is put back after each
//
// The right numbers are those of core/run/settings.c and of core/schedulers/ddim.c's add_noise.
// Read next: check/check.h.

#include "exercise.h"

#include "check/check.h"

#include "base/check.h"
#include "demo/demo.h"
#include "demo/paint.h"
#include "run/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CASES = 24, CHANNELS = 4 };

static Scheduler *schedule_new(size_t num_inference_steps) {
    SchedulerConfig config = ddim_kind.defaults;
    config.beta_start = 0.00085f, config.beta_end = 0.012f, config.beta_schedule = BETAS_SCALED_LINEAR;
    config.steps_offset = 1, config.clip_sample = false, config.set_alpha_to_one = false;
    Error error = {0};
    Scheduler *s = scheduler_new(&ddim_kind, &config, &error);
    CHECK(s && ddim_kind.set_timesteps(s, num_inference_steps, &error), "%s", error.message);
    return s;
}

// ---- where to begin -------------------------------------------------------------------------------------------------

typedef struct Begin {
    size_t steps;
    double strength;
} Begin;

static void right_first(const void *question, float *out) {
    const Begin *b = question;
    uint8_t pixel[3] = {0};
    Image image = {1, 1, pixel};
    Settings settings = {.num_inference_steps = b->steps, .strength = (float)b->strength, .init = &image};
    Scheduler *s = schedule_new(b->steps);
    size_t first;
    Error error = {0};
    CHECK(settings_first_step(&settings, s, &first, &error), "%s", error.message);
    scheduler_free(s);
    *out = (float)first;
}

static float all_of(const void *question) { return (float)((const Begin *)question)->steps; }

static double product_of(const void *question) {
    const Begin *b = question;
    return (double)b->steps * b->strength;
}

static void share_kept(const void *q, float *out) { *out = all_of(q) - floorf(all_of(q) - (float)product_of(q)); }
static void how_many(const void *q, float *out) { *out = (float)floor(product_of(q)); }
static void rounded(const void *q, float *out) { *out = all_of(q) - (float)round(product_of(q)); }
static void rounded_up(const void *q, float *out) { *out = all_of(q) - (float)ceil(product_of(q)); }
static void from_one(const void *q, float *out) { *out = all_of(q) - (float)floor(product_of(q)) + 1; }
static void very_first(const void *q, float *out) { *out = 0 * all_of(q); }
static void in_float(const void *q, float *out) {
    *out = all_of(q) - floorf(all_of(q) * (float)((const Begin *)q)->strength);
}

static const CheckMistake FIRST_MISTAKES[] = {
    {"0 is the first step of text to image: this one begins midway.", very_first},
    {"strength is the share redone, not kept: int(steps * strength) steps are run.", share_kept},
    {"That is how many steps are run. They are the last ones, so the first of them is steps minus that.", how_many},
    {"int() cuts off, it doesn't round: 50 steps at strength 0.35 are 17.", rounded},
    {"Cut off what is run, not what is left out: int(steps * strength), and then the difference.", rounded_up},
    {"Steps are counted from 0: where all are run, the first is 0.", from_one},
    {NULL, NULL},
};

static const CheckMistake EXACT_MISTAKES[] = {
    {"Multiply in double: 100 * 0.29 is 28.999999999999996 there, so Python runs 28 steps. In float it is 29.",
     in_float},
    {NULL, NULL},
};

static void ask_first(Check *check, Begin b, const CheckMistake *mistakes) {
    check_case(check, "%zu steps, strength %g", b.steps, b.strength);
    check_number(check, "first_step()", (float)first_step(b.steps, b.strength), &b, right_first, mistakes);
}

static Begin begin_new(Check *check) {
    return (Begin){check_pick(check, 10, 100), (double)check_pick(check, 10, 100) / 100};
}

// One whose product is more than low and less than high behind a whole number
static Begin begin_between(Check *check, double low, double high) {
    for (;;) {
        Begin b = begin_new(check);
        double behind = product_of(&b) - floor(product_of(&b));
        if (behind > low && behind < high) return b;
    }
}

// First where rounding cuts off, then where it doesn't; last also where the product is whole
static void check_first(Check *check) {
    for (size_t i = 0; i < CASES; i++) ask_first(check, begin_between(check, 0.05, 0.45), FIRST_MISTAKES);
    for (size_t i = 0; i < CASES; i++) ask_first(check, begin_between(check, 0.55, 0.95), FIRST_MISTAKES);
    for (size_t i = 0; i < CASES; i++) ask_first(check, begin_new(check), EXACT_MISTAKES);
}

static void check_exact(Check *check) {
    static const Begin EDGES[] = {{100, 0.29}, {100, 0.57}, {100, 0.58}, {20, 1}, {50, 0.02}, {1, 1}};
    for (size_t i = 0; i < sizeof EDGES / sizeof *EDGES; i++) ask_first(check, EDGES[i], EXACT_MISTAKES);
}

// ---- with what ------------------------------------------------------------------------------------------------------

typedef struct Question {
    const Scheduler *s;
    size_t k, n, area;
    const float *clean, *noise, *mask, *latents;  // latents: as the step has left them
} Question;

static float a_at(const Question *q, size_t k) { return q->s->alphas_cumprod[(size_t)q->s->timesteps[k]]; }

static void mix(const Question *q, float of_clean, float of_noise, float *out) {
    for (size_t i = 0; i < q->n; i++) out[i] = of_clean * q->clean[i] + of_noise * q->noise[i];
}

static void mix_by(const Question *q, float a, float *out) { mix(q, sqrtf(a), sqrtf(1 - a), out); }

// The picture to keep as step k expects it
static void known(const Question *q, size_t k, float *out) {
    if (k < q->s->timestep_count)
        ddim_kind.add_noise(q->s, k, q->clean, q->noise, out, q->n);
    else
        memcpy(out, q->clean, q->n * sizeof *out);
}

static void right_noisy(const void *q, float *out) { known(q, ((const Question *)q)->k, out); }
static void of_the_first(const void *q, float *out) { mix_by(q, a_at(q, 0), out); }
static void of_the_next(const void *q, float *out) { mix_by(q, a_at(q, ((const Question *)q)->k + 1), out); }
static void added(const void *q, float *out) { mix(q, 1, 1, out); }

static void by_step(const void *question, float *out) {
    const Question *q = question;
    mix_by(q, q->s->alphas_cumprod[q->k], out);
}

static float a_of(const void *question) { return a_at(question, ((const Question *)question)->k); }

static void euler_form(const void *q, float *out) { mix(q, 1, sqrtf((1 - a_of(q)) / a_of(q)), out); }
static void no_roots(const void *q, float *out) { mix(q, a_of(q), 1 - a_of(q), out); }
static void swapped(const void *q, float *out) { mix_by(q, 1 - a_of(q), out); }
static void picture_whole(const void *q, float *out) { mix(q, 1, sqrtf(1 - a_of(q)), out); }
static void noise_whole(const void *q, float *out) { mix(q, sqrtf(a_of(q)), 1, out); }
static void without_noise(const void *q, float *out) { mix(q, sqrtf(a_of(q)), 0, out); }
static void noise_without_root(const void *q, float *out) { mix(q, sqrtf(a_of(q)), 1 - a_of(q), out); }

static const CheckMistake NOISY_MISTAKES[] = {
    {"Lay on the noise for the step you start at, not the first: s->timesteps[k].", of_the_first},
    {"alphas_cumprod is counted in timesteps, not in steps: its index is s->timesteps[k].", by_step},
    {"That is the noise of the step after k: step k itself comes first.", of_the_next},
    {"Noise isn't added to the picture here, it takes its place: sqrt(a) of one, sqrt(1 - a) of the other.", added},
    {"That is Euler's form, picture + sigma * noise. DDIM's is smaller by sqrt(a).", euler_form},
    {"Both roots are missing: a and 1 - a are variances.", no_roots},
    {"The roles are swapped: a belongs to the picture, 1 - a to the noise.", swapped},
    {"The picture went in whole: its share is sqrt(a).", picture_whole},
    {"The noise went in whole: its share is sqrt(1 - a).", noise_whole},
    {"There is no noise in it: the U-Net would take a part of the picture for noise.", without_noise},
    {"The noise's share is sqrt(1 - a), not 1 - a.", noise_without_root},
    {NULL, NULL},
};

// Latents of a random size, before step k of a random schedule; k is a step between the first and the last
static Question question_new(Check *check, bool behind_last, Shape *shape) {
    static const size_t STEPS[] = {4, 5, 10, 20, 25, 40, 50};
    Question q = {.s = schedule_new(STEPS[check_pick(check, 0, 6)])};
    q.k = behind_last ? q.s->timestep_count : check_pick(check, 1, q.s->timestep_count - 2);
    size_t h = check_pick(check, 3, 17), w = check_pick(check, 3, 17);
    *shape = shape3(CHANNELS, h, w), q.area = h * w, q.n = CHANNELS * q.area;
    if (behind_last)
        check_case(check, "%zu steps, behind the last, k = %zu; latents %s", q.k, q.k, shape_text(*shape).text);
    else
        check_case(check, "step k = %zu of %zu, so timestep %.0f; latents %s", q.k, q.s->timestep_count,
                   (double)q.s->timesteps[q.k], shape_text(*shape).text);
    return q;
}

static void check_noisy(Check *check) {
    for (size_t i = 0; i < CASES; i++) {
        Shape shape;
        Question q = question_new(check, false, &shape);
        q.clean = check_normal(check, "clean", shape), q.noise = check_normal(check, "noise", shape);
        float *noisy = check_output(check, "noisy", shape);
        noisy_latents(q.s, q.k, q.clean, q.noise, noisy, q.n);
        check_values(check, noisy, &q, right_noisy, NOISY_MISTAKES);
        scheduler_free((Scheduler *)q.s);
    }
}

// ---- what is put back -----------------------------------------------------------------------------------------------

// out holds what is known: blends it with the latents, of which `kept` and `painted` say how much a mask of m leaves
typedef float Share(float m);
static float mask_itself(float m) { return m; }
static float rest_of_mask(float m) { return 1 - m; }
static float whole(float m) { return 1 + 0 * m; }

static void blend(const Question *q, Share *kept, Share *painted, float *out) {
    for (size_t i = 0; i < q->n; i++) {
        float m = q->mask[i % q->area];
        out[i] = kept(m) * out[i] + painted(m) * q->latents[i];
    }
}

static void blend_known(const void *question, size_t k, float *out) {
    known(question, k, out);
    blend(question, rest_of_mask, mask_itself, out);
}

static void right_blend(const void *q, float *out) { blend_known(q, ((const Question *)q)->k, out); }
static void just_taken(const void *q, float *out) { blend_known(q, ((const Question *)q)->k - 1, out); }
static void known_clean(const void *q, float *out) { blend_known(q, ((const Question *)q)->s->timestep_count, out); }

static void inverted(const void *q, float *out) {
    right_noisy(q, out);
    blend(q, mask_itself, rest_of_mask, out);
}

static void known_whole(const void *q, float *out) {
    right_noisy(q, out);
    blend(q, whole, mask_itself, out);
}

static void in_turns(const void *question, float *out) {
    const Question *q = question;
    right_noisy(q, out);
    for (size_t i = 0; i < q->n; i++) {
        float m = q->mask[i / CHANNELS];
        out[i] = (1 - m) * out[i] + m * q->latents[i];
    }
}

static void first_channel(const void *question, float *out) {
    const Question *q = question;
    right_blend(q, out);
    for (size_t i = q->area; i < q->n; i++) out[i] = q->latents[i];
}

static void untouched(const void *question, float *out) {
    const Question *q = question;
    memcpy(out, q->latents, q->n * sizeof *out);
}

static void final_a(const void *question, float *out) {
    const Question *q = question;
    mix_by(q, q->s->final_alpha_cumprod, out);
    blend(q, rest_of_mask, mask_itself, out);
}

static const CheckMistake KEEP_MISTAKES[] = {
    {"Nothing was put back: `latents` are as the step has left them.", untouched},
    {"The mask is 1 where to paint, and 0 where to keep.", inverted},
    {"What is kept has no noise in it, but the next step expects as much there as everywhere.", known_clean},
    {"That is the noise of the step just taken: k is the one that comes next.", just_taken},
    {"What is kept counts 1 - mask, so that both together are one.", known_whole},
    {"Channels don't take turns, they lie one behind the other: latents[i] goes with mask[i % (height * width)].",
     in_turns},
    {"Only the first channel is right: the mask goes for all 4.", first_channel},
    {NULL, NULL},
};

static const CheckMistake LAST_MISTAKES[] = {
    {"Behind the last step no noise is left: put the picture back as it is.", just_taken},
    {"Behind the last step no noise is left: put the picture back as it is.", final_a},
    {NULL, NULL},
};

static void check_keeping(Check *check, bool behind_last, const CheckMistake *mistakes) {
    for (size_t i = 0; i < CASES; i++) {
        Shape shape;
        Question q = question_new(check, behind_last, &shape);
        size_t h = shape.axis[1], w = shape.axis[2];
        q.clean = check_normal(check, "image_latents", shape), q.noise = check_normal(check, "noise", shape);
        float *mask = check_input(check, "mask", shape2(h, w));
        for (size_t k = 0; k < q.area; k++) {  // mostly 0 and 1, as masks are
            float m = check_uniform(check, -1, 2);
            mask[k] = fminf(fmaxf(m, 0), 1);
        }
        float *latents = check_normal(check, "latents", shape), *before = malloc(q.n * sizeof *before);
        CHECK(before, "no memory");
        memcpy(before, latents, q.n * sizeof *before);
        q.mask = mask, q.latents = before;
        keep_known(q.s, q.k, q.clean, q.noise, mask, latents, h, w);
        check_values(check, latents, &q, right_blend, mistakes);
        free(before), scheduler_free((Scheduler *)q.s);
    }
}

static void check_keep(Check *check) { check_keeping(check, false, KEEP_MISTAKES); }
static void check_keep_last(Check *check) { check_keeping(check, true, LAST_MISTAKES); }

// ---- what it does to a picture --------------------------------------------------------------------------------------

static void learners_start(Run *run, const Image *cat, uint64_t seed) {
    Error error = {0};
    size_t steps = run->scheduler->timestep_count, first = first_step(steps, 0.6);
    float *pixels = start_pixels(run, cat, &error), *clean = malloc(run->n * sizeof *clean);
    float *noise = malloc(run->n * sizeof *noise);
    rng_seed(&run->rng, seed);
    CHECK(pixels && clean && noise && start_encode(run, pixels, clean, &error), "%s", error.message);
    rng_normal(&run->rng, noise, run->n);
    if (first < steps) run->next = first;
    noisy_latents(run->scheduler, run->next, clean, noise, run->latents, run->n);
    free(pixels), free(clean), free(noise);
}

static Image draw(const Model *model, bool learners) {
    Image cat = paint("a grey cat in the snow", 7);
    Settings settings = demo_settings(model);
    settings.init = &cat, settings.strength = 0.6f;
    Run *run = demo_run(model, &settings);
    if (learners) learners_start(run, &cat, settings.seed);
    Image image = demo_finish(run);
    image_free(&cat), run_free(run);
    return image;
}

static void show(Check *check) {
    check_seconds(check, 60);
    Model *model = demo_model();
    Image right = draw(model, false), yours = draw(model, true);
    check_picture(check, "picture.png", &yours, &right);
}

int main(void) {
    static const CheckPart PARTS[] = {
        {"first_step: where to begin", check_first},
        {"first_step: products that are nearly whole, and the ends", check_exact},
        {"noisy_latents: with what", check_noisy},
        {"keep_known: what is put back", check_keep},
        {"keep_known: behind the last step", check_keep_last},
    };
    return check_run("09-image-to-image", PARTS, sizeof PARTS / sizeof *PARTS, show);
}
