// grid_cells.c - see grid_cells.h

#include "panels/grid_cells.h"

#include <stdio.h>
#include <string.h>

Rect cell_picture_rect(const Viewer *viewer, Rect rect) {
    const Branch *branch = grid_cell(viewer, 0);
    const Knobs *knobs = branch ? branch_knobs(branch) : &viewer->knobs;
    float shape = knobs->width && knobs->height ? (float)knobs->width / (float)knobs->height : 1;
    float width = rect.w < rect.h * shape ? rect.w : rect.h * shape, height = width / shape;
    return (Rect){rect.x + (rect.w - width) / 2, rect.y + (rect.h - height) / 2, width, height};
}

static void draw_progress(Ui *ui, Rect rect, const Branch *branch) {
    enum { BAR = 4 };
    Rect bar = rect_cut_bottom(&rect, BAR);
    size_t own = branch->step_count - branch->left_at, done = branch->own_steps;
    draw_fill(ui, bar, ui->theme.edge);
    if (own > 0) draw_fill(ui, (Rect){bar.x, bar.y, bar.w * (float)done / (float)own, bar.h}, ui->theme.accent);
}

// Where there is no picture yet, what is the matter stands in its place; where there is one, over its lower edge.
static void draw_state(Ui *ui, Rect rect, const Branch *branch, bool has_picture) {
    const Theme *theme = &ui->theme;
    static const char *const words[] = {[BRANCH_WAITING] = "waits",
                                        [BRANCH_RUNNING] = "begins",
                                        [BRANCH_CANCELLED] = "stopped",
                                        [BRANCH_FAILED] = "failed"};
    if (branch && branch->state == BRANCH_RUNNING) draw_progress(ui, rect, branch);
    if (branch && branch->state == BRANCH_DONE) return;
    if (has_picture && branch && branch->state == BRANCH_RUNNING) return;
    Color color = branch && branch->state == BRANCH_FAILED ? theme->warning : theme->faint;
    Rect words_rect = has_picture ? rect_cut_bottom(&rect, 18) : rect;
    if (has_picture) draw_fill(ui, words_rect, color_fade(theme->panel, 0.8f));
    bool explains = branch && branch->state == BRANCH_FAILED && rect.w >= 120 && !has_picture;
    if (explains) {
        draw_clip(ui, rect_inset(rect, 6));
        draw_paragraph(ui, rect_inset(rect, 6), FONT_SMALL, color, branch->message);
        draw_unclip(ui);
    } else {
        draw_label(ui, words_rect, FONT_SMALL, color, ALIGN_CENTER, branch ? words[branch->state] : "closed");
    }
}

bool cell_draw(Ui *ui, Viewer *viewer, Rect rect, size_t cell, const char *name, const Picture *picture) {
    const Branch *branch = grid_cell(viewer, cell);
    char tip[240];
    if (branch && branch->state == BRANCH_FAILED)
        snprintf(tip, sizeof tip, "%.239s", branch->message);
    else
        grid_settings(viewer, cell, tip, sizeof tip);
    ui_thing(ui, name, rect, tip, true);
    bool pressed = ui_click(ui, name, rect);
    draw_fill(ui, rect, ui->theme.sunken);
    if (picture) draw_picture(ui, rect, picture, PIXELS_SMOOTH);
    draw_state(ui, rect, branch, picture != NULL);
    draw_frame(ui, rect, ui_hovers(ui, rect) ? ui->theme.accent : ui->theme.edge, 1);
    if (ui_focused(ui, name) && ui->focus_by_key) draw_frame(ui, rect_inset(rect, -3), ui->theme.accent, 2);
    return pressed && branch;
}

void cost_text(char *text, size_t size, size_t steps, size_t unet_calls, double seconds) {
    char time[48] = "";
    if (seconds >= 120)
        snprintf(time, sizeof time, ", about %.0f minutes", seconds / 60);
    else if (seconds > 0)
        snprintf(time, sizeof time, ", about %.*f s", seconds < 3 ? 1 : 0, seconds);
    snprintf(text, size, "%zu steps, %zu U-Net calls%s", steps, unet_calls, time);
}
