// demo.c - see demo.h

#include "demo/demo.h"

#include "io/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void demo_needs(bool ok, const Error *error) {
    if (ok) return;
    fprintf(stderr, "%s\n", error->message[0] ? error->message : "no memory");
    exit(1);
}

DemoPath demo_path(int argc, char **argv, const char *file) {
    DemoPath path;
    snprintf(path.text, sizeof path.text, "%s/%s", argc > 1 ? argv[1] : ".", file);
    return path;
}

float *demo_floats(size_t n) {
    float *values = calloc(n, sizeof *values);
    demo_needs(values, &(Error){0});
    return values;
}

float *demo_copy(const float *values, size_t n) {
    float *copy = demo_floats(n);
    memcpy(copy, values, n * sizeof *copy);
    return copy;
}

// ---- runs -----------------------------------------------------------------------------------------------------------

Model *demo_model(void) {
    Error error = {0};
    char *path = shipped_path("data/models/critters");
    Model *model = model_open(path, &error);
    demo_needs(model, &error);
    free(path);
    return model;
}

Settings demo_settings(const Model *model) {
    Settings settings = settings_default(model);
    settings.prompt = "a pygmy hippo wearing sunglasses on the beach";
    settings.seed = 1;
    return settings;
}

Run *demo_run(const Model *model, const Settings *settings) {
    Error error = {0};
    Run *run = run_begin(model, settings, &error);
    demo_needs(run, &error);
    return run;
}

bool demo_step(Run *run) {
    Error error = {0};
    StepResult result = run_step(run, &error);
    demo_needs(result == STEP_DONE_ONE || result == STEP_NONE_LEFT, &error);
    return result == STEP_DONE_ONE;
}

Image demo_finish(Run *run) {
    while (demo_step(run)) continue;
    return demo_decode(run, run_latents(run));
}

Image demo_draw(const Model *model, const Settings *settings) {
    Run *run = demo_run(model, settings);
    Image image = demo_finish(run);
    run_free(run);
    return image;
}

Image demo_decode(Run *run, const float *latents) {
    Error error = {0};
    Image image;
    demo_needs(run_decode(run, latents, &image, NULL, &error), &error);
    return image;
}

Image demo_preview(Run *run, const float *latents) {
    Error error = {0};
    Image image;
    demo_needs(run_preview(run, latents, &image, &error), &error);
    return image;
}

// ---- sheets ---------------------------------------------------------------------------------------------------------

enum { GAP = 4 };  // pixels of white between and around the pictures

Sheet sheet_new(size_t columns, size_t rows, size_t side) {
    Sheet sheet = {.columns = columns, .rows = rows, .side = side};
    sheet.image = image_new(columns * (side + GAP) + GAP, rows * (side + GAP) + GAP);
    demo_needs(sheet.image.pixels, &(Error){0});
    memset(sheet.image.pixels, 255, 3 * sheet.image.width * sheet.image.height);
    return sheet;
}

static Image in_blocks(const Image *small, size_t side) {
    Image image = image_new(side, side);
    demo_needs(image.pixels, &(Error){0});
    for (size_t y = 0; y < side; y++) {
        for (size_t x = 0; x < side; x++) {
            size_t from = y * small->height / side * small->width + x * small->width / side;
            memcpy(image.pixels + 3 * (y * side + x), small->pixels + 3 * from, 3);
        }
    }
    return image;
}

void sheet_place(Sheet *sheet, size_t column, size_t row, const Image *picture) {
    size_t side = sheet->side;
    Image fitted = picture->width < side ? in_blocks(picture, side) : image_resize(picture, side, side);
    demo_needs(fitted.pixels, &(Error){0});
    image_place(&sheet->image, &fitted, GAP + column * (side + GAP), GAP + row * (side + GAP));
    image_free(&fitted);
}

// 32 shades of each colour are half the bytes of 256, and look the same.
static uint8_t shade(uint8_t value) { return (uint8_t)((value * 31 + 127) / 255 * 255 / 31); }

void sheet_write(Sheet *sheet, const char *path) {
    Error error = {0};
    Image *image = &sheet->image;
    for (size_t i = 0; i < 3 * image->width * image->height; i++) image->pixels[i] = shade(image->pixels[i]);
    demo_needs(png_write(path, image, NULL, 0, &error), &error);
    image_free(image);
}
