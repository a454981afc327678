// test_replay.c - runs brought back to any step by the answers that were taken down, without the U-Net

#include "parity/family.h"
#include "run/run.h"
#include "runs.h"
#include "stages/layers.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 6, MOST_STEPS = 2 * STEPS };  // heun's are 2 STEPS - 1

// ---- what was taken down --------------------------------------------------------------------------------------------

typedef struct Taken {
    StepRecord record;  // points to these
    float latents[LATENTS], uncond[LATENTS], text[LATENTS], noise_pred[LATENTS], original[LATENTS], prev[LATENTS];
} Taken;

typedef struct Recording {
    Taken steps[MOST_STEPS];
    size_t count;
} Recording;

static const float *keep(float to[LATENTS], const float *from) {
    return from ? memcpy(to, from, LATENTS * sizeof *to) : NULL;
}

// All steps of a new run
static Recording *record(const Model *model, const Settings *settings) {
    Error error = {0};
    Recording *recording = zeroed(1, sizeof *recording);
    Run *run = runs_begin(model, settings);
    while (recording->count < MOST_STEPS && run_step(run, &error) == STEP_DONE_ONE) {
        Taken *taken = &recording->steps[recording->count++];
        taken->record = *run_last_step(run);
        taken->record.latents = keep(taken->latents, taken->record.latents);
        taken->record.noise_pred_uncond = keep(taken->uncond, taken->record.noise_pred_uncond);
        taken->record.noise_pred_text = keep(taken->text, taken->record.noise_pred_text);
        taken->record.noise_pred = keep(taken->noise_pred, taken->record.noise_pred);
        taken->record.pred_original_sample = keep(taken->original, taken->record.pred_original_sample);
        taken->record.prev_sample = keep(taken->prev, taken->record.prev_sample);
    }
    EXPECT(recording->count == run_step_count(run), "%zu of %zu steps: %s", recording->count, run_step_count(run),
           error.message);
    run_free(run);
    return recording;
}

static StepAnswer answer_of(const StepRecord *step) {
    return (StepAnswer){step->noise_pred_uncond, step->noise_pred_text, step->noise_pred};
}

static bool same(const float *a, const float *b) { return a && b ? memcmp(a, b, LATENTS * sizeof *a) == 0 : a == b; }

static bool same_record(const StepRecord *a, const StepRecord *b) {
    return a->k == b->k && a->timestep == b->timestep && same(a->latents, b->latents) &&
           same(a->noise_pred_uncond, b->noise_pred_uncond) && same(a->noise_pred_text, b->noise_pred_text) &&
           same(a->noise_pred, b->noise_pred) && same(a->pred_original_sample, b->pred_original_sample) &&
           same(a->prev_sample, b->prev_sample);
}

// ---- replaying ------------------------------------------------------------------------------------------------------

static void count_unets(void *listener, const char *place, Tensor tensor) {
    (void)tensor;
    *(size_t *)listener += strcmp(place, "unet") == 0;
}

// A run at step k, each of whose steps left what the recorded one left
static Run *replayed(const Model *model, const Settings *settings, const Recording *recording, size_t k,
                     const char *name) {
    Run *run = runs_begin(model, settings);
    for (size_t i = 0; i < k; i++) {
        Error error = {0};
        StepAnswer answer = answer_of(&recording->steps[i].record);
        EXPECT(run_replay(run, &answer, &error) == STEP_DONE_ONE, "%s, step %zu: %s", name, i, error.message);
        EXPECT(same_record(run_last_step(run), &recording->steps[i].record), "%s: step %zu isn't what it was", name, i);
        EXPECT(run_last_step(run)->seconds == 0, "%s: step %zu took time", name, i);
    }
    EXPECT(run_steps_done(run) == k && run_step_count(run) == recording->count, "%s: %zu of %zu steps", name,
           run_steps_done(run), run_step_count(run));
    return run;
}

// From each of some steps on, as it is and changed to the same settings: what remains is done by as many U-Net calls and
// ends in the same latents, bit for bit.
static void expect_replays(const Model *model, const Settings *settings, const char *name) {
    Recording *recording = record(model, settings);
    size_t N = recording->count, ks[] = {0, 1, N / 2, N - 1, N};
    for (size_t i = 0; i < 2 * sizeof ks / sizeof *ks; i++) {
        size_t k = ks[i / 2], calls = 0;
        bool changes = i % 2;
        Settings watched = *settings;
        watched.observer = count_unets;
        watched.listener = &calls;
        Run *run = replayed(model, &watched, recording, k, name);
        Error error = {0};
        EXPECT(calls == 0, "%s: replaying asked the U-Net %zu times", name, calls);
        EXPECT(!changes || run_change(run, settings, &error), "%s: %s", name, error.message);
        runs_finish(run);
        EXPECT(calls == N - k, "%s from %zu of %zu: %zu U-Net calls", name, k, N, calls);
        EXPECT(same(run_latents(run), recording->steps[N - 1].prev), "%s from %zu%s ends elsewhere", name, k,
               changes ? ", changed," : "");
        run_free(run);
    }
    free(recording);
}

static void test_every_scheduler(void) {
    Model *model = runs_model();
    for (size_t i = 0; i < scheduler_kind_count(); i++) {
        Settings settings = runs_usual(model);
        settings.num_inference_steps = STEPS;
        settings.scheduler = scheduler_kind_at(i)->name;
        expect_replays(model, &settings, settings.scheduler);
    }
    Settings settings = runs_usual(model);
    settings.scheduler_overrides = (const char *const[]){"eta=1"};
    settings.scheduler_override_count = 1;
    expect_replays(model, &settings, "ddim with fresh noise");
    model_close(model);
}

static void test_every_guidance(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.guidance_rescale = 0.7f;
    expect_replays(model, &settings, "rescaled guidance");
    settings.guidance_low = 0.3f;
    settings.guidance_high = 5;
    expect_replays(model, &settings, "guidance interval");
    settings = runs_usual(model);
    settings.guidance_scale = 1;
    expect_replays(model, &settings, "no guidance");
    model_close(model);
}

// With a fresh draw at each step, so that the noise of the beginning must have been drawn in the same order
static void expect_replays_pictures(const Model *model, bool takes_no_mask, const char *name) {
    Image init = image_new(7, 5), mask = image_new(WIDTH, HEIGHT);
    for (size_t i = 0; i < 3 * init.width * init.height; i++) init.pixels[i] = (uint8_t)(i * 37 % 256);
    for (size_t y = 0; y < HEIGHT; y++) memset(mask.pixels + y * WIDTH * 3, 255, WIDTH / 2 * 3);
    Settings settings = runs_usual(model);
    settings.scheduler = "euler_a";
    settings.init = &init;
    settings.strength = 0.8f;
    if (takes_no_mask) expect_replays(model, &settings, "image to image");
    settings.mask = &mask;
    expect_replays(model, &settings, name);
    settings.strength = 1;
    settings.scheduler = "unipc";
    expect_replays(model, &settings, name);
    image_free(&init);
    image_free(&mask);
}

static void test_pictures(void) {
    Error error = {0};
    Model *model = runs_model();
    expect_replays_pictures(model, true, "inpainting by blending");
    model_close(model);
    Model *nine = model_open(family_folder("inpaint"), &error);
    EXPECT(nine, "%s", error.message);
    if (!nine) return;
    expect_replays_pictures(nine, false, "inpainting with nine channels");
    model_close(nine);
}

// A branch: another guidance from step k on is what a copy of the run at that step makes of it.
static void test_branch(void) {
    Model *model = runs_model();
    for (size_t i = 0; i < scheduler_kind_count(); i++) {
        Error error = {0};
        Settings settings = runs_usual(model), other;
        settings.scheduler = scheduler_kind_at(i)->name;
        Recording *recording = record(model, &settings);
        size_t k = recording->count / 2, calls = 0;
        other = settings;
        other.guidance_scale = 2;

        Run *stepped = runs_begin(model, &settings),
            *run = replayed(model, &settings, recording, k, settings.scheduler);
        runs_step(stepped, k);
        EXPECT(run_change(stepped, &other, &error) && run_change(run, &other, &error), "%s", error.message);
        EXPECT(run_observe(run, count_unets, (AttentionObserver){0}, &calls, &error), "%s", error.message);
        runs_finish(stepped);
        runs_finish(run);
        EXPECT(calls == recording->count - k, "%s: %zu U-Net calls", settings.scheduler, calls);
        EXPECT(runs_same(stepped, run), "%s: the branch ends elsewhere", settings.scheduler);
        EXPECT(!same(run_latents(run), recording->steps[recording->count - 1].prev), "%s: no branch at all",
               settings.scheduler);
        run_free(stepped);
        run_free(run);
        free(recording);
    }
    model_close(model);
}

// They aren't known after a replay: neither those from before it nor those of the replayed step.
static void test_deep_features_are_forgotten(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.deep_cache = 3;
    Recording *recording = record(model, &settings);
    EXPECT(recording->steps[2].record.shallow, "step 2 of whole, shallow, shallow is whole");
    Run *run = runs_begin(model, &settings);
    runs_step(run, 1);
    StepAnswer answer = answer_of(&recording->steps[1].record);
    Error error = {0};
    EXPECT(run_replay(run, &answer, &error) == STEP_DONE_ONE, "%s", error.message);
    EXPECT(same(run_latents(run), recording->steps[1].prev), "a step with deep features is replayed to elsewhere");
    runs_step(run, 1);
    EXPECT(!run_last_step(run)->shallow, "a step takes over features that nobody made");
    runs_step(run, 1);
    EXPECT(run_last_step(run)->shallow, "after a whole call its features aren't taken over");
    run_free(run);
    free(recording);
    model_close(model);
}

// ---- refusing -------------------------------------------------------------------------------------------------------

static void expect_refused(Run *run, const StepAnswer *answer, const char *words) {
    Error error = {0};
    StepRecord before = *run_last_step(run);
    EXPECT(run_replay(run, answer, &error) == STEP_FAILED && strstr(error.message, words), "said \"%s\", not \"%s\"",
           error.message, words);
    EXPECT(memcmp(&before, run_last_step(run), sizeof before) == 0, "a refused answer changed the last step");
}

static void test_refused(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.scheduler = "dpmpp_2m_sde";  // has a history, draws noise
    Recording *recording = record(model, &settings);
    Run *run = replayed(model, &settings, recording, 2, "refusing");
    const StepRecord *next = &recording->steps[2].record;
    float broken[LATENTS] = {[LATENTS - 1] = NAN};
    expect_refused(run, &(StepAnswer){next->noise_pred_uncond, next->noise_pred_text, NULL}, "missing");
    expect_refused(run, &(StepAnswer){NULL, next->noise_pred_text, next->noise_pred}, "missing");
    expect_refused(run, &(StepAnswer){next->noise_pred_uncond, NULL, next->noise_pred}, "missing");
    expect_refused(run, &(StepAnswer){next->noise_pred_uncond, next->noise_pred_text, broken}, "step 3 is not finite");
    expect_refused(run, &(StepAnswer){next->noise_pred_uncond, broken, next->noise_pred}, "not finite");
    expect_refused(run, &(StepAnswer){broken, next->noise_pred_text, next->noise_pred}, "not finite");

    Error error = {0};
    StepAnswer answer = answer_of(next);
    run_stop(run);
    EXPECT(run_replay(run, &answer, &error) == STEP_CANCELLED, "a step after run_stop was replayed");
    runs_finish(run);
    EXPECT(same(run_latents(run), recording->steps[recording->count - 1].prev), "after refusals a run ends elsewhere");
    EXPECT(run_replay(run, &answer, &error) == STEP_NONE_LEFT, "a finished run was replayed");
    run_free(run);
    free(recording);
    model_close(model);
}

int main(void) {
    TEST(test_every_scheduler);
    TEST(test_every_guidance);
    TEST(test_pictures);
    TEST(test_branch);
    TEST(test_deep_features_are_forgotten);
    TEST(test_refused);
    return test_summary();
}
