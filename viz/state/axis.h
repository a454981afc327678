// axis.h - a knob and the values that a grid gives it, and how a hand writes them down
//
// Where: under grid.h. The form is what panels/compare.c lets somebody fill in; the axis is what it says.

#pragma once

#include "state/knobs.h"

enum { AXIS_MAX = 64, AXIS_TEXT = 512, AXIS_FIELD = 2048 };

typedef struct Axis {
    Knob knob;
    char values[AXIS_MAX][AXIS_TEXT];  // as knob_set takes them
    size_t count;
} Axis;

// What is filled in for an axis. Each knob keeps its own text, so that looking at another loses nothing.
typedef struct AxisForm {
    Knob knob;
    uint32_t schedulers;                // bit i: scheduler_kind_at(i)
    char text[KNOB_COUNT][AXIS_FIELD];  // numbers with commas between them, prompts with "|"
} AxisForm;

// Knobs that pictures of one size can be compared by; strength only where there is a picture to begin with.
size_t axis_knobs(const Knobs *knobs, Knob list[KNOB_COUNT]);
// The values that are worth seeing first
void axis_form_fill(AxisForm *form, Knob knob);
// Errors: a text that is no value of this knob, a value that stands there twice, none at all, or too many.
bool axis_read(Axis *axis, const AxisForm *form, const Knobs *knobs, Error *error);
