// swap_plot.c - see swap_plot.h
//
// Across: the step at which the prompt was swapped. Up: root of the mean squared difference of two finished pictures. One
// curve falls to 0 at "never", the other rises from 0 at step 0. Where they cross, the layout is settled; where the first falls
// under half of what it was at step 0 lies the point of no return (state/turning.h).

#include "panels/swap_plot.h"

#include <math.h>
#include <stdio.h>

enum { LEFT = 36, BOTTOM = 20, TOP = 22, RIGHT = 20 };

Color swap_color(const Ui *ui, bool stays) { return ui->theme.series[stays ? 0 : 1]; }

static Rect plot_rect(Rect area) {
    return (Rect){area.x + LEFT, area.y + TOP, area.w - LEFT - RIGHT, area.h - TOP - BOTTOM};
}

static float step_x(const Grid *grid, Rect plot, float step) {
    return plot.x + plot.w * step / (float)(grid->column_count - 1);
}

size_t swap_plot_step(const Ui *ui, const Viewer *viewer, Rect area) {
    const Grid *grid = &viewer->grid;
    if (grid->kind != GRID_SWAP || !ui_hovers(ui, area)) return SIZE_MAX;
    Rect plot = plot_rect(area);
    float step = rintf((ui->input.mouse_x - plot.x) / plot.w * (float)(grid->column_count - 1));
    return (size_t)fminf(fmaxf(step, 0), (float)(grid->column_count - 1));
}

static float distance_of(const Grid *grid, size_t step, bool stays) {
    return stays ? grid->notes[step].distance : grid->notes[step].from_first;
}

static float largest(const Grid *grid) {
    float most = 1;
    for (size_t i = 0; i < grid->column_count; i++)
        most = fmaxf(most, fmaxf(distance_of(grid, i, true), distance_of(grid, i, false)));
    return most;
}

static void draw_axes(Ui *ui, const Viewer *viewer, Rect plot, float most) {
    const Grid *grid = &viewer->grid;
    const Theme *theme = &ui->theme;
    char words[32];
    draw_line(ui, plot.x, plot.y + plot.h, plot.x + plot.w, plot.y + plot.h, 1, theme->edge);
    draw_line(ui, plot.x, plot.y, plot.x, plot.y + plot.h, 1, theme->edge);
    snprintf(words, sizeof words, "%.0f", (double)most);
    draw_label(ui, (Rect){plot.x - LEFT, plot.y - 8, LEFT - 6, 16}, FONT_SMALL, theme->faint, ALIGN_RIGHT, words);
    draw_label(ui, (Rect){plot.x - LEFT, plot.y + plot.h - 8, LEFT - 6, 16}, FONT_SMALL, theme->faint, ALIGN_RIGHT,
               "0");
    size_t steps = grid->column_count - 1, each = steps / 10 + 1;
    for (size_t i = 0; i <= steps; i++) {
        float x = step_x(grid, plot, (float)i);
        bool last = i == steps;
        if (!last && (i % each != 0 || i + each > steps)) continue;
        draw_line(ui, x, plot.y + plot.h, x, plot.y + plot.h + 4, 1, theme->edge);
        snprintf(words, sizeof words, "%zu", i);
        Rect label = {x - 20, plot.y + plot.h + 4, 40, 16};
        draw_label(ui, label, FONT_SMALL, theme->faint, ALIGN_CENTER, last ? "never" : words);
    }
}

// Pictures that aren't finished leave gaps.
static void draw_distances(Ui *ui, const Grid *grid, Rect plot, float most, bool stays) {
    Color color = swap_color(ui, stays);
    float last_x = 0, last_y = 0;
    for (size_t i = 0; i < grid->column_count; i++) {
        float distance = distance_of(grid, i, stays), x = step_x(grid, plot, (float)i);
        float y = plot.y + plot.h * (1 - distance / most);
        if (distance >= 0 && i > 0 && distance_of(grid, i - 1, stays) >= 0)
            draw_line(ui, last_x, last_y, x, y, 2, color);
        if (distance >= 0) draw_dot(ui, x, y, 3, color);
        last_x = x;
        last_y = y;
    }
}

enum { DASH = 4 };

// A dashed line up at `place`, with a word at its foot
static void draw_moment(Ui *ui, Rect plot, float x, const char *words, Align side) {
    float width = text_width(ui, FONT_SMALL, words), left = side == ALIGN_LEFT ? x - 6 - width : x + 6;
    for (float y = plot.y; y < plot.y + plot.h; y += 2 * DASH)
        draw_line(ui, x, y, x, fminf(y + DASH, plot.y + plot.h), 2, ui->theme.text);
    draw_text(ui, left, plot.y + plot.h - 18, FONT_SMALL, ui->theme.text, words);
}

// The curves are high on the left and low on the right, so that words stand best between the two lines; where there is no room,
// outside of them.
static void draw_turning(Ui *ui, const Grid *grid, Rect plot, float most, const Turning *turning) {
    if (!turning->known || turning->alike) return;
    float y = plot.y + plot.h * (1 - turning_half(grid) / most);
    for (float x = plot.x; x < plot.x + plot.w; x += 3 * DASH)
        draw_line(ui, x, y, fminf(x + DASH, plot.x + plot.w), y, 1, swap_color(ui, true));
    float layout = step_x(grid, plot, turning->layout_place), step = step_x(grid, plot, turning->step_place);
    bool has_layout = turning->layout < turning->step;
    float room = step - (has_layout ? layout : plot.x);
    draw_moment(ui, plot, step, "point of no return", room > (has_layout ? 210 : 110) ? ALIGN_LEFT : ALIGN_RIGHT);
    if (has_layout)
        draw_moment(ui, plot, layout, "layout settled", room > 100 || layout - plot.x < 100 ? ALIGN_RIGHT : ALIGN_LEFT);
}

// Above the plot: which curve is which, or the numbers of the step that is pointed at
static void draw_legend(Ui *ui, const Viewer *viewer, Rect area, size_t marked) {
    const Grid *grid = &viewer->grid;
    const GridNote *note = marked < grid->column_count ? &grid->notes[marked] : NULL;
    float x = area.x + LEFT, y = area.y + 2;
    const char *const words[] = {"from the one swapped at step 0", "from the one never swapped"};
    for (int stays = 0; stays < 2; stays++) {
        char text[96];
        float distance = !note ? -1 : stays ? note->distance : note->from_first;
        if (distance >= 0)
            snprintf(text, sizeof text, "%.1f %s", (double)distance, words[stays]);
        else
            snprintf(text, sizeof text, "rms %s", words[stays]);
        draw_dot(ui, x + 4, y + 8, 4, swap_color(ui, stays));
        x += 14 + draw_text(ui, x + 14, y, FONT_SMALL, ui->theme.faint, text) + 12;
    }
}

void swap_plot_draw(Ui *ui, const Viewer *viewer, Rect area, const Turning *turning, size_t marked) {
    const Grid *grid = &viewer->grid;
    Rect plot = plot_rect(area);
    float most = largest(grid);
    ui_thing(ui, "swap distances", area,
             "How far each picture is from the two it could have been: rms = sqrt(mean((a - b)\u00b2)), in 255ths. "
             "Under the dotted line, less "
             "than half of what the other prompt can do is left to it",
             false);
    if (marked < grid->column_count) {
        float x = step_x(grid, plot, (float)marked);
        draw_fill(ui, (Rect){x - 5, plot.y, 10, plot.h}, color_fade(ui->theme.accent, 0.18f));
    }
    draw_axes(ui, viewer, plot, most);
    draw_turning(ui, grid, plot, most, turning);
    draw_distances(ui, grid, plot, most, false);
    draw_distances(ui, grid, plot, most, true);
    draw_legend(ui, viewer, area, marked);
}
