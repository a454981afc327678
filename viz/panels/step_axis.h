// step_axis.h - where a step stands from left to right, for all panels that lie over each other at the bottom
//
// A walk takes the whole width: a slot for each of its steps, and one for its picture. Branches have the slots of the
// run that they come from, so that the same step of both is at the same place; another run, with other steps, is
// stretched to the same width.

#pragma once

#include "state/viewer.h"

enum { STEP_NAMES_WIDE = 192, STEP_NAMES = 136, STEP_NAMES_NARROW = 96 };  // points left of the first slot

typedef struct StepAxis {
    float left, slot;  // where the first begins; a slot's width
    size_t slots;      // at least 1
} StepAxis;

float step_names_width(Rect area);
// branch NULL: of a run with the knobs as they are
StepAxis step_axis(const Viewer *viewer, const Branch *branch, Rect area);
float step_edge(StepAxis axis, size_t k);  // the slot's left edge; of k = slots, the end
float step_middle(StepAxis axis, size_t k);
size_t step_at(StepAxis axis, float x);                               // the slot that is there, or the nearest
size_t step_count_known(const Viewer *viewer, const Branch *branch);  // its steps, or as many as were asked for
