// test_pipeline_prompts.c - what becomes of the words in a run: weights, clip_skip; and guidance_rescale
//
// That the numbers are diffusers' is proven in tests/parity/test_prompts_parity.c.

#include "ops/conv2d.h"
#include "ops/norm.h"
#include "run/recipe.h"
#include "run/run.h"
#include "runs.h"
#include "test.h"

#include <math.h>
#include <string.h>

// ---- weights --------------------------------------------------------------------------------------------------------

static void test_brackets_are_text(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    Run *plain = runs_begin(model, &settings);
    settings.prompt_weights = true;
    Run *unused = runs_begin(model, &settings);
    settings.prompt = "a (pink) cat";
    Run *weighted = runs_begin(model, &settings);
    settings.prompt_weights = false;
    Run *text = runs_begin(model, &settings);
    EXPECT(run_tokens(text, 1)->count == run_tokens(weighted, 1)->count + 2, "%zu and %zu tokens",
           run_tokens(text, 1)->count, run_tokens(weighted, 1)->count);
    EXPECT(run_tokens(weighted, 1)->tokens[1].weight == 1.1f && run_tokens(text, 1)->tokens[1].weight == 1,
           "pink weighs %g", (double)run_tokens(weighted, 1)->tokens[1].weight);
    Run *runs[] = {plain, unused, weighted, text};
    for (size_t i = 0; i < 4; i++) runs_finish(runs[i]);
    EXPECT(runs_same(plain, unused), "without brackets, asking for weights changes the picture");
    EXPECT(!runs_same(plain, weighted) && !runs_same(plain, text) && !runs_same(weighted, text),
           "brackets change nothing");
    for (size_t i = 0; i < 4; i++) run_free(runs[i]);
    model_close(model);
}

static double mean(const float *values, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += values[i];
    return sum / (double)n;
}

// The mean stays, and next to it only the vectors of weighted words have changed.
static void test_means_are_kept(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.negative_prompt = "a hat";
    Run *plain = runs_begin(model, &settings);
    settings.prompt = "a (pink:1.4) cat";
    settings.negative_prompt = "(a:0) hat";
    settings.prompt_weights = true;
    Run *weighted = runs_begin(model, &settings);
    static const float WEIGHTS[2][3] = {{0, 1, 1}, {1, 1.4f, 1}};
    size_t rows, length, width;
    const float *before = run_text_embeddings(plain, &rows, &length, &width);
    const float *after = run_text_embeddings(weighted, &rows, &length, &width);
    for (size_t row = 0; row < 2; row++, before += length * width, after += length * width) {
        double off = mean(after, length * width) / mean(before, length * width) - 1;
        EXPECT(fabs(off) < 1e-4, "row %zu: the mean is off by %g", row, off);
        double scale = (double)after[0] / before[0];  // the start, which weighs 1
        for (size_t i = 0; i < length * width; i++) {
            size_t token = i / width;
            double weight = token > 0 && token <= 3 ? (double)WEIGHTS[row][token - 1] : 1;
            double expected = before[i] * weight * scale;
            EXPECT(fabs(after[i] - expected) < 1e-4, "row %zu, token %zu: %g, not %g", row, token, (double)after[i],
                   expected);
        }
    }
    run_free(plain);
    run_free(weighted);
    model_close(model);
}

static void expect_refused(const Model *model, const Settings *settings, const char *word) {
    Error error = {0};
    Run *run = run_begin(model, settings, &error);
    EXPECT(!run, "a run began that should be refused for \"%s\"", word);
    EXPECT(strstr(error.message, word) && strstr(error.message, "; "), "the error is \"%s\", without \"%s\"",
           error.message, word);
    run_free(run);
}

static void test_refused(void) {
    Model *model = runs_model();
    Settings s = runs_usual(model);
    s.prompt_weights = true;
    s.prompt = "a (cat:2000)";
    expect_refused(model, &s, "weighs 2000");
    s.prompt = "a cat";
    s.negative_prompt = "a (cat:1.2.3)";
    expect_refused(model, &s, "no number");

    s = runs_usual(model);
    s.clip_skip = 3;
    expect_refused(model, &s, "3 layers to leave out, and this text encoder has 2");
    RunCost cost;
    EXPECT(!run_cost(model, &s, &cost, NULL), "run_cost skips 3 of 2 layers");

    s = runs_usual(model);
    const float rescales[] = {-0.1f, 1.1f, NAN, INFINITY};
    for (size_t i = 0; i < sizeof rescales / sizeof *rescales; i++) {
        s.guidance_rescale = rescales[i];
        expect_refused(model, &s, "guidance_rescale");
    }
    model_close(model);
}

static void zero_layer_norm(float *out, const float *in, const float *weight, const float *bias, LayerNormShape s,
                            float eps) {
    (void)in, (void)weight, (void)bias, (void)eps;
    memset(out, 0, s.N * s.C * sizeof *out);
}

// A text encoder whose vectors are all 0 has a mean that no factor brings back.
static void test_no_mean(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.prompt = "a (pink) cat";
    settings.prompt_weights = true;
    Kernel zero = *kernel_find(OP_LAYER_NORM, "naive");
    zero.function = (void (*)(void))zero_layer_norm;
    Context ctx;
    Prompts prompts;
    Error error = {0};
    EXPECT(context_open(&ctx, 1 << 24, 0, &error), "%s", error.message);
    ctx.kernels[OP_LAYER_NORM] = &zero;
    EXPECT(!prompts_encode(&prompts, &ctx, model, &settings, &error) && !prompts.embeddings, "took a mean of 0");
    EXPECT(strstr(error.message, "is 0 and can't be kept"), "%s", error.message);
    settings.prompt_weights = false;
    EXPECT(prompts_encode(&prompts, &ctx, model, &settings, &error), "%s", error.message);
    prompts_free(&prompts);
    context_close(&ctx);
    model_close(model);
}

// ---- clip_skip ------------------------------------------------------------------------------------------------------

static void count_layers(void *listener, const char *place, Tensor tensor) {
    (void)tensor;
    if (strncmp(place, "text_encoder.layers.", strlen("text_encoder.layers.")) == 0) ++*(size_t *)listener;
}

// Only the layers that are needed are run, the plan says so, and the negative prompt keeps all of them.
static void test_skipped_layers(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    size_t layers = text_encoder_config(model->text_encoder)->num_hidden_layers, rows, length, width;
    Run *all = runs_begin(model, &settings);
    RunCost before, cost;
    Error error = {0};
    EXPECT(run_cost(model, &settings, &before, &error), "%s", error.message);
    for (size_t skip = 1; skip <= layers; skip++) {
        size_t seen = 0;
        settings.clip_skip = skip;
        settings.observer = count_layers;
        settings.listener = &seen;
        EXPECT(run_cost(model, &settings, &cost, &error), "%s", error.message);
        EXPECT(cost.text.flops < before.text.flops, "%zu layers less cost %llu FLOP, and %llu before", skip,
               (unsigned long long)cost.text.flops, (unsigned long long)before.text.flops);
        before = cost;
        Run *run = runs_begin(model, &settings);
        EXPECT(seen == layers + layers - skip, "%zu layers were run", seen);
        const float *ours = run_text_embeddings(run, &rows, &length, &width);
        const float *whole = run_text_embeddings(all, &rows, &length, &width);
        EXPECT(relative_l2(ours, whole, length * width) < 1e-6, "the negative prompt changed");
        EXPECT(relative_l2(ours + length * width, whole + length * width, length * width) > 0.01,
               "%zu layers less make no difference", skip);
        run_free(run);
    }
    run_free(all);
    model_close(model);
}

// An arena of the planned size is enough, with guidance and without.
static void test_skipping_is_planned(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.width = settings.height = 4;  // so small that the text encoder needs the most
    for (size_t i = 0; i < 6; i++) {
        settings.clip_skip = i % 3;
        settings.guidance_scale = i < 3 ? 7.5f : 1;
        RunCost cost;
        Error error = {0};
        EXPECT(run_cost(model, &settings, &cost, &error), "%s", error.message);
        Run *run = runs_begin(model, &settings);
        runs_finish(run);
        EXPECT(run_peak_activation_bytes(run) <= cost.activation_bytes, "planned %zu bytes, took %zu",
               cost.activation_bytes, run_peak_activation_bytes(run));
        run_free(run);
    }
    model_close(model);
}

// ---- guidance_rescale -----------------------------------------------------------------------------------------------

static double deviation(const float *values, size_t n) {
    double m = mean(values, n), squares = 0;
    for (size_t i = 0; i < n; i++) squares += (values[i] - m) * (values[i] - m);
    return sqrt(squares / (double)(n - 1));
}

// All of it: the guided answer spreads as the one about the prompt does. None: it spreads wider. Without guidance there
// is nothing to take back.
static void test_rescale(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    double spread[3], text = 0;
    for (int i = 0; i < 3; i++) {
        settings.guidance_rescale = (float)i / 2;
        Run *run = runs_begin(model, &settings);
        runs_step(run, 1);
        spread[i] = deviation(run_last_step(run)->noise_pred, LATENTS);
        text = deviation(run_last_step(run)->noise_pred_text, LATENTS);
        run_free(run);
    }
    EXPECT(spread[0] > 1.05 * text, "guided, it spreads %g, and about the prompt %g", spread[0], text);
    EXPECT(fabs(spread[2] / text - 1) < 1e-5, "rescaled, it spreads %g, and about the prompt %g", spread[2], text);
    EXPECT(fabs(spread[1] / ((spread[0] + text) / 2) - 1) < 1e-5, "half of it: %g", spread[1]);

    settings.guidance_scale = 1;
    settings.guidance_rescale = 0;
    Run *plain = runs_begin(model, &settings);
    settings.guidance_rescale = 1;
    Run *rescaled = runs_begin(model, &settings);
    runs_finish(plain);
    runs_finish(rescaled);
    EXPECT(runs_same(plain, rescaled), "without guidance, rescaling changes the picture");
    run_free(plain);
    run_free(rescaled);
    model_close(model);
}

static void zero_conv2d(float *out, const float *in, const void *weight, const float *bias, Conv2dShape s,
                        void *scratch) {
    (void)in, (void)weight, (void)bias, (void)scratch;
    memset(out, 0, s.B * s.Cout * s.Hout * s.Wout * sizeof *out);
}

// An answer without any spread has none to rescale, and isn't divided by it.
static void test_rescale_nothing(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.guidance_rescale = 0.7f;
    Run *run = runs_begin(model, &settings);
    Kernel zero = *kernel_find(OP_CONV2D, "naive");
    zero.function = (void (*)(void))zero_conv2d;
    run->ctx.kernels[OP_CONV2D] = &zero;
    runs_step(run, 1);
    EXPECT(run_last_step(run)->noise_pred[0] == 0, "%g", (double)run_last_step(run)->noise_pred[0]);
    run_free(run);
    model_close(model);
}

// ---- all three ------------------------------------------------------------------------------------------------------

static const char *noted(const Run *run, const char *key) {
    size_t count;
    const Metadata *notes = run_metadata(run, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(notes[i].key, key) == 0) return notes[i].value;
    }
    return "";
}

static Settings special(const Model *model) {
    Settings settings = runs_usual(model);
    settings.prompt = "a (pink:1.3) cat";
    settings.prompt_weights = true;
    settings.clip_skip = 1;
    settings.guidance_rescale = 0.7f;
    return settings;
}

static void test_copy_and_change(void) {
    Model *model = runs_model();
    Settings settings = special(model), usual = runs_usual(model);
    Error error = {0};
    Run *run = runs_begin(model, &settings), *changed = runs_begin(model, &usual);
    runs_step(run, 3);
    Run *copy = run_copy(run, &error);
    EXPECT(copy, "%s", error.message);
    if (!copy) return;
    EXPECT(run_tokens(copy, 1)->tokens[1].weight == 1.3f, "in the copy, pink weighs %g",
           (double)run_tokens(copy, 1)->tokens[1].weight);
    EXPECT(run_change(copy, &settings, &error), "%s", error.message);
    runs_finish(run);
    runs_finish(copy);
    EXPECT(runs_same(run, copy), "a copy, changed to what it is, ends elsewhere");

    EXPECT(run_change(changed, &settings, &error), "%s", error.message);
    runs_finish(changed);
    EXPECT(runs_same(run, changed), "changed before its first step, it isn't what it was changed to");
    settings.prompt = "a (pink:1.2.3) cat";
    EXPECT(!run_change(changed, &settings, &error) && strcmp(noted(changed, "prompt"), "a (pink:1.3) cat") == 0,
           "a change that was refused changed it");
    run_free(run);
    run_free(copy);
    run_free(changed);
    model_close(model);
}

// "parameters" of the recipe
static void expect_parameters(const Run *run, const Settings *settings, const char *words, bool there) {
    Recipe recipe;
    recipe_make(&recipe, run, settings);
    const char *line = recipe.rows[recipe.count - 1].value;
    EXPECT((strstr(line, words) != NULL) == there, "%s \"%s\" in %s", there ? "no" : "there is", words, line);
    recipe_free(&recipe);
}

static void test_notes(void) {
    Model *model = runs_model();
    Settings settings = special(model);
    Run *run = runs_begin(model, &settings);
    EXPECT(strcmp(noted(run, "guidance_rescale"), "0.7") == 0 && strcmp(noted(run, "clip_skip"), "1") == 0 &&
               strcmp(noted(run, "prompt_weights"), "true") == 0,
           "\"%s\" \"%s\" \"%s\"", noted(run, "guidance_rescale"), noted(run, "clip_skip"),
           noted(run, "prompt_weights"));
    expect_parameters(run, &settings, "Clip skip: 2, ", true);
    expect_parameters(run, &settings, "Emphasis", false);
    run_free(run);

    settings = runs_usual(model);
    run = runs_begin(model, &settings);
    EXPECT(!*noted(run, "guidance_rescale") && !*noted(run, "clip_skip") && !*noted(run, "prompt_weights"),
           "it notes what wasn't asked for");
    expect_parameters(run, &settings, "Clip skip", false);
    expect_parameters(run, &settings, "Emphasis", false);
    settings.negative_prompt = "(hat)";
    expect_parameters(run, &settings, "Emphasis: None, ", true);
    run_free(run);
    model_close(model);
}

int main(void) {
    TEST(test_brackets_are_text);
    TEST(test_means_are_kept);
    TEST(test_refused);
    TEST(test_no_mean);
    TEST(test_skipped_layers);
    TEST(test_skipping_is_planned);
    TEST(test_rescale);
    TEST(test_rescale_nothing);
    TEST(test_copy_and_change);
    TEST(test_notes);
    return test_summary();
}
