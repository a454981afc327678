// grid_plan.c - see grid_plan.h

#include "state/grid_plan.h"

#include "base/check.h"
#include "state/turning.h"
#include "state/viewer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- comparing ------------------------------------------------------------------------------------------------------

static void fill(GridForm *form, const Knobs *knobs) {
    axis_form_fill(&form->rows, KNOB_SCHEDULER);
    axis_form_fill(&form->columns, KNOB_GUIDANCE);
    AxisForm *both[] = {&form->rows, &form->columns};
    for (size_t i = 0; i < 2; i++)
        snprintf(both[i]->text[KNOB_PROMPT], AXIS_FIELD, "%.*s | a red cat", AXIS_FIELD - 20, knobs->prompt);
    form->filled = true;
}

// Cells with the same of these take as many steps and calls.
typedef struct CellCost {
    char scheduler[sizeof((Knobs *)0)->scheduler];
    size_t num_inference_steps;
    float strength;
    bool guided;
    size_t steps, unet_calls;
} CellCost;

static bool cell_cost(CellCost *cost, const Knobs *knobs, const Model *model, Error *error) {
    SettingsRoom room;
    RunCost run;
    Settings settings = knobs_settings(knobs, model, &room);
    if (!run_cost(model, &settings, &run, error)) return false;
    cost->steps = run.timestep_count;
    cost->unet_calls = run.unet_calls;
    return true;
}

// A cell that can't be drawn says so itself when its turn comes; here it costs nothing.
static void add_costs(GridPlan *plan) {
    size_t known = 0, cells = plan->rows.count * plan->columns.count;
    CellCost *costs = calloc(cells, sizeof *costs);
    CHECK(costs, "out of memory");
    for (size_t i = 0; i < cells; i++) {
        Knobs knobs = plan->knobs;
        const char *row = plan->rows.values[i / plan->columns.count],
                   *column = plan->columns.values[i % plan->columns.count];
        if (!knob_set(&knobs, plan->rows.knob, row, NULL) || !knob_set(&knobs, plan->columns.knob, column, NULL))
            continue;
        CellCost *cost = &costs[known];
        *cost = (CellCost){.num_inference_steps = knobs.num_inference_steps,
                           .strength = knobs.strength,
                           .guided = knobs.guidance_scale > 1};
        strcpy(cost->scheduler, knobs.scheduler);
        size_t j = 0;
        while (j < known &&
               (strcmp(costs[j].scheduler, cost->scheduler) != 0 || costs[j].strength != cost->strength ||
                costs[j].num_inference_steps != cost->num_inference_steps || costs[j].guided != cost->guided))
            j++;
        if (j == known) {
            cell_cost(cost, &knobs, plan->model, NULL);
            known++;
        }
        plan->steps += costs[j].steps;
        plan->unet_calls += costs[j].unet_calls;
    }
    free(costs);
}

static void make_plan(GridPlan *plan, const GridForm *form, const Viewer *viewer) {
    *plan = (GridPlan){.known = true, .knobs = viewer->knobs, .model = viewer->model};
    plan->row_form = form->rows;
    plan->column_form = form->columns;
    bool rows = axis_read(&plan->rows, &form->rows, &viewer->knobs, &plan->row_error);
    bool columns = axis_read(&plan->columns, &form->columns, &viewer->knobs, &plan->column_error);
    if (!rows || !columns) return;
    size_t cells = plan->rows.count * plan->columns.count;
    if (plan->rows.knob == plan->columns.knob)
        error_set(&plan->error, "Down and across are both the %s; choose another for one of them",
                  knob_name(plan->rows.knob));
    else if (cells > GRID_CELLS_MAX)
        error_set(&plan->error, "%zu cells are more than %d; take some values away", cells, GRID_CELLS_MAX);
    else if (plan->model)
        add_costs(plan);
}

static bool same_form(const AxisForm *a, const AxisForm *b) {
    return a->knob == b->knob && a->schedulers == b->schedulers && strcmp(a->text[a->knob], b->text[b->knob]) == 0;
}

const GridPlan *grid_plan(Viewer *viewer) {
    GridPlan *plan = &viewer->grid_plan;
    GridForm *form = &viewer->grid_form;
    if (!form->filled) fill(form, &viewer->knobs);
    if (!plan->known || plan->model != viewer->model || !knobs_equal(&plan->knobs, &viewer->knobs) ||
        !same_form(&plan->row_form, &form->rows) || !same_form(&plan->column_form, &form->columns))
        make_plan(plan, form, viewer);
    return plan;
}

// ---- swapping -------------------------------------------------------------------------------------------------------

void swap_fill(Viewer *viewer) {
    GridForm *form = &viewer->grid_form;
    const Branch *shown = viewer_shown(viewer);
    int id = shown ? shown->id : -1;
    if (form->prompt_typed || (form->prompt[0] && form->suggested_for == id)) return;
    form->suggested_for = id;
    swap_suggest(shown ? branch_knobs_at(shown, 0)->prompt : viewer->knobs.prompt, form->prompt, sizeof form->prompt);
}

bool swap_possible(const Viewer *viewer, char *why, size_t size) {
    const Branch *branch = viewer_shown(viewer);
    why[0] = 0;
    if (!branch)
        snprintf(why, size, "Draw a picture first: press Run");
    else if (branch->state == BRANCH_RUNNING || branch->state == BRANCH_WAITING)
        snprintf(why, size, "Wait until the run on the stage is finished");
    else if (branch->state != BRANCH_DONE || branch_steps_done(branch) < branch->step_count)
        snprintf(why, size, "The run on the stage has ended on its way: choose another, or press Run");
    else if (!branch->continuable)
        snprintf(why, size, "%s", branch->message);
    else if (!branch->sigmas)
        snprintf(why, size, "The model is still being opened");
    else if (branch->step_count < 2)
        snprintf(why, size, "A run of one step decides everything at once: draw one with two steps or more");
    else if (branch->step_count > SWAP_STEPS_MAX)
        snprintf(why, size, "%zu steps are too many to swap at each: draw a run with %d or fewer", branch->step_count,
                 SWAP_STEPS_MAX);
    else if (strcmp(branch_knobs(branch)->prompt, viewer->grid_form.prompt) == 0)
        snprintf(why, size, "That is the run's own prompt: change a word of it");
    return !why[0];
}

void swap_cost(const Branch *branch, size_t *steps, size_t *unet_calls) {
    *steps = *unet_calls = 0;
    for (size_t k = 0; k < branch_steps_done(branch); k++) {  // step k is done anew by those that left at 0 to k
        *steps += k + 1;
        *unet_calls += (k + 1) * (branch->trace->steps[k].noise_pred_uncond ? 2 : 1);
    }
}

double grid_call_seconds(const Viewer *viewer, const Knobs *knobs) {
    for (size_t i = viewer->branch_count; i-- > 0;) {
        const Branch *branch = viewer->branches[i];
        if (branch->own_steps == 0 || branch->unet_calls == 0) continue;
        if (knob_equal(branch_knobs(branch), knobs, KNOB_MODEL) && knob_equal(branch_knobs(branch), knobs, KNOB_SIZE))
            return branch->step_seconds / (double)branch->unet_calls;
    }
    return 0;
}
