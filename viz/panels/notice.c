// notice.c - the line at the bottom: the last thing that happened, and at the right what is being done

#include "panels/panels.h"

#include <math.h>
#include <stdio.h>

static void tell_doing(const Viewer *viewer, char *text, size_t size) {
    static const struct {
        JobKind kind;
        const char *words;
    } DOINGS[] = {{JOB_GRADES, "grading the maps"},
                  {JOB_DELETION, "asking the U-Net without a word"},
                  {JOB_ATTENTION, "asking the U-Net where it looks"},
                  {JOB_MODEL, "opening the model"}};
    text[0] = '\0';
    for (size_t i = 0; i < viewer->branch_count; i++) {
        const Branch *branch = viewer->branches[i];
        if (branch->state != BRANCH_RUNNING) continue;
        if (branch->step_count)
            snprintf(text, size, "drawing: %.60s, step %zu of %zu", branch->name, branch_steps_done(branch),
                     branch->step_count);
        else
            snprintf(text, size, "beginning: %.60s", branch->name);
        return;
    }
    for (size_t i = 0; i < sizeof DOINGS / sizeof *DOINGS; i++) {
        if (engine_waiting(viewer->engine, DOINGS[i].kind) == 0) continue;
        snprintf(text, size, "%s", DOINGS[i].words);
        return;
    }
    size_t decodes = engine_waiting(viewer->engine, JOB_DECODE);
    if (decodes > 0) snprintf(text, size, "decoding %zu picture%s", decodes, decodes == 1 ? "" : "s");
}

void panel_notice(Ui *ui, Viewer *viewer, Rect area) {
    ui_panel(ui, "notice", area, "The last thing that happened, and what is being done.", NULL);
    draw_fill(ui, area, ui->theme.panel);
    draw_fill(ui, (Rect){area.x, area.y, area.w, 1}, ui->theme.edge);
    Rect line = {area.x + 12, area.y + 1, area.w - 24, area.h - 1};
    char doing[128];
    tell_doing(viewer, doing, sizeof doing);
    if (doing[0]) {
        Rect right = rect_cut_right(&line, fminf(text_width(ui, FONT_SMALL, doing) + 4, line.w / 2));
        rect_cut_right(&line, 16);
        draw_label(ui, right, FONT_SMALL, ui->theme.accent, ALIGN_RIGHT, doing);
    }
    ui_thing(ui, "message", line, viewer->notice, false);
    draw_label(ui, line, FONT_SMALL, viewer->notice_is_error ? ui->theme.warning : ui->theme.faint, ALIGN_LEFT,
               viewer->notice);
}
