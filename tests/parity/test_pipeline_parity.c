// test_pipeline_parity.c - whole runs against diffusers' StableDiffusionPipeline (tests/make_golden_runs.py)

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

// red from left to right, green from top to bottom, blue in stripes
static Image init_image(void) {
    Image image = image_new(WIDTH, HEIGHT);
    for (size_t y = 0; y < HEIGHT; y++) {
        for (size_t x = 0; x < WIDTH; x++) {
            uint8_t *pixel = image.pixels + (y * WIDTH + x) * 3;
            pixel[0] = (uint8_t)(x * 255 / (WIDTH - 1));
            pixel[1] = (uint8_t)(y * 255 / (HEIGHT - 1));
            pixel[2] = (uint8_t)((x + y) % 16 * 17);
        }
    }
    return image;
}

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

static const SafetensorsEntry *golden_entry(const SafetensorsFile *golden, const Case *c, const char *what) {
    char name[128];
    snprintf(name, sizeof name, "%s.%s", c->name, what);
    const SafetensorsEntry *entry = safetensors_find(golden, name);
    EXPECT(entry, "the golden has no %s", name);
    return entry;
}

static void compare_ids(const SafetensorsFile *golden, const Case *c, const Run *run) {
    const SafetensorsEntry *ids = golden_entry(golden, c, "input_ids");
    if (!ids) return;
    size_t rows = ids->axis[0], length = ids->axis[1];
    for (size_t row = 0; row < rows; row++) {
        const TokenIds *ours = run_tokens(run, rows == 2 ? (int)row : 1);
        EXPECT(ours->length == length, "%s: %zu ids, not %zu", c->name, ours->length, length);
        EXPECT(memcmp(ours->ids, (const int64_t *)ids->data + row * length, length * sizeof(int64_t)) == 0,
               "%s: the ids of row %zu differ", c->name, row);
    }
}

static double picture_psnr(const SafetensorsFile *golden, const Case *c, const Image *image) {
    const SafetensorsEntry *entry = golden_entry(golden, c, "image");
    if (!entry || entry->axis[1] != HEIGHT || entry->axis[2] != WIDTH) return 0;
    double squares = 0;
    for (size_t i = 0; i < HEIGHT * WIDTH; i++) {
        for (size_t channel = 0; channel < 3; channel++) {
            float reference = f16_to_f32(((const uint16_t *)entry->data)[channel * HEIGHT * WIDTH + i]);
            double off = (double)(reference - (float)image->pixels[i * 3 + channel]) / 255;
            squares += off * off;
        }
    }
    double mean = squares / (3 * HEIGHT * WIDTH);
    return mean > 0 ? -10 * log10(mean) : 99;
}

// Runs a case and returns the largest relative L2 of the latents over its steps.
static double follow(const SafetensorsFile *golden, const Case *c, Run *run) {
    const SafetensorsEntry *latents = golden_entry(golden, c, "latents"),
                           *timesteps = golden_entry(golden, c, "timesteps");
    const SafetensorsEntry *noise = golden_entry(golden, c, "noise_pred"),
                           *x0 = golden_entry(golden, c, "pred_original_sample");
    if (!latents || !timesteps || !noise || !x0) return INFINITY;
    size_t steps = timesteps->axis[0], n = latents->axis[1] * latents->axis[2] * latents->axis[3];
    const float *reference = latents->data;
    EXPECT(run_step_count(run) == steps, "%s: %zu steps, not %zu", c->name, run_step_count(run), steps);

    Error error = {0};
    double worst = relative_l2(run_latents(run), reference, n);
    EXPECT(worst <= 1e-5, "%s: the first latents are off by %.2g", c->name, worst);
    for (size_t k = 0; k < steps && run_step(run, &error) == STEP_DONE_ONE; k++) {
        const StepRecord *step = run_last_step(run);
        float timestep = ((const float *)timesteps->data)[k];
        EXPECT(step->k == k && step->timestep == timestep, "%s: step %zu is at %g, not %g", c->name, k,
               (double)step->timestep, (double)timestep);
        if (k == 0) {
            double noise_off = relative_l2(step->noise_pred, noise->data, n);
            double x0_off = relative_l2(step->pred_original_sample, x0->data, n);
            EXPECT(noise_off <= BOUND && x0_off <= BOUND, "%s: noise_pred is off by %.2g, pred_original_sample by %.2g",
                   c->name, noise_off, x0_off);
        }
        worst = fmax(worst, relative_l2(step->prev_sample, reference + (k + 1) * n, n));
    }
    EXPECT(run_step(run, &error) == STEP_NONE_LEFT, "%s: there is a step too many", c->name);
    return worst;
}

static void test_runs(void) {
    Error error = {0};
    SafetensorsFile *golden = safetensors_open(GOLDEN "/golden.safetensors", &error);
    Model *models[2] = {open_model("sd1"), open_model("sd2")};
    EXPECT(golden, "%s", error.message);
    Image init = init_image();
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
        double psnr = image.pixels ? picture_psnr(golden, c, &image) : 0;
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

// How far the last latents of a run are from the golden's when it is asked for something slightly else
static double off_with(const SafetensorsFile *golden, const Case *c, const Model *model, const Settings *settings) {
    Error error = {0};
    const SafetensorsEntry *latents = golden_entry(golden, c, "latents");
    Run *run = run_begin(model, settings, &error);
    EXPECT(run && latents, "%s", error.message);
    if (!run || !latents) return 0;
    while (run_step(run, &error) == STEP_DONE_ONE) continue;
    size_t n = latents->axis[1] * latents->axis[2] * latents->axis[3];
    double off = relative_l2(run_latents(run), (const float *)latents->data + (latents->axis[0] - 1) * n, n);
    run_free(run);
    return off;
}

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
    double off = off_with(golden, ddim, model, &settings);
    EXPECT(off > 100 * BOUND, "swapped halves of the guidance only show as %.2g", off);

    settings = settings_of(ddim, model, NULL);
    settings.scheduler_overrides = (const char *const[]){"steps_offset=0"};
    settings.scheduler_override_count = 1;
    off = off_with(golden, ddim, model, &settings);
    EXPECT(off > 10 * BOUND, "timesteps off by one only show as %.2g", off);

    // Latents that init_noise_sigma will be multiplied to, divided by it beforehand
    settings = settings_of(euler, model, NULL);
    Run *run = run_begin(model, &settings, &error);
    float unscaled[4 * (HEIGHT / 4) * (WIDTH / 4)], sigma = run_scheduler(run)->init_noise_sigma;
    for (size_t i = 0; i < sizeof unscaled / sizeof unscaled[0]; i++) unscaled[i] = run_latents(run)[i] / sigma / sigma;
    run_free(run);
    settings.latents = unscaled;
    off = off_with(golden, euler, model, &settings);
    EXPECT(off > 100 * BOUND, "a forgotten init_noise_sigma only shows as %.2g", off);

    model_close(model);
    safetensors_close(golden);
}

int main(void) {
    TEST(test_runs);
    TEST(test_mistakes_show);
    return test_summary();
}
