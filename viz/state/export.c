// export.c - pictures to take away: of one step, of a walk, of a grid, and moving
//
// Where: below the export menu; how the sheets are made is export/'s. Pictures that the decoder hasn't made yet go out as
// their previews, enlarged, and the notice says so.

#include "state/inside.h"

#include "base/check.h"
#include "base/text.h"
#include "export/animation.h"
#include "export/sheet.h"
#include "io/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What an export is made of
typedef struct Gathered {
    Viewer *viewer;
    Branch *branch;
    size_t width, height;  // of a picture in full size
    const char *path;
    size_t previews;  // pictures that are none of full size
    Metadata *notes;
    size_t note_count;
} Gathered;

// ---- pictures -------------------------------------------------------------------------------------------------------

static void full_size(const Branch *branch, size_t *width, size_t *height) {
    enum { VAE_FACTOR = 8 };  // pixels a latent, where no decoded picture tells
    const Trace *trace = branch->trace;
    *width = trace->image ? trace->image_width : trace->width * VAE_FACTOR;
    *height = trace->image ? trace->image_height : trace->height * VAE_FACTOR;
}

// What the U-Net believed in at step k; behind the last step, the finished picture. NULL where it isn't known.
static const Image *shown_image(Gathered *gathered, Branch *branch, size_t k, bool large) {
    PictureKind kind = k < branch->step_count ? PICTURE_CLEAN : PICTURE_START;
    const Picture *picture = viewer_picture(gathered->viewer, branch, k, kind, large);
    if (!picture) return NULL;
    gathered->previews += picture->image.width != gathered->width;
    return &picture->image;
}

// A preview has one pixel a latent.
static bool fit(Gathered *gathered, const Image *image, Image *fitted, Error *error) {
    *fitted = image_resize(image, gathered->width, gathered->height);
    return fitted->pixels || error_set(error, "%s: no memory for a picture; close other programs", gathered->path);
}

// ---- the four kinds -------------------------------------------------------------------------------------------------

static void note(Gathered *gathered, const char *key, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void note(Gathered *gathered, const char *key, const char *format, ...) {
    va_list arguments;
    char *value;
    va_start(arguments, format);
    CHECK(vasprintf(&value, format, arguments) >= 0, "out of memory");
    va_end(arguments);
    notes_append(&gathered->notes, &gathered->note_count, key, value);
    free(value);
}

static bool write_sheet(const Gathered *gathered, Image *sheet, Error *error) {
    bool ok = png_write(gathered->path, sheet, gathered->notes, gathered->note_count, error);
    image_free(sheet);
    return ok;
}

static bool export_picture(Gathered *gathered, Error *error) {
    const Image *image = shown_image(gathered, gathered->branch, gathered->viewer->k, true);
    Image fitted;
    if (!image) return error_set(error, "%s: there is no picture of this step yet; wait for it", gathered->path);
    note(gathered, "step", "%zu", gathered->viewer->k);
    return fit(gathered, image, &fitted, error) && write_sheet(gathered, &fitted, error);
}

static bool export_strip(Gathered *gathered, Error *error) {
    size_t count = branch_steps_done(gathered->branch);
    const Image **images = calloc(count, sizeof *images);
    CHECK(images, "out of memory");
    for (size_t k = 0; k < count; k++) images[k] = shown_image(gathered, gathered->branch, k, false);
    Image strip;
    bool ok = strip_make(&strip, images, count, gathered->width, gathered->height, error);
    free(images);
    return ok && write_sheet(gathered, &strip, error);
}

static bool export_animation(Gathered *gathered, Error *error) {
    enum { WALK = 4000, SHORTEST = 40, LONGEST = 250, LAST = 1500 };  // milliseconds
    size_t steps = branch_steps_done(gathered->branch), count = 0;
    int each = WALK / (int)steps;
    each = each < SHORTEST ? SHORTEST : each > LONGEST ? LONGEST : each;
    Image *images = calloc(steps + 1, sizeof *images);
    AnimationFrame *frames = calloc(steps + 1, sizeof *frames);
    CHECK(images && frames, "out of memory");
    bool ok = true, finished = gathered->branch->state == BRANCH_DONE;
    for (size_t k = 0; ok && k < steps + finished; k++) {
        const Image *image = shown_image(gathered, gathered->branch, k, false);
        if (!image) continue;
        ok = fit(gathered, image, &images[count], error);
        frames[count] = (AnimationFrame){&images[count], each};
        count++;
    }
    if (ok && count == 0) ok = error_set(error, "%s: there is no picture yet; wait for one", gathered->path);
    if (ok) {
        frames[count - 1].milliseconds = LAST;
        ok = animation_write(gathered->path, frames, count, gathered->notes, gathered->note_count, error);
    }
    for (size_t i = 0; i < count; i++) image_free(&images[i]);
    free(images);
    free(frames);
    return ok;
}

// ---- the grid -------------------------------------------------------------------------------------------------------

enum { LABEL_SIZE = AXIS_TEXT + 40 };

// "guidance scale 7.5"; "" where an axis has only one place and no value
static void axis_labels(const Axis *axis, size_t count, char (*labels)[LABEL_SIZE], const char **pointers) {
    for (size_t i = 0; i < count; i++) {
        if (i < axis->count) snprintf(labels[i], LABEL_SIZE, "%s %s", knob_name(axis->knob), axis->values[i]);
        pointers[i] = labels[i];
    }
}

// Of a swap: the step from which on a cell follows the other prompt
static void swap_labels(size_t count, char (*labels)[LABEL_SIZE], const char **pointers) {
    for (size_t i = 0; i < count; i++) {
        snprintf(labels[i], LABEL_SIZE, i + 1 < count ? "from step %zu" : "never", i);
        pointers[i] = labels[i];
    }
}

static void note_axis(Gathered *gathered, const char *key, const char *const *labels, size_t count) {
    char text[4096] = "";
    for (size_t i = 0; i < count; i++) list_append(text, sizeof text, labels[i]);
    if (*text) note(gathered, key, "%s", text);
}

static bool export_grid(Gathered *gathered, Error *error) {
    const Grid *grid = &gathered->viewer->grid;
    size_t rows = grid->row_count, columns = grid->column_count, count = rows * columns;
    const Image **cells = calloc(count, sizeof *cells);
    char(*labels)[LABEL_SIZE] = calloc(rows + columns, sizeof *labels);
    const char **pointers = calloc(rows + columns, sizeof *pointers);
    CHECK(cells && labels && pointers, "out of memory");
    for (size_t i = 0; i < count; i++) {
        Branch *cell = viewer_branch_by_id(gathered->viewer, grid->cells[i]);
        if (cell) cells[i] = shown_image(gathered, cell, cell->step_count, true);
    }
    axis_labels(&grid->rows, rows, labels, pointers);
    if (grid->kind == GRID_SWAP)
        swap_labels(columns, labels + rows, pointers + rows);
    else
        axis_labels(&grid->columns, columns, labels + rows, pointers + rows);
    note_axis(gathered, "rows", pointers, rows);
    note_axis(gathered, "columns", pointers + rows, columns);
    if (grid->kind == GRID_SWAP) note(gathered, "other_prompt", "%s", grid->prompt);

    char title[2 * KNOB_TEXT];
    const char *prompt = branch_knobs_at(gathered->branch, 0)->prompt;
    snprintf(title, sizeof title, grid->kind == GRID_SWAP ? "%s -> %s" : "%s", prompt, grid->prompt);
    Image sheet;
    bool ok = grid_make(&sheet,
                        &(GridSheet){.rows = rows,
                                     .columns = columns,
                                     .width = gathered->width,
                                     .height = gathered->height,
                                     .cells = cells,
                                     .row_labels = pointers,
                                     .column_labels = pointers + rows,
                                     .title = title},
                        error);
    free(cells), free(labels), free(pointers);
    return ok && write_sheet(gathered, &sheet, error);
}

// ---- all of them ----------------------------------------------------------------------------------------------------

static const struct {
    const char *name, *ending;
    bool (*write)(Gathered *gathered, Error *error);
} KINDS[EXPORT_KINDS] = {
    [EXPORT_PICTURE] = {"picture", "png", export_picture},
    [EXPORT_STRIP] = {"strip", "png", export_strip},
    [EXPORT_GRID] = {"grid", "png", export_grid},
    [EXPORT_ANIMATION] = {"animation", "webp", export_animation},
};

// The first that is free
static void find_name(char *path, size_t size, ExportKind kind) {
    int number = 1;
    do snprintf(path, size, "sculpt-%04d-%s.%s", number++, KINDS[kind].name, KINDS[kind].ending);
    while (path_exists(path));
}

// The branch that the export is of: the shown one, or a grid's reference.
static Branch *exported_branch(const Viewer *viewer, ExportKind kind, Error *error) {
    const Grid *grid = &viewer->grid;
    if (kind != EXPORT_GRID) {
        Branch *shown = viewer_shown(viewer);
        if (shown && branch_steps_done(shown) > 0) return shown;
        error_set(error, "%s: there is no run yet; press Run first", KINDS[kind].name);
        return NULL;
    }
    bool there = grid->kind != GRID_NONE && grid->reference < grid->row_count * grid->column_count;
    Branch *cell = there ? viewer_branch_by_id(viewer, grid->cells[grid->reference]) : NULL;
    if (cell && cell->trace) return cell;
    error_set(error, "grid: there is none yet, or its first picture isn't drawn; compare two knobs first, or wait");
    return NULL;
}

bool viewer_export(Viewer *viewer, ExportKind kind, const char *path) {
    char free_name[64];
    if (!path) find_name(free_name, sizeof free_name, kind);
    Error error = {0};
    Gathered gathered = {
        .viewer = viewer, .path = path ? path : free_name, .branch = exported_branch(viewer, kind, &error)};
    bool ok = gathered.branch != NULL;
    if (ok) {
        full_size(gathered.branch, &gathered.width, &gathered.height);
        gathered.notes = branch_notes(viewer, gathered.branch, &gathered.note_count);
        ok = KINDS[kind].write(&gathered, &error);
        notes_free(gathered.notes, gathered.note_count);
    }
    if (!ok)
        viewer_complain(viewer, &error);
    else if (gathered.previews > 0)
        viewer_say(viewer, "written: %s, with a quick preview in place of %zu picture%s that the VAE hasn't decoded",
                   gathered.path, gathered.previews, gathered.previews == 1 ? "" : "s");
    else
        viewer_say(viewer, "written: %s", gathered.path);
    return ok;
}
