// schedule.c - how much noise there is at each step, and how much each takes away
//
// Sigma on a logarithmic scale, or alphas_cumprod = 1 / (1 + sigma^2), the share of the picture in the variance. The
// band between two steps is what the first of them removes. Its axis is the strip's (step_axis.h).
// Read next: core/schedulers/noise_schedule.h.

#include "panels/strip.h"

#include <math.h>
#include <stdio.h>

typedef struct Plot {
    Rect rect;
    bool alpha;
    float low, high;  // of sigma, both above 0
} Plot;

// The finished picture has no noise: on the logarithmic scale that is the bottom.
static float level(const Branch *branch, size_t k) { return k < branch->step_count ? branch->sigmas[k] : 0; }

static float plot_y(const Plot *plot, float sigma) {
    float t = 1 / (1 + sigma * sigma);
    if (!plot->alpha) t = sigma > plot->low ? logf(sigma / plot->low) / logf(plot->high / plot->low) : 0;
    return plot->rect.y + plot->rect.h * (1 - fminf(fmaxf(t, 0), 1));
}

// From below the least sigma, so that it is seen to be more than 0, to the greatest
static bool find_range(const Viewer *viewer, Plot *plot) {
    float least = INFINITY, most = 0;
    for (size_t i = 0; i < viewer->branch_count; i++) {
        const Branch *branch = viewer->branches[i];
        for (size_t k = 0; !branch->in_grid && branch->sigmas && k < branch->step_count; k++) {
            if (branch->sigmas[k] > 0) least = fminf(least, branch->sigmas[k]);
            most = fmaxf(most, branch->sigmas[k]);
        }
    }
    plot->low = least / 2;
    plot->high = fmaxf(most * 1.1f, plot->low * 10);
    return most > 0 && isfinite(most);
}

// ---- what is drawn --------------------------------------------------------------------------------------------------

static void draw_grid(Ui *ui, const Plot *plot, float left) {
    char label[24];
    float lines[] = {0, 0.5f, 1};
    for (size_t i = 0; plot->alpha && i < sizeof lines / sizeof *lines; i++) {
        float y = plot->rect.y + plot->rect.h * (1 - lines[i]);
        draw_fill(ui, (Rect){plot->rect.x, y, plot->rect.w, 1}, ui->theme.edge);
        snprintf(label, sizeof label, "%g", lines[i]);
        draw_label(ui, (Rect){left, y - 8, plot->rect.x - left - 6, 16}, FONT_SMALL, ui->theme.faint, ALIGN_RIGHT,
                   label);
    }
    for (float power = floorf(log10f(plot->low)); !plot->alpha && power <= log10f(plot->high); power++) {
        float sigma = powf(10, power), y = plot_y(plot, sigma);  // the least of them is below: there stands 0
        bool zero = sigma <= plot->low, crowded = !zero && plot->rect.y + plot->rect.h - y < 14;
        draw_fill(ui, (Rect){plot->rect.x, y, plot->rect.w, 1}, ui->theme.edge);
        if (crowded) continue;
        snprintf(label, sizeof label, "%.4g", zero ? 0 : sigma);
        draw_label(ui, (Rect){left, y - 8, plot->rect.x - left - 6, 16}, FONT_SMALL, ui->theme.faint, ALIGN_RIGHT,
                   label);
    }
}

static void draw_bands(Ui *ui, const Viewer *viewer, const Branch *branch, const Plot *plot, StepAxis axis) {
    for (size_t k = 0; k < branch->step_count; k++) {
        float x = step_middle(axis, k), a = plot_y(plot, level(branch, k)), b = plot_y(plot, level(branch, k + 1));
        bool looked_at = k == viewer->k;
        Color color = looked_at ? color_fade(ui->theme.accent, 0.6f) : color_fade(branch_color(ui, branch), 0.2f);
        if (looked_at)
            draw_fill(ui, (Rect){x, plot->rect.y, axis.slot, plot->rect.h}, color_fade(ui->theme.accent, 0.1f));
        draw_fill(ui, (Rect){x, fminf(a, b), axis.slot, fmaxf(fabsf(b - a), looked_at ? 3 : 1)}, color);
    }
}

static void draw_sigmas(Ui *ui, const Branch *branch, const Plot *plot, StepAxis axis, bool shown) {
    Color color = color_fade(branch_color(ui, branch), shown ? 1 : 0.6f);
    for (size_t k = branch->left_at; k < branch->step_count; k++) {
        float y = plot_y(plot, level(branch, k));
        draw_line(ui, step_middle(axis, k), y, step_middle(axis, k + 1), plot_y(plot, level(branch, k + 1)),
                  shown ? 2 : 1, color);
        if (axis.slot >= 8) draw_dot(ui, step_middle(axis, k), y, shown ? 3 : 2, color);
    }
}

static void draw_readout(Ui *ui, const Viewer *viewer, const Branch *branch, Rect place, Rect plot, StepAxis axis) {
    bool hovers = ui_hovers(ui, plot);
    size_t k = hovers ? step_at(axis, ui->input.mouse_x) : viewer->k;
    if (k > branch->step_count) k = branch->step_count;
    float sigma = level(branch, k), next = k < branch->step_count ? level(branch, k + 1) : 0;
    char text[160];
    if (k == branch->step_count)
        snprintf(text, sizeof text, "the picture: no noise");
    else
        snprintf(text, sizeof text, "step %zu: sigma %.4g → %.4g, alpha-bar %.3g → %.3g", k, sigma, next,
                 1 / (1 + sigma * sigma), 1 / (1 + next * next));
    draw_label(ui, place, FONT_SMALL, hovers ? ui->theme.text : ui->theme.faint, ALIGN_RIGHT, text);
}

static void draw_plot(Ui *ui, Viewer *viewer, const Branch *shown, const Plot *plot, Rect area) {
    StepAxis axis = step_axis(viewer, shown, area);
    draw_grid(ui, plot, area.x + 8);
    bool known = shown && shown->sigmas;
    if (known) draw_bands(ui, viewer, shown, plot, axis);
    for (size_t i = 0; i < viewer->branch_count; i++) {
        const Branch *branch = viewer->branches[i];
        if (branch == shown || branch->in_grid || !branch->sigmas) continue;
        draw_sigmas(ui, branch, plot, step_axis(viewer, branch, area), false);
    }
    steps_scrub(ui, viewer, "plot", plot->rect, axis);
    if (!known) return;
    draw_sigmas(ui, shown, plot, axis, true);
    float x = step_middle(axis, viewer->k);
    draw_fill(ui, (Rect){x - 0.5f, plot->rect.y, 1, plot->rect.h}, ui->theme.accent);
    draw_dot(ui, x, plot_y(plot, level(shown, viewer->k)), 5, ui->theme.accent);
}

void panel_schedule(Ui *ui, Viewer *viewer, Rect area) {
    ui_panel(ui, "schedule", area,
             "How much noise lies over the picture at each step; a band is what its step takes away.",
             lesson("lessons/05-euler"));
    draw_fill(ui, area, ui->theme.panel);
    draw_fill(ui, (Rect){area.x, area.y, area.w, 1}, ui->theme.edge);
    StepAxis axis = step_axis(viewer, viewer_shown(viewer), area);
    float width = axis.slot * (float)axis.slots;
    Rect head = {area.x + 8, area.y + 4, area.w - 24, 20};
    toggle(ui, rect_cut_left(&head, 116), "Alpha-bar", &viewer->show_alpha,
           "The share of the picture in the variance, alphas_cumprod = 1 / (1 + sigma^2), in place of sigma");
    Plot plot = {.rect = {axis.left, area.y + 28, width, area.h - 36}, .alpha = viewer->show_alpha};
    Branch *shown = viewer_shown(viewer);
    if (!find_range(viewer, &plot)) {
        draw_label(ui, plot.rect, FONT_NORMAL, ui->theme.faint, ALIGN_CENTER,
                   "How much noise there is at each step is known once its run has begun and its model is open.");
        return;
    }
    if (shown && shown->sigmas) draw_readout(ui, viewer, shown, head, plot.rect, axis);
    draw_plot(ui, viewer, shown, &plot, area);
}
