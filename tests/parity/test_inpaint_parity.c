// test_inpaint_parity.c - runs against diffusers' StableDiffusionInpaintPipeline (tests/make_golden_runs_inpaint.py)

#include "parity/family.h"
#include "parity/run_golden.h"
#include "sculpt.h"
#include "test.h"
#include "unit/runs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { W = 20, H = 16 };
static const double BOUND = 1e-4;  // relative L2 of latents
static const double BOUND_PSNR = 60;

typedef struct Case {
    const char *name;
    size_t in_channels;
    const char *scheduler;
    size_t steps;
    float guidance, strength;
    uint64_t seed;
} Case;

// The same as RUNS in make_golden_runs_inpaint.py
static const Case CASES[] = {
    {"seen_ddim", 9, "ddim", 5, 7.5f, 1, 1},      {"seen_euler_a", 9, "euler_a", 6, 4, 0.5f, 2},
    {"seen_unguided", 9, "euler", 3, 1, 1, 3},    {"blended_ddim", 4, "ddim", 5, 7.5f, 1, 4},
    {"blended_euler", 4, "euler", 6, 1, 0.5f, 5}, {"blended_ddpm", 4, "ddpm", 4, 4, 1, 6},
    {"blended_kdpm2", 4, "kdpm2", 3, 4, 0.7f, 7},
};
enum { CASE_COUNT = sizeof CASES / sizeof CASES[0] };

static const Case *case_named(const char *name) {
    const Case *c = CASES;
    while (strcmp(c->name, name) != 0) c++;
    return c;
}

// ---- what the runs begin with ---------------------------------------------------------------------------------------

static void fill(Image *image, size_t top, size_t bottom, size_t left, size_t right, const uint8_t colour[3]) {
    for (size_t y = top; y < bottom; y++) {
        for (size_t x = left; x < right; x++) memcpy(image->pixels + (y * image->width + x) * 3, colour, 3);
    }
}

// Larger than the run, and coloured: green and white are bright enough to be painted, red and blue aren't.
static Image mask_image(void) {
    static const uint8_t RED[3] = {255, 0, 0}, GREEN[3] = {0, 255, 0}, BLUE[3] = {0, 0, 255},
                         WHITE[3] = {255, 255, 255};
    Image image = image_new(50, 40);
    fill(&image, 0, 40, 0, 50, BLUE);
    fill(&image, 0, 20, 30, 50, RED);
    fill(&image, 10, 35, 20, 40, GREEN);
    fill(&image, 25, 40, 0, 10, WHITE);
    return image;
}

static Model *open_model(const char *folder) {
    Error error = {0};
    Model *model = model_open(folder, &error);
    EXPECT(model, "%s", error.message);
    return model;
}

static Settings settings_of(const Case *c, const Model *model, const Image *init, const Image *mask) {
    Settings settings = settings_default(model);
    settings.prompt = "a pink cat wearing a crown, at night";
    settings.negative_prompt = "blurry hat";
    settings.width = W;
    settings.height = H;
    settings.num_inference_steps = c->steps;
    settings.guidance_scale = c->guidance;
    settings.seed = c->seed;
    settings.scheduler = c->scheduler;
    settings.init = init;
    settings.mask = mask;
    settings.strength = c->strength;
    return settings;
}

// ---- what diffusers did ---------------------------------------------------------------------------------------------

static double picture_psnr(const SafetensorsEntry *picture, const Image *image) {
    size_t n = 3 * W * H;
    if (picture->bytes != n) return 0;
    double squares = 0;
    for (size_t i = 0; i < n; i++) {
        double off = (((const uint8_t *)picture->data)[i] - image->pixels[i]) / 255.0;
        squares += off * off;
    }
    return squares > 0 ? -10 * log10(squares / (double)n) : 99;
}

// What the golden has of a picture, compared with the run's end
static double finish(const Case *c, const SafetensorsEntry *picture, Run *run) {
    Error error = {0};
    Image image;
    EXPECT(run_finish(run, &image, &error), "%s: %s", c->name, error.message);
    double psnr = image.pixels ? picture_psnr(picture, &image) : 0;
    image_free(&image);
    return psnr;
}

static void try_case(const SafetensorsFile *golden, const Case *c, const Model *model) {
    Image init = run_golden_init(W, H), mask = mask_image();
    Settings settings = settings_of(c, model, &init, &mask);
    Run *run = runs_begin(model, &settings);
    const SafetensorsEntry *picture = run_golden_entry(golden, c->name, "image");
    double off = run_golden_follow(golden, c->name, run, BOUND), psnr = picture ? finish(c, picture, run) : INFINITY;
    EXPECT(off <= BOUND, "%s: latents are off by %.2g", c->name, off);
    EXPECT(psnr >= BOUND_PSNR, "%s: the picture's PSNR is %.1f dB", c->name, psnr);
    printf("parity  inpaint %-13s latents %.1e (bound %.0e)", c->name, off, BOUND);
    if (picture) printf("  picture %4.1f dB (bound %.0f)", psnr, BOUND_PSNR);
    printf("\n");
    run_free(run);
    image_free(&init);
    image_free(&mask);
}

static void test_runs(void) {
    Error error = {0};
    SafetensorsFile *golden = safetensors_open("tests/golden/inpaint/golden.safetensors", &error);
    Model *blending = open_model("tests/golden/runs/sd1"), *seeing = open_model(family_folder("inpaint"));
    EXPECT(golden, "%s", error.message);
    for (size_t i = 0; golden && blending && seeing && i < CASE_COUNT; i++) {
        try_case(golden, &CASES[i], CASES[i].in_channels == LATENT_CHANNELS ? blending : seeing);
    }
    model_close(blending);
    model_close(seeing);
    safetensors_close(golden);
}

// ---- the test can fail ----------------------------------------------------------------------------------------------

static void test_mistakes_show(void) {
    Error error = {0};
    SafetensorsFile *golden = safetensors_open("tests/golden/inpaint/golden.safetensors", &error);
    EXPECT(golden, "%s", error.message);
    Model *blending = open_model("tests/golden/runs/sd1"), *seeing = open_model(family_folder("inpaint"));
    if (!golden || !blending || !seeing) return;
    Image init = run_golden_init(W, H), mask = mask_image();

    const Case *blended = case_named("blended_ddim"), *seen = case_named("seen_ddim");
    Settings settings = settings_of(blended, blending, &init, &mask);
    settings.strength = 0.99f;
    double off = run_golden_off(golden, blended->name, blending, &settings);
    EXPECT(off > 100 * BOUND, "a step too few only shows as %.2g", off);

    static const uint8_t WHITE[3] = {255, 255, 255};
    fill(&mask, 0, 10, 0, 10, WHITE);  // one latent more to be painted
    settings = settings_of(blended, blending, &init, &mask);
    off = run_golden_off(golden, blended->name, blending, &settings);
    EXPECT(off > 10 * BOUND, "another mask only shows as %.2g with blending", off);
    settings = settings_of(seen, seeing, &init, &mask);
    off = run_golden_off(golden, seen->name, seeing, &settings);
    EXPECT(off > 10 * BOUND, "another mask only shows as %.2g with nine channels", off);

    image_free(&mask);
    mask = mask_image();
    init.pixels[0] ^= 0x80;  // a kept pixel
    settings = settings_of(seen, seeing, &init, &mask);
    off = run_golden_off(golden, seen->name, seeing, &settings);
    EXPECT(off > 10 * BOUND, "another picture only shows as %.2g with nine channels", off);

    image_free(&init);
    image_free(&mask);
    model_close(blending);
    model_close(seeing);
    safetensors_close(golden);
}

int main(void) {
    TEST(test_runs);
    TEST(test_mistakes_show);
    return test_summary();
}
