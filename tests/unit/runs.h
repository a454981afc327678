// runs.h - what the tests of runs share: a small model, its usual settings, and steps that are expected to succeed

#pragma once

#include "sculpt.h"

enum {
    WIDTH = 24,  // pixels, of which the model makes 4 x 4 a latent
    HEIGHT = 32,
    LATENTS = LATENT_CHANNELS * (WIDTH / 4) * (HEIGHT / 4)
};

Model *runs_model(void);                  // with random weights; ends the test if it can't be opened
Settings runs_usual(const Model *model);  // WIDTH x HEIGHT, six steps of DDIM
Run *runs_begin(const Model *model, const Settings *settings);  // ends the test if it is refused
void runs_step(Run *run, size_t times);
void runs_finish(Run *run);                  // all steps that are left
bool runs_same(const Run *a, const Run *b);  // the same latents, bit for bit
