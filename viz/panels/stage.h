// stage.h - what the files of the stage share: step.c, beside.c, channels.c, zoom.c

#pragma once

#include "panels/panels.h"

// A picture of the step and what is said of it
typedef struct StageItem {
    const char *name;   // for scripts
    const char *title;  // above it
    const char *note;   // below it, faint; "" for none
    const char *tip;
    PixelLook look;  // pictures of the VAE's are smooth; with a pixel a latent they are the squares that they are
} StageItem;

enum { STAGE_TITLE = 20, STAGE_NOTE = 18 };

// The picture of this kind that step k has: at the end the finished one stands for the predicted one.
PictureKind stage_kind(const Branch *branch, size_t k, PictureKind kind);
// The picture with title and note, in the middle of rect; pressed, it is enlarged. Returns where it is.
Rect stage_picture(Ui *ui, Viewer *viewer, Branch *branch, PictureKind kind, Rect rect, StageItem item);
// The same for any picture (NULL: a grey place that says `missing`), without anything to press.
Rect stage_show(Ui *ui, const Picture *picture, Rect rect, StageItem item, const char *missing);
PixelLook stage_look(const Viewer *viewer, const Branch *branch, size_t k, PictureKind kind);

// The palette of differences from -range to range, with its numbers under it
void stage_scale(Ui *ui, Rect bar, float range);

void stage_beside(Ui *ui, Viewer *viewer, Branch *branch, Branch *parent, Rect area);
void stage_channels(Ui *ui, Viewer *viewer, const Branch *branch, Rect area);
void stage_zoom(Ui *ui, Viewer *viewer, Branch *branch, Rect area);
