// step.c - the stage of Watch: the picture that the U-Net predicts, beside the noisy one that it saw
//
//     +-----------------------------------------------+
//     | "a pygmy hippo wearing sunglasses"            |
//     | starts from        U-Net:     predicted       |
//     | [small]         what is    [              ]   |
//     | noise           noise in   [    large     ]   |
//     | [small]         there?     [              ]   |
//     | guidance          --->     [              ]   |
//     | [small]                                       |
//     | Noise  Channels  Beside parent                |
//     +-----------------------------------------------+
//
// Read next: beside.c, channels.c, zoom.c, which take the pictures' place.

#include "panels/stage.h"

#include "state/story.h"

#include <math.h>
#include <stdio.h>

// ---- one picture ----------------------------------------------------------------------------------------------------

PictureKind stage_kind(const Branch *branch, size_t k, PictureKind kind) {
    return kind == PICTURE_CLEAN && branch->step_count && k >= branch->step_count ? PICTURE_START : kind;
}

PixelLook stage_look(const Viewer *viewer, const Branch *branch, size_t k, PictureKind kind) {
    return viewer_picture_decoded(viewer, branch, k, kind) ? PIXELS_SMOOTH : PIXELS_SHARP;
}

Rect stage_show(Ui *ui, const Picture *picture, Rect rect, StageItem item, const char *missing) {
    const Theme *theme = &ui->theme;
    Rect middle = rect, title = rect_cut_top(&middle, STAGE_TITLE), note = {0};
    if (item.note[0]) note = rect_cut_bottom(&middle, STAGE_NOTE);
    float side = fminf(middle.w, middle.h);
    Rect at = {middle.x + (middle.w - side) / 2, middle.y + (middle.h - side) / 2, side, side};
    if (picture) {
        at = draw_picture(ui, middle, picture, item.look);
    } else {
        draw_fill(ui, at, theme->sunken);
        draw_frame(ui, at, theme->edge, 1);
        float height = text_height(ui, FONT_SMALL, at.w - 16, missing);
        Rect words = {at.x + 8, at.y + fmaxf((at.h - height) / 2, 4), at.w - 16, at.h};
        draw_clip(ui, at);
        draw_paragraph(ui, words, FONT_SMALL, theme->faint, missing);
        draw_unclip(ui);
    }
    // Title and note stand at the picture, not at the edges of the place that it has.
    title.y = at.y - STAGE_TITLE, note.y = at.y + at.h;
    draw_label(ui, title, FONT_SMALL, theme->text, ALIGN_CENTER, item.title);
    draw_label(ui, note, FONT_SMALL, theme->faint, ALIGN_CENTER, item.note);
    return at;
}

static void draw_tag(Ui *ui, Rect picture, const char *text) {
    float width = text_width(ui, FONT_SMALL, text) + 12;
    if (picture.w < width + 8) return;
    Rect tag = {picture.x + 4, picture.y + 4, width, 18};
    draw_round(ui, tag, 4, color_fade(ui->theme.panel, 0.8f));
    draw_label(ui, tag, FONT_SMALL, ui->theme.faint, ALIGN_CENTER, text);
}

static const char *why_missing(const Branch *branch) {
    if (branch->from_file && !branch->has_latent_rgb)
        return branch->continuable ? "Its model is being opened ..."
                                   : "It takes the run's model to see this. Channels shows its numbers.";
    return branch->state == BRANCH_RUNNING || branch->state == BRANCH_WAITING ? "not there yet" : "not known";
}

Rect stage_picture(Ui *ui, Viewer *viewer, Branch *branch, PictureKind kind, Rect rect, StageItem item) {
    kind = stage_kind(branch, viewer->k, kind);
    const Picture *picture = viewer_picture(viewer, branch, viewer->k, kind, true);
    item.look = stage_look(viewer, branch, viewer->k, kind);
    Rect at = stage_show(ui, picture, rect, item, why_missing(branch));
    ui_thing(ui, item.name, at, item.tip, picture != NULL);
    if (!picture) return at;
    bool decodes = kind == PICTURE_START || kind == PICTURE_CLEAN;
    if (decodes && item.look == PIXELS_SHARP) draw_tag(ui, at, "preview");
    if (ui_click(ui, item.name, at)) viewer_zoom(viewer, kind);
    if (ui_hovers(ui, at)) draw_frame(ui, at, color_fade(ui->theme.accent, 0.7f), 2);
    if (ui_focused(ui, item.name) && ui->focus_by_key) draw_frame(ui, rect_inset(at, -3), ui->theme.accent, 2);
    return at;
}

// ---- from the noisy picture to the predicted one --------------------------------------------------------------------

enum { NARROW = 120 };  // points; less has short titles

static const char QUESTION_TIP[] = "The U-Net is asked what in the noisy picture is noise. Without it: "
                                   "x0 = (x - sqrt(1 - a) · noise) / sqrt(a), a = alpha-bar";

static void draw_question(Ui *ui, Rect column, float y, bool finished) {
    const char *words = finished ? "the last noise went; the VAE's decoder drew it" : "U-Net: what is noise in there?";
    ui_thing(ui, "U-Net", (Rect){column.x, y - 24, column.w, 48}, finished ? "" : QUESTION_TIP, false);
    float left = column.x + 8, right = column.x + column.w - 8;
    draw_line(ui, left, y, right - 2, y, 2, ui->theme.accent);
    draw_line(ui, right - 8, y - 6, right, y, 2, ui->theme.accent);
    draw_line(ui, right - 8, y + 6, right, y, 2, ui->theme.accent);
    if (column.w < 80) return;
    Rect place = {column.x + 10, 0, column.w - 20, 100};
    place.y = y - 8 - text_height(ui, FONT_SMALL, place.w, words);
    draw_paragraph(ui, place, FONT_SMALL, ui->theme.faint, words);
}

static void draw_start(Ui *ui, Viewer *viewer, Branch *branch, Rect rect, bool finished) {
    if (!finished) {
        StageItem start = {"start", rect.w < NARROW ? "start" : "what the step starts from", "",
                           "The latents that step k starts from, decoded. Press to enlarge", 0};
        stage_picture(ui, viewer, branch, PICTURE_START, rect, start);
        return;
    }
    StageItem start = {"start", rect.w < NARROW ? "last start" : "what the last step started from", "",
                       "The latents before the last step, decoded", 0};
    size_t last = branch->step_count - 1;
    const Picture *picture = branch->step_count ? viewer_picture(viewer, branch, last, PICTURE_START, true) : NULL;
    if (picture) start.look = stage_look(viewer, branch, last, PICTURE_START);
    Rect at = stage_show(ui, picture, rect, start, why_missing(branch));
    ui_thing(ui, start.name, at, start.tip, false);
}

static void draw_noises(Ui *ui, Viewer *viewer, Branch *branch, Rect upper, Rect lower) {
    StepFacts facts = facts_of(branch, viewer->k);
    bool predicts_v = branch_predicts_v(branch, viewer->k);
    char note[80] = "";
    if (!isnan(facts.noise_rms)) snprintf(note, sizeof note, "rms %.3f", facts.noise_rms);
    StageItem noise = {"noise",
                       predicts_v         ? "answer (v)"
                       : upper.w < NARROW ? "noise"
                                          : "predicted noise",
                       note,
                       "noise_pred, after guidance, as colours by the linear map; no noise would be grey. rms: root "
                       "mean square of its numbers",
                       0};
    stage_picture(ui, viewer, branch, PICTURE_NOISE, upper, noise);
    char added[80] = "";
    if (!isnan(facts.guidance_rms)) snprintf(added, sizeof added, "rms %.3f", facts.guidance_rms);
    StageItem guidance = {
        "guidance", lower.w < NARROW ? "guidance" : "what guidance added", added,
        "noise_pred_text - noise_pred_uncond, six times as strong as the noise's colours. Guidance adds it "
        "times guidance_scale: uncond + scale · (text - uncond)",
        0};
    if (isnan(facts.guidance_rms)) {
        Rect at = stage_show(ui, NULL, lower, guidance, "no guidance in this step");
        ui_thing(ui, "guidance", at, guidance.tip, false);
    } else {
        stage_picture(ui, viewer, branch, PICTURE_GUIDANCE, lower, guidance);
    }
}

static void draw_pair(Ui *ui, Viewer *viewer, Branch *branch, Rect area) {
    bool finished = branch->state == BRANCH_DONE && viewer->k >= branch->step_count;
    Rect large = area, small = rect_cut_left(&large, floorf(fminf(area.w * 0.27f, area.h * 0.5f)));
    Rect between = rect_cut_left(&large, area.w < 480 ? 32 : 108);
    StageItem clean = {"picture", finished ? "the finished picture" : "the picture it predicts", "",
                       finished
                           ? "latents.N through the VAE's decoder. Press to enlarge"
                           : "pred_original_sample: the noisy picture without the predicted noise. Press to enlarge",
                       0};
    Rect at = stage_picture(ui, viewer, branch, PICTURE_CLEAN, large, clean);
    if (!viewer->show_noise || finished) {
        draw_start(ui, viewer, branch, small, finished);
        draw_question(ui, between, at.y + at.h / 2, finished);
        return;
    }
    float third = floorf(small.h / 3);
    Rect top = rect_cut_top(&small, third), middle = rect_cut_top(&small, third);
    draw_start(ui, viewer, branch, rect_inset(top, 2), finished);
    draw_noises(ui, viewer, branch, rect_inset(middle, 2), rect_inset(small, 2));
    draw_question(ui, between, at.y + at.h / 2, finished);
}

// ---- around it ------------------------------------------------------------------------------------------------------

static void draw_prompt(Ui *ui, const Viewer *viewer, const Branch *branch, Rect line) {
    char words[KNOB_TEXT + 8], tip[240];
    const char *prompt = branch_knobs_at(branch, viewer->k)->prompt;
    snprintf(words, sizeof words, prompt[0] ? "“%s”" : "no prompt", prompt);
    snprintf(tip, sizeof tip, "%.239s", prompt);
    ui_thing(ui, "shown prompt", line, tip, false);
    draw_label(ui, line, FONT_BOLD, ui->theme.text, ALIGN_LEFT, words);
}

static void draw_toggles(Ui *ui, Viewer *viewer, const Branch *parent, Rect line) {
    float each = fminf(116, line.w / 3);
    toggle(ui, rect_cut_left(&line, each), "Noise", &viewer->show_noise,
           "Shows what the U-Net took for noise, and what guidance added to it (n)");
    toggle(ui, rect_cut_left(&line, each), "Channels", &viewer->show_channels,
           "Shows the four channels of numbers that the U-Net works on (c)");
    if (parent)
        toggle(ui, rect_cut_left(&line, fmaxf(each, fminf(line.w, 148))), "Beside parent", &viewer->show_parent,
               "Shows the picture of the same step in the run that this one left, and where they differ");
}

static void draw_nothing(Ui *ui, const Viewer *viewer, Rect area) {
    const char *words = viewer->model_message[0] ? viewer->model_message
                        : viewer->model          ? "No run yet: write a prompt and press Run."
                                                 : "The model is being opened ...";
    FontStyle style = viewer->model_message[0] ? FONT_NORMAL : FONT_LARGE;
    Rect place = rect_inset(area, 32);
    float height = text_height(ui, style, place.w, words);
    place.y += fmaxf((place.h - height) / 2, 0);
    draw_paragraph(ui, place, style, viewer->model_message[0] ? ui->theme.warning : ui->theme.faint, words);
}

void panel_step(Ui *ui, Viewer *viewer, Rect area) {
    ui_panel(ui, "step", area,
             "The noisy picture that a step starts from, and the clean one that the U-Net sees in it.",
             lesson("lessons/00-the-loop"));
    Branch *branch = viewer_shown(viewer);
    if (!branch) {
        draw_nothing(ui, viewer, area);
        return;
    }
    Branch *parent = viewer_branch_by_id(viewer, branch->parent);
    Rect inside = rect_inset(area, 12);
    if (viewer->zoomed != PICTURE_KINDS) {
        stage_zoom(ui, viewer, branch, inside);
        return;
    }
    draw_prompt(ui, viewer, branch, rect_cut_top(&inside, 20));
    draw_toggles(ui, viewer, parent, rect_cut_bottom(&inside, 24));
    rect_cut_bottom(&inside, 8);
    if (viewer->show_channels)
        stage_channels(ui, viewer, branch, inside);
    else if (viewer->show_parent && parent)
        stage_beside(ui, viewer, branch, parent, inside);
    else
        draw_pair(ui, viewer, branch, inside);
}
