// test_pipeline_look.c - looking into a run: observers, what it costs, pictures on the way, traces

#include "io/file.h"
#include "ops/conv2d.h"
#include "run/run.h"
#include "run/trace.h"
#include "runs.h"
#include "test.h"

#include <math.h>
#include <omp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.guidance_scale = 1;
    settings.width = settings.height = 128;
    Run *run = runs_begin(model, &settings);
    Error error = {0};
    size_t seen = 0, before;
    EXPECT(run_observe(run, NULL, (AttentionObserver){wants_all, count_probabilities}, &seen, &error), "%s",
           error.message);
    EXPECT(seen == 0, "%zu probabilities were shown that nobody worked out", seen);
    runs_step(run, 1);
    before = seen;
    EXPECT(before > 0, "nothing was shown");
    settings.guidance_scale = 2;
    EXPECT(run_change(run, &settings, &error), "%s", error.message);
    runs_step(run, 1);
    EXPECT(seen > 2 * before, "%zu were shown, then %zu", before, seen);
    run_free(run);

    settings.memory_limit = 4 << 20;  // enough for the networks
    run = runs_begin(model, &settings);
    EXPECT(!run_observe(run, NULL, (AttentionObserver){wants_all, count_probabilities}, &seen, &error) &&
               strstr(error.message, "memory"),
           "%s", error.message);
    before = seen;
    runs_step(run, 1);
    EXPECT(seen == before, "an observer who was refused is shown things");
    run_free(run);
    model_close(model);
}

typedef struct Witness {
    size_t words, pixels, matrices;  // text encoder's tensors, U-Net's and VAE's, attention probabilities
} Witness;

static void witness_tensor(void *listener, const char *place, Tensor tensor) {
    (void)tensor;
    Witness *witness = listener;
    if (strncmp(place, "text_encoder", strlen("text_encoder")) == 0)
        witness->words++;
    else
        witness->pixels++;
}

static void witness_matrix(void *listener, const char *place, Tensor probabilities) {
    (void)place, (void)probabilities;
    ((Witness *)listener)->matrices++;
}

// Prompts and image to image's picture are encoded before run_observe can be called; the settings' observers see it,
// and the memory that this takes is planned.
static void test_observed_from_the_start(void) {
    Model *model = runs_model();
    Image picture = image_new(7, 5);
    Settings settings = runs_usual(model);
    settings.width = settings.height = 8;  // so small that the text encoder's attention needs the most,
    static const char *const PLAIN[] = {"conv2d=naive", "linear=naive", "attention=naive"};
    for (size_t i = 0; i < 3; i++) settings.kernels[settings.kernel_count++] = PLAIN[i];  // without kernels' own memory
    settings.init = &picture;
    RunCost unobserved, cost;
    Error error = {0};
    EXPECT(run_cost(model, &settings, &unobserved, &error), "%s", error.message);

    Witness witness = {0};
    settings.observer = witness_tensor;
    settings.attention_observer = (AttentionObserver){wants_all, witness_matrix};
    settings.listener = &witness;
    EXPECT(run_cost(model, &settings, &cost, &error), "%s", error.message);
    EXPECT(cost.activation_bytes > unobserved.activation_bytes, "attention matrices take no memory");
    Run *run = runs_begin(model, &settings);
    size_t layers = text_encoder_config(model->text_encoder)->num_hidden_layers;
    EXPECT(witness.words == layers + 2, "%zu tensors of the text encoder", witness.words);
    EXPECT(witness.pixels > 0 && witness.matrices == layers + 1, "%zu tensors of the VAE's encoder, %zu matrices",
           witness.pixels, witness.matrices);
    EXPECT(run_peak_activation_bytes(run) == cost.activation_bytes, "planned %zu bytes, took %zu",
           cost.activation_bytes, run_peak_activation_bytes(run));

    Witness begun = witness, after;
    runs_step(run, 1);
    EXPECT(witness.words == begun.words && witness.pixels > begun.pixels && witness.matrices > begun.matrices,
           "the step wasn't shown");
    after = witness;
    settings.prompt = "a crown at night";
    settings.observer = NULL;
    EXPECT(run_change(run, &settings, &error), "%s", error.message);
    EXPECT(witness.words == 2 * after.words, "a change sends the observer away");
    EXPECT(run_observe(run, NULL, (AttentionObserver){0}, NULL, &error), "%s", error.message);
    after = witness;
    runs_step(run, 1);
    EXPECT(memcmp(&witness, &after, sizeof after) == 0, "shown to somebody who no longer listens");
    run_free(run);
    image_free(&picture);
    model_close(model);
}

// ---- cost, preview, trace -------------------------------------------------------------------------------------------

static void test_cost_is_what_happens(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
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
        Run *run = runs_begin(model, &settings);
        runs_finish(run);
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
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    Run *run = runs_begin(model, &settings);
    float latents[LATENTS] = {[3] = NAN};
    Image image;
    Error error = {0};
    EXPECT(!run_decode(run, latents, &image, NULL, &error) && !image.pixels, "NaN became a picture");
    EXPECT(strstr(error.message, "not finite"), "%s", error.message);
    run_free(run);
    model_close(model);
}

static void test_preview(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    Run *run = runs_begin(model, &settings);
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

static size_t convolutions;
static int most_threads;

static void counted_conv2d(float *out, const float *in, const void *weight, const float *bias, Conv2dShape s,
                           void *scratch) {
    convolutions++;
    if (omp_get_max_threads() > most_threads) most_threads = omp_get_max_threads();
    conv2d_naive(out, in, weight, bias, s, scratch);
}

static void nobody_is_shown(void *listener, const char *place, Tensor tensor) {
    (void)listener, (void)tensor;
    EXPECT(false, "%s is shown", place);
}

// The first preview works like a step: with the run's kernels and threads, and stopped like one.
static void test_preview_is_the_runs(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.threads = 1;
    Run *run = runs_begin(model, &settings);
    Kernel counted = *kernel_find(OP_CONV2D, "naive");
    counted.function = (void (*)(void))counted_conv2d;
    run->ctx.kernels[OP_CONV2D] = &counted;
    Image image;
    Error error = {0};
    run_stop(run);
    EXPECT(!run_preview(run, run_latents(run), &image, &error) && strcmp(error.message, "cancelled") == 0,
           "a stopped preview said \"%s\"", error.message);
    EXPECT(convolutions == 0, "%zu convolutions after the stop", convolutions);
    EXPECT(run_step(run, &error) == STEP_CANCELLED, "a preview used up the stop");

    error = (Error){0};
    EXPECT(run_observe(run, nobody_is_shown, (AttentionObserver){0}, NULL, &error), "%s", error.message);
    EXPECT(run_preview(run, run_latents(run), &image, &error), "%s", error.message);
    EXPECT(convolutions > 0, "another kernel measured the VAE");
    EXPECT(most_threads == 1, "%d threads measured it", most_threads);
    EXPECT(run->ctx.observer == nobody_is_shown, "the observer is lost");
    image_free(&image);
    run_free(run);
    model_close(model);
}

// It may need more memory than a small run has.
static void test_preview_needs_memory(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.width = settings.height = 4;
    RunCost cost;
    Error error = {0};
    EXPECT(run_cost(model, &settings, &cost, &error), "%s", error.message);
    settings.memory_limit = cost.activation_bytes + cost.kept_bytes;
    Run *run = runs_begin(model, &settings);
    Image image;
    EXPECT(!run_preview(run, run_latents(run), &image, &error) && strstr(error.message, "preview: the first takes"),
           "beyond the limit: %s", error.message);
    run->settings.memory_limit = 0;
    error = (Error){0};
    EXPECT(run_preview(run, run_latents(run), &image, &error), "%s", error.message);
    EXPECT(run_peak_activation_bytes(run) > cost.activation_bytes, "the preview's memory isn't counted");
    runs_finish(run);
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
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.num_inference_steps = 3;
    Run *run = runs_begin(model, &settings);
    Error error = {0};
    Trace *trace = trace_begin(run, &error);
    float first[LATENTS], pixels[3 * HEIGHT * WIDTH], last_noise[LATENTS];
    memcpy(first, run_latents(run), sizeof first);
    while (run_step(run, &error) == STEP_DONE_ONE) EXPECT(trace_step(trace, run, &error), "%s", error.message);
    memcpy(last_noise, run_last_step(run)->noise_pred_text, sizeof last_noise);
    Image image;
    EXPECT(run_decode(run, run_latents(run), &image, pixels, &error), "%s", error.message);
    char *path = path_join(test_folder("trace"), "trace.safetensors");
    EXPECT(trace_set_image(trace, pixels, HEIGHT, WIDTH, &error) && trace_write(trace, path, &error), "%s",
           error.message);

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

int main(void) {
    TEST(test_observed_attention);
    TEST(test_observed_from_the_start);
    TEST(test_cost_is_what_happens);
    TEST(test_decoding_nothing);
    TEST(test_preview);
    TEST(test_preview_is_the_runs);
    TEST(test_preview_needs_memory);
    TEST(test_preview_shows_colours);
    TEST(test_trace);
    return test_summary();
}
