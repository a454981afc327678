// compare_form.h - which knobs are compared, and which of their values
//
// Where: the upper part of compare.c.

#pragma once

#include "state/viewer.h"
#include "ui/widgets.h"

// Draws it from the top of `area` on; its height. *entered: Enter was pressed in a field.
float compare_form(Ui *ui, Viewer *viewer, Rect area, bool *entered);
