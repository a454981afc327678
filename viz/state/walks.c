// walks.c - runs, branches and grids of them
//
// A walk is a branch with chapters (branch.h) and a job for the engine. Whether it begins at the first step or in the middle
// of another makes no difference but for how much of it is known already.

#include "state/inside.h"

#include "base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

// ---- one walk -------------------------------------------------------------------------------------------------------

size_t add_branch(Viewer *viewer, const Branch *parent, size_t left_at, const Chapter *chapters, size_t chapter_count,
                  const char *name) {
    Branch **grown = realloc(viewer->branches, (viewer->branch_count + 1) * sizeof *grown);
    CHECK(grown, "out of memory");
    viewer->branches = grown;
    Branch *branch = branch_new(viewer->next_id++, chapters, chapter_count);
    branch->parent = parent ? parent->id : -1;
    branch->left_at = left_at;
    snprintf(branch->name, sizeof branch->name, "%s", name);
    viewer->branches[viewer->branch_count] = branch;
    viewer->shown_count++;
    return viewer->branch_count++;
}

void start_branch(Viewer *viewer, Branch *branch, int urgency) {
    const Branch *parent = viewer_branch_by_id(viewer, branch->parent);
    Past past = parent ? past_of(parent, branch->left_at) : (Past){0};
    Job job = {.kind = JOB_RUN, .urgency = urgency, .branch = branch->id, .past = past};
    Chapter *chapters = realloc(job.past.chapters, branch->chapter_count * sizeof *chapters);
    CHECK(chapters, "out of memory");
    memcpy(chapters, branch->chapters, branch->chapter_count * sizeof *chapters);
    job.past.chapters = chapters;
    job.past.chapter_count = branch->chapter_count;
    strcpy(job.model, branch_knobs(branch)->model);
    branch->state = BRANCH_RUNNING;
    engine_ask(viewer->engine, &job);
}

// Whether the model that the knobs name is open. If not, it is opened, or said why it can't be.
static bool model_ready(Viewer *viewer) {
    Error error = {0};
    if (strcmp(viewer->model_tried, viewer->knobs.model) != 0) viewer_use_model(viewer, viewer->knobs.model);
    if (viewer->model) return true;
    if (viewer->model_message[0]) {
        error_set(&error, "%s", viewer->model_message);
        viewer_complain(viewer, &error);
    } else {
        viewer_say(viewer, "opening %s ...", viewer->knobs.model);
    }
    return false;
}

static void put_on_stage(Viewer *viewer, size_t index) {
    Knobs knobs = viewer->knobs;
    start_branch(viewer, viewer->branches[index], 2);
    viewer_show(viewer, index);
    viewer->knobs = knobs;
    viewer->welcome = false;
    viewer->following = true;
    if (viewer->view == VIEW_COMPARE || viewer->view == VIEW_SWAP) viewer->view = VIEW_WATCH;
}

void viewer_run(Viewer *viewer) {
    viewer->run_when_open = !model_ready(viewer) && !viewer->model_message[0];
    if (!viewer->model) return;
    char name[64];
    Chapter chapter = {0, viewer->knobs};
    snprintf(name, sizeof name, "run %d", viewer->next_id);
    size_t index = add_branch(viewer, NULL, 0, &chapter, 1, name);
    put_on_stage(viewer, index);
    viewer_say(viewer, "%s: begun", name);
}

// The chapters of a walk that does its first k steps as `branch` did, and goes on with other knobs.
static size_t chapters_from(const Branch *branch, size_t k, const Knobs *knobs, Chapter *chapters) {
    size_t count = 0;
    for (size_t i = 0; i < branch->chapter_count; i++) {
        if (branch->chapters[i].from < k) chapters[count++] = branch->chapters[i];
    }
    chapters[count++] = (Chapter){k, *knobs};
    return count;
}

static size_t add_branch_at(Viewer *viewer, const Branch *parent, size_t k, const Knobs *knobs) {
    char difference[100], name[160];
    Chapter *chapters = malloc((parent->chapter_count + 1) * sizeof *chapters);
    CHECK(chapters, "out of memory");
    size_t count = chapters_from(parent, k, knobs, chapters);
    knobs_difference(branch_knobs_at(parent, k), knobs, difference, sizeof difference);
    snprintf(name, sizeof name, "%s at step %zu", difference, k);
    size_t index = add_branch(viewer, parent, k, chapters, count, name);
    free(chapters);
    return index;
}

bool viewer_can_branch(const Viewer *viewer, char *why, size_t size) {
    const Branch *branch = viewer_shown(viewer);
    why[0] = 0;
    if (!branch || branch_steps_done(branch) == 0) {
        snprintf(why, size, "There is no run yet to leave");
    } else if (!branch->continuable) {
        snprintf(why, size, "%s", branch->message);
    } else if (!branch->sigmas) {
        snprintf(why, size, "The model is still being opened");
    } else if (viewer->k >= branch->step_count) {
        snprintf(why, size, "This is the finished picture: go to a step before it (Left)");
    } else {
        const Knobs *before = branch_knobs_at(branch, viewer->k);
        for (Knob knob = 0; knob < KNOB_COUNT && !why[0]; knob++) {
            if (!knob_branches(knob) && !knob_equal(before, &viewer->knobs, knob))
                snprintf(why, size, "A run can't change its %s on the way: press Run, or set it back", knob_name(knob));
        }
    }
    if (why[0]) return false;
    knobs_difference(branch_knobs_at(branch, viewer->k), &viewer->knobs, why, size);
    return true;
}

void viewer_branch(Viewer *viewer) {
    char why[256];
    if (!viewer_can_branch(viewer, why, sizeof why)) {
        Error error = {0};
        error_set(&error, "%s", why);
        viewer_complain(viewer, &error);
        return;
    }
    size_t index = add_branch_at(viewer, viewer_shown(viewer), viewer->k, &viewer->knobs);
    put_on_stage(viewer, index);
    viewer_say(viewer, "Branched: %s", viewer->branches[index]->name);
}

void viewer_cancel(Viewer *viewer) {
    bool any = false;
    for (size_t i = 0; i < viewer->branch_count; i++) {
        Branch *branch = viewer->branches[i];
        if (branch->state == BRANCH_WAITING)
            branch->state = BRANCH_CANCELLED;
        else if (branch->state != BRANCH_RUNNING)
            continue;
        engine_cancel(viewer->engine, branch->id);
        any = true;
    }
    if (any) viewer_say(viewer, "Stopped");
    viewer_play(viewer, false);
}

static bool comes_from(const Viewer *viewer, const Branch *branch, int ancestor) {
    while (branch && branch->id != ancestor) branch = viewer_branch_by_id(viewer, branch->parent);
    return branch != NULL;
}

// The branch with this id or, if it is gone, the first that isn't only a grid's cell; SIZE_MAX where there is none.
static void put_back_on_stage(Viewer *viewer, int id) {
    size_t first = SIZE_MAX;
    for (size_t i = viewer->branch_count; i-- > 0;) {
        if (!viewer->branches[i]->in_grid) first = i;
        if (viewer->branches[i]->id != id) continue;
        viewer->shown = i;
        return;
    }
    viewer->shown = SIZE_MAX;
    if (first != SIZE_MAX) viewer_show(viewer, first);
}

void viewer_forget(Viewer *viewer, size_t index) {
    if (index >= viewer->branch_count) return;
    int ancestor = viewer->branches[index]->id, shown = viewer_shown(viewer) ? viewer_shown(viewer)->id : -1;
    bool goes[viewer->branch_count];
    for (size_t i = 0; i < viewer->branch_count; i++) goes[i] = comes_from(viewer, viewer->branches[i], ancestor);
    size_t kept = 0;
    for (size_t i = 0; i < viewer->branch_count; i++) {
        Branch *branch = viewer->branches[i];
        if (goes[i]) {
            engine_cancel(viewer->engine, branch->id);
            branch_free(branch);
        } else {
            viewer->branches[kept++] = branch;
        }
    }
    viewer->branch_count = kept;
    put_back_on_stage(viewer, shown);
    viewer->shown_count++;
}

void viewer_roll_seed(Viewer *viewer) {
    uint32_t seed = 0;
    while (getrandom(&seed, sizeof seed, 0) != sizeof seed) continue;
    viewer->knobs.seed = seed;
    viewer->shown_count++;
}

// ---- grids ----------------------------------------------------------------------------------------------------------

// Cells of the old one that nobody has opened go with it.
static void forget_cells(Viewer *viewer) {
    for (size_t i = viewer->branch_count; i-- > 0;) {
        if (i < viewer->branch_count && viewer->branches[i]->in_grid) viewer_forget(viewer, i);
    }
}

void viewer_compare(Viewer *viewer, const Axis *rows, const Axis *columns) {
    if (!model_ready(viewer) || rows->count == 0 || columns->count == 0) return;
    Axis down = *rows, across = *columns;                 // they may be the grid's own
    if (!viewer_shown(viewer)) viewer->shown = SIZE_MAX;  // nor is a cell on the stage before somebody opens it
    forget_cells(viewer);
    grid_begin(&viewer->grid, GRID_COMPARE, down.count, across.count);
    viewer->grid.rows = down;
    viewer->grid.columns = across;
    for (size_t i = 0; i < down.count * across.count; i++) {
        Chapter chapter = {0, viewer->knobs};
        Error error = {0};
        char name[160];
        const char *row = down.values[i / across.count], *column = across.values[i % across.count];
        bool ok =
            knob_set(&chapter.knobs, down.knob, row, &error) && knob_set(&chapter.knobs, across.knob, column, &error);
        snprintf(name, sizeof name, "%.70s, %s %.60s", row, knob_name(across.knob), column);
        size_t index = add_branch(viewer, NULL, 0, &chapter, 1, name);
        Branch *branch = viewer->branches[index];
        branch->in_grid = true;
        viewer->grid.cells[i] = branch->id;
        if (ok) continue;
        branch->state = BRANCH_FAILED;
        snprintf(branch->message, sizeof branch->message, "%s", error.message);
    }
    viewer->welcome = false;
    viewer->view = VIEW_COMPARE;
}

void viewer_swap(Viewer *viewer, const char *prompt) {
    Branch *parent = viewer_shown(viewer);
    if (!parent || !parent->sigmas || branch_steps_done(parent) < parent->step_count) return;
    int id = parent->id;
    forget_cells(viewer);
    grid_begin(&viewer->grid, GRID_SWAP, 1, parent->step_count + 1);
    parent = viewer_branch_by_id(viewer, id);
    CHECK(parent, "a walk on the stage is in no grid");
    Grid *grid = &viewer->grid;
    snprintf(grid->prompt, sizeof grid->prompt, "%s", prompt);
    for (size_t k = 0; k < parent->step_count; k++) {
        Knobs knobs = *branch_knobs_at(parent, k);
        snprintf(knobs.prompt, sizeof knobs.prompt, "%s", prompt);
        size_t index = add_branch_at(viewer, parent, k, &knobs);
        viewer->branches[index]->in_grid = true;
        grid->cells[k] = viewer->branches[index]->id;
    }
    grid->cells[parent->step_count] = id;
    grid->reference = parent->step_count;
    viewer->view = VIEW_SWAP;
}

// A grid's cells are many, and each takes the steps it shares along; so only the next few are with the engine.
enum { CELLS_AT_ONCE = 2 };

void feed_engine(Viewer *viewer) {
    size_t under_way = 0;
    for (size_t i = 0; i < viewer->branch_count; i++)
        under_way += viewer->branches[i]->in_grid && viewer->branches[i]->state == BRANCH_RUNNING;
    for (size_t i = 0; i < viewer->branch_count && under_way < CELLS_AT_ONCE; i++) {
        Branch *branch = viewer->branches[i];
        if (branch->state != BRANCH_WAITING) continue;
        start_branch(viewer, branch, 3);
        under_way++;
    }
}
