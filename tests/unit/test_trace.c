// test_trace.c - a run taken down, written, and read again; and files that are no traces
// (core/run/trace.c, trace_file.c)

#include "run/trace.h"

#include "files.h"
#include "io/file.h"
#include "run/recorder.h"
#include "runs.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- there and back -------------------------------------------------------------------------------------------------

static void expect_floats(const char *what, size_t k, const float *read, const float *written, size_t n) {
    EXPECT(!read == !written, "%s.%zu is %s", what, k, read ? "there" : "absent");
    EXPECT(!read || !written || memcmp(read, written, n * sizeof *read) == 0, "%s.%zu differs", what, k);
}

static void expect_maps(const AttentionMaps *read, const AttentionMaps *written) {
    EXPECT(read->count == written->count, "%zu layers, not %zu", read->count, written->count);
    for (size_t i = 0; i < read->count && i < written->count; i++) {
        const LayerMaps *r = &read->layers[i], *w = &written->layers[i];
        EXPECT(strcmp(r->place, w->place) == 0, "layer %zu is %s, not %s", i, r->place, w->place);
        EXPECT(r->heads == w->heads && r->keys == w->keys && r->height == w->height && r->width == w->width,
               "%s: %zu heads, %zu tokens, %zu x %zu", r->place, r->heads, r->keys, r->height, r->width);
        expect_floats(r->place, i, r->maps, w->maps, w->heads * w->keys * w->height * w->width);
    }
}

static void expect_step(const TraceStep *read, const TraceStep *written, size_t k) {
    EXPECT(read->timestep == written->timestep && read->seconds == 0 && written->seconds > 0, "step %zu: %g, %g s", k,
           (double)read->timestep, read->seconds);
    expect_floats("latents", k, read->latents, written->latents, LATENTS);
    expect_floats("noise_pred_uncond", k, read->noise_pred_uncond, written->noise_pred_uncond, LATENTS);
    expect_floats("noise_pred_text", k, read->noise_pred_text, written->noise_pred_text, LATENTS);
    expect_floats("noise_pred", k, read->noise_pred, written->noise_pred, LATENTS);
    expect_floats("pred_original_sample", k, read->pred_original_sample, written->pred_original_sample, LATENTS);
    expect_floats("prev_sample", k, read->prev_sample, written->prev_sample, LATENTS);
    expect_maps(&read->attention, &written->attention);
}

static void expect_same(const Trace *read, const Trace *written) {
    EXPECT(read->channels == 4 && read->height == HEIGHT / 4 && read->width == WIDTH / 4, "[%zu, %zu, %zu]",
           read->channels, read->height, read->width);
    EXPECT(read->rows == written->rows && read->length == written->length && read->text_width == written->text_width,
           "%zu rows of %zu tokens, %zu wide", read->rows, read->length, read->text_width);
    size_t tokens = written->rows * written->length;
    EXPECT(memcmp(read->input_ids, written->input_ids, tokens * sizeof *read->input_ids) == 0, "other ids");
    expect_floats("text_embeddings", 0, read->text_embeddings, written->text_embeddings, tokens * written->text_width);
    EXPECT(read->step_count == written->step_count, "%zu steps, not %zu", read->step_count, written->step_count);
    for (size_t k = 0; k < read->step_count && k < written->step_count; k++) {
        expect_step(&read->steps[k], &written->steps[k], k);
    }
    EXPECT(read->text_attention.count == written->text_attention.count, "%zu layers of text",
           read->text_attention.count);
    for (size_t i = 0; i < read->text_attention.count && i < written->text_attention.count; i++) {
        const TextLayerMaps *r = &read->text_attention.layers[i], *w = &written->text_attention.layers[i];
        EXPECT(strcmp(r->place, w->place) == 0 && r->heads == w->heads && r->length == w->length, "%s: %zu heads, %zu",
               r->place, r->heads, r->length);
        expect_floats(r->place, i, r->maps, w->maps, w->heads * w->length * w->length);
    }
    EXPECT(read->image_height == written->image_height && read->image_width == written->image_width, "%zu x %zu",
           read->image_height, read->image_width);
    expect_floats("image", 0, read->image, written->image, 3 * written->image_height * written->image_width);
    EXPECT(read->metadata_count == written->metadata_count, "%zu rows of metadata", read->metadata_count);
    for (size_t i = 0; i < written->metadata_count; i++) {
        const char *value = trace_metadata(read, written->metadata[i].key);
        EXPECT(value && strcmp(value, written->metadata[i].value) == 0, "%s is %s", written->metadata[i].key,
               value ? value : "absent");
    }
}

// A run's trace with attention, the heads apart or not; without a picture yet
static Trace *trace_run(const Model *model, const Settings *asked, bool heads_apart) {
    Settings settings = *asked;
    Recorder recorder;
    recorder_open(&recorder, model, &settings, heads_apart);
    settings.attention_observer = recorder.observer;
    settings.listener = &recorder;
    Error error = {0};
    Run *run = runs_begin(model, &settings);
    Trace *trace = trace_begin(run, &error);
    EXPECT(recorder_take_text(&recorder, &trace->text_attention, &error), "%s", error.message);
    while (run_step(run, &error) == STEP_DONE_ONE) {
        TraceStep step;
        EXPECT(trace_step_copy(&step, run_last_step(run), &error), "%s", error.message);
        EXPECT(recorder_take(&recorder, &step.attention, &error), "%s", error.message);
        EXPECT(trace_take_step(trace, &step, &error) && !step.latents && step.attention.count == 0,
               "the step wasn't taken: %s", error.message);
    }
    run_free(run);
    recorder_close(&recorder);
    return trace;
}

// Of six steps some are guided and some aren't, and some are shallow.
static void test_there_and_back(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.guidance_low = 0.3f;
    settings.guidance_high = 5;
    settings.deep_cache = 2;
    char *path = path_join(test_folder("trace_there_and_back"), "trace.safetensors");
    for (int heads_apart = 0; heads_apart < 2; heads_apart++) {
        Trace *written = trace_run(model, &settings, heads_apart);
        size_t guided = 0;
        for (size_t k = 0; k < written->step_count; k++) guided += written->steps[k].noise_pred_text != NULL;
        EXPECT(written->step_count == 6 && guided > 0 && guided < 6, "%zu of %zu guided", guided, written->step_count);
        EXPECT(written->steps[0].attention.layers[0].heads == (heads_apart ? 2 : 1), "heads");
        Error error = {0};
        for (int with_image = 0; with_image < 2; with_image++) {
            float pixels[3 * 5 * 7] = {0.25f, NAN};
            EXPECT(!with_image || trace_set_image(written, pixels, 5, 7, &error), "%s", error.message);
            EXPECT(trace_write(written, path, &error), "%s", error.message);
            Trace *read = trace_open(path, &error);
            EXPECT(read, "%s", error.message);
            if (read) expect_same(read, written);
            trace_free(read);
        }
        trace_free(written);
    }
    free(path);
    model_close(model);
}

static void test_without_guidance(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.guidance_scale = 1;
    char *path = path_join(test_folder("trace_without_guidance"), "trace.safetensors");
    Run *run = runs_begin(model, &settings);
    Error error = {0};
    Trace *written = trace_begin(run, &error);
    EXPECT(written && written->rows == 1, "%s", error.message);
    EXPECT(!trace_write(written, path, &error) && strstr(error.message, "holds no step"), "%s", error.message);
    error = (Error){0};
    runs_step(run, 1);
    EXPECT(trace_step(written, run, &error), "%s", error.message);
    static const Metadata OTHER[] = {{"prompt", "another"}, {"empty", ""}};
    EXPECT(trace_set_metadata(written, OTHER, 2, &error) && trace_write(written, path, &error), "%s", error.message);
    Trace *read = trace_open(path, &error);
    EXPECT(read, "%s", error.message);
    if (read) {
        expect_same(read, written);
        EXPECT(!trace_metadata(read, "seed"), "metadata that was replaced");
    }
    EXPECT(memcmp(written->steps[0].prev_sample, run_latents(run), LATENTS * sizeof(float)) == 0, "prev_sample");
    trace_free(read);
    trace_free(written);
    run_free(run);
    free(path);
    model_close(model);
}

// ---- files that are no traces ---------------------------------------------------------------------------------------

// A small whole trace: latents [1, 2, 3], three tokens, of two steps the first guided, attention at the first.
enum { SMALL_TENSORS = 17 };
static const NamedTensor SMALL[SMALL_TENSORS] = {
    {"input_ids", {.shape = {2, {2, 3, 1, 1}}, .dtype = I64}},
    {"text_embeddings", {.shape = {3, {2, 3, 2, 1}}}},
    {"text_attention.layers.0", {.shape = {3, {2, 3, 3, 1}}}},
    {"latents.0", {.shape = {3, {1, 2, 3, 1}}}},
    {"noise_pred_uncond.0", {.shape = {3, {1, 2, 3, 1}}}},
    {"noise_pred_text.0", {.shape = {3, {1, 2, 3, 1}}}},
    {"noise_pred.0", {.shape = {3, {1, 2, 3, 1}}}},
    {"pred_original_sample.0", {.shape = {3, {1, 2, 3, 1}}}},
    {"attention.0.mid_block", {.shape = {3, {3, 2, 3, 1}}}},
    {"attention.0.up_blocks.0", {.shape = {4, {2, 3, 1, 2}}}},
    {"latents.1", {.shape = {3, {1, 2, 3, 1}}}},
    {"noise_pred.1", {.shape = {3, {1, 2, 3, 1}}}},
    {"pred_original_sample.1", {.shape = {3, {1, 2, 3, 1}}}},
    {"latents.2", {.shape = {3, {1, 2, 3, 1}}}},
    {"timesteps", {.shape = {1, {2, 1, 1, 1}}}},
    {"image", {.shape = {3, {3, 4, 6, 1}}}},
    {"something.else", {.shape = {1, {1, 1, 1, 1}}}},
};

// Writes SMALL, one tensor replaced by another (without a name: left out); the path is valid until the next call.
static const char *put_small(const char *name, const NamedTensor *instead) {
    static char path[600];
    static char numbers[128 * sizeof(float)];  // more than any of them has
    memset(numbers, 0xff, sizeof numbers);     // NaN and -1 are no reason to refuse a trace
    NamedTensor tensors[SMALL_TENSORS];
    size_t count = 0;
    for (size_t i = 0; i < SMALL_TENSORS; i++) {
        tensors[count] = SMALL[i];
        if (name && strcmp(SMALL[i].name, name) == 0) tensors[count] = *instead;
        tensors[count].tensor.data = numbers;
        tensors[count].tensor.place = ON_HOST;
        count += tensors[count].name != NULL;
    }
    snprintf(path, sizeof path, "%s/trace.safetensors", test_folder("trace_refused"));
    Error error = {0};
    EXPECT(safetensors_write(path, tensors, count, NULL, 0, &error), "%s", error.message);
    return path;
}

static void test_small(void) {
    Error error = {0};
    Trace *trace = trace_open(put_small(NULL, NULL), &error);
    EXPECT(trace, "%s", error.message);
    if (!trace) return;
    EXPECT(trace->step_count == 2 && trace->height == 2 && trace->width == 3 && trace->text_width == 2, "sizes");
    EXPECT(trace->steps[0].noise_pred_text && !trace->steps[1].noise_pred_text && isnan(trace->steps[1].latents[5]),
           "steps");
    const AttentionMaps *maps = &trace->steps[0].attention;
    EXPECT(maps->count == 2 && maps->layers[0].heads == 1 && maps->layers[1].heads == 2 && maps->layers[1].width == 2,
           "%zu layers", maps->count);
    EXPECT(trace->steps[1].attention.count == 0 && trace->text_attention.count == 1, "attention");
    EXPECT(trace->image_width == 6 && trace->image_height == 4 && trace->metadata_count == 0, "the picture");
    EXPECT(!trace_metadata(trace, "prompt"), "metadata from nowhere");
    trace_free(trace);
}

static void test_missing(void) {
    static const char *const NEEDED[] = {"input_ids", "text_embeddings", "latents.0",    "noise_pred_text.0",
                                         "latents.1", "latents.2",       "noise_pred.1", "pred_original_sample.1",
                                         "timesteps"};
    for (size_t i = 0; i < sizeof NEEDED / sizeof *NEEDED; i++) {
        Error error = {0};
        const char *path = put_small(NEEDED[i], &(NamedTensor){0});
        Trace *trace = trace_open(path, &error);
        EXPECT(!trace && strstr(error.message, path) && strstr(error.message, NEEDED[i]), "without %s: \"%s\"",
               NEEDED[i], error.message);
        trace_free(trace);
    }
    static const char *const IDLE[] = {"image", "attention.0.mid_block", "text_attention.layers.0", "something.else"};
    for (size_t i = 0; i < sizeof IDLE / sizeof *IDLE; i++) {
        Error error = {0};
        Trace *trace = trace_open(put_small(IDLE[i], &(NamedTensor){0}), &error);
        EXPECT(trace, "without %s: %s", IDLE[i], error.message);
        trace_free(trace);
    }
    Error error = {0};
    Trace *trace = trace_open("tests/golden/runs/sd1/unet/diffusion_pytorch_model.safetensors", &error);
    EXPECT(!trace && strstr(error.message, "is a safetensors file but no trace: it has no 'timesteps'"), "%s",
           error.message);
    trace_free(trace);
}

static void test_misshapen(void) {
    static const struct {
        const char *name;
        NamedTensor instead;
        const char *message;
    } CASES[] = {
        {"timesteps", {"timesteps", {.shape = {1, {0, 1, 1, 1}}}}, "timesteps: it is empty"},
        {"timesteps", {"timesteps", {.shape = {1, {3, 1, 1, 1}}}}, "noise_pred.2: it is missing"},
        {"timesteps", {"timesteps", {.shape = {2, {2, 1, 1, 1}}}}, "timesteps: it has 2 axes, not 1"},
        {"timesteps", {"timesteps", {.shape = {1, {2, 1, 1, 1}}, .dtype = I64}}, "its numbers are I64, not F32"},
        {"timesteps", {"timesteps", {.shape = {0, {1, 1, 1, 1}}}}, "it has 0 axes"},
        {"input_ids", {"input_ids", {.shape = {2, {2, 3, 1, 1}}}}, "input_ids: its numbers are F32, not I64"},
        {"input_ids", {"input_ids", {.shape = {2, {1, 3, 1, 1}}, .dtype = I64}}, "input_ids: its shape is [1, 3]"},
        {"text_embeddings", {"text_embeddings", {.shape = {3, {3, 3, 2, 1}}}}, "it has 3 rows"},
        {"text_embeddings", {"text_embeddings", {.shape = {3, {2, 3, 0, 1}}}}, "text_embeddings: it is empty"},
        {"latents.0", {"latents.0", {.shape = {2, {2, 3, 1, 1}}}}, "latents.0: it has 2 axes, not 3"},
        {"latents.0", {"latents.0", {.shape = {3, {1, 3, 2, 1}}}}, "noise_pred_uncond.0: its shape is [1, 2, 3]"},
        {"latents.1", {"latents.1", {.shape = {3, {1, 2, 2, 1}}}}, "latents.1: its shape is [1, 2, 2]"},
        {"latents.2", {"latents.2", {.shape = {3, {1, 2, 3, 1}}, .dtype = F16}}, "latents.2: its numbers are F16"},
        {"latents.2", {"latents.02", {.shape = {3, {1, 2, 3, 1}}}}, "latents.2: it is missing"},
        {"noise_pred.1", {"noise_pred.1", {.shape = {4, {1, 1, 2, 3}}}}, "noise_pred.1: it has 4 axes, not 3"},
        {"something.else", {"noise_pred_text.1", {.shape = {3, {1, 2, 3, 1}}}}, "without noise_pred_uncond.1"},
        {"image", {"image", {.shape = {3, {4, 4, 6, 1}}}}, "image: it has 4 colours"},
        {"image", {"image", {.shape = {3, {3, 0, 6, 1}}}}, "image: it is empty"},
        {"attention.0.mid_block", {"attention.0.mid_block", {.shape = {3, {4, 2, 3, 1}}}}, "maps of 4 tokens"},
        {"attention.0.mid_block", {"attention.0.mid_block", {.shape = {2, {3, 6, 1, 1}}}}, "it has 2 axes, not 3"},
        {"attention.0.mid_block", {"attention.0.mid_block", {.shape = {4, {0, 3, 2, 3}}}}, "it is empty"},
        {"attention.0.mid_block", {"attention.2.mid_block", {.shape = {3, {3, 2, 3, 1}}}}, "there are only 2 steps"},
        {"attention.0.mid_block", {"attention.00.mid_block", {.shape = {3, {3, 2, 3, 1}}}}, "STEP.LAYER"},
        {"attention.0.mid_block", {"attention.-1.mid_block", {.shape = {3, {3, 2, 3, 1}}}}, "STEP.LAYER"},
        {"attention.0.mid_block", {"attention.0.", {.shape = {3, {3, 2, 3, 1}}}}, "STEP.LAYER"},
        {"attention.0.mid_block", {"attention.mid_block", {.shape = {3, {3, 2, 3, 1}}}}, "STEP.LAYER"},
        {"text_attention.layers.0", {"text_attention.layers.0", {.shape = {3, {2, 3, 2, 1}}}}, "must be [2, 3, 3]"},
        {"text_attention.layers.0", {"text_attention.layers.0", {.shape = {2, {3, 3, 1, 1}}}}, "it has 2 axes"},
        {"text_attention.layers.0", {"text_attention.layers.0", {.shape = {3, {0, 3, 3, 1}}}}, "it is empty"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        Error error = {0};
        const char *path = put_small(CASES[i].name, &CASES[i].instead);
        Trace *trace = trace_open(path, &error);
        EXPECT(!trace, "case %zu, %s: opened", i, CASES[i].message);
        EXPECT(strstr(error.message, path) && strstr(error.message, CASES[i].message), "case %zu, %s: \"%s\"", i,
               CASES[i].message, error.message);
        trace_free(trace);
    }
}

static void test_no_file(void) {
    Error error = {0};
    EXPECT(!trace_open("build/tmp/nowhere.safetensors", &error) && strstr(error.message, "nowhere"), "%s",
           error.message);
    error = (Error){0};
    const char *path = files_put(test_folder("trace_no_file"), "text.safetensors", "no tensors here", 15);
    EXPECT(!trace_open(path, &error) && strstr(error.message, "text.safetensors"), "%s", error.message);
    trace_free(NULL);
}

int main(void) {
    TEST(test_there_and_back);
    TEST(test_without_guidance);
    TEST(test_small);
    TEST(test_missing);
    TEST(test_misshapen);
    TEST(test_no_file);
    return test_summary();
}
