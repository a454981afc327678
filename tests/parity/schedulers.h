// schedulers.h - what the tests of schedulers beside diffusers' share: their goldens, their cases in words, their bounds

#pragma once

#include "io/safetensors.h"
#include "schedulers/scheduler.h"

#define GOLDEN "tests/golden/schedulers"

enum { N = 16, PARTS = 4 };  // numbers that a walk's latents have; what of a step is compared
extern const char *const PART_NAMES[PARTS];

// What a step's numbers may be off by, as a part of the largest: BOUND, but for a few cases
static const double BOUND = 1e-5;
double bound_for(const Scheduler *s);

// The numbers of prefix + name, and their first axis; NULL if there are none.
const float *floats_of(const SafetensorsFile *golden, const char *prefix, const char *name, size_t *rows);

// "euler 20 key=value key=value ..." -> a scheduler, its timesteps set
Scheduler *scheduler_from_text(const char *text, Error *error);
