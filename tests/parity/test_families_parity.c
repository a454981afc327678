// test_families_parity.c - whole runs of models beyond plain Stable Diffusion 1.x and 2.x (tests/make_golden_families.py)
//
// LCM (guidance inside the U-Net), distilled U-Nets without a middle, SD-Turbo (one step), the tiny autoencoder.

#include "parity/family.h"
#include "parity/run_golden.h"
#include "test.h"

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
        run_golden_expect(golden, c->name, "timesteps");
        double off = run_golden_follow(golden, c->name, run, BOUND), psnr = 0;
        EXPECT(off <= BOUND, "%s: latents are off by %.2g", c->name, off);
        printf("parity  run %-14s latents %.1e (bound %.0e)", c->name, off, BOUND);
        const SafetensorsEntry *picture = run_golden_entry(golden, c->name, "image");
        Image image;
        EXPECT(run_finish(run, &image, &error), "%s: %s", c->name, error.message);
        if (picture) {
            psnr = run_golden_psnr(picture, &image);
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
    double off = run_golden_off(golden, lcm->name, models[0], &settings);
    EXPECT(off > 10 * BOUND, "a guidance of 8.4 for 8.5 only shows as %.2g", off);

    settings = settings_of(turbo, models[1], NULL);
    settings.scheduler_overrides = (const char *const[]){"timestep_spacing=leading"};
    settings.scheduler_override_count = 1;
    off = run_golden_off(golden, turbo->name, models[1], &settings);
    EXPECT(off > 100 * BOUND, "another spacing only shows as %.2g", off);

    settings = settings_of(turbo, models[1], NULL);
    settings.guidance_scale = 1.5f;
    off = run_golden_off(golden, turbo->name, models[1], &settings);
    EXPECT(off > 10 * BOUND, "guidance in SD-Turbo only shows as %.2g", off);

    // A posterior's noise, drawn for an encoder that has none: all that is drawn later is other noise.
    settings = settings_of(tiny, models[2], &init);
    settings.seed++;
    off = run_golden_off(golden, tiny->name, models[2], &settings);
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
