// strip.c - see strip.h

#include "panels/strip.h"

#include <stdio.h>

Color branch_color(const Ui *ui, const Branch *branch) {
    return ui->theme.series[(size_t)branch->id % (sizeof ui->theme.series / sizeof *ui->theme.series)];
}

// ---- dragging -------------------------------------------------------------------------------------------------------

static void follow_mouse(Ui *ui, Viewer *viewer, const char *name, StepAxis axis) {
    if (!ui_holds(ui, name)) return;
    size_t k = step_at(axis, ui->input.mouse_x);
    if (viewer->playing) viewer_play(viewer, false);
    if (k != viewer->k) viewer_seek(viewer, k);
}

void steps_scrub(Ui *ui, Viewer *viewer, const char *name, Rect rect, StepAxis axis) {
    ui_thing(ui, name, rect, "", false);
    ui_press(ui, name, rect);
    follow_mouse(ui, viewer, name, axis);
}

static void use_strip(Ui *ui, Viewer *viewer, size_t index, Rect strip, StepAxis axis) {
    const Branch *branch = viewer->branches[index];
    char name[32];
    snprintf(name, sizeof name, "strip %d", branch->id);
    ui_thing(ui, name, strip, "", true);
    bool entered = ui_focused(ui, name) && ui_key(ui, SDLK_RETURN, KMOD_NONE);
    if ((ui_press(ui, name, strip) || entered) && index != viewer->shown) viewer_show(viewer, index);
    follow_mouse(ui, viewer, name, axis);
    if (ui_focused(ui, name) && ui->focus_by_key) draw_frame(ui, strip, ui->theme.accent, 2);
}

// ---- thumbnails -----------------------------------------------------------------------------------------------------

// Where there is no room for a cell a step, a cell is of several, and shows the one in its middle; but the finished
// picture, the step under the mouse and the one looked at always have one.
typedef struct Cells {
    StepAxis axis;
    size_t count;
    size_t wanted[3];  // the first of these that lies in a cell is what it shows; SIZE_MAX: none
} Cells;

static size_t cell_of(const Cells *cells, size_t k) { return (2 * k + 1) * cells->count / (2 * cells->axis.slots); }

static size_t step_of_cell(const Cells *cells, size_t cell) {
    for (size_t i = 0; i < sizeof cells->wanted / sizeof *cells->wanted; i++) {
        if (cells->wanted[i] != SIZE_MAX && cell_of(cells, cells->wanted[i]) == cell) return cells->wanted[i];
    }
    return (2 * cell + 1) * cells->axis.slots / (2 * cells->count);
}

// looked_at: by how many points its frame shows it; 0: it isn't
static void draw_cell(Ui *ui, Viewer *viewer, Branch *branch, size_t k, Rect cell, float looked_at) {
    bool finished = branch->step_count && k == branch->step_count;
    PictureKind kind = finished ? PICTURE_START : PICTURE_CLEAN;
    const Picture *picture = viewer_picture(viewer, branch, k, kind, false);
    Rect inside = rect_inset(cell, 1), at = inside;
    if (picture) {
        at = draw_picture(ui, inside, picture,
                          viewer_picture_decoded(viewer, branch, k, kind) ? PIXELS_SMOOTH : PIXELS_SHARP);
    } else {
        float side = inside.w < inside.h ? inside.w : inside.h;
        at = (Rect){inside.x + (inside.w - side) / 2, inside.y + (inside.h - side) / 2, side, side};
        draw_fill(ui, at, ui->theme.sunken);
        draw_frame(ui, at, ui->theme.edge, 1);
    }
    if (looked_at > 0)
        draw_frame(ui, rect_inset(at, -1), ui->theme.accent, looked_at);
    else if (finished && picture)
        draw_frame(ui, at, branch_color(ui, branch), 2);
}

void strip_draw(Ui *ui, Viewer *viewer, size_t index, Rect strip, StepAxis axis, StepAxis shown_axis) {
    use_strip(ui, viewer, index, strip, axis);
    Branch *branch = viewer->branches[index];
    bool shown = index == viewer->shown;
    float width = axis.slot * (float)axis.slots;
    Cells cells = {.axis = axis, .count = axis.slots, .wanted = {SIZE_MAX, SIZE_MAX, SIZE_MAX}};
    if (axis.slot < STRIP_CELL) cells.count = (size_t)(width / STRIP_CELL);
    if (cells.count == 0) cells.count = 1;
    cells.wanted[0] = shown ? viewer->k : step_at(axis, step_middle(shown_axis, viewer->k));
    if (ui_hovers(ui, strip)) cells.wanted[1] = step_at(axis, ui->input.mouse_x);
    if (branch->step_count) cells.wanted[2] = branch->step_count;
    float cell = width / (float)cells.count;
    for (size_t i = 0; i < cells.count; i++) {
        size_t k = step_of_cell(&cells, i);
        if (k < branch->left_at || k > step_count_known(viewer, branch)) continue;
        Rect place = {axis.left + cell * (float)i, strip.y, cell, strip.h};
        draw_cell(ui, viewer, branch, k, place, k != cells.wanted[0] ? 0 : shown ? 3 : 1);
    }
}
