// test_pipeline_step.c - runs as their owners step them: one by one, side by side, stopped, failing

#include "run/run.h"
#include "runs.h"
#include "stages/unet_weights.h"
#include "test.h"

#include <math.h>
#include <omp.h>
#include <string.h>

// ---- stepping -------------------------------------------------------------------------------------------------------

static void test_step_records(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    Run *run = runs_begin(model, &settings);
    EXPECT(run_last_step(run) == NULL, "there is a step before the first");
    EXPECT(run_step_count(run) == 6 && run_steps_done(run) == 0, "%zu steps to do, %zu done", run_step_count(run),
           run_steps_done(run));
    for (size_t k = 0; k < 6; k++) {
        float before[LATENTS];
        memcpy(before, run_latents(run), sizeof before);
        runs_step(run, 1);
        const StepRecord *step = run_last_step(run);
        EXPECT(step->k == k && step->channels == 4 && step->height == HEIGHT / 4 && step->width == WIDTH / 4,
               "step %zu", k);
        EXPECT(memcmp(step->latents, before, sizeof before) == 0, "step %zu doesn't tell what it started from", k);
        EXPECT(step->prev_sample == run_latents(run), "step %zu doesn't tell where it went", k);
        for (size_t i = 0; i < LATENTS; i++) {
            float guided = step->noise_pred_uncond[i] + 7.5f * (step->noise_pred_text[i] - step->noise_pred_uncond[i]);
            EXPECT(guided == step->noise_pred[i], "step %zu: guidance gives %g", k, (double)step->noise_pred[i]);
        }
    }
    Error error = {0};
    EXPECT(run_step(run, &error) == STEP_NONE_LEFT, "a seventh step of six");
    EXPECT(run_step_count(run) == 6 && run_steps_done(run) == 6, "%zu done", run_steps_done(run));
    EXPECT(run_peak_activation_bytes(run) > 0 && run_times(run).steps > 0, "nothing was measured");
    run_free(run);
    model_close(model);
}

static void test_two_runs_alive(void) {
    Model *model = runs_model();
    Settings first = runs_usual(model), second = runs_usual(model);
    second.seed = 12;
    second.guidance_scale = 1;
    second.scheduler = "euler";
    Run *alone = runs_begin(model, &first), *a = runs_begin(model, &first), *b = runs_begin(model, &second);
    runs_finish(alone);
    for (size_t k = 0; k < 6; k++) {
        runs_step(a, 1);
        runs_step(b, 1);
    }
    EXPECT(runs_same(alone, a), "a run beside another ends elsewhere");
    EXPECT(run_last_step(b)->noise_pred_uncond == NULL, "without guidance there is no unconditional half");
    size_t rows, length, width;
    run_text_embeddings(b, &rows, &length, &width);
    EXPECT(rows == 1 && length == 77 && width == 16, "embeddings [%zu, %zu, %zu]", rows, length, width);
    run_free(alone);
    run_free(a);
    run_free(b);
    model_close(model);
}

static void note_threads(void *listener, const char *place, Tensor tensor) {
    (void)place, (void)tensor;
    *(int *)listener = omp_get_max_threads();
}

// Each run has its own number of threads, whichever began last, and none changes the program's.
static void test_threads(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    Error error = {0};
    int all = omp_get_max_threads(), wanted[] = {1, 3, 0, 3}, seen;
    Run *runs[4] = {0};
    for (size_t i = 0; i < 3; i++) {
        settings.threads = wanted[i];
        runs[i] = runs_begin(model, &settings);
    }
    runs[3] = run_copy(runs[1], &error);
    for (size_t i = 0; i < 4 && runs[i]; i++) {
        EXPECT(run_observe(runs[i], note_threads, (AttentionObserver){0}, &seen, &error), "%s", error.message);
        runs_step(runs[i], 1);
        EXPECT(seen == (wanted[i] ? wanted[i] : all), "run %zu, of %d threads, used %d", i, wanted[i], seen);
        double off = relative_l2(run_latents(runs[i]), run_latents(runs[0]), LATENTS);
        EXPECT(off < 1e-5, "%d threads are off by %.2g", wanted[i], off);
        run_free(i > 0 ? runs[i] : NULL);
    }
    EXPECT(omp_get_max_threads() == all, "%d threads at first, %d in the end", all, omp_get_max_threads());
    run_free(runs[0]);
    model_close(model);
}

static void test_given_latents(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.scheduler = "euler";
    Run *seeded = runs_begin(model, &settings);
    float noise[LATENTS], sigma = run_scheduler(seeded)->init_noise_sigma;
    Rng rng;
    rng_seed(&rng, settings.seed);
    rng_normal(&rng, noise, LATENTS);
    settings.latents = noise;
    Run *given = runs_begin(model, &settings);
    EXPECT(runs_same(seeded, given), "the seed's noise, given as latents, begins elsewhere");
    EXPECT(run_latents(given)[5] == noise[5] * sigma, "init_noise_sigma was forgotten");
    run_free(seeded);
    run_free(given);
    model_close(model);
}

// ---- stopping -------------------------------------------------------------------------------------------------------

typedef struct Stopper {
    Run *run;
    size_t seen, after;
} Stopper;

static void stop_at_third(void *listener, const char *place, Tensor tensor) {
    (void)place, (void)tensor;
    Stopper *stopper = listener;
    if (++stopper->seen == 3) run_stop(stopper->run);
    if (stopper->seen > 3) stopper->after++;
}

static void test_stop(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.scheduler_overrides = (const char *const[]){"eta=1"};  // so that a lost or doubled draw shows
    settings.scheduler_override_count = 1;
    Run *undisturbed = runs_begin(model, &settings), *run = runs_begin(model, &settings);
    runs_finish(undisturbed);

    Error error = {0};
    runs_step(run, 2);
    float before[LATENTS];
    memcpy(before, run_latents(run), sizeof before);
    Stopper stopper = {.run = run};
    EXPECT(run_observe(run, stop_at_third, (AttentionObserver){0}, &stopper, &error), "%s", error.message);
    EXPECT(run_step(run, &error) == STEP_CANCELLED, "a stopped step went on");
    EXPECT(stopper.seen == 3 && stopper.after == 0, "%zu layers were shown after the stop", stopper.after);
    EXPECT(memcmp(before, run_latents(run), sizeof before) == 0, "a cancelled step changed the latents");
    EXPECT(run_steps_done(run) == 2 && run_last_step(run)->k == 1, "a cancelled step counts as done");

    EXPECT(run_observe(run, NULL, (AttentionObserver){0}, NULL, &error), "%s", error.message);
    run_stop(run);  // between two steps: the next one is cancelled
    EXPECT(run_step(run, &error) == STEP_CANCELLED, "a step after run_stop went on");
    runs_finish(run);
    EXPECT(runs_same(undisturbed, run), "after a cancelled step a run ends elsewhere");

    Image image;
    run_stop(run);
    EXPECT(!run_finish(run, &image, &error) && strcmp(error.message, "cancelled") == 0, "decoding said \"%s\"",
           error.message);
    error = (Error){0};
    EXPECT(run_finish(run, &image, &error), "%s", error.message);
    image_free(&image);
    run_free(undisturbed);
    run_free(run);
    model_close(model);
}

// ---- failing --------------------------------------------------------------------------------------------------------

// All numbers that the last step's record points to, one array behind the other.
static void copy_record(const Run *run, float copy[6][LATENTS]) {
    const StepRecord *step = run_last_step(run);
    const float *arrays[6] = {step->latents,    step->noise_pred_uncond,    step->noise_pred_text,
                              step->noise_pred, step->pred_original_sample, step->prev_sample};
    for (size_t i = 0; i < 6; i++) memcpy(copy[i], arrays[i], sizeof copy[i]);
}

// An answer that isn't finite leaves the run as it was; once the cause is gone it goes on and ends where it would have.
static void test_failed_step(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.scheduler_overrides = (const char *const[]){"eta=1"};  // so that a lost or doubled draw shows
    settings.scheduler_override_count = 1;
    Run *undisturbed = runs_begin(model, &settings), *run = runs_begin(model, &settings);
    runs_finish(undisturbed);
    runs_step(run, 1);
    float before[6][LATENTS], after[6][LATENTS];
    copy_record(run, before);

    float broken[4] = {[2] = NAN};
    Tensor sound = model->unet->conv_out.bias;
    model->unet->conv_out.bias = tensor_over(broken, shape1(4));
    Error error = {0};
    EXPECT(run_step(run, &error) == STEP_FAILED, "a step with NaN was taken");
    EXPECT(strstr(error.message, "step 2: the U-Net's answer is not finite"), "%s", error.message);
    copy_record(run, after);
    EXPECT(memcmp(before, after, sizeof before) == 0, "a failed step changed what the last one left");
    EXPECT(run_steps_done(run) == 1 && run_last_step(run)->k == 0 &&
               run_last_step(run)->prev_sample == run_latents(run),
           "a failed step counts as done");

    model->unet->conv_out.bias = sound;
    runs_finish(run);
    EXPECT(runs_same(undisturbed, run), "after a failed step a run ends elsewhere");
    run_free(undisturbed);
    run_free(run);
    model_close(model);
}

int main(void) {
    TEST(test_step_records);
    TEST(test_two_runs_alive);
    TEST(test_threads);
    TEST(test_given_latents);
    TEST(test_stop);
    TEST(test_failed_step);
    return test_summary();
}
