// test_inpaint_parity.c - runs against diffusers' StableDiffusionInpaintPipeline (tests/make_golden_runs_inpaint.py)

#include "parity/family.h"
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

// red from left to right, green from top to bottom, blue in stripes
static Image init_image(void) {
    Image image = image_new(W, H);
    for (size_t y = 0; y < H; y++) {
        for (size_t x = 0; x < W; x++) {
            uint8_t *pixel = image.pixels + (y * W + x) * 3;
            pixel[0] = (uint8_t)(x * 255 / (W - 1));
            pixel[1] = (uint8_t)(y * 255 / (H - 1));
            pixel[2] = (uint8_t)((x + y) % 16 * 17);
        }
    }
    return image;
}

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

static const SafetensorsEntry *golden_entry(const SafetensorsFile *golden, const Case *c, const char *what) {
    char name[128];
    snprintf(name, sizeof name, "%s.%s", c->name, what);
    return safetensors_find(golden, name);
}

// Steps a run to its end and returns the largest relative L2 of the latents, those that it began with included.
static double follow(const SafetensorsFile *golden, const Case *c, Run *run) {
    const SafetensorsEntry *latents = golden_entry(golden, c, "latents");
    EXPECT(latents, "the golden has no %s", c->name);
    if (!latents) return INFINITY;
    size_t steps = latents->axis[0] - 1, n = latents->axis[1] * latents->axis[2] * latents->axis[3];
    const float *reference = latents->data;
    EXPECT(run_step_count(run) == steps, "%s: %zu steps, not %zu", c->name, run_step_count(run), steps);

    Error error = {0};
    double worst = relative_l2(run_latents(run), reference, n);
    for (size_t k = 0; k < steps && run_step(run, &error) == STEP_DONE_ONE; k++) {
        worst = fmax(worst, relative_l2(run_last_step(run)->prev_sample, reference + (k + 1) * n, n));
    }
    EXPECT(run_step(run, &error) == STEP_NONE_LEFT, "%s: it doesn't end where it should: %s", c->name, error.message);
    return worst;
}

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
    Image init = init_image(), mask = mask_image();
    Settings settings = settings_of(c, model, &init, &mask);
    Run *run = runs_begin(model, &settings);
    const SafetensorsEntry *picture = golden_entry(golden, c, "image");
    double off = follow(golden, c, run), psnr = picture ? finish(c, picture, run) : INFINITY;
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

// How far the last latents are from the golden's when a run is asked for something slightly else
static double off_with(const SafetensorsFile *golden, const Case *c, const Model *model, const Settings *settings) {
    Run *run = runs_begin(model, settings);
    runs_finish(run);
    const SafetensorsEntry *latents = golden_entry(golden, c, "latents");
    size_t n = latents->axis[1] * latents->axis[2] * latents->axis[3];
    double off = relative_l2(run_latents(run), (const float *)latents->data + (latents->axis[0] - 1) * n, n);
    run_free(run);
    return off;
}

static void test_mistakes_show(void) {
    Error error = {0};
    SafetensorsFile *golden = safetensors_open("tests/golden/inpaint/golden.safetensors", &error);
    EXPECT(golden, "%s", error.message);
    Model *blending = open_model("tests/golden/runs/sd1"), *seeing = open_model(family_folder("inpaint"));
    if (!golden || !blending || !seeing) return;
    Image init = init_image(), mask = mask_image();

    const Case *blended = case_named("blended_ddim"), *seen = case_named("seen_ddim");
    Settings settings = settings_of(blended, blending, &init, &mask);
    settings.strength = 0.99f;
    double off = off_with(golden, blended, blending, &settings);
    EXPECT(off > 100 * BOUND, "a step too few only shows as %.2g", off);

    static const uint8_t WHITE[3] = {255, 255, 255};
    fill(&mask, 0, 10, 0, 10, WHITE);  // one latent more to be painted
    settings = settings_of(blended, blending, &init, &mask);
    off = off_with(golden, blended, blending, &settings);
    EXPECT(off > 10 * BOUND, "another mask only shows as %.2g with blending", off);
    settings = settings_of(seen, seeing, &init, &mask);
    off = off_with(golden, seen, seeing, &settings);
    EXPECT(off > 10 * BOUND, "another mask only shows as %.2g with nine channels", off);

    image_free(&mask);
    mask = mask_image();
    init.pixels[0] ^= 0x80;  // a kept pixel
    settings = settings_of(seen, seeing, &init, &mask);
    off = off_with(golden, seen, seeing, &settings);
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
