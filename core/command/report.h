// report.h - what a run will cost, and what it did cost, in words
//
// All on stderr, so that stdout stays free for results.

#pragma once

#include "sculpt.h"

// "" for one, else "s"
const char *plural(size_t count);

// "data/models/critters: 9.4 M parameters. 128 x 128, ddim, guidance 7.5, seed 1", and what a step and all will take.
// decodes: how many pictures will be decoded, the last one and those on the way; previews: those of a preview VAE
void report_cost(const Model *model, const Settings *settings, const RunCost *cost, size_t decodes, size_t previews);

// "loading 0.05 s, text 0.01 s, first step after 0.07 s, 20 steps 3.20 s (0.16 s each), 1 decode 0.20 s; peak memory: ..."
// first_step: seconds from the program's start to the first step's
void report_times(const Run *run, double first_step, size_t decodes, size_t previews);

// A prompt that was cut: which words the model never saw.
void report_lost_words(const Run *run);
