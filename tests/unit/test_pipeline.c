// test_pipeline.c - runs as their owners use them: stepped, stopped, copied, changed, refused

#include "io/file.h"
#include "run/memory.h"
#include "run/run.h"
#include "run/trace.h"
#include "sculpt.h"
#include "stages/vae_weights.h"
#include "test.h"

#include <math.h>
#include <omp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MODEL "tests/golden/runs/sd1"

enum { WIDTH = 24, HEIGHT = 32, LATENTS = 4 * (WIDTH / 4) * (HEIGHT / 4) };

static Model *open_model(void) {
    Error error = {0};
    Model *model = model_open(MODEL, &error);
    if (!model) {
        printf("%s\n", error.message);
        exit(1);
    }
    return model;
}

static Settings usual(const Model *model) {
    Settings settings = settings_default(model);
    settings.prompt = "a pink cat";
    settings.width = WIDTH;
    settings.height = HEIGHT;
    settings.num_inference_steps = 6;
    settings.seed = 11;
    return settings;
}

static Run *begin(const Model *model, const Settings *settings) {
    Error error = {0};
    Run *run = run_begin(model, settings, &error);
    if (!run) {
        printf("%s\n", error.message);
        exit(1);
    }
    return run;
}

static void step_times(Run *run, size_t times) {
    Error error = {0};
    for (size_t i = 0; i < times; i++) EXPECT(run_step(run, &error) == STEP_DONE_ONE, "step %zu: %s", i, error.message);
}

static void finish_steps(Run *run) {
    Error error = {0};
    StepResult result;
    while ((result = run_step(run, &error)) == STEP_DONE_ONE) continue;
    EXPECT(result == STEP_NONE_LEFT, "%s", error.message);
}

static bool same_latents(const Run *a, const Run *b) {
    return memcmp(run_latents(a), run_latents(b), LATENTS * sizeof(float)) == 0;
}

// ---- stepping -------------------------------------------------------------------------------------------------------

static void test_step_records(void) {
    Model *model = open_model();
    Settings settings = usual(model);
    Run *run = begin(model, &settings);
    EXPECT(run_last_step(run) == NULL, "there is a step before the first");
    EXPECT(run_step_count(run) == 6 && run_steps_done(run) == 0, "%zu steps to do, %zu done", run_step_count(run),
           run_steps_done(run));
    for (size_t k = 0; k < 6; k++) {
        float before[LATENTS];
        memcpy(before, run_latents(run), sizeof before);
        step_times(run, 1);
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
    Model *model = open_model();
    Settings first = usual(model), second = usual(model);
    second.seed = 12;
    second.guidance_scale = 1;
    second.scheduler = "euler";
    Run *alone = begin(model, &first), *a = begin(model, &first), *b = begin(model, &second);
    finish_steps(alone);
    for (size_t k = 0; k < 6; k++) {
        step_times(a, 1);
        step_times(b, 1);
    }
    EXPECT(same_latents(alone, a), "a run beside another ends elsewhere");
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
    Model *model = open_model();
    Settings settings = usual(model);
    Error error = {0};
    int all = omp_get_max_threads(), wanted[] = {1, 3, 0, 3}, seen;
    Run *runs[4] = {0};
    for (size_t i = 0; i < 3; i++) {
        settings.threads = wanted[i];
        runs[i] = begin(model, &settings);
    }
    runs[3] = run_copy(runs[1], &error);
    for (size_t i = 0; i < 4 && runs[i]; i++) {
        EXPECT(run_observe(runs[i], note_threads, (AttentionObserver){0}, &seen, &error), "%s", error.message);
        step_times(runs[i], 1);
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
    Model *model = open_model();
    Settings settings = usual(model);
    settings.scheduler = "euler";
    Run *seeded = begin(model, &settings);
    float noise[LATENTS], sigma = run_scheduler(seeded)->init_noise_sigma;
    Rng rng;
    rng_seed(&rng, settings.seed);
    rng_normal(&rng, noise, LATENTS);
    settings.latents = noise;
    Run *given = begin(model, &settings);
    EXPECT(same_latents(seeded, given), "the seed's noise, given as latents, begins elsewhere");
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
    Model *model = open_model();
    Settings settings = usual(model);
    settings.scheduler_overrides = (const char *const[]){"eta=1"};  // so that a lost or doubled draw shows
    settings.scheduler_override_count = 1;
    Run *undisturbed = begin(model, &settings), *run = begin(model, &settings);
    finish_steps(undisturbed);

    Error error = {0};
    step_times(run, 2);
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
    finish_steps(run);
    EXPECT(same_latents(undisturbed, run), "after a cancelled step a run ends elsewhere");

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

// ---- observing ------------------------------------------------------------------------------------------------------

static bool wants_all(void *listener, const char *place) {
    (void)listener, (void)place;
    return true;
}

static void count_probabilities(void *listener, const char *place, Tensor probabilities) {
    const size_t *axis = probabilities.shape.axis;
    EXPECT(axis[0] >= 1 && axis[2] > 0 && axis[3] > 0, "%s: %s", place, shape_text(probabilities.shape).text);
    ++*(size_t *)listener;
}

// Whole attention matrices take more than the networks around them: 32 x 32 pixels that look at each other, twice as
// many with guidance. A run that was planned without an observer must get that memory, or say that it can't.
static void test_observed_attention(void) {
    Model *model = open_model();
    Settings settings = usual(model);
    settings.guidance_scale = 1;
    settings.width = settings.height = 128;
    Run *run = begin(model, &settings);
    Error error = {0};
    size_t seen = 0, before;
    EXPECT(run_observe(run, NULL, (AttentionObserver){wants_all, count_probabilities}, &seen, &error), "%s",
           error.message);
    EXPECT(seen == 0, "%zu probabilities were shown that nobody worked out", seen);
    step_times(run, 1);
    before = seen;
    EXPECT(before > 0, "nothing was shown");
    settings.guidance_scale = 2;
    EXPECT(run_change(run, &settings, &error), "%s", error.message);
    step_times(run, 1);
    EXPECT(seen > 2 * before, "%zu were shown, then %zu", before, seen);
    run_free(run);

    settings.memory_limit = 4 << 20;  // enough for the networks
    run = begin(model, &settings);
    EXPECT(!run_observe(run, NULL, (AttentionObserver){wants_all, count_probabilities}, &seen, &error) &&
               strstr(error.message, "memory"),
           "%s", error.message);
    before = seen;
    step_times(run, 1);
    EXPECT(seen == before, "an observer who was refused is shown things");
    run_free(run);
    model_close(model);
}

// ---- copying and changing -------------------------------------------------------------------------------------------

static void test_copy_ends_the_same(void) {
    Model *model = open_model();
    Settings settings = usual(model);
    settings.scheduler_overrides = (const char *const[]){"eta=1"};
    settings.scheduler_override_count = 1;
    Run *run = begin(model, &settings);
    step_times(run, 3);
    Error error = {0};
    Run *copy = run_copy(run, &error);
    EXPECT(copy, "%s", error.message);
    if (!copy) return;
    EXPECT(run_last_step(copy)->k == 2 && run_last_step(copy)->noise_pred != run_last_step(run)->noise_pred &&
               run_last_step(copy)->noise_pred[7] == run_last_step(run)->noise_pred[7],
           "the copy's last step is not its own, or another");
    finish_steps(run);
    EXPECT(!same_latents(run, copy), "the copy went along");
    finish_steps(copy);
    EXPECT(same_latents(run, copy), "an unchanged copy ends elsewhere");
    run_free(run);
    EXPECT(strcmp(run_metadata(copy, &(size_t){0})[0].value, "a pink cat") == 0,
           "the copy's prompt died with the original");
    run_free(copy);
    model_close(model);
}

// A run changed to what it already is goes on as it was; to anything else, elsewhere, but to an end.
static void test_change(void) {
    Model *model = open_model();
    Settings settings = usual(model);
    Run *run = begin(model, &settings);
    step_times(run, 3);
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
        finish_steps(runs[i]);
    }
    finish_steps(run);
    EXPECT(same_latents(run, runs[0]), "changed to the same settings, it ends elsewhere");
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
    Model *model = open_model();
    Settings settings = usual(model);
    settings.guidance_scale = 1;
    settings.width = settings.height = 8;  // so small that decoding doesn't need the most
    Run *run = begin(model, &settings);
    step_times(run, 1);
    Error error = {0};
    size_t before = run_peak_activation_bytes(run);
    settings.guidance_scale = 7.5f;
    settings.memory_limit = 1000;
    EXPECT(!run_change(run, &settings, &error) && strstr(error.message, "memory"), "more than the limit: %s",
           error.message);
    settings.memory_limit = 0;
    error = (Error){0};
    EXPECT(run_change(run, &settings, &error), "%s", error.message);
    finish_steps(run);
    EXPECT(run_last_step(run)->noise_pred_uncond != NULL, "no guidance after all");
    EXPECT(run_peak_activation_bytes(run) > before, "guidance took no more than %zu bytes", before);
    run_free(run);
    model_close(model);
}

// The prompts are encoded with the new kernels too: the memory planned for them isn't enough for those before.
static void test_change_kernels(void) {
    Model *model = open_model();
    Settings settings = usual(model);
    settings.width = settings.height = 4;  // so small that the text encoder needs the most
    settings.guidance_scale = 1;
    settings.kernels[0] = "attention=openmp";  // 64 rows of scores where naive keeps one
    settings.kernel_count = 1;
    Run *run = begin(model, &settings);
    step_times(run, 1);
    settings.guidance_scale = 7.5f;
    settings.kernels[0] = "attention=naive";
    Error error = {0};
    EXPECT(run_change(run, &settings, &error), "%s", error.message);
    finish_steps(run);
    run_free(run);
    model_close(model);
}

// What a run has already isn't asked of the machine again.
static void test_change_needs_nothing(void) {
    Model *model = open_model();
    Image picture = image_new(7, 5);
    Settings settings = usual(model);
    settings.init = &picture;
    settings.strength = 0.5f;
    Run *run = begin(model, &settings);
    step_times(run, 1);
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
    Model *model = open_model();
    Settings ddim = usual(model), euler = usual(model);
    euler.scheduler = "euler";
    euler.scheduler_overrides = (const char *const[]){"timestep_spacing=leading"};
    euler.scheduler_override_count = 1;
    Run *plain = begin(model, &ddim), *changed = begin(model, &ddim);
    step_times(plain, 3);
    step_times(changed, 3);
    Error error = {0};
    EXPECT(run_change(changed, &euler, &error), "%s", error.message);
    float sigma = run_scheduler(changed)->sigmas[3], larger = sqrtf(1 + sigma * sigma);
    for (size_t i = 0; i < LATENTS; i++) {
        float off = run_latents(changed)[i] - run_latents(plain)[i] * larger;
        EXPECT(fabsf(off) <= 1e-5f * larger, "latent %zu is off by %g", i, (double)off);
    }
    EXPECT(run_step_count(changed) == 6, "%zu steps", run_step_count(changed));
    finish_steps(plain);
    finish_steps(changed);
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
    Model *model = open_model();
    Settings settings = usual(model);
    Run *run = begin(model, &settings);
    step_times(run, 3);  // 831 665 499 done, 333 next
    settings.num_inference_steps = 12;
    Error error = {0};
    EXPECT(run_change(run, &settings, &error), "%s", error.message);
    step_times(run, 1);
    EXPECT(fabsf(run_last_step(run)->timestep - 333) <= 42, "from 333 on to %g", (double)run_last_step(run)->timestep);
    EXPECT(run_last_step(run)->k == 3, "steps are counted anew");
    finish_steps(run);
    EXPECT(run_steps_done(run) == run_step_count(run), "%zu of %zu", run_steps_done(run), run_step_count(run));

    settings.seed++;
    EXPECT(!run_change(run, &settings, &error), "changed its seed");
    settings.seed--;
    settings.width += 4;
    EXPECT(!run_change(run, &settings, &error), "changed its size");
    run_free(run);
    model_close(model);
}

// ---- refusing -------------------------------------------------------------------------------------------------------

static void expect_refused(const Model *model, const Settings *settings, const char *word) {
    Error error = {0};
    Run *run = run_begin(model, settings, &error);
    EXPECT(!run, "a run began that should be refused for \"%s\"", word);
    EXPECT(strstr(error.message, word) && !strchr(error.message, '\n'), "the error is \"%s\", without \"%s\"",
           error.message, word);
    run_free(run);
    RunCost cost;
    if (strcmp(word, "memory") != 0) EXPECT(!run_cost(model, settings, &cost, NULL), "run_cost accepts it: %s", word);
}

static void test_bad_settings(void) {
    Model *model = open_model();
    Settings s = usual(model);
    s.width = 25;
    expect_refused(model, &s, "multiple of 4");
    s.width = 0;
    expect_refused(model, &s, "width");
    s.width = SIZE_MAX - 3;
    expect_refused(model, &s, "16384");
    s = usual(model);
    s.num_inference_steps = 0;
    expect_refused(model, &s, "0 steps");
    s.num_inference_steps = SIZE_MAX;
    expect_refused(model, &s, "1 to 1000");
    s = usual(model);
    s.guidance_scale = NAN;
    expect_refused(model, &s, "guidance");
    s = usual(model);
    s.scheduler = "dimm";
    expect_refused(model, &s, "ddim, euler");
    s = usual(model);
    s.kernels[0] = "conv2d=nothing";
    s.kernel_count = 1;
    expect_refused(model, &s, "conv2d");
    s = usual(model);
    s.prompt = NULL;
    expect_refused(model, &s, "prompt");
    model_close(model);
}

static void test_too_small_to_halve(void) {
    Model *model = open_model();
    UNetConfig *unet = (UNetConfig *)unet_config(model->unet);
    unet->downsample_padding = 0;
    Settings s = usual(model);
    s.width = 4;
    expect_refused(model, &s, "8 is the least");
    s.width = 8;
    s.height = 12;
    Run *run = begin(model, &s);
    finish_steps(run);
    run_free(run);
    model_close(model);
}

static void test_bad_beginnings(void) {
    Model *model = open_model();
    Image picture = image_new(7, 5);
    float latents[LATENTS] = {[17] = INFINITY};
    Settings s = usual(model);
    s.init = &picture;
    s.strength = 1.5f;
    expect_refused(model, &s, "strength");
    s.strength = NAN;
    expect_refused(model, &s, "strength");
    s.strength = 0.1f;
    expect_refused(model, &s, "less than one step");
    s.strength = 0.5f;
    s.latents = latents;
    expect_refused(model, &s, "not both");
    s = usual(model);
    s.latents = latents;
    Error error = {0};
    EXPECT(!run_begin(model, &s, &error) && strstr(error.message, "not finite"), "%s", error.message);
    s = usual(model);
    s.memory_limit = 10000;
    expect_refused(model, &s, "memory");
    s = usual(model);
    s.init = &(Image){SIZE_MAX / 8, SIZE_MAX / 8, NULL};
    error = (Error){0};
    EXPECT(!run_begin(model, &s, &error) && strstr(error.message, "init: no memory"), "%s", error.message);
    image_free(&picture);
    model_close(model);
}

// What isn't finite is said of the network that it comes from.
static void test_broken_encoder(void) {
    Model *model = open_model();
    Image picture = image_new(7, 5);
    Settings s = usual(model);
    s.init = &picture;
    float bias[8] = {[3] = NAN};
    model->vae->quant_conv.bias = tensor_over(bias, shape1(8));
    Error error = {0};
    EXPECT(!run_begin(model, &s, &error) && strstr(error.message, "init: the VAE's answer is not finite"), "%s",
           error.message);
    image_free(&picture);
    model_close(model);
}

static void test_bad_folders(void) {
    const char *folder = test_folder("pipeline");
    char *index = path_join(folder, "model_index.json");
    Error error = {0};
    EXPECT(!model_open("no/such/model", &error) && strstr(error.message, "no/such/model"), "%s", error.message);
    error = (Error){0};
    FILE *file = fopen(index, "w");
    fputs("{\"_class_name\": \"StableDiffusionXLPipeline\"}", file);
    fclose(file);
    EXPECT(!model_open(folder, &error) && strstr(error.message, "XL"), "%s", error.message);
    error = (Error){0};
    file = fopen(index, "w");
    fputs("{\"_class_name\": \"StableDiffusionPipeline\"}", file);
    fclose(file);
    EXPECT(!model_open(folder, &error) && strstr(error.message, "tokenizer"), "%s", error.message);
    free(index);
}

// ---- cost, preview, trace -------------------------------------------------------------------------------------------

static void test_cost_is_what_happens(void) {
    Model *model = open_model();
    Settings settings = usual(model);
    Image picture = image_new(7, 5);
    for (int with_init = 0; with_init < 2; with_init++) {
        settings.init = with_init ? &picture : NULL;
        settings.strength = 0.5f;
        RunCost cost;
        Error error = {0};
        EXPECT(run_cost(model, &settings, &cost, &error), "%s", error.message);
        EXPECT(cost.timestep_count == (with_init ? 3 : 6) && cost.unet_calls == 2 * cost.timestep_count,
               "%zu steps, %zu calls", cost.timestep_count, cost.unet_calls);
        EXPECT(cost.step.flops > cost.text.flops && cost.decode.flops > 0 && (cost.encode.flops > 0) == with_init,
               "flops");
        Run *run = begin(model, &settings);
        finish_steps(run);
        Image image;
        EXPECT(run_finish(run, &image, &error), "%s", error.message);
        EXPECT((run_times(run).encode > 0) == with_init && run_times(run).decode > 0, "encoding took %g s",
               run_times(run).encode);
        EXPECT(image.width == WIDTH && image.height == HEIGHT, "%zux%zu", image.width, image.height);
        EXPECT(run_peak_activation_bytes(run) == cost.activation_bytes, "planned %zu bytes, took %zu",
               cost.activation_bytes, run_peak_activation_bytes(run));
        image_free(&image);
        run_free(run);
    }
    image_free(&picture);
    model_close(model);
}

// Clamped to bytes, NaN would be a black picture.
static void test_decoding_nothing(void) {
    Model *model = open_model();
    Settings settings = usual(model);
    Run *run = begin(model, &settings);
    float latents[LATENTS] = {[3] = NAN};
    Image image;
    Error error = {0};
    EXPECT(!run_decode(run, latents, &image, NULL, &error) && !image.pixels, "NaN became a picture");
    EXPECT(strstr(error.message, "not finite"), "%s", error.message);
    run_free(run);
    model_close(model);
}

static void test_preview(void) {
    Model *model = open_model();
    Settings settings = usual(model);
    Run *run = begin(model, &settings);
    Image image;
    Error error = {0};
    EXPECT(run_preview(run, run_latents(run), &image, &error), "%s", error.message);
    EXPECT(image.width == WIDTH / 4 && image.height == HEIGHT / 4, "%zux%zu", image.width, image.height);
    const float(*map)[3] = run->latent_rgb;
    float red = map[4][0];
    for (size_t c = 0; c < 4; c++) red += run_latents(run)[c * (LATENTS / 4)] * map[c][0];
    EXPECT(image.pixels[0] == (uint8_t)rintf(fminf(fmaxf(red, 0), 1) * 255), "the first pixel's red is %d",
           image.pixels[0]);
    image_free(&image);
    run_free(run);
    model_close(model);
}

// A flat red picture, hardly noised, must look red without a decoder.
static void test_preview_shows_colours(void) {
    Error error = {0};
    Model *model = model_open("data/models/critters", &error);
    if (!model) SKIP("%s", error.message);
    Settings settings = settings_default(model);
    Image init = image_new(settings.width, settings.height), image;
    for (size_t i = 0; i < init.width * init.height; i++) memcpy(init.pixels + 3 * i, (uint8_t[]){220, 40, 40}, 3);
    settings.init = &init;
    settings.strength = 0.05f;
    Run *run = run_begin(model, &settings, &error);
    EXPECT(run && run_preview(run, run_latents(run), &image, &error), "%s", error.message);
    long sums[3] = {0}, pixels = (long)(image.width * image.height);
    for (long i = 0; i < 3 * pixels; i++) sums[i % 3] += image.pixels[i];
    EXPECT(sums[0] > 170 * pixels && sums[1] < 90 * pixels && sums[2] < 90 * pixels, "mean colour %ld %ld %ld",
           sums[0] / pixels, sums[1] / pixels, sums[2] / pixels);
    image_free(&image);
    image_free(&init);
    run_free(run);
    model_close(model);
}

static void expect_traced(const SafetensorsFile *file, const char *name, const void *data, size_t bytes) {
    const SafetensorsEntry *entry = safetensors_find(file, name);
    EXPECT(entry, "the trace has no %s", name);
    if (!entry) return;
    EXPECT(entry->bytes == bytes && memcmp(entry->data, data, bytes) == 0, "%s is not what happened", name);
}

static void test_trace(void) {
    Model *model = open_model();
    Settings settings = usual(model);
    settings.num_inference_steps = 3;
    Run *run = begin(model, &settings);
    Error error = {0};
    Trace *trace = trace_begin(run, &error);
    float first[LATENTS], pixels[3 * HEIGHT * WIDTH], last_noise[LATENTS];
    memcpy(first, run_latents(run), sizeof first);
    while (run_step(run, &error) == STEP_DONE_ONE) EXPECT(trace_step(trace, run, &error), "%s", error.message);
    memcpy(last_noise, run_last_step(run)->noise_pred_text, sizeof last_noise);
    Image image;
    EXPECT(run_decode(run, run_latents(run), &image, pixels, &error), "%s", error.message);
    char *path = path_join(test_folder("trace"), "trace.safetensors");
    size_t notes;
    const Metadata *metadata = run_metadata(run, &notes);
    EXPECT(trace_finish(trace, run, pixels, path, metadata, notes, &error), "%s", error.message);

    SafetensorsFile *file = safetensors_open(path, &error);
    EXPECT(file, "%s", error.message);
    if (file) {
        expect_traced(file, "latents.0", first, sizeof first);
        expect_traced(file, "latents.3", run_latents(run), sizeof first);
        expect_traced(file, "noise_pred_text.2", last_noise, sizeof last_noise);
        expect_traced(file, "timesteps", run_scheduler(run)->timesteps, 3 * sizeof(float));
        expect_traced(file, "image", pixels, sizeof pixels);
        const SafetensorsEntry *ids = safetensors_find(file, "input_ids");
        EXPECT(ids && ids->dtype == I64 && ids->axis[0] == 2 && ids->axis[1] == 77, "input_ids");
        EXPECT(safetensors_count(file) == 3 + 3 * 5 + 1 + 1, "%zu tensors", safetensors_count(file));
        const char *prompt = safetensors_metadata(file, "prompt"), *seed = safetensors_metadata(file, "seed");
        EXPECT(prompt && strcmp(prompt, "a pink cat") == 0 && seed && strcmp(seed, "11") == 0,
               "the settings are missing");
        safetensors_close(file);
    }
    free(path);
    image_free(&image);
    trace_free(trace);
    run_free(run);
    model_close(model);
}

// ---- how much memory there is ---------------------------------------------------------------------------------------

static void write_file(const char *root, const char *name, const char *text) {
    char *path = path_join(root, name);
    for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0777);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    EXPECT(file, "%s can't be written", path);
    if (file) {
        fputs(text, file);
        fclose(file);
    }
    free(path);
}

static void test_memory_available(void) {
    const char *root = test_folder("memory");
    EXPECT(memory_available(root) == SIZE_MAX, "a system that tells nothing has %zu", memory_available(root));
    write_file(root, "proc/meminfo", "MemTotal: 4000 kB\nMemFree: 10 kB\nMemAvailable:    3000 kB\n");
    EXPECT(memory_available(root) == 3000 * 1024, "%zu", memory_available(root));

    write_file(root, "proc/self/cgroup", "0::/user/unit\n");
    write_file(root, "sys/fs/cgroup/user/unit/memory.max", "max\n");
    EXPECT(memory_available(root) == 3000 * 1024, "\"max\" is no limit: %zu", memory_available(root));
    write_file(root, "sys/fs/cgroup/user/memory.max", "1000000\n");
    write_file(root, "sys/fs/cgroup/user/memory.current", "600000\n");
    write_file(root, "sys/fs/cgroup/user/memory.stat", "anon 5\ninactive_file 100000\n");
    EXPECT(memory_available(root) == 500000, "a limit on the group around: %zu", memory_available(root));

    write_file(root, "proc/self/cgroup", "5:cpu:/\n4:memory:/old\n");
    write_file(root, "sys/fs/cgroup/memory/old/memory.limit_in_bytes", "9223372036854771712\n");
    EXPECT(memory_available(root) == 3000 * 1024, "the old way of no limit: %zu", memory_available(root));
    write_file(root, "sys/fs/cgroup/memory/memory.limit_in_bytes", "2000\n");
    write_file(root, "sys/fs/cgroup/memory/memory.usage_in_bytes", "2500\n");
    EXPECT(memory_available(root) == 0, "more in use than allowed: %zu", memory_available(root));
    EXPECT(memory_available("") > 0, "this machine has none");
}

int main(void) {
    TEST(test_step_records);
    TEST(test_two_runs_alive);
    TEST(test_threads);
    TEST(test_given_latents);
    TEST(test_stop);
    TEST(test_observed_attention);
    TEST(test_copy_ends_the_same);
    TEST(test_change);
    TEST(test_change_needs_more_memory);
    TEST(test_change_kernels);
    TEST(test_change_needs_nothing);
    TEST(test_change_scheduler);
    TEST(test_change_steps);
    TEST(test_bad_settings);
    TEST(test_too_small_to_halve);
    TEST(test_bad_beginnings);
    TEST(test_broken_encoder);
    TEST(test_bad_folders);
    TEST(test_cost_is_what_happens);
    TEST(test_decoding_nothing);
    TEST(test_preview);
    TEST(test_preview_shows_colours);
    TEST(test_trace);
    TEST(test_memory_available);
    return test_summary();
}
