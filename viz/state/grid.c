// grid.c - see grid.h

#include "state/grid.h"

#include "base/check.h"
#include "base/least.h"
#include "base/text.h"
#include "state/viewer.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- cells ----------------------------------------------------------------------------------------------------------

static void forget_distances(Grid *grid) {
    for (size_t i = 0; i < grid_count(grid); i++) grid->notes[i].distance = grid->notes[i].from_first = -1;
}

void grid_free(Grid *grid) {
    for (size_t i = 0; i < grid_count(grid); i++) difference_free(&grid->notes[i].difference);
    free(grid->notes);
    free(grid->cells);
    *grid = (Grid){0};
}

void grid_begin(Grid *grid, GridKind kind, size_t rows, size_t columns) {
    bool show_difference = grid->show_difference;
    grid_free(grid);
    grid->kind = kind;
    grid->row_count = rows;
    grid->column_count = columns;
    grid->show_difference = show_difference;
    grid->down = grid->across = -1;
    grid->cells = malloc(rows * columns * sizeof *grid->cells);
    grid->notes = calloc(rows * columns, sizeof *grid->notes);
    CHECK(grid->cells && grid->notes, "out of memory");
    for (size_t i = 0; i < rows * columns; i++) grid->cells[i] = -1;
    forget_distances(grid);
}

size_t grid_count(const Grid *grid) { return grid->row_count * grid->column_count; }

Branch *grid_cell(const Viewer *viewer, size_t cell) {
    return cell < grid_count(&viewer->grid) ? viewer_branch_by_id(viewer, viewer->grid.cells[cell]) : NULL;
}

size_t grid_done(const Viewer *viewer) {
    size_t done = 0;
    for (size_t i = 0; i < grid_count(&viewer->grid); i++) {
        const Branch *branch = grid_cell(viewer, i);
        done += !branch || (branch->state != BRANCH_WAITING && branch->state != BRANCH_RUNNING);
    }
    return done;
}

// ---- how far apart --------------------------------------------------------------------------------------------------

static float distance_of(const Viewer *viewer, size_t a, size_t b) {
    const Branch *one = grid_cell(viewer, a), *other = grid_cell(viewer, b);
    return one && other ? viewer_distance(one, other) : -1;
}

// Of all pairs of cells that stand one beside the other (across) or one under the other (down).
static float neighbours(const Viewer *viewer, bool across) {
    const Grid *grid = &viewer->grid;
    size_t step = across ? 1 : grid->column_count, count = 0;
    double sum = 0;
    for (size_t i = 0; i + step < grid_count(grid); i++) {
        if (across && i % grid->column_count + 1 == grid->column_count) continue;
        float distance = distance_of(viewer, i, i + step);
        if (distance < 0) continue;
        sum += distance;
        count++;
    }
    return count > 0 ? (float)(sum / (double)count) : -1;
}

void grid_measure(Viewer *viewer) {
    Grid *grid = &viewer->grid;
    size_t count = grid_count(grid);
    bool news = false;
    for (size_t i = 0; i < count; i++) {
        GridNote *note = &grid->notes[i];
        if (note->distance < 0) note->distance = distance_of(viewer, i, grid->reference), news |= note->distance >= 0;
        if (note->from_first < 0 && grid->kind == GRID_SWAP) note->from_first = distance_of(viewer, i, 0);
    }
    if (!news || grid->kind != GRID_COMPARE || grid_done(viewer) < count) return;
    grid->down = neighbours(viewer, false);
    grid->across = neighbours(viewer, true);
}

void grid_set_reference(Viewer *viewer, size_t cell) {
    if (cell >= grid_count(&viewer->grid)) return;
    viewer->grid.reference = cell;
    forget_distances(&viewer->grid);
    grid_measure(viewer);
    viewer->shown_count++;
}

// ---- what is looked at ----------------------------------------------------------------------------------------------

float grid_share(const Viewer *viewer) {
    const Branch *shown = viewer_shown(viewer);
    return shown && shown->step_count > 0 ? (float)viewer->k / (float)shown->step_count : viewer->grid_fraction;
}

size_t grid_step(const Viewer *viewer, const Branch *branch) {
    size_t done = branch_steps_done(branch), step = (size_t)lrintf(grid_share(viewer) * (float)branch->step_count);
    size_t last = branch->state == BRANCH_DONE || done == 0 ? done : done - 1;
    return least(step, last);
}

const Picture *grid_picture(Viewer *viewer, size_t cell) {
    Branch *branch = grid_cell(viewer, cell);
    if (!branch || branch_steps_done(branch) == 0) return NULL;
    size_t k = grid_step(viewer, branch);
    PictureKind kind = k == branch->step_count ? PICTURE_START : PICTURE_CLEAN;
    // A step that is passed by in a moment isn't worth the decoder.
    if (branch->state == BRANCH_RUNNING) return viewer_known_picture(viewer, branch, k, kind);
    return viewer_picture(viewer, branch, k, kind, false);
}

const Picture *grid_difference(Viewer *viewer, size_t cell, const Theme *theme) {
    const Picture *of = grid_picture(viewer, cell), *to = grid_picture(viewer, viewer->grid.reference);
    PictureDifference *difference = &viewer->grid.notes[cell].difference;
    return of && to && difference_of(difference, of, to, theme) ? &difference->picture : NULL;
}

void grid_open(Viewer *viewer, size_t cell) {
    Branch *branch = grid_cell(viewer, cell);
    if (!branch) return;
    size_t step = grid_step(viewer, branch), index = 0;
    while (viewer->branches[index] != branch) index++;
    viewer_show(viewer, index);
    viewer_seek(viewer, step);
    viewer->view = VIEW_WATCH;
}

// ---- in words -------------------------------------------------------------------------------------------------------

// Adds to what stands in text; what doesn't fit is cut between two characters.
static void say(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void say(char *text, size_t size, const char *format, ...) {
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
    text[text_whole(text, strlen(text))] = 0;
}

void grid_value(const Axis *axis, size_t i, char *text, size_t size) {
    text[0] = 0;
    say(text, size, "%s", axis->values[i][0] ? axis->values[i] : "(nothing)");
}

void grid_cell_name(const Grid *grid, size_t cell, char *text, size_t size) {
    char row[40], column[40];
    text[0] = 0;
    if (grid->kind == GRID_COMPARE) {
        grid_value(&grid->rows, cell / grid->column_count, row, sizeof row);
        grid_value(&grid->columns, cell % grid->column_count, column, sizeof column);
        say(text, size, "%s, %s", row, column);
    } else if (cell + 1 < grid_count(grid)) {
        say(text, size, "step %zu", cell);
    } else {
        say(text, size, "never");
    }
}

void grid_settings(const Viewer *viewer, size_t cell, char *text, size_t size) {
    const Branch *branch = grid_cell(viewer, cell);
    text[0] = 0;
    if (!branch) {
        say(text, size, "This run was closed");
        return;
    }
    const Knobs *knobs = branch_knobs(branch);
    say(text, size, "%s, %zu steps, guidance %g, seed %llu", knobs->scheduler, knobs->num_inference_steps,
        as_written(knobs->guidance_scale), (unsigned long long)knobs->seed);
    if (knobs->init) say(text, size, ", strength %g", as_written(knobs->strength));
    say(text, size, ": \"%.90s\"", knobs->prompt);
    if (knobs->negative_prompt[0]) say(text, size, ", not \"%.40s\"", knobs->negative_prompt);
}

// Cells with the largest and smallest distance to the reference, and with the largest and smallest time
typedef struct Extremes {
    size_t farthest, nearest, fastest, slowest;
    bool compared, timed;
} Extremes;

static double seconds_of(const Branch *branch) {
    return branch && branch->state == BRANCH_DONE ? branch->step_seconds : 0;
}

static Extremes extremes(const Viewer *viewer) {
    const Grid *grid = &viewer->grid;
    Extremes e = {0};
    for (size_t i = 0; i < grid_count(grid); i++) {
        float distance = grid->notes[i].distance;
        if (distance >= 0 && i != grid->reference) {
            if (!e.compared || distance > grid->notes[e.farthest].distance) e.farthest = i;
            if (!e.compared || distance < grid->notes[e.nearest].distance) e.nearest = i;
            e.compared = true;
        }
        double seconds = seconds_of(grid_cell(viewer, i));
        if (seconds > 0) {
            if (!e.timed || seconds < seconds_of(grid_cell(viewer, e.fastest))) e.fastest = i;
            if (!e.timed || seconds > seconds_of(grid_cell(viewer, e.slowest))) e.slowest = i;
            e.timed = true;
        }
    }
    return e;
}

void grid_verdict(const Viewer *viewer, char *text, size_t size) {
    const Grid *grid = &viewer->grid;
    Extremes e = extremes(viewer);
    size_t count = grid_count(grid), done = grid_done(viewer);
    char name[96];
    text[0] = 0;
    if (done < count) say(text, size, "%zu of %zu have been drawn. ", done, count);
    if (e.compared) {
        grid_cell_name(grid, e.farthest, name, sizeof name);
        say(text, size, "Farthest from the reference: %s (rms %.1f). ", name, (double)grid->notes[e.farthest].distance);
    }
    if (e.compared && e.nearest != e.farthest) {
        grid_cell_name(grid, e.nearest, name, sizeof name);
        say(text, size, "Nearest: %s (rms %.1f). ", name, (double)grid->notes[e.nearest].distance);
    }
    if (e.timed && e.fastest != e.slowest) {
        grid_cell_name(grid, e.fastest, name, sizeof name);
        say(text, size, "Fastest: %s (%.2f s). ", name, seconds_of(grid_cell(viewer, e.fastest)));
    }
    if (grid->down < 0 || grid->across < 0) return;
    bool down = grid->down > grid->across;
    say(text, size, "The %s matters more here: neighbours differ by rms %.1f %s, by %.1f %s.",
        knob_name(down ? grid->rows.knob : grid->columns.knob), (double)fmaxf(grid->down, grid->across),
        down ? "down" : "across", (double)fminf(grid->down, grid->across), down ? "across" : "down");
}
