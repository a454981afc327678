// steps.h - a run whose scheduler takes somebody else's step
//
// For checks and demos: the whole pipeline, with one function in it that a learner wrote.

#pragma once

#include "sculpt.h"

// As SchedulerKind's step. The scheduler's own one is to be found in run_scheduler(run)->kind->step.
typedef void StepFunction(Scheduler *s, size_t k, const float *latents, const float *model_output,
                          const float *fresh_noise, float *prev_sample, float *pred_original_sample, size_t n);

// A copy of the run's kind that takes this step, put in its place: *kind has to live as long as the run.
void run_take_step(Run *run, SchedulerKind *kind, StepFunction *step);
