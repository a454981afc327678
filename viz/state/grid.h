// grid.h - many walks side by side: two knobs compared, or another prompt from every step on
//
// A grid's cells are branches like any other; it only says which of them stand where, and how far apart their pictures are.
// Where: the viewer owns one. Begun by viewer_compare and viewer_swap (walks.c); shown by panels/compare.c and swap.c.
// Read next: grid.c, then grid_plan.h, what it will cost, and turning.h, what a grid of swapped prompts shows.

#pragma once

#include "state/axis.h"
#include "state/branch.h"
#include "state/difference.h"

struct Viewer;

typedef enum { GRID_NONE, GRID_COMPARE, GRID_SWAP } GridKind;

// What was worked out about a cell
typedef struct GridNote {
    float distance;                // viewer_distance to the reference; negative: not known yet
    float from_first;              // GRID_SWAP: the same to cell 0
    PictureDifference difference;  // of its picture to the reference's
} GridNote;

// GRID_COMPARE: rows down, columns across, each cell a run from the beginning with the same seed.
// GRID_SWAP: one row; cell i goes on with `prompt` from step i on, i = 0 to steps - 1, and the last is the unchanged run: where
// it stops following the new prompt is an attribute's point of no return.
typedef struct Grid {
    GridKind kind;
    Axis rows, columns;
    char prompt[KNOB_TEXT];  // GRID_SWAP
    int *cells;              // [rows.count, columns.count]: ids of branches
    GridNote *notes;         // [rows.count, columns.count]
    size_t row_count, column_count;
    size_t reference;      // the cell that others are measured against
    bool show_difference;  // each cell's difference to it instead of its picture
    float down, across;    // the mean distance of neighbours, once all are finished; negative: not known
} Grid;

// Empty cells, nothing known of them; what there was is freed.
void grid_begin(Grid *grid, GridKind kind, size_t rows, size_t columns);
void grid_free(Grid *grid);
size_t grid_count(const Grid *grid);
Branch *grid_cell(const struct Viewer *viewer, size_t cell);  // NULL: there is none, or it was closed
size_t grid_done(const struct Viewer *viewer);                // cells whose walk has ended, in whatever way
void grid_measure(struct Viewer *viewer);                     // distances of the pictures that are finished
void grid_set_reference(struct Viewer *viewer, size_t cell);
void grid_open(struct Viewer *viewer, size_t cell);  // on the stage, at the step that it is looked at

// Cells are looked at where the shown branch is: at the same share of their walks, which may have different step counts. 0..1;
// grid_fraction where nothing is shown.
float grid_share(const struct Viewer *viewer);
// The step that a cell is looked at, as far as it has come, and its picture there; NULL while nothing is known.
size_t grid_step(const struct Viewer *viewer, const Branch *branch);
const Picture *grid_picture(struct Viewer *viewer, size_t cell);
// What the cell's picture has that the reference's hasn't (difference.h). NULL while one isn't there.
const Picture *grid_difference(struct Viewer *viewer, size_t cell, const Theme *theme);

// In words: the value of row or column i ("7.5"), the cell ("euler, 7.5"), all its settings, and what the numbers say.
void grid_value(const Axis *axis, size_t i, char *text, size_t size);
void grid_cell_name(const Grid *grid, size_t cell, char *text, size_t size);
void grid_settings(const struct Viewer *viewer, size_t cell, char *text, size_t size);
void grid_verdict(const struct Viewer *viewer, char *text, size_t size);
