// grid_cells.h - what the panels of grids share: a cell, and what a grid costs
//
// Where: under compare.c and swap.c.

#pragma once

#include "state/viewer.h"
#include "ui/widgets.h"

// The largest rectangle of the drawn pictures' shape in the middle of `rect`
Rect cell_picture_rect(const Viewer *viewer, Rect rect);
// A cell in `rect`: `picture`, or what there is in place of one; how far its walk is, and what went wrong. NULL: nothing to show
// yet. True when it was pressed.
bool cell_draw(Ui *ui, Viewer *viewer, Rect rect, size_t cell, const char *name, const Picture *picture);
// "240 steps, 420 U-Net calls, about 3 s"; seconds 0: not known
void cost_text(char *text, size_t size, size_t steps, size_t unet_calls, double seconds);
