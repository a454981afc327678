// filmstrip.h - a run as pictures: one for every step, and a few of them side by side
//
// What is shown is pred_original_sample, the picture that the U-Net believes in at that step: after the first step a
// blur of everything it could be, then ever sharper. The noisy latents themselves show nothing for half of the run.

#pragma once

#include "run/recipe.h"
#include "sculpt.h"

enum { FILMSTRIP_COLUMNS = 8 };

typedef struct Filmstrip {
    const char *folder;
    size_t step_count;
    bool decodes;    // through the VAE; else through run_preview, enlarged where that is small
    size_t columns;  // steps that the strip shows, evenly spread from the first to the last
    Image noisy[FILMSTRIP_COLUMNS], predicted[FILMSTRIP_COLUMNS];
} Filmstrip;

// How many pictures a strip of so many steps is made of: what was predicted at each, and the noisy ones that strip.png
// shows.
size_t filmstrip_pictures(size_t step_count);

// Whether they are to be decoded by the model's VAE. Not where one costs too much, nor where a preview VAE is there.
bool filmstrip_decodes(const Model *model, const RunCost *cost);

// Makes the folder if it isn't there (not its parents), and clears it of an earlier run's pictures.
bool filmstrip_open(Filmstrip *strip, const char *folder, size_t step_count, bool decodes, Error *error);

// Writes step-NNN.png for the step that the run has just done.
bool filmstrip_add(Filmstrip *strip, Run *run, const Settings *settings, const Recipe *recipe, Error *error);

// Writes strip.png: above what the U-Net was shown, below what it believed in.
bool filmstrip_write(const Filmstrip *strip, const Recipe *recipe, Error *error);
void filmstrip_close(Filmstrip *strip);
