// channels.c - the numbers themselves: four latent channels, as the U-Net sees and says them
//
// Blue below 0, orange above. A channel has no colour of its own: only all four together, through the VAE's decoder, are
// a picture.
// Where: on the stage (step.c). Read next: lesson 08, vae.

#include "panels/stage.h"

#include <math.h>
#include <stdio.h>

static const char *const NAMES[PICTURE_KINDS] = {"Start", "Predicted", "Answer", "Guidance"};
static const char *const TIPS[PICTURE_KINDS] = {
    "latents.k: what the step starts from", "pred_original_sample.k: what would be left without the predicted noise",
    "noise_pred.k: what the U-Net says, after guidance",
    "noise_pred_text.k - noise_pred_uncond.k: what guidance adds, before guidance_scale"};

void stage_scale(Ui *ui, Rect bar, float range) {
    float step = 2;
    for (float x = 0; x < bar.w; x += step)
        draw_fill(ui, (Rect){bar.x + x, bar.y, step, bar.h}, difference_color(&ui->theme, 2 * x / bar.w - 1));
    Rect below = {bar.x, bar.y + bar.h, bar.w, 16};
    char end[32];
    snprintf(end, sizeof end, "%.3g", -range);
    draw_label(ui, below, FONT_SMALL, ui->theme.faint, ALIGN_LEFT, end);
    draw_label(ui, below, FONT_SMALL, ui->theme.faint, ALIGN_CENTER, "0");
    snprintf(end, sizeof end, "+%.3g", range);
    draw_label(ui, below, FONT_SMALL, ui->theme.faint, ALIGN_RIGHT, end);
}

static void draw_channel(Ui *ui, const LatentMaps *maps, size_t c, Rect rect) {
    char name[24], title[24], note[64];
    snprintf(name, sizeof name, "channel %zu", c);
    snprintf(title, sizeof title, "channel %zu", c);
    snprintf(note, sizeof note, "%.2f to %.2f", maps->low[c], maps->high[c]);
    StageItem item = {name, title, note, "A number a place, 1/8 of the picture's width and height in Stable Diffusion",
                      0};
    Rect at = stage_show(ui, &maps->maps[c], rect, item, "");
    ui_thing(ui, name, at, item.tip, false);
}

// Side by side or two and two, whichever makes them larger, close together in the middle.
static void draw_channels(Ui *ui, const LatentMaps *maps, Rect area) {
    const float words = STAGE_TITLE + STAGE_NOTE;
    float row_side = fminf(area.w / 4 - 8, area.h - words), square_side = fminf(area.w / 2 - 8, area.h / 2 - words - 4);
    size_t columns = row_side > square_side ? 4 : 2, rows = LATENT_CHANNELS / columns;
    float side = floorf(fmaxf(fmaxf(row_side, square_side), 8)), width = side + 8, height = side + words + 4;
    float left = area.x + (area.w - width * (float)columns) / 2, top = area.y + (area.h - height * (float)rows) / 2;
    for (size_t c = 0; c < LATENT_CHANNELS; c++) {
        float x = left + width * (float)(c % columns), y = top + height * (float)(c / columns);
        draw_channel(ui, maps, c, (Rect){x + 4, y, side, side + words});
    }
}

void stage_channels(Ui *ui, Viewer *viewer, const Branch *branch, Rect area) {
    rect_cut_top(&area, 8);
    Rect line = rect_cut_top(&area, 28);
    size_t chosen = viewer->channels_of;
    if (tabs(ui, rect_cut_left(&line, fminf(line.w, 380)), NAMES, TIPS, PICTURE_KINDS, &chosen))
        viewer->channels_of = (PictureKind)chosen;
    rect_cut_top(&area, 4);
    PictureKind kind = stage_kind(branch, viewer->k, viewer->channels_of);
    if (!latent_maps_of(&viewer->latent_maps, branch, viewer->k, kind, &ui->theme)) {
        bool done = viewer->k < branch_steps_done(branch);
        const char *words = done && kind == PICTURE_GUIDANCE ? "No guidance in this step: the U-Net was asked once."
                            : branch->state == BRANCH_DONE
                                ? "The finished picture comes from no further answer of the U-Net's: see Start."
                                : "This step isn't known yet.";
        draw_label(ui, area, FONT_NORMAL, ui->theme.faint, ALIGN_CENTER, words);
        return;
    }
    Rect scale = rect_cut_bottom(&area, 32);
    float width = fminf(320, scale.w);
    stage_scale(ui, (Rect){scale.x + (scale.w - width) / 2, scale.y + 4, width, 8}, viewer->latent_maps.range);
    draw_channels(ui, &viewer->latent_maps, area);
}
