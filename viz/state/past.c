// past.c - see past.h

#include "state/past.h"

#include "base/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void copy_answer(Past *past, size_t i, const TraceStep *step) {
    float *uncond = past->numbers + i * 3 * past->n, *text = uncond + past->n, *guided = text + past->n;
    bool both = step->noise_pred_uncond && step->noise_pred_text;
    if (both) memcpy(uncond, step->noise_pred_uncond, past->n * sizeof *uncond);
    if (both) memcpy(text, step->noise_pred_text, past->n * sizeof *text);
    memcpy(guided, step->noise_pred, past->n * sizeof *guided);
    past->answers[i] = (StepAnswer){both ? uncond : NULL, both ? text : NULL, guided};
}

// Where a chapter begins, another scheduler may have rescaled the latents; a file only has them as they were afterwards.
static bool changed_at(const Branch *branch, size_t k) {
    for (size_t c = 1; c < branch->chapter_count; c++) {
        if (branch->from_file && branch->chapters[c].from == k) return true;
    }
    return false;
}

Past past_of(const Branch *branch, size_t k) {
    Past past = {.chapters = malloc(branch->chapter_count * sizeof *past.chapters)};
    CHECK(past.chapters, "out of memory");
    for (size_t i = 0; i < branch->chapter_count; i++) {
        if (branch->chapters[i].from <= k) past.chapters[past.chapter_count++] = branch->chapters[i];
    }
    if (k == 0) return past;
    const Trace *trace = branch->trace;
    past.count = k;
    past.n = trace->channels * trace->height * trace->width;
    past.start = numbers_copied(trace->steps[0].latents, past.n);
    if (!changed_at(branch, k)) past.end = numbers_copied(trace->steps[k - 1].prev_sample, past.n);
    past.answers = calloc(k, sizeof *past.answers);
    past.numbers = malloc(k * 3 * past.n * sizeof *past.numbers);
    CHECK(past.answers && past.numbers, "out of memory");
    for (size_t i = 0; i < k; i++) copy_answer(&past, i, &trace->steps[i]);
    return past;
}

void past_free(Past *past) {
    free(past->chapters);
    free(past->start);
    free(past->end);
    free(past->answers);
    free(past->numbers);
    *past = (Past){0};
}

// ---- resuming -------------------------------------------------------------------------------------------------------

// A trace may come from another machine, whose arithmetic rounds otherwise; more than that is another run.
static const float LIKENESS = 1e-3f;

static bool alike(const float *a, const float *b, size_t n) {
    float largest = 0, apart = 0;
    for (size_t i = 0; i < n; i++) {
        largest = fmaxf(largest, fabsf(b[i]));
        apart = fmaxf(apart, fabsf(a[i] - b[i]));
    }
    return apart <= LIKENESS * largest;
}

static size_t latent_numbers(const Run *run) {
    size_t height, width;
    run_latent_size(run, &height, &width);
    return LATENT_CHANNELS * height * width;
}

static bool change(Run *run, const Knobs *knobs, Error *error) {
    SettingsRoom room;
    Settings settings = knobs_settings(knobs, run_model(run), &room);
    return run_change(run, &settings, error);
}

// The noise at the start of the step that comes next
static float sigma_now(const Run *run) {
    const Scheduler *scheduler = run_scheduler(run);
    size_t left = run_step_count(run) - run_steps_done(run);
    return scheduler_sigma(scheduler, scheduler->timestep_count - left);
}

// Step i again; before it, whatever was changed there
static bool repeat(Run *run, const Past *past, size_t i, float *sigma, Error *error) {
    for (size_t c = 1; c < past->chapter_count; c++) {
        if (past->chapters[c].from == i && !change(run, &past->chapters[c].knobs, error)) return false;
    }
    if (run_steps_done(run) == run_step_count(run))
        return error_set(error, "the file has more steps than its settings make");
    *sigma = sigma_now(run);
    return run_replay(run, &past->answers[i], error) == STEP_DONE_ONE;
}

// From the first step to where the past ends. sigmas [count]
static bool repeat_all(Run *run, const Past *past, float *sigmas, Error *error) {
    if (past->count == 0) return true;
    if (latent_numbers(run) != past->n || !alike(run_latents(run), past->start, past->n))
        return error_set(
            error, "its settings begin with other latents than the ones that were recorded; it can be looked at, but "
                   "not continued");
    for (size_t i = 0; i < past->count; i++) {
        if (!repeat(run, past, i, &sigmas[i], error)) return false;
    }
    return !past->end || alike(run_latents(run), past->end, past->n) ||
           error_set(error,
                     "its steps end in other latents than the ones that were recorded; it can be looked at, but not "
                     "continued");
}

// What is still to come; after the last step there is nothing.
static float *with_rest(float *sigmas, const Run *run) {
    const Scheduler *scheduler = run_scheduler(run);
    size_t done = run_steps_done(run), count = run_step_count(run);
    float *grown = realloc(sigmas, (count + 1) * sizeof *grown);
    CHECK(grown, "out of memory");
    for (size_t i = done; i < count; i++)
        grown[i] = scheduler_sigma(scheduler, scheduler->timestep_count - (count - i));
    return grown;
}

Run *past_resume(const Past *past, const Model *model, AttentionObserver attention, void *listener, float **sigmas,
                 Error *error) {
    SettingsRoom room;
    Settings settings = knobs_settings(&past->chapters[0].knobs, model, &room);
    settings.attention_observer = attention;
    settings.listener = listener;
    Run *run = run_begin(model, &settings, error);
    if (!run) return NULL;
    float *levels = malloc((past->count + 1) * sizeof *levels);
    CHECK(levels, "out of memory");
    bool ok = repeat_all(run, past, levels, error);
    for (size_t c = 1; ok && c < past->chapter_count; c++) {
        if (past->chapters[c].from == past->count) ok = change(run, &past->chapters[c].knobs, error);
    }
    if (ok && sigmas)
        *sigmas = with_rest(levels, run);
    else
        free(levels);
    if (ok) return run;
    run_free(run);
    return NULL;
}
