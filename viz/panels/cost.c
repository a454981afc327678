// cost.c - what a run took, and what another size would
//
// "A thousand-dollar electricity bill" is the first worry; here it is counted. Arithmetic and memory come from planning the
// same code that runs (core/run/cost.c), seconds from the clock.

#include "panels/panels.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>

enum { MARGIN = 12, ROW = 19 };
static const double WATTS = 100, DOLLARS_PER_KWH = 0.30;  // of a desktop that computes, as in `sculpt inspect`

typedef struct Amount {
    char text[48];
} Amount;

static Amount amount(double value, const char *unit) {
    Amount a;
    snprintf(a.text, sizeof a.text, "%s%s", number_text(value).text, unit);
    return a;
}

static Amount duration(double seconds) {
    Amount a;
    if (seconds < 1)
        snprintf(a.text, sizeof a.text, "%.0f ms", seconds * 1000);
    else if (seconds < 120)
        snprintf(a.text, sizeof a.text, "%.1f s", seconds);
    else
        snprintf(a.text, sizeof a.text, "%.0f min", seconds / 60);
    return a;
}

static void row(Ui *ui, Rect *column, const char *what, const char *value) {
    Rect line = rect_cut_top(column, ROW);
    draw_label(ui, line, FONT_NORMAL, ui->theme.faint, ALIGN_LEFT, what);
    draw_label(ui, line, FONT_NORMAL, ui->theme.text, ALIGN_RIGHT, value);
}

static void heading(Ui *ui, Rect *column, const char *text) {
    rect_cut_top(column, 6);
    draw_label(ui, rect_cut_top(column, ROW), FONT_BOLD, ui->theme.text, ALIGN_LEFT, text);
}

static double seconds_a_step(const Branch *branch) {
    return branch->own_steps > 0 ? branch->step_seconds / (double)branch->own_steps : 0;
}

// ---- the run on the stage -------------------------------------------------------------------------------------------

static void measured_rows(Ui *ui, const Branch *branch, Rect *column) {
    char text[64];
    double each = seconds_a_step(branch), whole = branch->begin_seconds + branch->step_seconds + branch->decode_seconds;
    heading(ui, column, "This run, measured");
    if (branch->own_steps == 0) {
        draw_paragraph(ui, rect_cut_top(column, 2 * ROW), FONT_SMALL, ui->theme.faint,
                       "Its steps come from a file: nobody timed them. Press Run to draw it here.");
        return;
    }
    row(ui, column, "a step", duration(each).text);
    snprintf(text, sizeof text, "%zu of %zu steps", branch->own_steps, branch->step_count);
    row(ui, column, text, duration(branch->step_seconds).text);
    row(ui, column, "text and decoding", duration(branch->begin_seconds + branch->decode_seconds).text);
    snprintf(text, sizeof text, "%zu", branch->unet_calls);
    row(ui, column, "U-Net calls", text);
    double wh = whole * WATTS / 3600;
    row(ui, column, "energy at 100 W", amount(wh, "Wh").text);
    snprintf(text, sizeof text, "$%.2g", wh / 1000 * DOLLARS_PER_KWH);
    row(ui, column, "at $0.30 a kWh", text);
    if (branch->has_cost && each > 0)
        row(ui, column, "speed", amount((double)branch->cost.step.flops / each, "FLOP/s").text);
}

// ---- planned --------------------------------------------------------------------------------------------------------

static void planned_rows(Ui *ui, Viewer *viewer, const Branch *branch, Rect *column) {
    char text[64];
    heading(ui, column, "As the knobs are now, planned");
    const RunCost *cost = viewer_cost(viewer);
    if (!cost) {
        const char *state = viewer->cost_message[0] && !viewer->cost_asked ? viewer->cost_message : "counting ...";
        draw_paragraph(ui, *column, FONT_SMALL, ui->theme.faint, state);
        return;
    }
    snprintf(text, sizeof text, "%zu steps, %zu calls", cost->timestep_count, cost->unet_calls);
    row(ui, column, text, amount((double)cost->steps.flops, "FLOP").text);
    row(ui, column, "decoding", amount((double)cost->decode.flops, "FLOP").text);
    row(ui, column, "weights", amount((double)cost->weight_bytes, "B").text);
    row(ui, column, "activations", amount((double)cost->activation_bytes, "B").text);
    if (!viewer->has_double_cost) return;

    heading(ui, column, "Twice the width and height");
    const RunCost *twice = &viewer->double_cost;
    double more = (double)twice->steps.flops / (double)cost->steps.flops, each = branch ? seconds_a_step(branch) : 0;
    snprintf(text, sizeof text, "%.1f times as many", more);
    row(ui, column, "operations", text);
    row(ui, column, "activations", amount((double)twice->activation_bytes, "B").text);
    if (each > 0 && branch->has_cost)
        row(ui, column, "a step, about",
            duration(each * (double)twice->step.flops / (double)branch->cost.step.flops).text);
}

void panel_cost(Ui *ui, Viewer *viewer, Rect area) {
    ui_panel(ui, "Cost", area,
             "What the run took, what the knobs would take now, and what twice the size would: four times the pixels, "
             "and attention grows with their square.",
             lesson("lessons/13-cost"));
    draw_fill(ui, area, ui->theme.panel);
    Rect column = scroll_begin(ui, rect_inset(area, MARGIN), "cost", 18 * ROW + 40, &viewer->cost_scroll);
    const Branch *branch = viewer_shown(viewer);
    if (branch) measured_rows(ui, branch, &column);
    planned_rows(ui, viewer, branch, &column);
    scroll_end(ui);
}
