// report.h - what a run will cost, and what it did cost, in words
//
// All on stderr, so that stdout stays free for results.

#pragma once

#include "sculpt.h"

// "critters: 9.4 M parameters, 128 x 128, 20 steps of 1.2 GFLOP ..."
void report_cost(const Model *model, const Settings *settings, const RunCost *cost, const Scheduler *scheduler);

// "text 0.01 s, 20 steps 3.2 s, decode 0.2 s; ..."
void report_times(const Run *run);

// A prompt that was cut: which words the model never saw.
void report_lost_words(const Run *run);
