// test_pipeline_change.c - runs copied, and runs that go on under other settings

#include "runs.h"
#include "test.h"

#include <math.h>
#include <string.h>

// ---- copying and changing -------------------------------------------------------------------------------------------

static void test_copy_ends_the_same(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.scheduler_overrides = (const char *const[]){"eta=1"};
    settings.scheduler_override_count = 1;
    Run *run = runs_begin(model, &settings);
    runs_step(run, 3);
    Error error = {0};
    Run *copy = run_copy(run, &error);
    EXPECT(copy, "%s", error.message);
    if (!copy) return;
    EXPECT(run_last_step(copy)->k == 2 && run_last_step(copy)->noise_pred != run_last_step(run)->noise_pred &&
               run_last_step(copy)->noise_pred[7] == run_last_step(run)->noise_pred[7],
           "the copy's last step is not its own, or another");
    runs_finish(run);
    EXPECT(!runs_same(run, copy), "the copy went along");
    runs_finish(copy);
    EXPECT(runs_same(run, copy), "an unchanged copy ends elsewhere");
    run_free(run);
    EXPECT(strcmp(run_metadata(copy, &(size_t){0})[0].value, "a pink cat") == 0,
           "the copy's prompt died with the original");
    run_free(copy);
    model_close(model);
}

// With every scheduler: a run copied at step 3, when histories are in use, and one that goes on with it from DDIM.
static void test_copy_and_change_to_every_scheduler(void) {
    Model *model = runs_model();
    Settings usual = runs_usual(model);
    for (size_t i = 0; i < scheduler_kind_count(); i++) {
        Error error = {0};
        Settings settings = usual;
        settings.scheduler = scheduler_kind_at(i)->name;
        Run *run = runs_begin(model, &settings), *changed = runs_begin(model, &usual);
        runs_step(run, 3);
        Run *copy = run_copy(run, &error);
        EXPECT(copy, "%s", error.message);
        runs_finish(run);
        if (copy) runs_finish(copy);
        EXPECT(copy && runs_same(run, copy), "%s: a copy ends elsewhere", settings.scheduler);

        runs_step(changed, 3);
        EXPECT(run_change(changed, &settings, &error), "%s: %s", settings.scheduler, error.message);
        runs_finish(changed);
        double off = relative_l2(run_latents(changed), run_latents(run), LATENTS);
        EXPECT(isfinite(off), "from ddim to %s: not finite", settings.scheduler);
        run_free(run);
        run_free(copy);
        run_free(changed);
    }
    model_close(model);
}

// A run changed to what it already is goes on as it was; to anything else, elsewhere, but to an end.
static void test_change(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    Run *run = runs_begin(model, &settings);
    runs_step(run, 3);
    Settings changes[5] = {settings, settings, settings, settings, settings};
    changes[1].guidance_scale = 3;
    changes[2].prompt = "a crown at night";
    changes[3].guidance_scale = 1;
    changes[4].scheduler_overrides = (const char *const[]){"eta=0.5"};
    changes[4].scheduler_override_count = 1;
    Run *runs[5];
    for (size_t i = 0; i < 5; i++) {
        Error error = {0};
        runs[i] = run_copy(run, &error);
        EXPECT(runs[i] && run_change(runs[i], &changes[i], &error), "change %zu: %s", i, error.message);
        if (!runs[i]) return;
        EXPECT(run_step_count(runs[i]) == 6 && run_steps_done(runs[i]) == 3, "change %zu: %zu steps", i,
               run_step_count(runs[i]));
        runs_finish(runs[i]);
    }
    runs_finish(run);
    EXPECT(runs_same(run, runs[0]), "changed to the same settings, it ends elsewhere");
    for (size_t i = 1; i < 5; i++) {
        double off = relative_l2(run_latents(runs[i]), run_latents(run), LATENTS);
        EXPECT(off > 1e-3 && isfinite(off), "change %zu makes a difference of %.2g", i, off);
    }
    for (size_t i = 0; i < 5; i++) run_free(runs[i]);
    run_free(run);
    model_close(model);
}

// From no guidance to guidance: twice the U-Net's memory, which the run must get.
static void test_change_needs_more_memory(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.guidance_scale = 1;
    settings.width = settings.height = 8;  // so small that decoding doesn't need the most
    Run *run = runs_begin(model, &settings);
    runs_step(run, 1);
    Error error = {0};
    size_t before = run_peak_activation_bytes(run);
    settings.guidance_scale = 7.5f;
    settings.memory_limit = 1000;
    EXPECT(!run_change(run, &settings, &error) && strstr(error.message, "memory"), "more than the limit: %s",
           error.message);
    settings.memory_limit = 0;
    error = (Error){0};
    EXPECT(run_change(run, &settings, &error), "%s", error.message);
    runs_finish(run);
    EXPECT(run_last_step(run)->noise_pred_uncond != NULL, "no guidance after all");
    EXPECT(run_peak_activation_bytes(run) > before, "guidance took no more than %zu bytes", before);
    run_free(run);
    model_close(model);
}

// The prompts are encoded with the new kernels too: the memory planned for them isn't enough for those before.
static void test_change_kernels(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.width = settings.height = 4;  // so small that the text encoder needs the most
    settings.guidance_scale = 1;
    settings.kernels[0] = "attention=openmp";  // 64 rows of scores where naive keeps one
    settings.kernel_count = 1;
    Run *run = runs_begin(model, &settings);
    runs_step(run, 1);
    settings.guidance_scale = 7.5f;
    settings.kernels[0] = "attention=naive";
    Error error = {0};
    EXPECT(run_change(run, &settings, &error), "%s", error.message);
    runs_finish(run);
    run_free(run);
    model_close(model);
}

// What a run has already isn't asked of the machine again.
static void test_change_needs_nothing(void) {
    Model *model = runs_model();
    Image picture = image_new(7, 5);
    Settings settings = runs_usual(model);
    settings.init = &picture;
    settings.strength = 0.5f;
    Run *run = runs_begin(model, &settings);
    runs_step(run, 1);
    Error error = {0};
    settings.prompt = "a crown at night";
    settings.memory_limit = 1000;
    settings.init = NULL;
    settings.strength = 0.8f;
    EXPECT(run_change(run, &settings, &error), "%s", error.message);
    size_t count;
    const Metadata *notes = run_metadata(run, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(notes[i].key, "strength") != 0) continue;
        EXPECT(strcmp(notes[i].value, "0.5") == 0, "it began at strength 0.5 and says %s", notes[i].value);
    }
    run_free(run);
    image_free(&picture);
    model_close(model);
}

// DDIM and Euler walk one road: changing there and back at a timestep they share must lead to (nearly) the same end.
static void test_change_scheduler(void) {
    Model *model = runs_model();
    Settings ddim = runs_usual(model), euler = runs_usual(model);
    euler.scheduler = "euler";
    euler.scheduler_overrides = (const char *const[]){"timestep_spacing=leading"};
    euler.scheduler_override_count = 1;
    Run *plain = runs_begin(model, &ddim), *changed = runs_begin(model, &ddim);
    runs_step(plain, 3);
    runs_step(changed, 3);
    Error error = {0};
    EXPECT(run_change(changed, &euler, &error), "%s", error.message);
    float sigma = run_scheduler(changed)->sigmas[3], larger = sqrtf(1 + sigma * sigma);
    for (size_t i = 0; i < LATENTS; i++) {
        float off = run_latents(changed)[i] - run_latents(plain)[i] * larger;
        EXPECT(fabsf(off) <= 1e-5f * larger, "latent %zu is off by %g", i, (double)off);
    }
    EXPECT(run_step_count(changed) == 6, "%zu steps", run_step_count(changed));
    runs_finish(plain);
    runs_finish(changed);
    // at the end they differ a little: DDIM's last step stops at alphas_cumprod[0], Euler's at sigma 0
    double off =
        relative_l2(run_last_step(changed)->pred_original_sample, run_last_step(plain)->pred_original_sample, LATENTS);
    EXPECT(off < 0.05, "a change of scheduler alone moves the picture by %.2g", off);

    ddim.num_inference_steps = 12;  // a finished run stays finished
    EXPECT(run_change(plain, &ddim, &error) && run_step(plain, &error) == STEP_NONE_LEFT, "%s", error.message);
    run_free(plain);
    run_free(changed);
    model_close(model);
}

static void test_change_steps(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    Run *run = runs_begin(model, &settings);
    runs_step(run, 3);  // 831 665 499 done, 333 next
    settings.num_inference_steps = 12;
    Error error = {0};
    EXPECT(run_change(run, &settings, &error), "%s", error.message);
    runs_step(run, 1);
    EXPECT(fabsf(run_last_step(run)->timestep - 333) <= 42, "from 333 on to %g", (double)run_last_step(run)->timestep);
    EXPECT(run_last_step(run)->k == 3, "steps are counted anew");
    runs_finish(run);
    EXPECT(run_steps_done(run) == run_step_count(run), "%zu of %zu", run_steps_done(run), run_step_count(run));

    settings.seed++;
    EXPECT(!run_change(run, &settings, &error), "changed its seed");
    settings.seed--;
    settings.width += 4;
    EXPECT(!run_change(run, &settings, &error), "changed its size");
    run_free(run);
    model_close(model);
}

int main(void) {
    TEST(test_copy_ends_the_same);
    TEST(test_copy_and_change_to_every_scheduler);
    TEST(test_change);
    TEST(test_change_needs_more_memory);
    TEST(test_change_kernels);
    TEST(test_change_needs_nothing);
    TEST(test_change_scheduler);
    TEST(test_change_steps);
    return test_summary();
}
