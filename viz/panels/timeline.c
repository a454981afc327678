// timeline.c - the strip of steps: a row a branch, a thumbnail a step; the one place to drag
//
//     > Play  7 / 20                                             Noise plot
//               0    5    10   15   20
//     run 1   [#][#][#][#][#][#][#][#][#][#][#]
//     7.5->12             '-[#][#][#][#][#][#][#]
//
// A thumbnail is the predicted picture (pred_original_sample) of its step, the last one the finished picture.
// Where: at the bottom, under the noise plot, which has the same axis (step_axis.h).
// Read next: strip.c, which draws a row's thumbnails.

#include "panels/strip.h"

#include <math.h>
#include <stdio.h>

enum { HEADER = 32, TICKS = 18, ROW_LEAST = 34, PAD = 8, GAP = 2 };

static bool listed(const Branch *branch) { return !branch->in_grid; }

static size_t row_count(const Viewer *viewer) {
    size_t count = 0;
    for (size_t i = 0; i < viewer->branch_count; i++) count += listed(viewer->branches[i]);
    return count;
}

// ---- the line above the rows ----------------------------------------------------------------------------------------

static void draw_header(Ui *ui, Viewer *viewer, Rect line) {
    const Branch *branch = viewer_shown(viewer);
    Rect rest = {line.x, line.y + 4, line.w, line.h - 8};
    Rect play = rect_cut_left(&rest, 84);
    if (!branch)
        button_disabled(ui, play, "Play", "There is no run yet to play");
    else if (button_labelled(ui, play, "Play", viewer->playing ? "Pause" : "▶ Play",
                             "Goes through the steps by itself (Space)"))
        viewer_play(viewer, !viewer->playing);
    rect_cut_left(&rest, 12);
    toggle(ui, rect_cut_right(&rest, 116), "Noise plot", &viewer->show_schedule,
           "Shows over the strip how much noise there is at each step (p)");
    if (!branch) return;
    char counter[64];
    size_t steps = step_count_known(viewer, branch);
    snprintf(counter, sizeof counter, "%zu / %zu", viewer->k, steps);
    draw_label(ui, rect_cut_left(&rest, fmaxf(72, text_width(ui, FONT_BOLD, counter) + 12)), FONT_BOLD, ui->theme.text,
               ALIGN_LEFT, counter);
    const char *help = "Drag along the strip, or use the arrow keys";
    if (rest.w > text_width(ui, FONT_SMALL, help) + 24)
        draw_label(ui, rest, FONT_SMALL, ui->theme.faint, ALIGN_LEFT, help);
}

// Step numbers, as many as there is room for, and a handle at the step that is looked at.
static void draw_ticks(Ui *ui, Viewer *viewer, Rect line, StepAxis axis) {
    static const size_t EVERY[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};
    size_t e = 0;
    while (e + 1 < sizeof EVERY / sizeof *EVERY && axis.slot * (float)EVERY[e] < 40) e++;
    char number[24];
    for (size_t k = 0; k < axis.slots; k += EVERY[e]) {
        snprintf(number, sizeof number, "%zu", k);
        draw_label(ui, (Rect){step_middle(axis, k) - 24, line.y, 48, line.h}, FONT_SMALL, ui->theme.faint, ALIGN_CENTER,
                   number);
    }
    if (!viewer_shown(viewer)) return;
    snprintf(number, sizeof number, "%zu", viewer->k);
    float width = text_width(ui, FONT_SMALL, number) + 12;
    Rect handle = {step_middle(axis, viewer->k) - width / 2, line.y + 1, width, line.h - 2};
    draw_round(ui, handle, 4, ui->theme.accent);
    draw_label(ui, handle, FONT_SMALL, ui->theme.on_accent, ALIGN_CENTER, number);
}

// ---- rows -----------------------------------------------------------------------------------------------------------

static void tell_state(const Branch *branch, size_t steps, char *text, size_t size) {
    size_t done = branch_steps_done(branch);
    switch (branch->state) {
    case BRANCH_WAITING: snprintf(text, size, "waiting"); break;
    case BRANCH_RUNNING: snprintf(text, size, "step %zu of %zu", done, steps); break;
    case BRANCH_DONE:
        if (branch->left_at > 0)
            snprintf(text, size, "from step %zu", branch->left_at);
        else
            snprintf(text, size, "%zu step%s", steps, steps == 1 ? "" : "s");
        break;
    case BRANCH_CANCELLED: snprintf(text, size, "stopped at %zu", done); break;
    case BRANCH_FAILED: snprintf(text, size, "failed"); break;
    }
}

static void draw_name(Ui *ui, const Viewer *viewer, const Branch *branch, Rect place) {
    const Theme *theme = &ui->theme;
    char state[64], name[32], tip[240];
    size_t steps = step_count_known(viewer, branch);
    bool failed = branch->state == BRANCH_FAILED, two_lines = place.h >= 28;
    tell_state(branch, steps, state, sizeof state);
    snprintf(name, sizeof name, "name %d", branch->id);
    snprintf(tip, sizeof tip, "%.100s: %.120s", branch->name, failed ? branch->message : state);
    ui_thing(ui, name, place, tip, false);
    const float line = 15;
    Rect words = {place.x, place.y + (place.h - (two_lines ? 2 * line : line)) / 2, place.w, line};
    draw_label(ui, words, FONT_SMALL, theme->text, ALIGN_LEFT, branch->name);
    words.y += line;
    if (two_lines) draw_label(ui, words, FONT_SMALL, failed ? theme->warning : theme->faint, ALIGN_LEFT, state);
    if (branch->state != BRANCH_RUNNING || !steps) return;
    Rect bar = {place.x, place.y + place.h - 3, place.w, 2};
    draw_fill(ui, bar, theme->edge);
    bar.w *= (float)branch_steps_done(branch) / (float)steps;
    draw_fill(ui, bar, theme->accent);
}

// Returns whether the row is still there afterwards.
static bool draw_row(Ui *ui, Viewer *viewer, size_t index, Rect row, StepAxis axis, StepAxis shown_axis) {
    Branch *branch = viewer->branches[index];
    bool shown = index == viewer->shown;
    if (shown) draw_round(ui, (Rect){row.x, row.y, row.w, row.h - GAP}, 4, ui->theme.raised);
    draw_fill(ui, (Rect){row.x, row.y + 4, 4, row.h - GAP - 8}, branch_color(ui, branch));
    Rect place = {row.x + 12, row.y + 1, axis.left - row.x - 20, row.h - GAP - 2};
    char name[32], tip[240];
    snprintf(name, sizeof name, "forget %d", branch->id);
    snprintf(tip, sizeof tip, "Forgets %.100s, and whatever left it", branch->name);
    Rect close = rect_cut_right(&place, 20);
    close = (Rect){close.x, close.y + (close.h - 20) / 2, 20, 20};
    rect_cut_right(&place, 4);
    bool forget = button_labelled(ui, close, name, "×", tip);
    draw_name(ui, viewer, branch, place);
    strip_draw(ui, viewer, index, (Rect){axis.left, row.y + 1, row.x + row.w - axis.left, row.h - GAP - 2}, axis,
               shown_axis);
    if (forget) viewer_forget(viewer, index);
    return !forget;
}

// From the parent's row down to where the branch's first own step stands
static void draw_connectors(Ui *ui, const Viewer *viewer, Rect content, float row, Rect area) {
    size_t at = 0, rows[viewer->branch_count + 1];
    for (size_t i = 0; i < viewer->branch_count; i++) {
        const Branch *branch = viewer->branches[i];
        if (!listed(branch)) continue;
        rows[i] = at++;
        if (branch->parent < 0) continue;
        size_t parent = 0;
        while (parent < i && viewer->branches[parent]->id != branch->parent) parent++;
        if (parent == i || !listed(viewer->branches[parent])) continue;
        StepAxis axis = step_axis(viewer, branch, area);
        float x = step_edge(axis, branch->left_at), from = content.y + row * (float)(rows[parent] + 1) - GAP - 3;
        float to = content.y + row * ((float)rows[i] + 0.5f) - 1;
        draw_line(ui, x, from, x, to, 2, branch_color(ui, branch));
        draw_line(ui, x, to, x + fminf(6, axis.slot / 2), to, 2, branch_color(ui, branch));
    }
}

// Scrolls to the row that is shown when another one is.
static void follow_shown(Viewer *viewer, float row, float height) {
    const Branch *shown = viewer_shown(viewer);
    if (!shown || shown->id == viewer->timeline_follows) return;
    viewer->timeline_follows = shown->id;
    size_t at = 0;
    for (size_t i = 0; i < viewer->shown; i++) at += listed(viewer->branches[i]);
    float top = row * (float)at;
    if (viewer->timeline_scroll > top) viewer->timeline_scroll = top;
    if (viewer->timeline_scroll < top + row - height) viewer->timeline_scroll = top + row - height;
}

static void draw_rows(Ui *ui, Viewer *viewer, Rect rows, Rect area) {
    size_t count = row_count(viewer);
    StepAxis axis = step_axis(viewer, viewer_shown(viewer), area);
    float row = fminf(rows.h / (float)count, fmaxf(axis.slot, STRIP_CELL) + GAP + 2);
    row = floorf(fmaxf(row, ROW_LEAST));
    follow_shown(viewer, row, rows.h);
    Rect content = scroll_begin(ui, rows, "branches", row * (float)count, &viewer->timeline_scroll);
    Rect at = {content.x, content.y, rows.w - 16, row};
    for (size_t i = 0; i < viewer->branch_count; i++) {
        if (!listed(viewer->branches[i])) continue;
        bool seen = at.y + at.h > rows.y && at.y < rows.y + rows.h;
        if (seen && !draw_row(ui, viewer, i, at, step_axis(viewer, viewer->branches[i], area), axis)) break;
        at.y += row;
    }
    draw_connectors(ui, viewer, content, row, area);
    scroll_end(ui);
}

void panel_timeline(Ui *ui, Viewer *viewer, Rect area) {
    ui_panel(ui, "timeline", area,
             "Every step's predicted picture, a row a run or branch; drag to scrub, press a row to see it.",
             lesson("lessons/04-ddim"));
    draw_fill(ui, area, ui->theme.panel);
    draw_fill(ui, (Rect){area.x, area.y, area.w, 1}, ui->theme.edge);
    Rect inside = {area.x + PAD, area.y, area.w - 2 * PAD, area.h - 4};
    draw_header(ui, viewer, rect_cut_top(&inside, HEADER));
    Rect ticks = rect_cut_top(&inside, TICKS);
    if (row_count(viewer) == 0) {
        draw_label(ui, inside, FONT_NORMAL, ui->theme.faint, ALIGN_CENTER, "The steps of a run will stand here.");
        return;
    }
    StepAxis axis = step_axis(viewer, viewer_shown(viewer), area);
    ticks.x = axis.left, ticks.w = axis.slot * (float)axis.slots;
    steps_scrub(ui, viewer, "steps", ticks, axis);
    draw_ticks(ui, viewer, ticks, axis);
    draw_rows(ui, viewer, inside, area);
}
