// demo.c - lesson 09: a drawing of a cat, a prompt about a hippo, and how much of the way is run
//
// strength.png: above what the first step sees, below what comes out, for growing strength. trace.png: strength 1 over
// black, grey and white. inpaint.png: drawing, mask, result, twice.
// Read next: exercise.h.

#include "demo/demo.h"
#include "base/text.h"
#include "demo/measure.h"
#include "demo/paint.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 20, VALUES = 3 * PIXELS };

// ||a - b|| / ||b||, of the bytes of pixels where mask (or NULL: everywhere) is as white as `white` says
static double pixels_off(const Image *a, const Image *b, const Image *mask, bool white) {
    float *first = demo_floats(VALUES), *second = demo_floats(VALUES);
    size_t n = 0;
    for (size_t i = 0; i < VALUES; i++) {
        if (mask && (mask->pixels[i] != 0) != white) continue;
        first[n] = a->pixels[i], second[n++] = b->pixels[i];
    }
    double off = distance_between(first, second, n);
    free(first), free(second);
    return off;
}

// ---- strength -------------------------------------------------------------------------------------------------------

static void sweep_strength(const Model *model, const char *path) {
    static const float STRENGTHS[] = {0.1f, 0.25f, 0.4f, 0.55f, 0.7f, 0.85f, 1};
    const size_t columns = sizeof STRENGTHS / sizeof *STRENGTHS;
    Image cat = paint("a grey cat in the snow", 7);
    Settings settings = demo_settings(model);
    settings.num_inference_steps = STEPS, settings.init = &cat;
    Sheet sheet = sheet_new(columns, 2, 64);
    printf("strength  steps  first timestep   start = cat x + noise x   result off the cat by\n");
    for (size_t i = 0; i < columns; i++) {
        settings.strength = STRENGTHS[i];
        Run *run = demo_run(model, &settings);
        const Scheduler *s = run_scheduler(run);
        size_t count = run_step_count(run);
        double t = (double)s->timesteps[STEPS - count], a = (double)s->alphas_cumprod[(size_t)t];
        Image start = demo_preview(run, run_latents(run));
        while (demo_step(run)) continue;
        Image result = demo_decode(run, run_latents(run));
        printf("%8.2f  %5zu  %14.0f  %15.2f  %8.2f  %21.0f%%\n", (double)settings.strength, count, t, sqrt(a),
               sqrt(1 - a), 100 * pixels_off(&result, &cat, NULL, false));
        sheet_place(&sheet, i, 0, &start), sheet_place(&sheet, i, 1, &result);
        image_free(&start), image_free(&result), run_free(run);
    }
    image_free(&cat);
    sheet_write(&sheet, path);
}

// ---- how many steps? ------------------------------------------------------------------------------------------------

static void count_steps(const Model *model) {
    static const struct {
        size_t steps;
        float strength;
    } CASES[] = {{50, 0.34f}, {50, 0.35f}, {50, 0.36f}, {20, 0.35f}, {10, 0.35f}, {10, 0.39f}, {100, 0.29f}};
    Image cat = paint("a grey cat in the snow", 7);
    Settings settings = demo_settings(model);
    settings.init = &cat;
    printf("\nsteps  strength  are run  rounded it would be\n");
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        Error error = {0};
        RunCost cost;
        settings.num_inference_steps = CASES[i].steps, settings.strength = CASES[i].strength;
        demo_needs(run_cost(model, &settings, &cost, &error), &error);
        printf("%5zu  %8.2f  %7zu  %19.0f\n", CASES[i].steps, (double)CASES[i].strength, cost.timestep_count,
               round((double)CASES[i].steps * as_written(CASES[i].strength)));
    }
    image_free(&cat);
}

// ---- strength 1 -----------------------------------------------------------------------------------------------------

static double brightness(const Image *image) {
    double sum = 0;
    for (size_t i = 0; i < VALUES; i++) sum += image->pixels[i];
    return sum / VALUES / 255;
}

static void show_trace(const Model *model, const char *path) {
    static const int GREYS[] = {0, 128, 255};
    Sheet sheet = sheet_new(3, 1, 64);
    printf("\nStrength 1 over a sheet of brightness  0.00  0.50  1.00: results of brightness");
    for (size_t i = 0; i < 3; i++) {
        Image paper = image_new(SIDE, SIDE);
        demo_needs(paper.pixels, &(Error){0});
        memset(paper.pixels, GREYS[i], VALUES);
        Settings settings = demo_settings(model);
        settings.num_inference_steps = STEPS, settings.init = &paper, settings.strength = 1;
        settings.prompt = "a cat", settings.guidance_scale = 2;
        Image result = demo_draw(model, &settings);
        printf("  %.2f", brightness(&result));
        sheet_place(&sheet, i, 0, &result);
        image_free(&paper), image_free(&result);
    }
    printf("\n");
    sheet_write(&sheet, path);
}

// ---- inpainting -----------------------------------------------------------------------------------------------------

static void inpaint(const Model *model, const char *caption, const char *prompt, uint32_t things, Sheet *sheet,
                    size_t row) {
    Image drawing = paint(caption, 7), mask = paint_mask(caption, 7, things);
    Settings settings = demo_settings(model);
    settings.num_inference_steps = STEPS, settings.prompt = prompt;
    settings.init = &drawing, settings.mask = &mask, settings.strength = DEFAULT_INPAINT_STRENGTH;
    Image result = demo_draw(model, &settings);
    printf("%-38s  %7.0f%%  %11.0f%%\n", prompt, 100 * pixels_off(&result, &drawing, &mask, true),
           100 * pixels_off(&result, &drawing, &mask, false));
    sheet_place(sheet, 0, row, &drawing), sheet_place(sheet, 1, row, &mask), sheet_place(sheet, 2, row, &result);
    image_free(&drawing), image_free(&mask), image_free(&result);
}

static void show_inpainting(const Model *model, const char *path) {
    static const char CAPTION[] = "a grey cat wearing a green top hat in the snow";
    const uint32_t animal = 15u << THING_ANIMAL, hat = 1u << (THING_ANIMAL + PART_HEADWEAR);
    Sheet sheet = sheet_new(3, 3, 80);
    printf("\nThe pixels change by                    where white  elsewhere\n");
    inpaint(model, CAPTION, "a grey cat wearing a crown in the snow", hat, &sheet, 0);
    inpaint(model, CAPTION, "an orange fox in the snow", animal, &sheet, 1);
    inpaint(model, CAPTION, "a grey cat wearing a top hat at night", ~animal, &sheet, 2);
    sheet_write(&sheet, path);
}

int main(int argc, char **argv) {
    Model *model = demo_model();
    sweep_strength(model, demo_path(argc, argv, "strength.png").text);
    count_steps(model);
    show_trace(model, demo_path(argc, argv, "trace.png").text);
    show_inpainting(model, demo_path(argc, argv, "inpaint.png").text);
    model_close(model);
    return 0;
}
