// demo.h - what a lesson's demo.c is written with: the small model, runs, and sheets of pictures
//
//     int main(int argc, char **argv) {
//         Model *model = demo_model();
//         Settings settings = demo_settings(model);          // "a pygmy hippo wearing sunglasses on the beach", seed 1
//         Image picture = demo_draw(model, &settings);
//         Sheet sheet = sheet_new(1, 1, 64);
//         sheet_place(&sheet, 0, 0, &picture);
//         sheet_write(&sheet, demo_path(argc, argv, "hippo.png").text);
//         image_free(&picture), model_close(model);
//     }
//
// A demo is a program of a page that prints what it finds out: where something fails it says so and ends, and nobody has
// to read about that. Its only argument is the folder for its pictures.
// Read next: steps.h, a run with another scheduler step in it.

#pragma once

#include "sculpt.h"

Model *demo_model(void);  // data/models/critters
Settings demo_settings(const Model *model);

// Begins a run; takes one step (false: none is left); takes all that are left, and gives the picture; draws a whole one.
Run *demo_run(const Model *model, const Settings *settings);
bool demo_step(Run *run);
Image demo_finish(Run *run);
Image demo_draw(const Model *model, const Settings *settings);

// Latents [4, h, w] as a picture: through the VAE's decoder; or quickly, a latent a pixel (run_preview), which shows
// noise as what it is.
Image demo_decode(Run *run, const float *latents);
Image demo_preview(Run *run, const float *latents);

float *demo_floats(size_t n);                     // zeros
float *demo_copy(const float *values, size_t n);  // both malloc'ed

void demo_needs(bool ok, const Error *error);  // ends the program with the error's message unless ok

typedef struct DemoPath {
    char text[512];
} DemoPath;
DemoPath demo_path(int argc, char **argv,
                   const char *file);  // in the folder that the demo was given, or the current one

// ---- many pictures on one -------------------------------------------------------------------------------------------

// Cells of `side` x `side` pixels with a little white between them. Keep a sheet under 60 kB: 64 pixels a side make 4 to 5
// kB a drawing, and noise takes more.
typedef struct Sheet {
    Image image;
    size_t columns, rows, side;
} Sheet;

Sheet sheet_new(size_t columns, size_t rows, size_t side);
// Fitted into the cell: averaged where it is larger, in square blocks where it is smaller (as demo_preview's are).
void sheet_place(Sheet *sheet, size_t column, size_t row, const Image *picture);
void sheet_write(Sheet *sheet, const char *path);  // and gives its memory back
