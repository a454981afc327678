// test_pipeline_parity.c - whole runs against diffusers' StableDiffusionPipeline (tests/make_golden_runs.py)

#include "parity/run_golden.h"
#include "sculpt.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN "tests/golden/runs"
#define PROMPT "a pink cat wearing a crown, at night"
#define NEGATIVE "blurry hat"

enum { WIDTH = 24, HEIGHT = 32 };
static const double BOUND = 1e-4;  // relative L2 of latents
static const double BOUND_PSNR = 60;

typedef struct Case {
    const char *name, *model, *scheduler;
    size_t steps;
    float guidance;
    const char *negative;
    uint64_t seed;
    float strength;  // 0: text to image
    const char *override;
} Case;

// The same as RUNS in make_golden_runs.py
static const Case CASES[] = {
    {"ddim", "sd1", NULL, 20, 7.5f, NEGATIVE, 1, 0, NULL},
    {"euler", "sd1", "euler", 20, 7.5f, NEGATIVE, 2, 0, NULL},
    {"unguided", "sd1", NULL, 6, 1, "", 3, 0, NULL},
    {"eta", "sd1", NULL, 10, 4, "", 4, 0, "eta=0.5"},
    {"trailing", "sd1", "euler", 7, 3, "", 5, 0, "timestep_spacing=trailing"},
    {"img2img", "sd1", NULL, 20, 7.5f, NEGATIVE, 6, 0.6f, NULL},
    {"img2img_euler", "sd1", "euler", 10, 5, "", 7, 0.7f, NULL},
    {"v_ddim", "sd2", NULL, 20, 7.5f, NEGATIVE, 8, 0, NULL},
    {"v_euler", "sd2", "euler", 20, 7.5f, NEGATIVE, 9, 0, NULL},
    {"v_img2img", "sd2", NULL, 10, 7.5f, "", 10, 0.6f, NULL},
};
enum { CASE_COUNT = sizeof CASES / sizeof CASES[0] };

static Model *open_model(const char *name) {
    char path[256];
    Error error = {0};
    snprintf(path, sizeof path, "%s/%s", GOLDEN, name);
    Model *model = model_open(path, &error);
    EXPECT(model, "%s", error.message);
    return model;
}

static Settings settings_of(const Case *c, const Model *model, const Image *init) {
    Settings settings = settings_default(model);
    settings.prompt = PROMPT;
    settings.negative_prompt = c->negative;
    settings.width = WIDTH;
    settings.height = HEIGHT;
    settings.num_inference_steps = c->steps;
    settings.guidance_scale = c->guidance;
    settings.seed = c->seed;
    settings.scheduler = c->scheduler;
    settings.scheduler_overrides = &c->override;
    settings.scheduler_override_count = c->override != NULL;
    if (c->strength > 0) {
        settings.init = init;
        settings.strength = c->strength;
    }
    return settings;
}

// ---- what diffusers did ---------------------------------------------------------------------------------------------

static void compare_ids(const SafetensorsFile *golden, const Case *c, const Run *run) {
    const SafetensorsEntry *ids = run_golden_expect(golden, c->name, "input_ids");
    if (!ids) return;
    size_t rows = ids->axis[0], length = ids->axis[1];
    for (size_t row = 0; row < rows; row++) {
        const TokenIds *ours = run_tokens(run, rows == 2 ? (int)row : 1);
        EXPECT(ours->length == length, "%s: %zu ids, not %zu", c->name, ours->length, length);
        EXPECT(memcmp(ours->ids, (const int64_t *)ids->data + row * length, length * sizeof(int64_t)) == 0,
               "%s: the ids of row %zu differ", c->name, row);
    }
}

// Runs a case and returns the largest relative L2 of the latents over its steps.
static double follow(const SafetensorsFile *golden, const Case *c, Run *run) {
    const SafetensorsEntry *latents = run_golden_expect(golden, c->name, "latents");
    if (!latents || !run_golden_expect(golden, c->name, "timesteps") ||
        !run_golden_expect(golden, c->name, "noise_pred") ||
        !run_golden_expect(golden, c->name, "pred_original_sample")) {
        return INFINITY;
    }
    double off = relative_l2(run_latents(run), latents->data, latents->axis[1] * latents->axis[2] * latents->axis[3]);
    EXPECT(off <= 1e-5, "%s: the first latents are off by %.2g", c->name, off);
    return run_golden_follow(golden, c->name, run, BOUND);
}

static void test_runs(void) {
    Error error = {0};
    SafetensorsFile *golden = safetensors_open(GOLDEN "/golden.safetensors", &error);
    Model *models[2] = {open_model("sd1"), open_model("sd2")};
    EXPECT(golden, "%s", error.message);
    Image init = run_golden_init(WIDTH, HEIGHT);
    for (size_t i = 0; i < CASE_COUNT && golden && models[0] && models[1]; i++) {
        const Case *c = &CASES[i];
        const Model *model = models[strcmp(c->model, "sd2") == 0];
        Settings settings = settings_of(c, model, &init);
        Image image = {0};
        Run *run = run_begin(model, &settings, &error);
        EXPECT(run, "%s: %s", c->name, error.message);
        if (!run) continue;
        compare_ids(golden, c, run);
        double off = follow(golden, c, run);
        EXPECT(run_finish(run, &image, &error), "%s: %s", c->name, error.message);
        const SafetensorsEntry *picture = run_golden_expect(golden, c->name, "image");
        double psnr = picture && image.pixels ? run_golden_psnr(picture, &image) : 0;
        EXPECT(off <= BOUND, "%s: latents are off by %.2g", c->name, off);
        EXPECT(psnr >= BOUND_PSNR, "%s: the picture's PSNR is %.1f dB", c->name, psnr);
        printf("parity  run %-14s latents %.1e (bound %.0e)  picture %4.1f dB (bound %.0f)\n", c->name, off, BOUND,
               psnr, BOUND_PSNR);
        image_free(&image);
        run_free(run);
    }
    image_free(&init);
    model_close(models[0]);
    model_close(models[1]);
    safetensors_close(golden);
}

// ---- the test can fail ----------------------------------------------------------------------------------------------

static void test_mistakes_show(void) {
    Error error = {0};
    SafetensorsFile *golden = safetensors_open(GOLDEN "/golden.safetensors", &error);
    Model *model = open_model("sd1");
    EXPECT(golden, "%s", error.message);
    if (!golden || !model) return;
    const Case *ddim = &CASES[0], *euler = &CASES[1];

    Settings settings = settings_of(ddim, model, NULL);
    settings.prompt = NEGATIVE;
    settings.negative_prompt = PROMPT;
    double off = run_golden_off(golden, ddim->name, model, &settings);
    EXPECT(off > 100 * BOUND, "swapped halves of the guidance only show as %.2g", off);

    settings = settings_of(ddim, model, NULL);
    settings.scheduler_overrides = (const char *const[]){"steps_offset=0"};
    settings.scheduler_override_count = 1;
    off = run_golden_off(golden, ddim->name, model, &settings);
    EXPECT(off > 10 * BOUND, "timesteps off by one only show as %.2g", off);

    // Latents that init_noise_sigma will be multiplied to, divided by it beforehand
    settings = settings_of(euler, model, NULL);
    Run *run = run_begin(model, &settings, &error);
    float unscaled[4 * (HEIGHT / 4) * (WIDTH / 4)], sigma = run_scheduler(run)->init_noise_sigma;
    for (size_t i = 0; i < sizeof unscaled / sizeof unscaled[0]; i++) unscaled[i] = run_latents(run)[i] / sigma / sigma;
    run_free(run);
    settings.latents = unscaled;
    off = run_golden_off(golden, euler->name, model, &settings);
    EXPECT(off > 100 * BOUND, "a forgotten init_noise_sigma only shows as %.2g", off);

    model_close(model);
    safetensors_close(golden);
}

int main(void) {
    TEST(test_runs);
    TEST(test_mistakes_show);
    return test_summary();
}
