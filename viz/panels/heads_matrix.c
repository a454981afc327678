// heads_matrix.c - every layer and head of the text encoder at once
//
// Each square has a row for every token that looks and a column for every one that is looked at: 0 dark, 1 bright. Heads
// that look at the token before them have a bright line beside the diagonal, those that look at the start a bright edge.

#include "panels/words.h"

#include <math.h>
#include <stdio.h>

enum { HEADING = 20, LABEL = 20, THUMB_LEAST = 16, THUMB_MOST = 160, THUMB_GAP = 4 };  // points

static void choose(Viewer *viewer, size_t layer, size_t head) {
    viewer->text_layer = layer;
    viewer->text_heads = head < 64 ? ~((uint64_t)1 << head) : 0;
}

// Whether this head alone is shown
static bool is_chosen(const Viewer *viewer, size_t layer, size_t head) {
    return viewer->text_layer == layer && head < 64 && viewer->text_heads == ~((uint64_t)1 << head);
}

static void draw_thumb(Ui *ui, Viewer *viewer, Branch *branch, const TextLook *look, size_t layer, size_t head,
                       Rect rect) {
    char name[64];
    snprintf(name, sizeof name, "layer %zu head %zu", layer + 1, head + 1);
    ui_thing(ui, name, rect, "Row: a token that looks. Column: one that is looked at. Press to see its lines", false);
    if (ui_click(ui, name, rect)) choose(viewer, layer, head);
    const MapPicture *map = maps_text(&viewer->maps, branch, look->chapter, look->attention, layer, head, look->count);
    draw_picture(ui, rect, &map->picture, PIXELS_SHARP);
    bool drawn = viewer->text_layer == layer && head < 64 && !(viewer->text_heads >> head & 1);
    if (drawn) draw_frame(ui, rect_inset(rect, -2), ui->theme.series[head % 8], 2);
    if (ui_hovers(ui, rect)) draw_frame(ui, rect, ui->theme.text, 1);
}

static size_t most_heads(const TextAttention *text) {
    size_t most = 1;
    for (size_t i = 0; i < text->count; i++) most = text->layers[i].heads > most ? text->layers[i].heads : most;
    return most;
}

// The arrows, while the matrix has the keyboard: one step from the head that is chosen alone, or to the first.
static void walk_by_keys(Ui *ui, Viewer *viewer, const TextAttention *text, Rect rect) {
    static const char NAME[] = "layers and heads";
    ui_thing(ui, NAME, rect, "", true);
    if (!ui_focused(ui, NAME)) return;
    if (ui->focus_by_key) draw_frame(ui, rect_inset(rect, -2), ui->theme.accent, 2);
    size_t layer = viewer->text_layer, heads = text->layers[layer].heads, head = 0;
    while (head < heads && !is_chosen(viewer, layer, head)) head++;
    bool none = head == heads, left = ui_key(ui, SDLK_LEFT, KMOD_NONE), right = ui_key(ui, SDLK_RIGHT, KMOD_NONE);
    bool up = ui_key(ui, SDLK_UP, KMOD_NONE), down = ui_key(ui, SDLK_DOWN, KMOD_NONE);
    if (!left && !right && !up && !down) return;
    if (none) head = 0;
    if (!none && left && head > 0) head--;
    if (!none && right && head + 1 < heads) head++;
    if (!none && up && layer > 0) layer--;
    if (!none && down && layer + 1 < text->count) layer++;
    choose(viewer, layer, head);
}

void heads_matrix(Ui *ui, Viewer *viewer, Branch *branch, const TextLook *look, Rect rect) {
    const TextAttention *text = look->attention;
    Rect heading = rect_cut_top(&rect, HEADING);
    draw_label(ui, heading, FONT_SMALL, ui->theme.faint, ALIGN_LEFT, "layers down, heads across");
    float heads = (float)most_heads(text), room = (rect.w - LABEL - 16) / heads - THUMB_GAP;
    float thumb = floorf(fmaxf(fminf(room, THUMB_MOST), THUMB_LEAST)),
          height = (float)text->count * (thumb + THUMB_GAP) + THUMB_GAP;
    walk_by_keys(ui, viewer, text, (Rect){rect.x, rect.y, rect.w, fminf(rect.h, height)});
    Rect all = scroll_begin(ui, rect, "layers' column", height, &viewer->matrix_scroll);
    for (size_t i = 0; i < text->count; i++) {
        float y = all.y + THUMB_GAP + (float)i * (thumb + THUMB_GAP);
        if (y + thumb < rect.y || y > rect.y + rect.h) continue;
        char number[24];
        snprintf(number, sizeof number, "%zu", i + 1);
        draw_label(ui, (Rect){all.x, y, LABEL - 4, thumb}, FONT_SMALL, ui->theme.faint, ALIGN_RIGHT, number);
        for (size_t h = 0; h < text->layers[i].heads; h++)
            draw_thumb(ui, viewer, branch, look, i, h,
                       (Rect){all.x + LABEL + (float)h * (thumb + THUMB_GAP), y, thumb, thumb});
    }
    scroll_end(ui);
}
