// demo.c - lesson 06: what guidance does to a picture, to the same picture without a network, and to the choice there is
//
// scales.png: guidance 0, 1, 4, 12 and 30; the U-Net, the exact denoiser, the same through windows. negative.png: cats, and cats that
// flee from the snow. interval.png: guidance 12 at all steps, and at some.
// Read next: exercise.h.

#include "demo/demo.h"
#include "critters/exact/exact_data.h"
#include "demo/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 15, N = LATENT_CHANNELS * 16 * 16 };

typedef struct Drawn {
    Image image;
    float latents[N];
} Drawn;

// As settings say, but guidance 0 as the formula has it: the answer to the empty prompt alone. (Sculpt and diffusers take 0
// for "no guidance", which is the answer to the prompt alone.)
static Drawn draw(const Model *model, Settings settings) {
    settings.num_inference_steps = STEPS;
    if (settings.guidance_scale == 0) settings.prompt = "", settings.guidance_scale = 1;
    Drawn drawn;
    Run *run = demo_run(model, &settings);
    drawn.image = demo_finish(run);
    memcpy(drawn.latents, run_latents(run), sizeof drawn.latents);
    run_free(run);
    return drawn;
}

// The share of all values that are as dark or as bright as can be, in percent
static double burnt(const Image *image) {
    size_t n = 3 * image->width * image->height, ends = 0;
    for (size_t i = 0; i < n; i++) ends += image->pixels[i] == 0 || image->pixels[i] == 255;
    return 100 * (double)ends / (double)n;
}

// Draws, says what came out, and puts it on a sheet
static void show(const Model *model, const Settings *settings, const char *name, Sheet *sheet, size_t column,
                 size_t row) {
    Drawn drawn = draw(model, *settings);
    printf("%-36s %8.2f %6.1f%%\n", name, deviation(drawn.latents, N), burnt(&drawn.image));
    sheet_place(sheet, column, row, &drawn.image);
    image_free(&drawn.image);
}

// ---- scales ---------------------------------------------------------------------------------------------------------

static const float SCALES[] = {0, 1, 4, 12, 30};
enum { SCALE_COUNT = sizeof SCALES / sizeof *SCALES, DRAWINGS = 160 };

static void show_scales(const Model *model, const ExactDenoiser *whole, const char *path) {
    static const char *const NAME[] = {"U-Net", "exact denoiser", "exact, windows of 5 x 5"};
    ExactDenoiser windows = *whole;
    windows.window = 5;
    const ExactDenoiser *asked[] = {NULL, whole, &windows};
    Sheet sheet = sheet_new(SCALE_COUNT, 3, 56);
    printf("                                     contrast   burnt\n");
    for (size_t row = 0; row < 3; row++) {
        for (size_t i = 0; i < SCALE_COUNT; i++) {
            Settings settings = demo_settings(model);
            settings.prompt = "a pygmy hippo", settings.seed = 2;
            settings.guidance_scale = SCALES[i], settings.exact = asked[row];
            char name[64];
            snprintf(name, sizeof name, "%s, guidance %g", NAME[row], (double)SCALES[i]);
            show(model, &settings, name, &sheet, i, row);
        }
    }
    sheet_write(&sheet, path);
}

// ---- how much choice is left ----------------------------------------------------------------------------------------

enum { SEEDS = 4 };

// How far the pictures of several seeds are from each other, on average
static double spread(const Model *model, float guidance_scale) {
    float *latents = demo_floats(SEEDS * N);
    double sum = 0;
    for (size_t s = 0; s < SEEDS; s++) {
        Settings settings = demo_settings(model);
        settings.prompt = "a red cat in the snow", settings.seed = s + 1, settings.guidance_scale = guidance_scale;
        Drawn drawn = draw(model, settings);
        double contrast = deviation(drawn.latents, N);
        for (size_t i = 0; i < N; i++) latents[s * N + i] = drawn.latents[i] / (float)contrast;
        image_free(&drawn.image);
        for (size_t other = 0; other < s; other++) sum += distance_between(latents + other * N, latents + s * N, N);
    }
    free(latents);
    return sum / (SEEDS * (SEEDS - 1) / 2);
}

static void print_spread(const Model *model) {
    printf("\n\"a red cat in the snow\", %d seeds       apart\n", SEEDS);
    for (size_t i = 0; i + 1 < SCALE_COUNT; i++) {
        printf("guidance %-4g                           %5.2f\n", (double)SCALES[i], spread(model, SCALES[i]));
    }
}

static void print_zero(const Model *model) {
    Settings one = demo_settings(model), zero = one;
    one.guidance_scale = 1, zero.guidance_scale = 0;
    one.num_inference_steps = zero.num_inference_steps = STEPS;
    Image a = demo_draw(model, &one), b = demo_draw(model, &zero);
    bool same = memcmp(a.pixels, b.pixels, 3 * a.width * a.height) == 0;
    printf("\n--guidance 0 and --guidance 1 draw the same picture, bit for bit: %s\n", same ? "yes" : "no");
    image_free(&a), image_free(&b);
}

// ---- negative prompts, intervals ------------------------------------------------------------------------------------

static void show_negative(const Model *model, const char *path) {
    enum { CATS = 5 };
    Sheet sheet = sheet_new(CATS, 2, 64);
    for (size_t row = 0; row < 2; row++) {
        for (size_t i = 0; i < CATS; i++) {
            Settings settings = demo_settings(model);
            settings.prompt = "a cat", settings.seed = i + 1, settings.guidance_scale = 4;
            settings.negative_prompt = row ? "in the snow" : "";
            Drawn drawn = draw(model, settings);
            sheet_place(&sheet, i, row, &drawn.image);
            image_free(&drawn.image);
        }
    }
    sheet_write(&sheet, path);
}

static void show_intervals(const Model *model, const char *path) {
    static const struct {
        const char *name;
        float low, high;
    } INTERVALS[] = {{"guidance 15, all steps", 0, 0},
                     {"guidance 15, sigma over 0.5", 0.5f, 100},
                     {"guidance 15, sigma over 2", 2, 100},
                     {"guidance 15, sigma 0.28 to 5.42", 0.28f, 5.42f},
                     {"guidance 15, sigma up to 2", 0, 2}};
    const size_t count = sizeof INTERVALS / sizeof *INTERVALS;
    Sheet sheet = sheet_new(count, 1, 64);
    printf("\n                                     contrast   burnt\n");
    for (size_t i = 0; i < count; i++) {
        Settings settings = demo_settings(model);
        settings.guidance_scale = 15;
        settings.guidance_low = INTERVALS[i].low, settings.guidance_high = INTERVALS[i].high;
        show(model, &settings, INTERVALS[i].name, &sheet, i, 0);
    }
    sheet_write(&sheet, path);
}

int main(int argc, char **argv) {
    Error error = {0};
    Model *model = demo_model();
    ExactData data;
    Drawing *drawings = calloc(DRAWINGS, sizeof *drawings);
    demo_needs(drawings, &error);
    for (size_t i = 0; i < DRAWINGS; i++) drawings[i] = drawing_sample(i, TRAIN, ONE);
    demo_needs(exact_data_encode(&data, model, drawings, DRAWINGS, &error), &error);
    show_scales(model, &data.denoiser, demo_path(argc, argv, "scales.png").text);
    print_spread(model);
    print_zero(model);
    show_negative(model, demo_path(argc, argv, "negative.png").text);
    show_intervals(model, demo_path(argc, argv, "interval.png").text);
    exact_data_free(&data);
    model_close(model);
    return 0;
}
