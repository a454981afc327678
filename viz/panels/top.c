// top.c - the bar above all: which view, what to take away, how the window looks
//
// Read next: screen.c, which says what the views are.

#include "panels/panels.h"

#include <stdio.h>
#include <string.h>

static const char *const VIEWS[VIEW_COUNT] = {"Watch", "Words", "Compare", "When?"};
static const char *const VIEW_TIPS[VIEW_COUNT] = {
    "One run, step by step: what the U-Net is shown, and what it believes is in there (1)",
    "The prompt as the model reads it, and where in the picture each word acts (2)",
    "The same noise under many settings: schedulers down, guidance scales across, or any two knobs (3)",
    "Another prompt from every step on: when is it too late to become something else? (4)",
};

// What can be taken away, in EXPORT_... order
static const char *const EXPORTS[EXPORT_KINDS] = {"Picture (PNG)", "Strip of steps (PNG)", "Grid (PNG)",
                                                  "Animation (WebP)"};

static void save_trace(Viewer *viewer) {
    char path[64];
    const Branch *branch = viewer_shown(viewer);
    snprintf(path, sizeof path, "sculpt-run-%d.safetensors", branch ? branch->id : 0);
    viewer_save_trace(viewer, path);
}

// Right to left, as far as there is room.
static void draw_right(Ui *ui, Viewer *viewer, Rect *bar) {
    Rect help = rect_inset(rect_cut_right(bar, 40), 6), look = rect_inset(rect_cut_right(bar, 64), 6);
    if (button_labelled(ui, help, "Explain", "?", "Names everything on the screen, and says what one sees (?)"))
        ui->explaining = !ui->explaining;
    if (button_labelled(ui, look, "Light or dark", ui->theme.dark ? "Light" : "Dark", "Light or dark colours (d)"))
        ui->theme = theme_make(!ui->theme.dark);
    Rect save = rect_inset(rect_cut_right(bar, 96), 6);
    if (button(ui, save, "Save run",
               "The whole run as a trace (safetensors), to be opened here again or read by other programs (Ctrl+S)"))
        save_trace(viewer);
    Rect taken = rect_inset(rect_cut_right(bar, 168), 6);
    size_t kind = EXPORT_KINDS;
    if (choice(ui, taken, "Export", EXPORTS, EXPORT_KINDS, &kind,
               "Take it away: a picture, the strip of steps, the grid, or an animation, with the settings in its "
               "metadata (e)") &&
        kind < EXPORT_KINDS)
        viewer_export(viewer, (ExportKind)kind, NULL);
}

void panel_top(Ui *ui, Viewer *viewer, Rect area) {
    ui_panel(ui, "Views", area, "Four ways to look at the same runs; at the right what can be taken away.", NULL);
    draw_fill(ui, area, ui->theme.panel);
    draw_fill(ui, (Rect){area.x, area.y + area.h - 1, area.w, 1}, ui->theme.edge);
    if (ui_key(ui, SDLK_s, KMOD_CTRL)) save_trace(viewer);
    if (ui->width >= 900) draw_label(ui, rect_cut_left(&area, 96), FONT_LARGE, ui->theme.text, ALIGN_CENTER, "Sculpt");
    size_t view = viewer->view;
    Rect views = rect_inset(rect_cut_left(&area, ui->width >= 900 ? 320 : 248), 6);
    if (tabs(ui, views, VIEWS, VIEW_TIPS, VIEW_COUNT, &view)) viewer->view = (View)view;
    if (area.w >= 380) draw_right(ui, viewer, &area);
}
