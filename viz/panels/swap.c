// swap.c - VIEW_SWAP, "When did it become a hippo?": the run of the stage, with another prompt from every step on
//
//     Instead  [a cat wearing sunglasses on the beach]   [Swap at every step]
//     [ ]  [ ]  [ ]  [ ]  [ ]  [ ]  [ ]        finished pictures, swapped at step 0, 1, ... and never
//     what they say; and a plot of their distances, in which the point of no return is seen
//
// Where: a cell is grid_cells.c, the plot swap_plot.c; what the pictures mean is state/turning.c.

#include "panels/grid_cells.h"
#include "panels/panels.h"
#include "panels/swap_plot.h"

#include <math.h>
#include <stdio.h>

enum { ROW = 28, GAP = 8, CAPTION = 18, LEAST_PICTURE = 56, LARGEST_PICTURE = 256, PLOT = 136 };

// ---- what to swap to ------------------------------------------------------------------------------------------------

static void draw_form(Ui *ui, Viewer *viewer, Rect area) {
    GridForm *form = &viewer->grid_form;
    char why[256], cost[128], words[192];
    Rect row = rect_cut_top(&area, ROW), label = rect_cut_left(&row, 60),
         press = rect_cut_right(&row, fminf(160, row.w * 0.4f));
    rect_cut_right(&row, GAP);
    rect_cut_top(&area, 4);
    swap_fill(viewer);
    draw_label(ui, label, FONT_BOLD, ui->theme.text, ALIGN_LEFT, "Instead");
    FieldResult field = text_field(ui, row, "Other prompt", form->prompt, sizeof form->prompt, "another prompt",
                                   "What the run is asked for from some step on, instead of its own prompt");
    if (field == FIELD_CHANGED) form->prompt_typed = true;
    bool possible = swap_possible(viewer, why, sizeof why);
    if (!possible)
        button_disabled(ui, press, "Swap at every step", why);
    else if (button_primary(ui, press, "Swap at every step",
                            "Goes on from each step of the run with the other prompt (Enter in the field)") ||
             field == FIELD_ENTERED)
        viewer_swap(viewer, form->prompt);
    Branch *shown = viewer_shown(viewer);
    Rect line = rect_cut_top(&area, 20);
    if (possible && shown) {
        size_t steps, calls;
        swap_cost(shown, &steps, &calls);
        cost_text(cost, sizeof cost, steps, calls, grid_call_seconds(viewer, branch_knobs(shown)) * (double)calls);
        snprintf(words, sizeof words, "%zu branches: %s", shown->step_count, cost);
    }
    draw_label(ui, line, FONT_NORMAL, ui->theme.faint, ALIGN_LEFT, possible ? words : why);
}

// ---- the pictures ---------------------------------------------------------------------------------------------------

typedef struct Layout {
    size_t columns;
    float column, row, height;  // of a cell, of all
} Layout;

// As many in a row as make them largest; where even that is small, the panel scrolls.
static Layout layout(const Viewer *viewer, size_t count, float width, float height) {
    Layout best = {0};
    for (size_t columns = 1; columns <= count; columns++) {
        size_t rows = (count + columns - 1) / columns;
        float column = fminf(width / (float)columns, LARGEST_PICTURE + GAP), row = height / (float)rows;
        Rect picture = cell_picture_rect(viewer, (Rect){0, 0, column - GAP, fmaxf(row - CAPTION - GAP, LEAST_PICTURE)});
        if (picture.w < best.column - GAP || picture.w < 1) continue;
        best = (Layout){columns, picture.w + GAP, picture.h + CAPTION + GAP, 0};
    }
    best.height = best.row * (float)((count + best.columns - 1) / best.columns);
    return best;
}

static void draw_swap(Ui *ui, Viewer *viewer, Rect rect, size_t cell, size_t *marked) {
    const Grid *grid = &viewer->grid;
    const GridNote *note = &grid->notes[cell];
    const Branch *branch = grid_cell(viewer, cell);
    char name[64], label[32];
    float half = turning_half(grid);
    bool last = cell + 1 == grid->column_count, known = note->distance >= 0 && half >= 0;
    snprintf(name, sizeof name, last ? "never swapped" : "swapped at %zu", cell);
    grid_cell_name(grid, cell, label, sizeof label);
    Rect picture_rect = rect, caption = rect_cut_bottom(&picture_rect, CAPTION);
    bool done = branch && branch->state == BRANCH_DONE;
    const Picture *picture =
        done ? viewer_known_picture(viewer, grid_cell(viewer, cell), branch->step_count, PICTURE_START)
             : grid_picture(viewer, cell);
    bool opened = cell_draw(ui, viewer, picture_rect, cell, name, picture);
    if (*marked == cell) draw_frame(ui, rect_inset(picture_rect, -2), ui->theme.accent, 2);
    if (ui_hovers(ui, rect) || (ui_focused(ui, name) && ui->focus_by_key)) *marked = cell;
    Color color = known ? swap_color(ui, note->distance < half) : ui->theme.edge;
    draw_fill(ui, (Rect){caption.x, caption.y + 1, caption.w, 3}, color);
    rect_cut_top(&caption, 4);
    draw_label(ui, caption, FONT_SMALL, last ? ui->theme.text : ui->theme.faint, ALIGN_CENTER, label);
    if (opened) grid_open(viewer, cell);
}

static void draw_pictures(Ui *ui, Viewer *viewer, Rect area, const Layout *l, size_t *marked) {
    for (size_t i = 0; i < viewer->grid.column_count && viewer->view == VIEW_SWAP; i++) {
        float x = area.x + l->column * (float)(i % l->columns), y = area.y + l->row * (float)(i / l->columns);
        draw_swap(ui, viewer, (Rect){x, y, l->column - GAP, l->row - GAP}, i, marked);
    }
}

// ---- what they say --------------------------------------------------------------------------------------------------

static const char EXPLANATION[] =
    "A prompt is read again at every step. If another one takes over early, the run becomes what that one says; late, "
    "only details "
    "change. So there is a step by which the run has made up its mind, and swapping at every step finds it.";

// Before anything is drawn: what it is about, and where the pictures will stand
static float draw_promise(Ui *ui, const Viewer *viewer, Rect area) {
    const Branch *shown = viewer_shown(viewer);
    area.y += GAP;
    float words = draw_paragraph(ui, area, FONT_NORMAL, ui->theme.text, EXPLANATION) + 2 * GAP;
    if (!shown || shown->step_count == 0 || shown->step_count > SWAP_STEPS_MAX) return words + GAP;
    size_t count = shown->step_count + 1;
    Layout l = layout(viewer, count, area.w, area.h - words - GAP);
    for (size_t i = 0; i < count; i++) {
        Rect rect = {area.x + l.column * (float)(i % l.columns), area.y + words + l.row * (float)(i / l.columns),
                     l.column - GAP, l.row - GAP};
        Rect caption = rect_cut_bottom(&rect, CAPTION);
        char label[32];
        snprintf(label, sizeof label, i + 1 < count ? "step %zu" : "never", i);
        draw_frame(ui, rect, ui->theme.edge, 1);
        draw_label(ui, caption, FONT_SMALL, ui->theme.faint, ALIGN_CENTER, label);
    }
    return words + l.height + GAP;
}

static void explanation(const Viewer *viewer, const Turning *turning, char *text, size_t size) {
    const Grid *grid = &viewer->grid;
    size_t count = grid_count(grid), done = grid_done(viewer);
    if (turning->known)
        turning_text(viewer, turning, text, size);
    else if (done < count)
        snprintf(text, size, "%zu of %zu have been drawn, with \u201c%.200s\u201d from their step on.", done, count,
                 grid->prompt);
    else
        snprintf(
            text, size,
            "Not all of them could be drawn, so the step that decides isn't known. Press the button to try again.");
}

static float draw_result(Ui *ui, Viewer *viewer, Rect area) {
    if (viewer->grid.kind != GRID_SWAP) return draw_promise(ui, viewer, area);
    Turning turning = turning_of(viewer);
    char words[640];
    explanation(viewer, &turning, words, sizeof words);
    float below = text_height(ui, FONT_NORMAL, area.w, words) + GAP + PLOT;
    Layout l = layout(viewer, viewer->grid.column_count, area.w, area.h - below);
    Rect rest = {area.x, area.y + l.height, area.w, below}, plot = rect_cut_bottom(&rest, PLOT);
    size_t marked = swap_plot_step(ui, viewer, plot);
    draw_pictures(ui, viewer, area, &l, &marked);
    if (viewer->view != VIEW_SWAP) return 0;
    draw_paragraph(ui, rest, FONT_NORMAL, ui->theme.text, words);
    swap_plot_draw(ui, viewer, plot, &turning, marked);
    return l.height + below;
}

void panel_swap(Ui *ui, Viewer *viewer, Rect area) {
    ui_panel(ui, "swap", area,
             "When did it become a hippo? The same run, with another prompt from each of its steps on.",
             lesson("lessons/12-words"));
    draw_fill(ui, rect_inset(area, 2), ui->theme.panel);
    area = rect_inset(area, 12);
    GridForm *form = &viewer->grid_form;
    enum { FORM = ROW + 4 + 20 + GAP };
    Rect body = scroll_begin(ui, area, "swaps", form->swap_height, &form->swap_scroll);
    draw_form(ui, viewer, (Rect){body.x, body.y, body.w, FORM});
    float height = FORM + draw_result(ui, viewer, (Rect){body.x, body.y + FORM, body.w, area.h - FORM});
    scroll_end(ui);
    if (height != form->swap_height) ui->wants_frame = true;
    form->swap_height = height;
}
