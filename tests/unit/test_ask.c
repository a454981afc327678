// test_ask.c - the U-Net asked about a run's latents, between its steps, with other prompts

#include "parity/family.h"
#include "run/run.h"
#include "runs.h"
#include "stages/unet_weights.h"
#include "test.h"

#include <math.h>
#include <string.h>

static const char OTHER[] = "a crown at (night:1.4)";

static bool same(const float *a, const float *b) { return memcmp(a, b, LATENTS * sizeof *a) == 0; }

// ---- the answer -----------------------------------------------------------------------------------------------------

// A prompt asked about in one run is what another run, which has that prompt, is told at its first step. Both go through
// the text encoder and the U-Net as one row, so they agree bit for bit.
static void expect_answers(const Model *model, Settings settings, const char *name) {
    Error error = {0};
    Settings with_other = settings;
    with_other.prompt = OTHER;
    Run *run = runs_begin(model, &settings), *other = runs_begin(model, &with_other);
    float own[LATENTS], asked[LATENTS];
    EXPECT(run_ask(run, NULL, own, &error) && run_ask(run, OTHER, asked, &error), "%s: %s", name, error.message);
    runs_step(run, 1);
    runs_step(other, 1);
    EXPECT(same(own, run_last_step(run)->noise_pred), "%s: the own prompt is answered otherwise", name);
    EXPECT(same(asked, run_last_step(other)->noise_pred), "%s: another prompt is answered otherwise", name);
    EXPECT(!same(asked, own), "%s: both prompts are answered alike", name);
    run_free(run);
    run_free(other);
}

static void test_answers(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.guidance_scale = 1;
    expect_answers(model, settings, "plain");
    settings.prompt_weights = true;
    expect_answers(model, settings, "weights");
    settings.clip_skip = 1;
    expect_answers(model, settings, "weights and skipped layers");
    settings.scheduler = "euler";  // whose latents aren't what the U-Net is shown
    expect_answers(model, settings, "scaled input");
    model_close(model);
}

// A U-Net that is told the guidance, and one that is shown a mask
static void test_answers_of_other_unets(void) {
    Error error = {0};
    Image init = image_new(7, 5), mask = image_new(WIDTH, HEIGHT);
    memset(mask.pixels, 255, 3 * WIDTH * HEIGHT / 2);
    Model *lcm = model_open(family_folder("lcm"), &error);
    EXPECT(lcm, "%s", error.message);
    if (lcm) expect_answers(lcm, runs_usual(lcm), "lcm");
    Model *nine = model_open(family_folder("inpaint"), &error);
    EXPECT(nine, "%s", error.message);
    if (nine) {
        Settings settings = runs_usual(nine);
        settings.guidance_scale = 1;
        settings.init = &init;
        settings.mask = &mask;
        settings.strength = 1;
        expect_answers(nine, settings, "nine channels");
    }
    model_close(nine);
    model_close(lcm);
    image_free(&init);
    image_free(&mask);
}

// With guidance a step asks in a batch of two and run_ask in one of one. linear's fast kernels cut a matrix of few rows
// into other tiles, whose sums round otherwise: with them the answers agree but for the last bits, with naive exactly.
static void expect_both_halves(const Model *model, const Settings *settings, double bound) {
    Error error = {0};
    Run *run = runs_begin(model, settings);
    for (size_t k = 0; k < run_step_count(run); k++) {
        float text[LATENTS], uncond[LATENTS];
        EXPECT(run_ask(run, NULL, text, &error) && run_ask(run, settings->negative_prompt, uncond, &error), "%s",
               error.message);
        runs_step(run, 1);
        const StepRecord *step = run_last_step(run);
        double off = relative_l2(text, step->noise_pred_text, LATENTS);
        EXPECT(off <= bound, "step %zu: the prompt's answer is off by %.2g", k, off);
        off = relative_l2(uncond, step->noise_pred_uncond, LATENTS);
        EXPECT(off <= bound, "step %zu: the negative prompt's answer is off by %.2g", k, off);
    }
    run_free(run);
}

static void test_both_halves(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.negative_prompt = "blue";
    expect_both_halves(model, &settings, 1e-5);
    settings.scheduler = "heun";
    settings.kernels[0] = "linear=naive";
    settings.kernels[1] = "conv2d=naive";
    settings.kernels[2] = "attention=naive";
    settings.kernel_count = 3;
    expect_both_halves(model, &settings, 0);
    model_close(model);
}

// ---- the run stays as it is -----------------------------------------------------------------------------------------

static void expect_undisturbed(const Model *model, const Settings *settings, const char *name) {
    Error error = {0};
    Run *undisturbed = runs_begin(model, settings), *run = runs_begin(model, settings);
    for (size_t k = 0; k < run_step_count(run); k++) {
        float answer[LATENTS];
        DeepAge age = run->deep.age;
        EXPECT(run_ask(run, k % 2 ? OTHER : NULL, answer, &error), "%s: %s", name, error.message);
        EXPECT(memcmp(&age, &run->deep.age, sizeof age) == 0, "%s: asking is a U-Net call of the run's", name);
        if (k > 0) {
            const StepRecord *a = run_last_step(run), *b = run_last_step(undisturbed);
            EXPECT(a->k == b->k && same(a->latents, b->latents) && same(a->noise_pred, b->noise_pred) &&
                       same(a->noise_pred_text, b->noise_pred_text) && same(a->prev_sample, b->prev_sample) &&
                       same(a->pred_original_sample, b->pred_original_sample),
                   "%s: asking changes what step %zu left", name, k - 1);
        }
        runs_step(run, 1);
        runs_step(undisturbed, 1);
        EXPECT(runs_same(run, undisturbed), "%s: after asking, step %zu leads elsewhere", name, k);
    }
    EXPECT(run_steps_done(run) == run_step_count(run), "%s: asking changes the count", name);
    run_free(undisturbed);
    run_free(run);
}

static void test_undisturbed(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.scheduler = "dpmpp_2m_sde";  // a history, and a draw at each step
    expect_undisturbed(model, &settings, "random and with a history");
    settings.deep_cache = 3;
    expect_undisturbed(model, &settings, "with deep features");
    settings = runs_usual(model);
    settings.scheduler = "kdpm2";
    Image init = image_new(7, 5), mask = image_new(WIDTH, HEIGHT);
    memset(mask.pixels, 255, 3 * WIDTH * HEIGHT / 2);
    settings.init = &init;
    settings.mask = &mask;
    expect_undisturbed(model, &settings, "inpainting");
    image_free(&init);
    image_free(&mask);
    model_close(model);
}

typedef struct Watch {
    Run *run;
    size_t unets, attentions;
    bool stops;
} Watch;

static void watch(void *listener, const char *place, Tensor tensor) {
    (void)tensor;
    Watch *watch = listener;
    watch->unets += strcmp(place, "unet") == 0;
    if (watch->stops && strstr(place, "mid_block")) run_stop(watch->run);
}

static bool wants_all(void *listener, const char *place) {
    (void)listener, (void)place;
    return true;
}

static void note_attention(void *listener, const char *place, Tensor probabilities) {
    (void)place;
    Watch *watch = listener;
    watch->attentions += probabilities.shape.axis[0] == 1;
}

// Whoever observes the run is shown one pass; stopped in the midst of it, or before, the run goes on as if nothing had
// been asked.
static void test_observed_and_stopped(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    Run *undisturbed = runs_begin(model, &settings), *run = runs_begin(model, &settings);
    runs_step(run, 2);
    Error error = {0};
    Watch seen = {.run = run};
    float answer[LATENTS] = {7};
    EXPECT(run_observe(run, watch, (AttentionObserver){wants_all, note_attention}, &seen, &error), "%s", error.message);
    EXPECT(run_ask(run, NULL, answer, &error) && seen.unets == 1, "%zu passes are shown", seen.unets);
    EXPECT(seen.attentions > 2, "%zu matrices of one row are shown", seen.attentions);

    seen.stops = true;
    answer[0] = 7;
    EXPECT(!run_ask(run, OTHER, answer, &error) && strcmp(error.message, "cancelled") == 0, "%s", error.message);
    EXPECT(seen.unets == 1 && answer[0] == 7, "a stopped pass ends, or answers");
    EXPECT(run_observe(run, NULL, (AttentionObserver){0}, NULL, &error), "%s", error.message);
    for (size_t i = 0; i < 2; i++) {
        error = (Error){0};
        run_stop(run);
        EXPECT(!run_ask(run, i ? OTHER : NULL, answer, &error) && strcmp(error.message, "cancelled") == 0, "said %s",
               error.message);
    }
    EXPECT(run_ask(run, NULL, answer, &error), "one stop cancels two questions: %s", error.message);
    runs_finish(undisturbed);
    runs_finish(run);
    EXPECT(runs_same(run, undisturbed), "after stopped questions a run ends elsewhere");
    run_free(undisturbed);
    run_free(run);
    model_close(model);
}

// ---- refusing -------------------------------------------------------------------------------------------------------

static void expect_refused(Run *run, const char *prompt, const char *words) {
    Error error = {0};
    float answer[LATENTS] = {7};
    EXPECT(!run_ask(run, prompt, answer, &error) && strstr(error.message, words), "said \"%s\", not \"%s\"",
           error.message, words);
    EXPECT(answer[0] == 7, "a refused question was answered");
}

static void test_refused(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.prompt_weights = true;
    Run *run = runs_begin(model, &settings);
    expect_refused(run, "caf\xe9", "UTF-8");
    expect_refused(run, "a (cat:1.2.3)", "weight");

    float broken[4] = {[2] = NAN};
    Tensor sound = model->unet->conv_out.bias;
    model->unet->conv_out.bias = tensor_over(broken, shape1(4));
    expect_refused(run, NULL, "not finite");
    expect_refused(run, OTHER, "not finite");
    model->unet->conv_out.bias = sound;
    runs_finish(run);
    expect_refused(run, NULL, "finished");
    expect_refused(run, OTHER, "finished");
    run_free(run);
    model_close(model);
}

// ---- the preview's linear map ---------------------------------------------------------------------------------------

// It makes the preview's pixels; a model with a preview VAE, which shows its own pictures, has the same map.
static void test_latent_rgb(void) {
    Error error = {0};
    Model *plain = runs_model();
    ModelOptions options = {.preview_vae = "tests/golden/stages/vae_tiny"};
    Model *small = model_open_with("tests/golden/runs/sd1", &options, &error);
    EXPECT(small, "%s", error.message);
    if (!small) return;
    Settings settings = runs_usual(plain);
    Run *run = runs_begin(plain, &settings), *other = runs_begin(small, &settings);
    float map[5][3], other_map[5][3];
    run_stop(run);
    EXPECT(!run_latent_rgb(run, map, &error) && strcmp(error.message, "cancelled") == 0, "%s", error.message);
    EXPECT(run_step(run, &error) == STEP_CANCELLED, "the stop was used up");
    EXPECT(run_latent_rgb(run, map, &error) && run_latent_rgb(other, other_map, &error), "%s", error.message);
    EXPECT(memcmp(map, other_map, sizeof map) == 0, "with a preview VAE the map is another");

    Image image;
    EXPECT(run_preview(run, run_latents(run), &image, &error), "%s", error.message);
    size_t area = LATENTS / LATENT_CHANNELS;
    for (size_t i = 0; i < 3 * area; i++) {
        float value = map[LATENT_CHANNELS][i % 3];
        for (size_t c = 0; c < LATENT_CHANNELS; c++) value += run_latents(run)[c * area + i / 3] * map[c][i % 3];
        float expected = fminf(fmaxf(value, 0), 1) * 255;
        EXPECT(fabsf(expected - (float)image.pixels[i]) <= 0.501f, "pixel %zu is %d, not %g", i, image.pixels[i],
               (double)expected);
    }
    image_free(&image);
    run_free(run);
    run_free(other);
    model_close(plain);
    model_close(small);
}

int main(void) {
    TEST(test_answers);
    TEST(test_answers_of_other_unets);
    TEST(test_both_halves);
    TEST(test_undisturbed);
    TEST(test_observed_and_stopped);
    TEST(test_refused);
    TEST(test_latent_rgb);
    return test_summary();
}
