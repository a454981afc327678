// speed.h - how fast this machine computes the ops of a model, found out by trying each for a moment
//
// Where: `sculpt inspect`, which turns a planned cost (ops/context.h) into seconds with it.

#pragma once

#include "sculpt.h"

typedef struct Speed {
    double flops_a_second[OP_COUNT];  // of the ops whose time is arithmetic: conv2d, linear, attention; else 0
    double bytes_a_second[OP_COUNT];  // of all others, whose time is that of reading and writing
    double seconds_a_call;            // that an op takes however little there is to do
} Speed;

// Tries every op that counts, with the settings' kernels and threads, on pieces of the size that this model has in a
// picture of the settings' size: about a third of a second, as busy as the machine is now.
bool speed_measure(Speed *speed, const Model *model, const Settings *settings, Error *error);

// How long that will take, about; SPEED_UNCERTAINTY times more or less, if the machine stays as busy as it was.
#define SPEED_UNCERTAINTY 1.25
double speed_seconds(const Speed *speed, const Cost *cost);
