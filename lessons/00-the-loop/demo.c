// demo.c - lesson 00: what does the prompt decide, and what the noise?
//
// Six prompts and two seeds, once with prompts that leave much open and once with prompts that don't. How alike two
// results are is measured on their latents. same-seed.png: one prompt and seed, and what else has to stay the same.
// Read next: exercise.h.

#include "demo/demo.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { PROMPTS = 6, SEEDS = 2, STEPS = 10, N = LATENT_CHANNELS * 16 * 16 };

static const char *const OPEN[PROMPTS] = {"a cat", "a dog", "a bear", "a rabbit", "a fox", "an owl"};
static const char *const CLOSED[PROMPTS] = {
    "a happy red cat wearing a crown in the snow",   "a sad blue dog wearing sunglasses in the city",
    "a green bear wearing a scarf in the forest",    "a surprised pink rabbit wearing a beanie at night",
    "a grey fox wearing an eye patch in the desert", "a happy purple owl wearing a top hat on the beach",
};

// Pearson's correlation: 1 for the same, 0 for two that have nothing to do with each other
static double likeness(const float *a, const float *b, size_t n) {
    double sum_a = 0, sum_b = 0, aa = 0, bb = 0, ab = 0;
    for (size_t i = 0; i < n; i++) {
        sum_a += a[i], sum_b += b[i];
        aa += (double)a[i] * a[i], bb += (double)b[i] * b[i], ab += (double)a[i] * b[i];
    }
    double count = (double)n;
    return (ab - sum_a * sum_b / count) / sqrt((aa - sum_a * sum_a / count) * (bb - sum_b * sum_b / count));
}

// ---- one seed, six prompts ------------------------------------------------------------------------------------------

typedef float Latents[SEEDS][PROMPTS][N];

// The mean over all pairs that share the seed and not the prompt, and so on
static double mean_likeness(Latents latents, bool same_seed, bool same_prompt) {
    double sum = 0;
    size_t pairs = 0;
    for (size_t a = 0; a < SEEDS * PROMPTS; a++) {
        for (size_t b = 0; b < a; b++) {
            if ((a / PROMPTS == b / PROMPTS) != same_seed || (a % PROMPTS == b % PROMPTS) != same_prompt) continue;
            sum += likeness(latents[a / PROMPTS][a % PROMPTS], latents[b / PROMPTS][b % PROMPTS], N);
            pairs++;
        }
    }
    return sum / (double)pairs;
}

static void compare_prompts(const Model *model, const char *name, const char *const *prompts, float guidance_scale,
                            const char *path) {
    Latents *latents = malloc(sizeof *latents);
    demo_needs(latents, &(Error){0});
    Sheet sheet = sheet_new(PROMPTS, SEEDS, 64);
    for (size_t s = 0; s < SEEDS; s++) {
        for (size_t p = 0; p < PROMPTS; p++) {
            Settings settings = demo_settings(model);
            settings.prompt = prompts[p], settings.seed = s + 1;
            settings.guidance_scale = guidance_scale, settings.num_inference_steps = STEPS;
            Run *run = demo_run(model, &settings);
            Image image = demo_finish(run);
            for (size_t i = 0; i < N; i++) (*latents)[s][p][i] = run_latents(run)[i];
            sheet_place(&sheet, p, s, &image);
            image_free(&image);
            run_free(run);
        }
    }
    printf("%-38s %8.1f %12.2f %12.2f %8.2f\n", name, (double)guidance_scale, mean_likeness(*latents, true, false),
           mean_likeness(*latents, false, true), mean_likeness(*latents, false, false));
    sheet_write(&sheet, path);
    free(latents);
}

// ---- the same seed --------------------------------------------------------------------------------------------------

typedef struct Change {
    const char *name, *scheduler;
    size_t steps, width;
} Change;

static void compare_settings(const Model *model, const char *path) {
    static const Change CHANGES[] = {
        {"as it is: DDIM, 20 steps, 128 x 128", "ddim", 20, 128},
        {"50 steps", "ddim", 50, 128},
        {"Euler", "euler", 20, 128},
        {"Euler ancestral: fresh noise", "euler_a", 20, 128},
        {"160 pixels wide", "ddim", 20, 160},
    };
    const size_t count = sizeof CHANGES / sizeof *CHANGES;
    Sheet sheet = sheet_new(count, 1, 64);
    float *first = NULL;
    for (size_t i = 0; i < count; i++) {
        Settings settings = demo_settings(model);
        settings.scheduler = CHANGES[i].scheduler, settings.num_inference_steps = CHANGES[i].steps;
        settings.width = CHANGES[i].width;
        Image image = demo_draw(model, &settings), fitted = image_resize(&image, 128, 128);
        float *pixels = demo_floats(3 * 128 * 128);
        for (size_t k = 0; k < 3 * 128 * 128; k++) pixels[k] = fitted.pixels[k];
        if (i == 0) first = demo_copy(pixels, 3 * 128 * 128);
        printf("%-38s %6.2f\n", CHANGES[i].name, likeness(pixels, first, 3 * 128 * 128));
        sheet_place(&sheet, i, 0, &image);
        image_free(&image), image_free(&fitted);
        free(pixels);
    }
    free(first);
    sheet_write(&sheet, path);
}

int main(int argc, char **argv) {
    Model *model = demo_model();
    printf("How alike are two results?             guidance    same seed  same prompt  neither\n");
    compare_prompts(model, "a cat; a dog; ...", OPEN, 2, demo_path(argc, argv, "open.png").text);
    compare_prompts(model, "a cat; a dog; ...", OPEN, 7.5f, demo_path(argc, argv, "open-guided.png").text);
    compare_prompts(model, "a happy red cat wearing a crown ...", CLOSED, 2, demo_path(argc, argv, "closed.png").text);
    printf("\nThe same prompt and seed; likeness of the pictures\n");
    compare_settings(model, demo_path(argc, argv, "same-seed.png").text);
    model_close(model);
    return 0;
}
