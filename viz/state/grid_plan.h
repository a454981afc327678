// grid_plan.h - what a grid is filled in to be, and what it will cost before it is begun
//
// Where: between what panels/compare.c and swap.c let a hand fill in and viewer_compare, viewer_swap. Costs come from run_cost,
// which plans the networks' own code.

#pragma once

#include "state/grid.h"

enum {
    GRID_CELLS_MAX = 256,
    SWAP_STEPS_MAX = 100
};  // each swap keeps all of its steps: their square is what memory has to hold

typedef struct GridForm {
    bool filled;  // with what to begin with
    AxisForm rows, columns;
    char prompt[KNOB_TEXT];  // GRID_SWAP
    bool prompt_typed;       // by hand; else it is suggested for the shown branch, of this id
    int suggested_for;
    float scroll, height;  // of the panel, and of all that is in it
    float swap_scroll, swap_height;
    float first_column;  // that is seen, where there are more than fit
} GridForm;

// What a form means, with the knobs as they are
typedef struct GridPlan {
    bool known;
    AxisForm row_form, column_form;  // what it is for
    Knobs knobs;
    const Model *model;
    Axis rows, columns;
    Error row_error, column_error, error;  // "" where nothing is wrong; error: of both together
    size_t steps, unet_calls;              // of all cells; 0 while the model isn't open
} GridPlan;

// Filled in if nobody has yet; worked out anew where the form or the knobs have changed.
const GridPlan *grid_plan(struct Viewer *viewer);
// The other prompt, suggested unless somebody has typed one. Whether the shown walk can be swapped to it, else why not.
void swap_fill(struct Viewer *viewer);
bool swap_possible(const struct Viewer *viewer, char *why, size_t size);
// What swapping the prompt at every step of this walk takes
void swap_cost(const Branch *branch, size_t *steps, size_t *unet_calls);
// Seconds that a picture takes through the U-Net, as measured in the last walk with this model and size; 0: in none yet
double grid_call_seconds(const struct Viewer *viewer, const Knobs *knobs);
