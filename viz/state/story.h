// story.h - what happens in a step, in words that are true of its numbers
//
// Where: between a branch and the panels that speak of it.

#pragma once

#include "state/branch.h"

typedef struct StepStory {
    char sentence[320];  // what happens here; one or two sentences
    char turn[240];      // what was set otherwise from this step on: "From here on: guidance scale 7.5 -> 12"; ""
} StepStory;

StepStory story_of(const Branch *branch, size_t k);

// Numbers of a step. What isn't known is NaN.
typedef struct StepFacts {
    float timestep, sigma, alpha;   // NaN at the finished picture: timestep
    float noise_rms, guidance_rms;  // of noise_pred; of text minus uncond, NaN in a step without guidance
    float moved;                    // root mean square of what the predicted picture changed by since the step before
    double seconds;                 // 0: not measured
    size_t calls, calls_so_far;     // pictures through the U-Net in this step; and up to its end
} StepFacts;

StepFacts facts_of(const Branch *branch, size_t k);

// The scheduler at step k; NULL where nothing names it
const SchedulerKind *branch_scheduler(const Branch *branch, size_t k);
bool branch_predicts_v(const Branch *branch, size_t k);  // the U-Net's answer is v, not noise
