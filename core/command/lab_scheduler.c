// lab_scheduler.c - whether a scheduler is right: walked where the answer is known
//
// If the model always says which noise lies over one fixed picture, the predicted picture is that picture at every step,
// the latents are always so much picture and so much noise, and the end is the picture. Every scheduler that draws no fresh
// noise must do that, of whatever order.
// Read next: schedulers/scheduler.h, what its functions promise; lab_order.c, what tells a good one from a right one.

#include "command/lab.h"

#include "base/difference.h"
#include "base/fence.h"
#include "base/rng.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBERS = 37 };

// What says what is wrong; the checks below end with it.
static bool wrong(Lab *lab, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool wrong(Lab *lab, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(lab->report->sentence, sizeof lab->report->sentence, format, arguments);
    va_end(arguments);
    return false;
}

static void begin_case(Lab *lab, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void begin_case(Lab *lab, const char *format, ...) {
    static const double SECONDS = 5;
    char *where = lab->report->where;
    size_t size = sizeof lab->report->where;
    int used = snprintf(where, size, "in case %zu: ", lab->report->count + 1);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(where + used, size - (size_t)used, format, arguments);
    va_end(arguments);
    lab->report->count++;
    fence_release();
    child_clock(SECONDS);
}

Scheduler *lab_scheduler_new(const SchedulerKind *kind, size_t steps, Error *error) {
    SchedulerConfig config = kind->defaults;
    config.beta_start = 0.00085f, config.beta_end = 0.012f, config.beta_schedule = BETAS_SCALED_LINEAR;
    config.clip_sample = false;
    config.set_alpha_to_one = true;
    Scheduler *s = scheduler_new(kind, &config, error);
    if (s && !kind->set_timesteps(s, steps, error)) {
        scheduler_free(s);
        s = NULL;
    }
    return s;
}

// How much of the latents at step k is picture, and how much noise
typedef struct Mix {
    float picture, noise;
} Mix;

static Mix mix_at(const Scheduler *s, size_t k) {
    float sigma = scheduler_sigma(s, k), size = s->kind->variance_preserving ? sqrtf(1 + sigma * sigma) : 1;
    return (Mix){1 / size, sigma / size};
}

// ---- where it stops -------------------------------------------------------------------------------------------------

static bool stops_right(Lab *lab, const Scheduler *s, size_t steps) {
    if (s->timestep_count < steps || !s->timesteps || !s->sigmas)
        return wrong(lab,
                     "set_timesteps made %zu stops for %zu steps: it sets timestep_count, timesteps and sigmas, as "
                     "tools->reserve does.",
                     s->timestep_count, steps);
    float last = (float)s->config.num_train_timesteps - 1;
    for (size_t k = 0; k < s->timestep_count; k++) {
        float t = s->timesteps[k];
        if (!(t >= 0 && t <= last))
            return wrong(lab, "timesteps[%zu] is %g: the model knows 0 to %g.", k, (double)t, (double)last);
        if (k > 0 && t > s->timesteps[k - 1])
            return wrong(lab, "timesteps rise: [%zu] is %g and [%zu] is %g. From noise to picture they fall.", k - 1,
                         (double)s->timesteps[k - 1], k, (double)t);
        if (!isfinite(s->sigmas[k]) || s->sigmas[k] < 0)
            return wrong(lab, "sigmas[%zu] is %g: it is how much noise there is, 0 or more.", k, (double)s->sigmas[k]);
    }
    if (steps > 1 && s->timesteps[s->timestep_count - 1] >= s->timesteps[0])
        return wrong(lab, "all timesteps are %g: from noise to picture they fall.", (double)s->timesteps[0]);
    float init = s->init_noise_sigma, sigma = scheduler_sigma(s, 0);
    bool preserving = s->kind->variance_preserving;
    float least = preserving ? 0.99f : 0.99f * sigma, most = preserving ? 1.01f : 1.01f * sqrtf(1 + sigma * sigma);
    return (init >= least && init <= most) ||
           wrong(lab, "init_noise_sigma is %g: noise times it is what step 0 starts from, so it is %s.", (double)init,
                 preserving ? "1 where latents keep variance 1" : "the first sigma, or sqrt(1 + sigma^2)");
}

static bool check_stops(Lab *lab, const SchedulerKind *kind) {
    static const size_t STEPS[] = {1, 2, 3, 5, 7, 20, 50};
    for (size_t i = 0; i < sizeof STEPS / sizeof *STEPS; i++) {
        begin_case(lab, "set_timesteps, %zu step%s", STEPS[i], STEPS[i] == 1 ? "" : "s");
        Error error = {0};
        Scheduler *s = lab_scheduler_new(kind, STEPS[i], &error);
        bool ok = s ? stops_right(lab, s, STEPS[i]) : wrong(lab, "It refuses: %.600s", error.message);
        scheduler_free(s);
        if (!ok) return false;
    }
    return true;
}

// ---- what the model is shown ----------------------------------------------------------------------------------------

static float *random_values(const char *name, Rng *rng) {
    float *values = fence_take(name, NUMBERS);
    rng_normal(rng, values, NUMBERS);
    return values;
}

static bool values_right(Lab *lab, const char *name, const float *yours, const float *right, float allowed) {
    if (numbers_alike(yours, right, NUMBERS, allowed)) return true;
    LabReport *report = lab->report;
    difference_describe(name, shape1(NUMBERS), yours, right, allowed, report->difference, sizeof report->difference);
    difference_general(name, yours, right, NUMBERS, allowed, report->sentence, sizeof report->sentence);
    return false;
}

static bool check_input(Lab *lab, Scheduler *s, Rng *rng) {
    for (size_t k = 0; k < s->timestep_count; k += 3 * (size_t)s->kind->unet_calls_per_step) {
        begin_case(lab, "scale_model_input, step %zu of %zu", k, s->timestep_count);
        float *latents = random_values("latents", rng), *out = fence_take("out", NUMBERS), right[NUMBERS];
        float sigma = scheduler_sigma(s, k), size = s->kind->variance_preserving ? 1 : sqrtf(1 + sigma * sigma);
        for (size_t i = 0; i < NUMBERS; i++) right[i] = latents[i] / size;
        fill_unwritten(out, NUMBERS);
        s->kind->scale_model_input(s, k, latents, out, NUMBERS);
        if (!values_right(lab, "out", out, right, 1e-3f)) return false;

        begin_case(lab, "add_noise, step %zu of %zu", k, s->timestep_count);
        float *clean = random_values("clean", rng), *noise = random_values("noise", rng);
        Mix mix = mix_at(s, k);
        out = fence_take("out", NUMBERS);
        for (size_t i = 0; i < NUMBERS; i++) right[i] = mix.picture * clean[i] + mix.noise * noise[i];
        fill_unwritten(out, NUMBERS);
        s->kind->add_noise(s, k, clean, noise, out, NUMBERS);
        if (!values_right(lab, "out", out, right, 1e-2f * (1 + mix.noise))) return false;
    }
    return true;
}

// ---- a walk with a known end ----------------------------------------------------------------------------------------

// The latents as so much picture and so much noise, by least squares; *rest: what is neither, as a share of them
static Mix mix_of(const float *latents, const float *picture, const float *noise, double *rest) {
    double pp = 0, pn = 0, nn = 0, lp = 0, ln = 0, off = 0, all = 0;
    for (size_t i = 0; i < NUMBERS; i++) {
        pp += (double)picture[i] * picture[i], pn += (double)picture[i] * noise[i], nn += (double)noise[i] * noise[i];
        lp += (double)latents[i] * picture[i], ln += (double)latents[i] * noise[i];
    }
    double determinant = pp * nn - pn * pn, a = (lp * nn - ln * pn) / determinant,
           b = (ln * pp - lp * pn) / determinant;
    for (size_t i = 0; i < NUMBERS; i++) {
        off += pow(latents[i] - a * picture[i] - b * noise[i], 2);
        all += pow(latents[i], 2);
    }
    *rest = sqrt(off / all);
    return (Mix){(float)a, (float)b};
}

// Whether the latents behind step k are what the next stop is trained on; behind the last, the picture.
static bool mixed_right(Lab *lab, const Scheduler *s, size_t k, const float *latents, const float *picture,
                        const float *noise) {
    bool last = k + 1 == s->timestep_count;
    double rest;
    Mix is = mix_of(latents, picture, noise, &rest), wanted = last ? (Mix){1, 0} : mix_at(s, k + 1);
    if (!isfinite(is.picture) || !isfinite(is.noise))
        return wrong(lab, "prev_sample isn't finite, or was never written.");
    if (rest > 0.01)
        return wrong(lab,
                     "prev_sample is neither picture nor noise: %.0f%% of it can't be told. A step only mixes the two.",
                     100 * rest);
    float allowed = 0.05f * (wanted.picture + wanted.noise);
    if (fabsf(is.picture - wanted.picture) <= allowed && fabsf(is.noise - wanted.noise) <= allowed) return true;
    if (last)
        return wrong(lab, "The end is %.3g times the picture and %.3g times the noise: it should be the picture.",
                     (double)is.picture, (double)is.noise);
    return wrong(lab,
                 "prev_sample is %.3g times the picture and %.3g times the noise; at the next stop, timestep %g, it "
                 "should be %.3g and %.3g.",
                 (double)is.picture, (double)is.noise, (double)s->timesteps[k + 1], (double)wanted.picture,
                 (double)wanted.noise);
}

// The noise that lies over the picture in these latents, as a model without fault would say
static void say_noise(const Scheduler *s, size_t k, const float *latents, const float *picture, float *noise) {
    float input[NUMBERS], sigma = scheduler_sigma(s, k), size = sqrtf(1 + sigma * sigma);
    float shrink = s->kind->variance_preserving ? 1 : size;
    for (size_t i = 0; i < NUMBERS; i++) input[i] = latents[i] / shrink;
    for (size_t i = 0; i < NUMBERS; i++) noise[i] = (input[i] - picture[i] / size) / (sigma / size);
}

static bool check_walk(Lab *lab, Scheduler *s, Rng *rng) {
    float picture[NUMBERS], noise[NUMBERS], last[NUMBERS];
    rng_normal(rng, picture, NUMBERS);
    rng_normal(rng, noise, NUMBERS);
    Mix first = mix_at(s, 0);
    for (size_t i = 0; i < NUMBERS; i++) last[i] = first.picture * picture[i] + first.noise * noise[i];
    for (size_t k = 0; k < s->timestep_count; k++) {
        begin_case(lab, "step %zu of %zu, timestep %g, where the model says the exact noise over one picture", k,
                   s->timestep_count, (double)s->timesteps[k]);
        if (s->kind->draws_noise(s, k)) return true;  // it ends elsewhere each time
        float *latents = fence_take("latents", NUMBERS), *output = fence_take("model_output", NUMBERS);
        float *prev = fence_take("prev_sample", NUMBERS), *guess = fence_take("pred_original_sample", NUMBERS);
        memcpy(latents, last, sizeof last);
        say_noise(s, k, latents, picture, output);
        fill_unwritten(prev, NUMBERS);
        fill_unwritten(guess, NUMBERS);
        s->kind->step(s, k, latents, output, NULL, prev, guess, NUMBERS);
        if (!values_right(lab, "pred_original_sample", guess, picture, 0.03f)) return false;
        bool whole = (k + 1) % (size_t)s->kind->unet_calls_per_step == 0 || k + 1 == s->timestep_count;
        if (whole && !mixed_right(lab, s, k, prev, picture, noise)) return false;
        memcpy(last, prev, sizeof last);
    }
    return true;
}

// ---- one array for two ----------------------------------------------------------------------------------------------

static bool check_aliasing(Lab *lab, Scheduler *s, Rng *rng) {
    begin_case(lab, "step 0 of %zu, with prev_sample the same array as latents", s->timestep_count);
    Scheduler *other = scheduler_copy(s);
    if (!other) return wrong(lab, "It can't be copied: no memory.");
    float *latents = random_values("latents", rng), *output = random_values("model_output", rng);
    float *fresh = s->kind->draws_noise(s, 0) ? random_values("fresh_noise", rng) : NULL;
    float *apart = fence_take("prev_sample", NUMBERS), *guess = fence_take("pred_original_sample", NUMBERS);
    s->kind->step(s, 0, latents, output, fresh, apart, guess, NUMBERS);
    other->kind->step(other, 0, latents, output, fresh, latents, guess, NUMBERS);
    bool ok = values_right(lab, "prev_sample", latents, apart, 1e-5f * largest_of(apart, NUMBERS));
    scheduler_free(other);
    return ok || wrong(lab, "It depends on whether prev_sample is another array than latents: read latents[i] before "
                            "prev_sample[i] is written.");
}

// ---- all of it ------------------------------------------------------------------------------------------------------

static bool check_steps(Lab *lab, const SchedulerKind *kind, size_t steps, Rng *rng) {
    Error error = {0};
    Scheduler *s = lab_scheduler_new(kind, steps, &error);
    bool ok = s && check_input(lab, s, rng) && check_walk(lab, s, rng);
    if (ok) {
        begin_case(lab, "set_timesteps again, then as above");
        ok = kind->set_timesteps(s, steps + 1, &error) && stops_right(lab, s, steps + 1) && check_walk(lab, s, rng) &&
             kind->set_timesteps(s, steps, &error) && check_aliasing(lab, s, rng);
    }
    scheduler_free(s);
    return ok;
}

void lab_check_scheduler(void *subject) {
    static const size_t STEPS[] = {2, 5, 20};
    Lab *lab = subject;
    const SchedulerKind *kind = lab_load_scheduler(lab);
    if (!kind || !check_stops(lab, kind)) return;
    Rng rng;
    rng_seed(&rng, lab->options->seed);
    for (size_t i = 0; i < sizeof STEPS / sizeof *STEPS; i++) {
        if (!check_steps(lab, kind, STEPS[i], &rng)) return;
    }
    lab->report->right = true;
}
