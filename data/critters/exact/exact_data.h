// exact_data.h - a training set for the exact denoiser: the painter's drawings, as a model's VAE sees them
//
//     Drawing *drawings = drawings_of_training(4000);
//     ExactData data;
//     if (!drawings || !exact_data_encode(&data, model, drawings, 4000, &error)) return puts(error.message);
//     settings.exact = &data.denoiser;   // .window and .reach are the caller's to set
//     ...                                // runs
//     exact_data_free(&data);
//
// Of each latent it is known what was drawn, so a prompt in the painter's words means those drawings that have what it
// says. Where: between the painter (../draw) and the stage (core/stages/exact_denoiser.h), which know nothing of each
// other. Read next: matching.c, for what a prompt means; encoding.c; exact_files.c, for sets that others made.

#pragma once

#include "critters/draw/world.h"
#include "sculpt.h"

// Must stay where it is while a run uses it.
typedef struct ExactData ExactData;
struct ExactData {
    ExactDenoiser denoiser;
    float *latents;     // [count, 4, h, w], the denoiser's set
    Drawing *drawings;  // [count]; NULL: nothing is known of them, and only the empty prompt means something
};

// What critters-draw paints with seeds 0 to count - 1 for training, malloc'ed; NULL without memory
Drawing *drawings_of_training(size_t count);

// Paints drawings and encodes them: the means of the posteriors, times the scaling factor. drawings become the data's,
// whatever happens; malloc'ed. A second for 100 to 200 of them on two cores.
bool exact_data_encode(ExactData *data, const Model *model, Drawing *drawings, size_t count, Error *error);
// The same of one drawing: latents [4, SIDE / factor, SIDE / factor]
bool drawing_encode(const Model *model, const Drawing *drawing, float *latents, Error *error);

// A folder with latents.safetensors ("latents": [count, 4, h, w], as the U-Net sees them), and, where prompts are to mean
// something, captions.jsonl as critters-draw writes it, a line a latent.
bool exact_data_read(ExactData *data, const char *folder, Error *error);
// Such a file alone, of drawings that are known: they become the data's, whatever happens.
bool exact_data_read_file(ExactData *data, const char *path, Drawing *drawings, size_t count, Error *error);
bool exact_data_write_file(const ExactData *data, const char *path, Error *error);

void exact_data_free(ExactData *data);  // leaves it empty; twice is fine

// Which drawings have everything that a prompt says: ExactDenoiser.match, whose matcher is an ExactData. The error says
// how many there are, and how many have all but one thing.
bool exact_data_match(const void *data, const char *prompt, size_t *index, size_t *count, Error *error);
