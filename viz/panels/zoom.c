// zoom.c - one of the step's pictures over the whole stage: nearer with the wheel, moved with the mouse, read out
//
// Under the mouse stand the pixel's colour and the four latents of its place: what the VAE makes of what.
// Where: on the stage (step.c), until Escape.

#include "panels/stage.h"

#include <math.h>
#include <stdio.h>

static const float TIMES_MOST = 64;

static const char *const TITLES[PICTURE_KINDS] = {"what the step starts from", "the picture it predicts",
                                                  "predicted noise", "what guidance added"};

// Where the whole picture would lie, most of it outside `view` when it is near.
static Rect picture_place(const Picture *picture, Zoom zoom, Rect view) {
    Rect fit = picture_fit(picture, view);
    float width = fit.w * zoom.times, height = fit.h * zoom.times;
    return (Rect){view.x + view.w / 2 - zoom.x * width, view.y + view.h / 2 - zoom.y * height, width, height};
}

// At least a corner of the picture stays in the middle.
static Zoom zoom_bounded(Zoom zoom) {
    zoom.times = fminf(fmaxf(zoom.times, 1), TIMES_MOST);
    float margin = 0.5f / zoom.times;
    zoom.x = fminf(fmaxf(zoom.x, fminf(margin, 0.5f)), fmaxf(1 - margin, 0.5f));
    zoom.y = fminf(fmaxf(zoom.y, fminf(margin, 0.5f)), fmaxf(1 - margin, 0.5f));
    return zoom;
}

// What lies at (x, y) stays there.
static Zoom zoom_around(Zoom zoom, const Picture *picture, Rect view, float x, float y, float factor) {
    Rect before = picture_place(picture, zoom, view);
    float u = (x - before.x) / before.w, v = (y - before.y) / before.h;
    zoom.times = fminf(fmaxf(zoom.times * factor, 1), TIMES_MOST);
    Rect fit = picture_fit(picture, view);
    zoom.x = u - (x - view.x - view.w / 2) / (fit.w * zoom.times);
    zoom.y = v - (y - view.y - view.h / 2) / (fit.h * zoom.times);
    return zoom_bounded(zoom);
}

static void use_zoom(Ui *ui, Viewer *viewer, const Picture *picture, Rect view) {
    Zoom *zoom = &viewer->zoom;
    float middle_x = view.x + view.w / 2, middle_y = view.y + view.h / 2;
    if (ui_hovers(ui, view) && ui->input.wheel != 0) {
        *zoom = zoom_around(*zoom, picture, view, ui->input.mouse_x, ui->input.mouse_y, powf(1.25f, ui->input.wheel));
        ui->input.wheel = 0;
    }
    if (!ui_typing(ui) && (ui_key(ui, SDLK_PLUS, KMOD_NONE) || ui_key(ui, SDLK_PLUS, KMOD_SHIFT) ||
                           ui_key(ui, SDLK_EQUALS, KMOD_SHIFT) || ui_key(ui, SDLK_KP_PLUS, KMOD_NONE)))
        *zoom = zoom_around(*zoom, picture, view, middle_x, middle_y, 1.5f);
    if (!ui_typing(ui) && (ui_key(ui, SDLK_MINUS, KMOD_NONE) || ui_key(ui, SDLK_KP_MINUS, KMOD_NONE)))
        *zoom = zoom_around(*zoom, picture, view, middle_x, middle_y, 1 / 1.5f);
    Rect fit = picture_fit(picture, view);
    float by = 0.1f / zoom->times;
    if (ui_key(ui, SDLK_LEFT, KMOD_SHIFT)) zoom->x -= by;
    if (ui_key(ui, SDLK_RIGHT, KMOD_SHIFT)) zoom->x += by;
    if (ui_key(ui, SDLK_UP, KMOD_SHIFT)) zoom->y -= by;
    if (ui_key(ui, SDLK_DOWN, KMOD_SHIFT)) zoom->y += by;
    ui_press(ui, "enlarged", view);
    if (ui_holds(ui, "enlarged")) {
        zoom->x -= (ui->input.mouse_x - viewer->zoom_mouse_x) / (fit.w * zoom->times) * !ui->input.pressed;
        zoom->y -= (ui->input.mouse_y - viewer->zoom_mouse_y) / (fit.h * zoom->times) * !ui->input.pressed;
        viewer->zoom_mouse_x = ui->input.mouse_x, viewer->zoom_mouse_y = ui->input.mouse_y;
    }
    *zoom = zoom_bounded(*zoom);
}

static void draw_part_of(Ui *ui, const Picture *picture, Rect whole, Rect view) {
    float left = fmaxf(whole.x, view.x), right = fminf(whole.x + whole.w, view.x + view.w);
    float top = fmaxf(whole.y, view.y), bottom = fminf(whole.y + whole.h, view.y + view.h);
    if (right <= left || bottom <= top) return;
    float points_x = whole.w / (float)picture->image.width, points_y = whole.h / (float)picture->image.height;
    Rect part = {(left - whole.x) / points_x, (top - whole.y) / points_y, (right - left) / points_x,
                 (bottom - top) / points_y};
    PixelLook look = points_x >= 6 ? PIXELS_SHARP : PIXELS_SMOOTH;
    draw_picture_part(ui, (Rect){left, top, right - left, bottom - top}, picture, part, look);
}

// Of the pixel under the mouse; with the keyboard alone, of that in the middle.
static void draw_readout(Ui *ui, const Branch *branch, size_t k, PictureKind kind, const Picture *picture, Rect whole,
                         Rect view, Rect line) {
    bool hovers = ui_hovers(ui, view);
    float x = hovers ? ui->input.mouse_x : view.x + view.w / 2, y = hovers ? ui->input.mouse_y : view.y + view.h / 2;
    float u = (x - whole.x) / whole.w, v = (y - whole.y) / whole.h;
    if (!(u >= 0 && u < 1 && v >= 0 && v < 1)) return;
    const Image *image = &picture->image;
    size_t column = (size_t)(u * (float)image->width), row = (size_t)(v * (float)image->height);
    const uint8_t *rgb = image->pixels + 3 * (row * image->width + column);
    char text[200];
    int written =
        snprintf(text, sizeof text, "pixel %zu, %zu: red %d green %d blue %d", column, row, rgb[0], rgb[1], rgb[2]);
    StepNumbers of = branch_numbers(branch, k, kind);
    if (of.numbers) {
        size_t w = branch->trace->width, h = branch->trace->height,
               i = (size_t)(v * (float)h) * w + (size_t)(u * (float)w);
        float n[LATENT_CHANNELS];
        for (size_t c = 0; c < LATENT_CHANNELS; c++)
            n[c] = of.numbers[c * w * h + i] - (of.minus ? of.minus[c * w * h + i] : 0);
        snprintf(text + written, sizeof text - (size_t)written, "   latents %.2f %.2f %.2f %.2f", n[0], n[1], n[2],
                 n[3]);
    }
    draw_round(ui, (Rect){line.x, line.y + 4, 16, 16}, 2, (Color){rgb[0], rgb[1], rgb[2], 255});
    rect_cut_left(&line, 24);
    draw_label(ui, line, FONT_MONO, ui->theme.text, ALIGN_LEFT, text);
}

void stage_zoom(Ui *ui, Viewer *viewer, Branch *branch, Rect area) {
    PictureKind kind = stage_kind(branch, viewer->k, viewer->zoomed);
    Rect head = rect_cut_top(&area, 28), foot = rect_cut_bottom(&area, 24);
    bool back = button(ui, rect_cut_left(&head, 72), "Back", "To all pictures of the step (Escape)");
    rect_cut_left(&head, 12);
    char title[120];
    bool finished = kind != viewer->zoomed;
    snprintf(title, sizeof title, "%s, %.0f %%", finished ? "the finished picture" : TITLES[kind],
             viewer->zoom.times * 100);
    draw_label(ui, head, FONT_BOLD, ui->theme.text, ALIGN_LEFT, title);
    rect_cut_top(&area, 8);
    ui_thing(ui, "enlarged", area, "", true);
    const Picture *picture = viewer_picture(viewer, branch, viewer->k, kind, true);
    if (!picture) {
        draw_label(ui, area, FONT_NORMAL, ui->theme.faint, ALIGN_CENTER, "This step has no such picture");
    } else {
        use_zoom(ui, viewer, picture, area);
        Rect whole = picture_place(picture, viewer->zoom, area);
        draw_part_of(ui, picture, whole, area);
        draw_readout(ui, branch, viewer->k, kind, picture, whole, area, foot);
    }
    if (back) viewer_zoom(viewer, PICTURE_KINDS);
}
