// swap_plot.h - how far each swapped picture is from the two that it could have been
//
// Where: the lower part of swap.c.

#pragma once

#include "state/turning.h"
#include "state/viewer.h"
#include "ui/widgets.h"

// The step whose place in the plot the mouse is over; SIZE_MAX: none
size_t swap_plot_step(const Ui *ui, const Viewer *viewer, Rect area);
// marked: a step to point at, SIZE_MAX: none. The grid must be of swaps.
void swap_plot_draw(Ui *ui, const Viewer *viewer, Rect area, const Turning *turning, size_t marked);
// Of a picture that stays what it was, and of one that becomes the other
Color swap_color(const Ui *ui, bool stays);
