// check.c - lesson 06: is it guidance? On random answers, scales, intervals
//
// The right numbers follow the formulas as core/pipeline.c has them. Read next: check/check.h.

#include "exercise.h"

#include "check/check.h"

#include "base/check.h"
#include "demo/demo.h"
#include "demo/measure.h"
#include "demo/network.h"

#include <math.h>
#include <string.h>

enum { CASES = 24 };

// ---- guide ----------------------------------------------------------------------------------------------------------

typedef struct Guided {
    const float *answer;  // [2, n]
    float scale;
    size_t n;
} Guided;

static void combine(const void *question, float of_uncond, float of_text, float *out) {
    const Guided *q = question;
    for (size_t i = 0; i < q->n; i++) out[i] = of_uncond * q->answer[i] + of_text * q->answer[q->n + i];
}

static float scale_of(const void *question) { return ((const Guided *)question)->scale; }

static void right_guided(const void *q, float *out) { combine(q, 1 - scale_of(q), scale_of(q), out); }
static void from_text(const void *q, float *out) { combine(q, -scale_of(q), 1 + scale_of(q), out); }
static void rows_swapped(const void *q, float *out) { combine(q, scale_of(q), 1 - scale_of(q), out); }
static void flees_from_text(const void *q, float *out) { combine(q, scale_of(q), -scale_of(q), out); }
static void flees(const void *q, float *out) { combine(q, 1 + scale_of(q), -scale_of(q), out); }
static void scales_all(const void *q, float *out) { combine(q, 0, scale_of(q), out); }
static void scales_sum(const void *q, float *out) { combine(q, scale_of(q), scale_of(q), out); }
static void adds_text(const void *q, float *out) { combine(q, 1, scale_of(q), out); }
static void only_difference(const void *q, float *out) { combine(q, -scale_of(q), scale_of(q), out); }
static void scale_is_int(const void *q, float *out) { combine(q, 1 - truncf(scale_of(q)), truncf(scale_of(q)), out); }
static void only_text(const void *q, float *out) { combine(q, 0, 1, out); }
static void only_uncond(const void *q, float *out) { combine(q, 1, 0, out); }
static void mean_of_both(const void *q, float *out) { combine(q, 0.5f, 0.5f, out); }
static void less_one(const void *q, float *out) { combine(q, 2 - scale_of(q), scale_of(q) - 1, out); }

static const CheckMistake GUIDE_MISTAKES[] = {
    {"You started from text: that is guidance g + 1. Start from uncond.", from_text},
    {"The rows are swapped: you flee from the prompt. Row 0 is the empty one's, row 1 the prompt's.", rows_swapped},
    {"The difference is upside down, and you flee from the prompt: it is text - uncond.", flees},
    {"The start is missing, and the difference is upside down: uncond + g * (text - uncond).", flees_from_text},
    {"Scale the difference, not all the noise: what both answers share must stay as large as it is.", scales_all},
    {"You scaled the sum of both answers: scale their difference, text - uncond.", scales_sum},
    {"You added g times the whole text: take uncond away from it first.", adds_text},
    {"That is the scaled difference alone: it is added to uncond.", only_difference},
    {"7.5 became 7: guidance_scale is a float, and an int on the way cuts its fraction.", scale_is_int},
    {"That is the answer to the prompt as it is, guidance 1: go guidance_scale times as far.", only_text},
    {"That is the answer to the empty prompt: nobody has heard the words.", only_uncond},
    {"That is the middle of both: guidance goes beyond the prompt's answer, it doesn't stop half way.", mean_of_both},
    {"You went g - 1 times as far from uncond: that many are left beyond text, but the start is uncond.", less_one},
    {NULL, NULL},
};

static void check_guide(Check *check) {
    for (size_t i = 0; i < CASES; i++) {
        Guided q = {.scale = floorf(check_uniform(check, 2, 15)) + 0.5f, .n = check_pick(check, 5, 900)};
        check_case(check, "guidance %.1f, %zu latents", (double)q.scale, q.n);
        q.answer = check_normal(check, "answer", shape2(2, q.n));
        float *noise_pred = check_output(check, "noise_pred", shape1(q.n));
        guide(q.answer, q.scale, noise_pred, q.n);
        check_values(check, noise_pred, &q, right_guided, GUIDE_MISTAKES);
    }
}

// ---- step_is_guided -------------------------------------------------------------------------------------------------

typedef struct When {
    float scale, sigma, low, high;
    bool guided;
    const char *otherwise;  // said where the answer is the other one
} When;

static void check_when(Check *check) {
    static const When WHEN[] = {
        {7.5f, 3, 0, 0, true, "high 0 means that there is no interval: every step is guided."},
        {1, 3, 0, 0, false,
         "With guidance 1 nothing is gained by asking twice: the formula gives the prompt's answer as it is."},
        {0.5f, 3, 0, 0, false, "Below 1 a step isn't guided either: 0 doesn't mean more creative, it means off."},
        {0, 3, 0, 0, false, "Guidance 0 means off: the prompt alone is asked."},
        {1.5f, 3, 0, 0, true, "Guidance 1.5 is guidance: the scale is a float, and more than 1."},
        {7.5f, 3, 0.5f, 5, true, "A sigma inside the interval is guided."},
        {7.5f, 6, 0.5f, 5, false, "A sigma over the interval isn't guided: there is too much noise."},
        {7.5f, 0.3f, 0.5f, 5, false, "A sigma under the interval isn't guided: there is hardly any noise."},
        {7.5f, 5, 0.5f, 5, true, "The interval is (low, high]: a sigma that is just high is inside."},
        {7.5f, 0.5f, 0.5f, 5, false, "The interval is (low, high]: a sigma that is just low is outside."},
        {1, 3, 0.5f, 5, false, "With guidance 1 no step is guided, whatever the interval."},
    };
    for (size_t i = 0; i < sizeof WHEN / sizeof *WHEN; i++) {
        When w = WHEN[i];
        check_case(check, "guidance %g, sigma %g, interval (%g, %g]", (double)w.scale, (double)w.sigma, (double)w.low,
                   (double)w.high);
        if (step_is_guided(w.scale, w.sigma, w.low, w.high) != w.guided) check_wrong(check, "%s", w.otherwise);
    }
}

// ---- rescale_guided -------------------------------------------------------------------------------------------------

typedef struct Rescaled {
    const float *text, *noise_pred;  // before
    float share;
    size_t n;
} Rescaled;

static void times(const Rescaled *q, double factor, float *out) {
    for (size_t i = 0; i < q->n; i++) out[i] = q->noise_pred[i] * (float)factor;
}

static double ratio_of(const Rescaled *q) { return deviation(q->text, q->n) / deviation(q->noise_pred, q->n); }

static double length_ratio(const Rescaled *q) {
    double text = 0, guided = 0;
    for (size_t i = 0; i < q->n; i++) text += pow(q->text[i], 2), guided += pow(q->noise_pred[i], 2);
    return sqrt(text / guided);
}

static double mixed(const Rescaled *q, double ratio) { return (double)q->share * ratio + 1 - (double)q->share; }

static void right_rescaled(const void *q, float *out) { times(q, mixed(q, ratio_of(q)), out); }
static void ratio_upside_down(const void *q, float *out) { times(q, mixed(q, 1 / ratio_of(q)), out); }
static void takes_variances(const void *q, float *out) { times(q, mixed(q, pow(ratio_of(q), 2)), out); }
static void forgets_mean(const void *q, float *out) { times(q, mixed(q, length_ratio(q)), out); }
static void takes_all_back(const void *q, float *out) { times(q, ratio_of(q), out); }
static void unchanged(const void *q, float *out) { times(q, 1, out); }
static void no_rest(const void *q, float *out) { times(q, (double)((const Rescaled *)q)->share * ratio_of(q), out); }

static void shares_swapped(const void *question, float *out) {
    Rescaled q = *(const Rescaled *)question;
    q.share = 1 - q.share;
    right_rescaled(&q, out);
}

static void mixes_with_text(const void *question, float *out) {
    const Rescaled *q = question;
    for (size_t i = 0; i < q->n; i++) {
        out[i] = q->share * (float)ratio_of(q) * q->noise_pred[i] + (1 - q->share) * q->text[i];
    }
}

static const CheckMistake RESCALE_MISTAKES[] = {
    {"noise_pred is as it was: write the rescaled numbers back into it.", unchanged},
    {"The ratio is upside down: contrast grows. It is deviation(text) / deviation(noise_pred).", ratio_upside_down},
    {"You took variances: a deviation is the root.", takes_variances},
    {"You forgot to subtract the mean: a deviation is measured from there.", forgets_mean},
    {"You took all of the contrast back: guidance_rescale says how much of it.", takes_all_back},
    {"The rest is missing: 1 - guidance_rescale of noise_pred stays as it is.", no_rest},
    {"The shares are swapped: guidance_rescale belongs to the rescaled answer.", shares_swapped},
    {"You mixed with text: the rest is noise_pred as it was.", mixes_with_text},
    {NULL, NULL},
};

static void check_rescale(Check *check) {
    for (size_t i = 0; i < CASES; i++) {
        Rescaled q = {.n = check_pick(check, 20, 900)};
        q.share = check_pick(check, 0, 1) ? check_uniform(check, 0.1f, 0.4f) : check_uniform(check, 0.6f, 0.9f);
        check_case(check, "guidance_rescale %.2f, %zu latents", (double)q.share, q.n);
        float *text = check_normal(check, "text", shape1(q.n)), *before = check_normal(check, "before", shape1(q.n));
        float spread = check_uniform(check, 2, 5), mean = check_uniform(check, 1, 3);
        for (size_t j = 0; j < q.n; j++) text[j] += 0.5f * mean, before[j] = spread * before[j] - mean;
        q.text = text, q.noise_pred = before;
        float *noise_pred = check_output(check, "noise_pred", shape1(q.n));
        memcpy(noise_pred, before, q.n * sizeof *noise_pred);
        rescale_guided(text, q.share, noise_pred, q.n);
        check_values(check, noise_pred, &q, right_rescaled, RESCALE_MISTAKES);
    }
}

// ---- a picture ------------------------------------------------------------------------------------------------------

// The prompt's answer and the empty prompt's are asked for one by one, and put together by the learner.
static void show(Check *check) {
    check_seconds(check, 60);
    Model *model = demo_model();
    Settings settings = demo_settings(model), empty = settings;
    settings.guidance_scale = empty.guidance_scale = 1, empty.prompt = "";
    Network *text = network_open(model, &settings), *uncond = network_open(model, &empty);
    Scheduler *s = scheduler_copy(run_scheduler(text->run));
    CHECK(s, "no memory");
    size_t n = text->n;
    float *latents = demo_copy(run_latents(text->run), n), *answer = demo_floats(2 * n);
    float *noise_pred = demo_floats(n), *guess = demo_floats(n);
    for (size_t k = 0; k < s->timestep_count; k++) {
        network_ask(uncond, latents, s->timesteps[k], answer, n);
        network_ask(text, latents, s->timesteps[k], answer + n, n);
        guide(answer, DEFAULT_GUIDANCE_SCALE, noise_pred, n);
        s->kind->step(s, k, latents, noise_pred, NULL, latents, guess, n);
    }
    settings.guidance_scale = DEFAULT_GUIDANCE_SCALE;
    Image yours = demo_decode(text->run, latents), right = demo_draw(model, &settings);
    check_picture(check, "picture.png", &yours, &right);
}

int main(void) {
    static const CheckPart PARTS[] = {
        {"guide", check_guide}, {"step_is_guided", check_when}, {"rescale_guided", check_rescale}};
    return check_run("06-guidance", PARTS, sizeof PARTS / sizeof *PARTS, show);
}
