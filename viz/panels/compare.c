// compare.c - VIEW_COMPARE: two knobs and all their values, a whole run in each cell, from the same noise
//
//     Down    [scheduler v]  ddim euler dpmpp_2m ...
//     Across  [guidance scale v]  1, 4, 7.5, 12
//     12 cells: 240 steps, 420 U-Net calls, about 3 s       [Difference]  [Compare]
//                   1       4      7.5      12
//     ddim        [   ]   [   ]   [   ]   [   ]      what the numbers say
//     euler       [   ]   [   ]   [   ]   [   ]
//
// Where: its upper part is compare_form.c, a cell grid_cells.c; the numbers are from state/grid.c.
// Read next: swap.c, the other grid.

#include "base/text.h"
#include "panels/compare_form.h"
#include "panels/grid_cells.h"
#include "panels/panels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    BAR = 40,
    GAP = 8,
    HEADER = 40,
    CAPTION = 18,
    LEAST_PICTURE = 64,
    SCROLLED_PICTURE = 112,
    LEAST_COLUMN = 56,
    LARGEST_PICTURE = 320,
    ASIDE = 240,
    LEGEND = 72,
    NARROW = 560,
    COST = 20,
    READABLE = 640,
    ENDLESS = 100000
};

// ---- where cells stand ----------------------------------------------------------------------------------------------

// The grid as it was begun or, before, as it is filled in
typedef struct Shown {
    const Axis *rows, *columns;
    bool begun;
} Shown;

static Shown shown_grid(Viewer *viewer) {
    const Grid *grid = &viewer->grid;
    const GridPlan *plan = grid_plan(viewer);
    if (grid->kind == GRID_COMPARE) return (Shown){&grid->rows, &grid->columns, true};
    bool whole = !plan->row_error.message[0] && !plan->column_error.message[0] && !plan->error.message[0];
    return whole ? (Shown){&plan->rows, &plan->columns, false} : (Shown){0};
}

typedef struct Layout {
    float left;             // of the rows' values
    float column, row;      // a cell with its caption
    size_t first, columns;  // that are seen; all but in a narrow window
    float width, height;    // of all that is seen
} Layout;

// Cells get smaller for all rows to be seen, down to LEAST_PICTURE. Where that isn't enough, one has to scroll anyway.
static Layout layout(Ui *ui, const Viewer *viewer, const Shown *shown, float width, float height) {
    Layout l = {.left = 40, .first = (size_t)viewer->grid_form.first_column};
    for (size_t i = 0; i < shown->rows->count; i++) {
        char value[AXIS_TEXT];
        grid_value(shown->rows, i, value, sizeof value);
        l.left = fmaxf(l.left, text_width(ui, FONT_BOLD, value) + 12);
    }
    l.left = fmaxf(l.left, text_width(ui, FONT_SMALL, knob_name(shown->rows->knob)) + 12);
    l.left = fminf(l.left, fmaxf(40, width * 0.22f));
    size_t count = shown->columns->count, fit = (size_t)fmaxf(1, (width - l.left) / LEAST_COLUMN);
    l.columns = count < fit ? count : fit;
    if (l.first + l.columns > count) l.first = count - l.columns;
    float column = fminf((width - l.left) / (float)l.columns, LARGEST_PICTURE);
    Rect shape = cell_picture_rect(viewer, (Rect){0, 0, column - GAP, 10000});
    float row = (height - HEADER) / (float)shown->rows->count - CAPTION - GAP;
    row = fminf(shape.h, row < LEAST_PICTURE ? SCROLLED_PICTURE : row);
    l.column = cell_picture_rect(viewer, (Rect){0, 0, column - GAP, row}).w + GAP;
    l.column = fminf(fmaxf(l.column, LEAST_COLUMN), column);
    l.row = row + CAPTION + GAP;
    l.width = l.left + l.column * (float)l.columns;
    l.height = HEADER + l.row * (float)shown->rows->count;
    return l;
}

// ---- a cell ---------------------------------------------------------------------------------------------------------

// Under the picture: its time, and how far it is from the reference. While the mouse is on the cell, or the keyboard, a
// button makes it the reference.
static void draw_caption(Ui *ui, Viewer *viewer, Rect rect, size_t cell, bool chosen, const char *place) {
    const Grid *grid = &viewer->grid;
    const Branch *branch = grid_cell(viewer, cell);
    char name[64];
    bool is_reference = cell == grid->reference;
    snprintf(name, sizeof name, "reference %s", place);
    if (chosen && !is_reference) {
        if (button_labelled(ui, rect, name, rect.w < 96 ? "as ref." : "as reference",
                            "Measure all others against this one (X)"))
            grid_set_reference(viewer, cell);
        return;
    }
    float distance = grid->notes[cell].distance;
    if (rect.w >= 92 && branch && branch->state == BRANCH_DONE) {
        char time[32];
        snprintf(time, sizeof time, "%.2f s", branch->step_seconds);
        draw_label(ui, rect, FONT_SMALL, ui->theme.faint, ALIGN_LEFT, time);
    }
    Align align = rect.w >= 92 ? ALIGN_RIGHT : ALIGN_CENTER;
    if (is_reference) draw_label(ui, rect, FONT_SMALL, ui->theme.accent, align, "reference");
    if (is_reference || distance < 0) return;
    char words[32];
    snprintf(words, sizeof words, "rms %.1f", (double)distance);
    draw_label(ui, rect, FONT_SMALL, ui->theme.text, align, words);
}

static void draw_cell(Ui *ui, Viewer *viewer, Rect rect, size_t cell) {
    const Grid *grid = &viewer->grid;
    char place[32], name[64];
    snprintf(place, sizeof place, "%zu,%zu", cell / grid->column_count + 1, cell % grid->column_count + 1);
    snprintf(name, sizeof name, "cell %s", place);
    Rect picture_rect = rect, caption = rect_cut_bottom(&picture_rect, CAPTION);
    picture_rect = cell_picture_rect(viewer, picture_rect);
    bool differs = grid->show_difference && cell != grid->reference;
    const Picture *picture = grid_picture(viewer, cell), *difference = NULL;
    if (differs) difference = grid_difference(viewer, cell, &ui->theme);
    if (cell_draw(ui, viewer, picture_rect, cell, name, differs ? difference : picture)) {
        grid_open(viewer, cell);
        return;
    }
    if (cell == grid->reference) draw_frame(ui, rect_inset(picture_rect, -2), ui->theme.accent, 2);
    char button_name[64];
    snprintf(button_name, sizeof button_name, "reference %s", place);
    bool chosen =
        ui_hovers(ui, rect) || ui_focused(ui, name) || ui_focused(ui, button_name) || ui_holds(ui, button_name);
    draw_caption(ui, viewer, caption, cell, chosen, place);
    if (chosen && !ui_typing(ui) && ui_key(ui, SDLK_x, KMOD_NONE)) grid_set_reference(viewer, cell);
}

// ---- the grid -------------------------------------------------------------------------------------------------------

static void draw_headers(Ui *ui, Rect area, const Shown *shown, const Layout *l) {
    const Theme *theme = &ui->theme;
    char words[AXIS_TEXT];
    Rect corner = {area.x, area.y, l->left - 8, HEADER},
         across = {area.x + l->left, area.y, l->width - l->left, HEADER / 2};
    snprintf(words, sizeof words, "%s \u2192", knob_name(shown->columns->knob));
    draw_label(ui, across, FONT_SMALL, theme->faint, ALIGN_LEFT, words);
    snprintf(words, sizeof words, "%s \u2193", knob_name(shown->rows->knob));
    rect_cut_top(&corner, HEADER / 2);
    draw_label(ui, corner, FONT_SMALL, theme->faint, ALIGN_LEFT, words);
    for (size_t i = 0; i < l->columns; i++) {
        grid_value(shown->columns, l->first + i, words, sizeof words);
        Rect rect = {area.x + l->left + l->column * (float)i, area.y + HEADER / 2, l->column - GAP, HEADER / 2};
        draw_label(ui, rect, FONT_BOLD, theme->text, ALIGN_CENTER, words);
    }
    for (size_t i = 0; i < shown->rows->count; i++) {
        grid_value(shown->rows, i, words, sizeof words);
        Rect rect = {area.x, area.y + HEADER + l->row * (float)i, l->left - 8, l->row - CAPTION - GAP};
        draw_label(ui, rect, FONT_BOLD, theme->text, ALIGN_LEFT, words);
    }
}

static void draw_grid(Ui *ui, Viewer *viewer, Rect area, const Shown *shown, const Layout *l) {
    draw_headers(ui, area, shown, l);
    for (size_t row = 0; row < shown->rows->count; row++) {
        for (size_t i = 0; i < l->columns; i++) {
            Rect rect = {area.x + l->left + l->column * (float)i, area.y + HEADER + l->row * (float)row,
                         l->column - GAP, l->row - GAP};
            if (shown->begun) {
                draw_cell(ui, viewer, rect, row * shown->columns->count + l->first + i);
                if (viewer->view != VIEW_COMPARE) return;
            } else {
                rect_cut_bottom(&rect, CAPTION);
                draw_frame(ui, cell_picture_rect(viewer, rect), ui->theme.edge, 1);
            }
        }
    }
}

// ---- what is said about it ------------------------------------------------------------------------------------------

static void verdict_text(const Viewer *viewer, const Shown *shown, char *text, size_t size) {
    if (shown->begun)
        grid_verdict(viewer, text, size);
    else
        snprintf(text, size,
                 "Press Compare: each cell becomes a whole run. All begin with the same noise, and only these two "
                 "knobs differ.");
}

static void draw_legend(Ui *ui, Rect rect) {
    enum { STRIPES = 48 };
    Rect bar = {rect.x, rect.y + 2, fminf(rect.w, 144), 10};
    for (int i = 0; i < STRIPES; i++) {
        float value = 2 * (float)i / (STRIPES - 1) - 1;
        Rect stripe = {bar.x + bar.w * (float)i / STRIPES, bar.y, bar.w / STRIPES + 0.5f, bar.h};
        draw_fill(ui, stripe, difference_color(&ui->theme, value));
    }
    Rect words = {bar.x, bar.y + 12, bar.w, 16};
    char end[16];
    snprintf(end, sizeof end, "+%.0f", (double)DIFFERENCE_RANGE * 255);
    draw_label(ui, words, FONT_SMALL, ui->theme.faint, ALIGN_RIGHT, end);
    draw_label(ui, words, FONT_SMALL, ui->theme.faint, ALIGN_CENTER, "0");
    end[0] = '-';
    draw_label(ui, words, FONT_SMALL, ui->theme.faint, ALIGN_LEFT, end);
    draw_paragraph(ui, (Rect){rect.x, words.y + 18, rect.w, 40}, FONT_SMALL, ui->theme.faint,
                   "Lighter or darker than the reference, in 255ths");
}

// ---- the bar: what it costs, what to press --------------------------------------------------------------------------

static void start(Viewer *viewer) {
    const GridPlan *plan = grid_plan(viewer);
    if (plan->row_error.message[0] || plan->column_error.message[0] || plan->error.message[0]) return;
    viewer_compare(viewer, &plan->rows, &plan->columns);
}

static void draw_cost(Ui *ui, const Viewer *viewer, Rect rect, const GridPlan *plan) {
    char cost[128], words[192];
    size_t cells = plan->rows.count * plan->columns.count;
    bool wrong = plan->row_error.message[0] || plan->column_error.message[0];
    double seconds = grid_call_seconds(viewer, &viewer->knobs) * (double)plan->unet_calls;
    if (wrong) return;
    cost_text(cost, sizeof cost, plan->steps, plan->unet_calls, seconds);
    snprintf(words, sizeof words, "%zu cells%s%s", cells, plan->steps ? ": " : "", plan->steps ? cost : "");
    bool stopped = plan->error.message[0];
    draw_label(ui, rect, FONT_NORMAL, stopped ? ui->theme.warning : ui->theme.faint, ALIGN_LEFT,
               stopped ? plan->error.message : words);
}

// Returns its height: where there is little room the cost has a line of its own.
static float draw_bar(Ui *ui, Viewer *viewer, Rect bar, bool entered) {
    const GridPlan *plan = grid_plan(viewer);
    bool narrow = bar.w < NARROW;
    float height = narrow ? BAR + COST : BAR;
    if (narrow) draw_cost(ui, viewer, rect_cut_top(&bar, COST), plan);
    bar = (Rect){bar.x, bar.y + 4, bar.w, BAR - 12};
    Rect press = rect_cut_right(&bar, fminf(136, bar.w / 3));
    const char *why = viewer->model_message[0]        ? viewer->model_message
                      : plan->row_error.message[0]    ? plan->row_error.message
                      : plan->column_error.message[0] ? plan->column_error.message
                                                      : plan->error.message;
    if (why[0])
        button_disabled(ui, press, "Compare them", why);
    else if (button_primary(ui, press, "Compare them",
                            "A whole run in each cell, one after the other (Enter in a field above)") ||
             entered)
        start(viewer);
    rect_cut_right(&bar, 2 * GAP);
    if (viewer->grid.kind == GRID_COMPARE) {
        Rect rect = rect_cut_right(&bar, fminf(112, bar.w / 2));
        toggle(ui, rect, "Difference", &viewer->grid.show_difference,
               "Shows how each differs from the reference: |a - b| over the three colours");
        rect_cut_right(&bar, 2 * GAP);
    }
    if (!viewer_shown(viewer) && bar.w > 240) {
        Rect rect = rect_cut_right(&bar, 120);
        SliderRange range = {0, 1, 0.05f, "%.2f"};
        slider(ui, rect, "Position", &viewer->grid_fraction, range,
               "How far along their walks the cells are looked at");
        rect_cut_right(&bar, 2 * GAP);
    }
    if (!narrow) draw_cost(ui, viewer, bar, plan);
    return height;
}

// ---- all of it ------------------------------------------------------------------------------------------------------

// Draws what is under the bar into `area`, whose height is what the window has left; how much it took, which may be more.
static float draw_result(Ui *ui, Viewer *viewer, Rect area) {
    Shown shown = shown_grid(viewer);
    if (!shown.rows) return 0;
    char verdict[512];
    verdict_text(viewer, &shown, verdict, sizeof verdict);
    float under = text_height(ui, FONT_NORMAL, area.w, verdict) + GAP + (viewer->grid.show_difference ? LEGEND : 0),
          slide = 0;
    Layout l = layout(ui, viewer, &shown, area.w, area.h);
    if (l.columns < shown.columns->count) {
        SliderRange range = {0, (float)(shown.columns->count - l.columns), 1, "%.0f"};
        slide = BAR;
        slider(ui, (Rect){area.x, area.y, area.w, slide - GAP}, "First column", &viewer->grid_form.first_column, range,
               "There are more than fit beside each other");
        area.y += slide;
        area.h -= slide;
    }
    bool beside = area.w - l.width >= ASIDE;
    if (!beside) l = layout(ui, viewer, &shown, area.w, area.h - under);
    draw_grid(ui, viewer, area, &shown, &l);
    area.y += beside ? HEADER : l.height;
    area.h = ENDLESS;
    if (beside) rect_cut_left(&area, l.width + 2 * GAP);
    area.w = fminf(area.w, READABLE);
    draw_paragraph(ui, area, FONT_NORMAL, ui->theme.text, verdict);
    area.y += text_height(ui, FONT_NORMAL, area.w, verdict) + GAP;
    if (shown.begun && viewer->grid.show_difference) draw_legend(ui, area);
    return slide + l.height + (beside ? 0 : under);
}

void panel_compare(Ui *ui, Viewer *viewer, Rect area) {
    ui_panel(ui, "compare", area, "Two knobs and all their values: each cell is a whole run from the same noise.",
             lesson("lessons/06-guidance"));
    draw_fill(ui, rect_inset(area, 2), ui->theme.panel);
    area = rect_inset(area, 12);
    GridForm *form = &viewer->grid_form;
    bool entered = false;
    Rect body = scroll_begin(ui, area, "comparison", form->height, &form->scroll);
    float above = compare_form(ui, viewer, (Rect){body.x, body.y, body.w, ENDLESS}, &entered);
    above += draw_bar(ui, viewer, (Rect){body.x, body.y + above, body.w, ENDLESS}, entered);
    float height = above + draw_result(ui, viewer, (Rect){body.x, body.y + above, body.w, area.h - above});
    scroll_end(ui);
    if (height != form->height) ui->wants_frame = true;
    form->height = height;
}
