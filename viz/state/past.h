// past.h - a run up to a step: enough to stand there again without asking the U-Net
//
// The settings that were in force and the U-Net's recorded answers; all else (the noise that a scheduler draws, its
// history) follows from them. So a branch costs only its own steps, and a trace from a file can be continued like a run.
// Where: the viewer takes one of a branch and gives it to the engine with a job, so that the two threads share nothing.

#pragma once

#include "state/branch.h"

typedef struct Past {
    Chapter *chapters;
    size_t chapter_count;
    size_t count;         // steps
    size_t n;             // floats in latents
    float *start, *end;   // [n] latents before the first and after the last of them; NULL where count is 0,
                          // end also where it isn't known
    StepAnswer *answers;  // [count], pointing into `numbers`
    float *numbers;       // [count, 3, n]
} Past;

Past past_of(const Branch *branch, size_t k);  // of its first k steps, copied; chapters that begin after k are left out
void past_free(Past *past);

// A run that stands after these steps. attention, listener: put into its settings from the beginning, {0} and NULL for none.
// sigmas: where not NULL, becomes [run_step_count] of the noise at each step's start, malloc'ed. Errors: those of
// run_begin, run_change and run_replay, and recorded numbers that these settings don't lead to.
Run *past_resume(const Past *past, const Model *model, AttentionObserver attention, void *listener, float **sigmas,
                 Error *error);
