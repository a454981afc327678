// test_exact_run.c - runs that ask the exact denoiser: where they end, what they share with other runs, what is refused

#include "base/rng.h"
#include "run/run.h"
#include "runs.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 24 };

static float latents[COUNT * LATENTS];

// "a pink cat" means two of them, all else nothing
static bool match(const void *matcher, const char *prompt, size_t *index, size_t *count, Error *error) {
    (void)matcher;
    if (strcmp(prompt, "a pink cat") != 0) return error_set(error, "prompt: nobody knows; ask for a pink cat");
    index[0] = 2, index[1] = 5, *count = 2;
    return true;
}

static ExactDenoiser exact_of_random(void) {
    Rng rng;
    rng_seed(&rng, 3);
    rng_normal(&rng, latents, COUNT * LATENTS);
    return (ExactDenoiser){.set = {latents, COUNT, LATENT_CHANNELS, HEIGHT / 4, WIDTH / 4}, .match = match};
}

static size_t nearest(const float *x, double *distance) {
    LatentSet set = {latents, COUNT, LATENT_CHANNELS, HEIGHT / 4, WIDTH / 4};
    return exact_nearest(x, &set, (LatentChoice){NULL, COUNT}, distance);
}

static bool among(size_t i, const char *prompt) { return !*prompt || i == 2 || i == 5; }

// ---- where runs end -------------------------------------------------------------------------------------------------

// As a whole: in a latent of the set that the prompt means, whatever the scheduler and what is predicted. At the last
// step, whose noise is least, the answer is that latent, but for roundings.
static void test_remembers(void) {
    static const char *const schedulers[] = {"ddim", "euler", "heun", "dpmpp_2m", "euler_a", "pndm"};
    static const char *const overrides[] = {"prediction_type=v_prediction"};
    Model *model = runs_model();
    ExactDenoiser exact = exact_of_random();
    for (size_t i = 0; i < 6; i++) {
        for (size_t v = 0; v < 2; v++) {
            Settings settings = runs_usual(model);
            settings.exact = &exact;
            settings.prompt = i % 2 ? "a pink cat" : "";
            settings.guidance_scale = 1;
            settings.num_inference_steps = 20;
            settings.scheduler = schedulers[i];
            settings.scheduler_overrides = overrides;
            settings.scheduler_override_count = v;
            Run *run = runs_begin(model, &settings);
            runs_finish(run);
            double distance;
            size_t found = nearest(run_last_step(run)->pred_original_sample, &distance);
            EXPECT(distance < 1e-3 && among(found, settings.prompt), "%s, %zu: latent %zu, %.2g away", schedulers[i], v,
                   found, distance);
            found = nearest(run_latents(run), &distance);
            EXPECT(distance < 0.06, "%s, %zu: the latents are %.2g from %zu", schedulers[i], v, distance, found);
            run_free(run);
        }
    }
    model_close(model);
}

// Through windows it doesn't: random latents are about sqrt(2) apart, and what comes out is far from all of them.
static void test_invents_through_windows(void) {
    Model *model = runs_model();
    ExactDenoiser exact = exact_of_random();
    exact.window = 3;
    for (exact.reach = 0; exact.reach < 2; exact.reach++) {
        Settings settings = runs_usual(model);
        settings.exact = &exact;
        settings.prompt = "";
        settings.guidance_scale = 1;
        settings.num_inference_steps = 20;
        Run *run = runs_begin(model, &settings);
        runs_finish(run);
        double distance;
        size_t found = nearest(run_latents(run), &distance);
        EXPECT(distance > 0.5, "reach %zu: %.2g from latent %zu", exact.reach, distance, found);
        run_free(run);
    }
    model_close(model);
}

// With guidance one row asks all latents, or those of the negative prompt, the other those of the prompt.
static void test_guidance(void) {
    static const size_t pink[] = {2, 5};
    Model *model = runs_model();
    ExactDenoiser exact = exact_of_random();
    Settings settings = runs_usual(model);
    settings.exact = &exact;
    Run *run = runs_begin(model, &settings);
    runs_step(run, 2);
    const StepRecord *step = run_last_step(run);
    double weights[COUNT];
    double sigma = scheduler_sigma(run_scheduler(run), 1), a = 1 / (1 + sigma * sigma);
    float x0[LATENTS], noise[2][LATENTS];
    for (size_t row = 0; row < 2; row++) {
        LatentChoice choice = row ? (LatentChoice){pink, 2} : (LatentChoice){NULL, COUNT};
        exact_denoise(x0, weights, step->latents, a, &exact.set, choice);
        for (size_t i = 0; i < LATENTS; i++)
            noise[row][i] = (float)((step->latents[i] - sqrt(a) * x0[i]) / sqrt(1 - a));
    }
    EXPECT(relative_l2(step->noise_pred_uncond, noise[0], LATENTS) < 1e-6, "without the prompt");
    EXPECT(relative_l2(step->noise_pred_text, noise[1], LATENTS) < 1e-6, "with the prompt");
    run_free(run);
    model_close(model);
}

// ---- as other runs --------------------------------------------------------------------------------------------------

static void test_copy_ask_replay(void) {
    Error error = {0};
    Model *model = runs_model();
    ExactDenoiser exact = exact_of_random();
    for (exact.window = 0; exact.window < 4; exact.window += 3) {
        Settings settings = runs_usual(model);
        settings.exact = &exact;
        Run *run = runs_begin(model, &settings), *again = runs_begin(model, &settings);
        runs_step(run, 2);
        Run *copy = run_copy(run, &error);
        EXPECT(copy, "%s", error.message);
        float asked[LATENTS];
        EXPECT(run_ask(run, NULL, asked, &error), "%s", error.message);
        EXPECT(!run_ask(run, "a dog", asked + 0, &error) && strstr(error.message, "nobody knows"), "%s", error.message);
        EXPECT(run_ask(run, NULL, asked, &error), "asking fails after a refusal");
        for (size_t k = 0; k < 2; k++) runs_step(again, 1);
        runs_step(run, 1);
        const StepRecord *step = run_last_step(run);
        EXPECT(memcmp(asked, step->noise_pred_text, sizeof asked) == 0, "asked, it answers otherwise");
        StepAnswer answer = {step->noise_pred_uncond, step->noise_pred_text, step->noise_pred};
        EXPECT(run_replay(again, &answer, &error) == STEP_DONE_ONE && runs_same(run, again), "replay leads elsewhere");
        if (copy) {
            runs_finish(copy);
            runs_finish(run);
            EXPECT(runs_same(run, copy), "the copy ends elsewhere");
        }
        run_free(copy);
        run_free(again);
        run_free(run);
    }
    model_close(model);
}

// From the network to the training set and back
static void test_change(void) {
    Error error = {0};
    Model *model = runs_model();
    ExactDenoiser exact = exact_of_random();
    Settings network = runs_usual(model), asks_set = network;
    network.num_inference_steps = asks_set.num_inference_steps = 20;
    asks_set.exact = &exact;
    asks_set.guidance_scale = 1;
    Run *run = runs_begin(model, &network), *changed = runs_begin(model, &asks_set);
    EXPECT(run_change(changed, &network, &error), "%s", error.message);
    runs_step(run, 1);
    runs_step(changed, 1);
    EXPECT(runs_same(run, changed), "changed to the network before the first step, it isn't asked");
    EXPECT(run_change(run, &asks_set, &error), "%s", error.message);
    runs_finish(run);
    double distance;
    size_t found = nearest(run_last_step(run)->pred_original_sample, &distance);
    EXPECT(distance < 1e-3 && among(found, "a pink cat"), "latent %zu, %.2g away", found, distance);
    run_free(changed);
    run_free(run);
    model_close(model);
}

static void test_image_to_image_cost_and_notes(void) {
    Error error = {0};
    Model *model = runs_model();
    ExactDenoiser exact = exact_of_random();
    exact.window = 3;
    Image init = image_new(WIDTH, HEIGHT);
    memset(init.pixels, 99, 3 * WIDTH * HEIGHT);
    Settings settings = runs_usual(model);
    settings.exact = &exact;
    settings.init = &init;
    settings.strength = 0.5f;
    RunCost cost, of_network;
    EXPECT(run_cost(model, &settings, &cost, &error), "%s", error.message);
    EXPECT(cost.unet_calls == 0 && cost.exact_answers == 6 && cost.timestep_count == 3, "%zu and %zu answers",
           cost.unet_calls, cost.exact_answers);
    // A prompt that means two latents of 24 costs a twelfth
    EXPECT(cost.steps.flops == 3 * exact_windows_flops(&exact.set, COUNT + 2, 3, 0), "%zu FLOP",
           (size_t)cost.steps.flops);
    Run *run = runs_begin(model, &settings);
    runs_finish(run);
    size_t count, said = 0;
    const Metadata *notes = run_metadata(run, &count);
    for (size_t i = 0; i < count; i++) {
        said += strcmp(notes[i].key, "exact") == 0 && strcmp(notes[i].value, "24") == 0;
        said += strcmp(notes[i].key, "window") == 0 && strcmp(notes[i].value, "3,0") == 0;
    }
    EXPECT(said == 2, "the notes don't say what was asked");
    settings.exact = NULL;
    EXPECT(run_cost(model, &settings, &of_network, &error) && of_network.exact_answers == 0, "%s", error.message);
    run_free(run);
    image_free(&init);
    model_close(model);
}

// ---- what is refused ------------------------------------------------------------------------------------------------

static void expect_refused(const Model *model, const Settings *settings, const char *why) {
    Error error = {0}, of_cost = {0};
    RunCost cost;
    Run *run = run_begin(model, settings, &error);
    EXPECT(!run && strstr(error.message, why), "not about \"%s\": %s", why, error.message);
    EXPECT(!run_cost(model, settings, &cost, &of_cost) && strstr(of_cost.message, why), "cost: %s", of_cost.message);
    run_free(run);
}

static void test_refusals(void) {
    Model *model = runs_model();
    ExactDenoiser exact = exact_of_random();
    Settings usual = runs_usual(model), settings = usual;
    usual.exact = settings.exact = &exact;
    settings.deep_cache = 2;
    expect_refused(model, &settings, "deep_cache");
    settings = usual;
    settings.prompt_weights = true;
    expect_refused(model, &settings, "prompt_weights");
    settings = usual;
    settings.clip_skip = 1;
    expect_refused(model, &settings, "clip_skip");
    settings = usual;
    settings.width = 2 * WIDTH;
    expect_refused(model, &settings, "draw in the set's size");
    settings = usual;
    settings.prompt = "a dog";
    expect_refused(model, &settings, "ask for a pink cat");
    settings = usual;
    settings.negative_prompt = "a dog";
    expect_refused(model, &settings, "ask for a pink cat");
    exact.window = 4;
    expect_refused(model, &usual, "odd");
    exact.window = 7;
    expect_refused(model, &usual, "at most 6");
    exact.window = 0;
    exact.match = NULL;
    expect_refused(model, &usual, "means all of them");
    exact.set.count = 0;
    expect_refused(model, &usual, "no latents");
    model_close(model);
}

int main(void) {
    TEST(test_remembers);
    TEST(test_invents_through_windows);
    TEST(test_guidance);
    TEST(test_copy_ask_replay);
    TEST(test_change);
    TEST(test_image_to_image_cost_and_notes);
    TEST(test_refusals);
    return test_summary();
}
