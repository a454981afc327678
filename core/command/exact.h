// exact.h - the training set that `--exact` asks
//
// This is where the command knows the painter; the library doesn't. Read next: data/critters/exact/exact_data.h.

#pragma once

#include "command/options.h"
#include "sculpt.h"

typedef struct ExactData ExactData;

// What --exact-data names: a folder of latents, or so many drawings of the painter, as the model's VAE encodes them. Those
// are kept in the user's cache folder, $XDG_CACHE_HOME/sculpt or ~/.cache/sculpt, and are used again as long as the first,
// the last and one in between come out of painter and VAE as they stand there. Says on stderr what takes time.
ExactData *exact_open(const Options *options, const Model *model, Error *error);
const ExactDenoiser *exact_denoiser(const ExactData *data);
void exact_close(ExactData *data);  // NULL is fine
