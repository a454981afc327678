// strip.h - a row of thumbnails, and dragging along the steps

#pragma once

#include "panels/panels.h"
#include "panels/step_axis.h"

enum { STRIP_CELL = 36 };  // points: a thumbnail is at least so wide; where that is too many, some steps have none

// The branch's thumbnails; drags and presses in them show it and go to the step. shown_axis: of the branch on the stage
void strip_draw(Ui *ui, Viewer *viewer, size_t index, Rect strip, StepAxis axis, StepAxis shown_axis);
// A surface of this name along which the shown branch's steps are dragged.
void steps_scrub(Ui *ui, Viewer *viewer, const char *name, Rect rect, StepAxis axis);
Color branch_color(const Ui *ui, const Branch *branch);
