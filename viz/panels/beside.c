// beside.c - a branch's picture beside that of the run it left, and where the two differ
//
// Where: on the stage (step.c), for the same step of both.

#include "panels/stage.h"

#include <math.h>
#include <stdio.h>

static void draw_difference(Ui *ui, Viewer *viewer, const Picture *theirs, const Picture *ours, Rect rect) {
    PictureDifference *difference = &viewer->parent_difference;
    bool known = theirs && ours && difference_of(difference, ours, theirs, &ui->theme);
    char note[48] = "";
    if (known) snprintf(note, sizeof note, "rms %.1f of 255", difference->rms);
    StageItem item = {"difference", "where they differ", note,
                      "Each pixel's distance, sqrt(mean of squares over red, green, blue): orange where this one is "
                      "lighter, blue where darker",
                      0};
    Rect at = stage_show(ui, known ? &difference->picture : NULL, rect, item,
                         theirs && ours ? "being decoded ..." : "one of them isn't known at this step");
    ui_thing(ui, item.name, at, item.tip, false);
    if (known && rect.y + rect.h - at.y - at.h >= STAGE_NOTE + 28)
        stage_scale(ui, (Rect){at.x, at.y + at.h + STAGE_NOTE + 2, at.w, 8}, DIFFERENCE_RANGE * 255);
}

void stage_beside(Ui *ui, Viewer *viewer, Branch *branch, Branch *parent, Rect area) {
    size_t k = viewer->k;
    PictureKind kind = stage_kind(branch, k, PICTURE_CLEAN), parents_kind = stage_kind(parent, k, PICTURE_CLEAN);
    const Picture *theirs = viewer_picture(viewer, parent, k, parents_kind, true);
    const Picture *ours = viewer_picture(viewer, branch, k, kind, true);
    bool tall = area.h > area.w;
    Rect rects[3], rest = area;
    for (size_t i = 0; i < 3; i++) {
        float share = floorf((tall ? area.h : area.w) / 3);
        rects[i] = rect_inset(tall ? rect_cut_top(&rest, share) : rect_cut_left(&rest, share), 4);
    }
    char title[96];
    snprintf(title, sizeof title, "%.80s", parent->name);
    StageItem item = {"parent", title, k < branch->left_at ? "the same step" : "without the change",
                      "The same step of the run that this one left. Press to put it on the stage",
                      stage_look(viewer, parent, k, parents_kind)};
    Rect at = stage_show(ui, theirs, rects[0], item, "it has no such step");
    ui_thing(ui, item.name, at, item.tip, true);
    bool pressed = ui_click(ui, item.name, at);
    if (ui_focused(ui, item.name) && ui->focus_by_key) draw_frame(ui, rect_inset(at, -3), ui->theme.accent, 2);

    StageItem own = {"picture", branch->name, k < branch->left_at ? "shared until the change" : "with it",
                     "This branch's picture of the step. Press to enlarge", 0};
    stage_picture(ui, viewer, branch, PICTURE_CLEAN, rects[1], own);
    draw_difference(ui, viewer, theirs, ours, rects[2]);
    for (size_t i = 0; pressed && i < viewer->branch_count; i++) {
        if (viewer->branches[i] != parent) continue;
        viewer_show(viewer, i);
        viewer_seek(viewer, k);
        break;
    }
}
