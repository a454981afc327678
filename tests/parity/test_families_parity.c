// test_families_parity.c - whole runs of models beyond plain Stable Diffusion 1.x and 2.x (tests/make_golden_families.py)
//
// LCM (guidance inside the U-Net), distilled U-Nets without a middle, SD-Turbo (one step), the tiny autoencoder.

#include "parity/family.h"
#include "run/run.h"
#include "test.h"

#include "io/safetensors.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PROMPT "a pink cat wearing a crown, at night"
#define NEGATIVE "blurry hat"

enum { WIDTH = 16, HEIGHT = 24 };
static const double BOUND = 1e-4;  // relative L2 of latents
static const double BOUND_PSNR = 60;

typedef struct Case {
    const char *name, *family;
    size_t steps;
    float guidance;
    uint64_t seed;
    float strength;  // 0: text to image
    size_t rows;     // pictures that go through the U-Net at once
} Case;

// The same as RUNS in make_golden_families.py
static const Case CASES[] = {
    {"lcm", "lcm", 4, 8.5f, 1, 0, 1},
    {"lcm_quiet", "lcm", 2, 1, 2, 0, 1},
    {"lcm_img2img", "lcm_tiny", 6, 5.3f, 3, 0.5f, 1},
    {"distilled", "distilled", 4, 7.5f, 4, 0, 2},
    {"turbo_1", "turbo", 1, 0, 5, 0, 1},
    {"turbo_2", "turbo", 2, 0, 6, 0, 1},
    {"turbo_4", "turbo", 4, 0, 7, 0, 1},
    {"tiny_img2img", "tiny", 4, 7.5f, 8, 0.5f, 2},
};
enum { CASE_COUNT = sizeof CASES / sizeof CASES[0] };

// red from left to right, green from top to bottom, blue in stripes
static Image init_image(void) {
    Image image = image_new(WIDTH, HEIGHT);
    for (size_t y = 0; y < HEIGHT; y++) {
        for (size_t x = 0; x < WIDTH; x++) {
            uint8_t pixel[] = {(uint8_t)(x * 17), (uint8_t)(y * 11), (uint8_t)((x + y) % 8 * 36)};
            memcpy(image.pixels + (y * WIDTH + x) * 3, pixel, 3);
        }
    }
    return image;
}

static Model *open_family(const char *name) {
    Error error = {0};
    Model *model = model_open(family_folder(name), &error);
    EXPECT(model, "%s: %s", name, error.message);
    return model;
}

static Settings settings_of(const Case *c, const Model *model, const Image *init) {
    Settings settings = settings_default(model);
    settings.prompt = PROMPT;
    settings.negative_prompt = NEGATIVE;
    settings.width = WIDTH;
    settings.height = HEIGHT;
    settings.num_inference_steps = c->steps;
    settings.guidance_scale = c->guidance;
    settings.seed = c->seed;
    settings.init = c->strength > 0 ? init : NULL;
    settings.strength = c->strength;
    return settings;
}

static const SafetensorsEntry *golden_entry(const SafetensorsFile *golden, const Case *c, const char *what) {
    char name[128];
    snprintf(name, sizeof name, "%s.%s", c->name, what);
    return safetensors_find(golden, name);
}

// The largest relative L2 of the latents over a run's steps
static double follow(const SafetensorsFile *golden, const Case *c, Run *run) {
    const SafetensorsEntry *latents = golden_entry(golden, c, "latents"),
                           *timesteps = golden_entry(golden, c, "timesteps");
    EXPECT(latents && timesteps, "the golden has no %s", c->name);
    if (!latents || !timesteps) return INFINITY;
    size_t steps = timesteps->axis[0], n = latents->axis[1] * latents->axis[2] * latents->axis[3];
    const float *reference = latents->data;
    EXPECT(run_step_count(run) == steps && n == run->n, "%s: %zu steps, not %zu", c->name, run_step_count(run), steps);
    if (n != run->n) return INFINITY;

    Error error = {0};
    double worst = relative_l2(run_latents(run), reference, n);
    for (size_t k = 0; k < steps && run_step(run, &error) == STEP_DONE_ONE; k++) {
        const StepRecord *step = run_last_step(run);
        float timestep = ((const float *)timesteps->data)[k];
        EXPECT(step->timestep == timestep, "%s: step %zu is at %g, not %g", c->name, k, (double)step->timestep,
               (double)timestep);
        worst = fmax(worst, relative_l2(step->prev_sample, reference + (k + 1) * n, n));
    }
    EXPECT(run_step(run, &error) == STEP_NONE_LEFT, "%s: there is a step too many", c->name);
    return worst;
}

static double picture_psnr(const SafetensorsEntry *entry, const Image *image) {
    size_t area = HEIGHT * WIDTH;
    double squares = 0;
    for (size_t i = 0; i < 3 * area; i++) {
        float reference = f16_to_f32(((const uint16_t *)entry->data)[i % 3 * area + i / 3]);
        double off = (double)(reference - (float)image->pixels[i]) / 255;
        squares += off * off;
    }
    return squares > 0 ? -10 * log10(squares / (double)(3 * area)) : 99;
}

static void try_case(const SafetensorsFile *golden, const Case *c, const Image *init) {
    Error error = {0};
    Model *model = open_family(c->family);
    if (!model) return;
    Settings settings = settings_of(c, model, init);
    RunCost cost;
    EXPECT(run_cost(model, &settings, &cost, &error), "%s: %s", c->name, error.message);
    EXPECT(cost.unet_calls == c->rows * cost.timestep_count, "%s: %zu calls in %zu steps", c->name, cost.unet_calls,
           cost.timestep_count);
    Run *run = run_begin(model, &settings, &error);
    EXPECT(run, "%s: %s", c->name, error.message);
    if (run) {
        double off = follow(golden, c, run), psnr = 0;
        EXPECT(off <= BOUND, "%s: latents are off by %.2g", c->name, off);
        printf("parity  run %-14s latents %.1e (bound %.0e)", c->name, off, BOUND);
        const SafetensorsEntry *picture = golden_entry(golden, c, "image");
        Image image;
        EXPECT(run_finish(run, &image, &error), "%s: %s", c->name, error.message);
        if (picture) {
            psnr = picture_psnr(picture, &image);
            EXPECT(psnr >= BOUND_PSNR, "%s: the picture's PSNR is %.1f dB", c->name, psnr);
            printf("  picture %4.1f dB (bound %.0f)", psnr, BOUND_PSNR);
        }
        printf("\n");
        image_free(&image);
    }
    run_free(run);
    model_close(model);
}

static void test_runs(void) {
    Error error = {0};
    SafetensorsFile *golden = safetensors_open("tests/golden/families/golden.safetensors", &error);
    EXPECT(golden, "%s", error.message);
    Image init = init_image();
    for (size_t i = 0; i < CASE_COUNT && golden; i++) try_case(golden, &CASES[i], &init);
    image_free(&init);
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
    double off = relative_l2(run_latents(run), (const float *)latents->data + (latents->axis[0] - 1) * run->n, run->n);
    run_free(run);
    return off;
}

static void test_mistakes_show(void) {
    Error error = {0};
    SafetensorsFile *golden = safetensors_open("tests/golden/families/golden.safetensors", &error);
    Image init = init_image();
    const Case *lcm = &CASES[0], *turbo = &CASES[5], *tiny = &CASES[7];
    Model *models[] = {open_family("lcm"), open_family("turbo"), open_family("tiny")};
    EXPECT(golden, "%s", error.message);
    if (!golden || !models[0] || !models[1] || !models[2]) return;

    Settings settings = settings_of(lcm, models[0], NULL);
    settings.guidance_scale = 8.4f;
    double off = off_with(golden, lcm, models[0], &settings);
    EXPECT(off > 10 * BOUND, "a guidance of 8.4 for 8.5 only shows as %.2g", off);

    settings = settings_of(turbo, models[1], NULL);
    settings.scheduler_overrides = (const char *const[]){"timestep_spacing=leading"};
    settings.scheduler_override_count = 1;
    off = off_with(golden, turbo, models[1], &settings);
    EXPECT(off > 100 * BOUND, "another spacing only shows as %.2g", off);

    settings = settings_of(turbo, models[1], NULL);
    settings.guidance_scale = 1.5f;
    off = off_with(golden, turbo, models[1], &settings);
    EXPECT(off > 10 * BOUND, "guidance in SD-Turbo only shows as %.2g", off);

    // A posterior's noise, drawn for an encoder that has none: all that is drawn later is other noise.
    settings = settings_of(tiny, models[2], &init);
    settings.seed++;
    off = off_with(golden, tiny, models[2], &settings);
    EXPECT(off > 100 * BOUND, "other noise only shows as %.2g", off);

    for (size_t i = 0; i < 3; i++) model_close(models[i]);
    image_free(&init);
    safetensors_close(golden);
}

int main(void) {
    TEST(test_runs);
    TEST(test_mistakes_show);
    return test_summary();
}
