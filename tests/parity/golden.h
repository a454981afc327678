// golden.h - how far a stage's output is from what diffusers computed, on the models of tests/make_golden.py and
// tests/make_golden_families.py

#pragma once

#include "base/error.h"
#include "ops/context.h"

#define GOLDEN "tests/golden/stages/"

// How a golden is to be run. All zero: with the defaults.
typedef struct Setup {
    const char *all;         // this variant of every op that has it
    const char *choices[2];  // "op=variant", on top of that
    const Kernel *kernel;    // this one for its op, on top of that: for kernels that aren't in the registry
    float timestep_shift;    // added to the U-Net's timesteps
} Setup;

// The largest relative L2 error over all the outputs in GOLDEN/name (text_*, unet_* or vae_*). model: the folder to
// load the model from instead, or NULL. Infinity, and the reason printed, if the model can't be opened.
double golden_error(const char *name, const char *model, const Setup *setup);

// A context with the setup's kernels and room for arena_bytes of activations. CHECKs that there is room.
Context golden_context(const Setup *setup, size_t arena_bytes);

// A copy of GOLDEN/name whose config.json has `to` instead of `from` (which must be in it): build/tmp/FOLDER. The
// weights are links. The path is valid until the next call.
const char *golden_edited(const char *name, const char *folder, const char *from, const char *to);
