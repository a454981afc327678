// words_picture.c - a map over the picture that it is of, and what its colours stand for

#include "panels/words.h"

#include <math.h>
#include <stdio.h>

// ---- a mask's outline -----------------------------------------------------------------------------------------------

typedef struct Outline {
    const uint8_t *mask;  // [side, side]
    size_t side;
    Rect rect;  // of all of it
} Outline;

static bool is_in(const Outline *outline, size_t x, size_t y) {
    return x < outline->side && y < outline->side && outline->mask[y * outline->side + x];
}

// Whether pixel i along line `at` (a row's upper edge, or a column's left one) has the mask on one side of it only.
// Pixel -1 is beyond the side, as all that are too large.
static bool is_rim(const Outline *outline, bool row, size_t at, size_t i) {
    return row ? is_in(outline, i, at - 1) != is_in(outline, i, at)
               : is_in(outline, at - 1, i) != is_in(outline, at, i);
}

// The rims along one edge, each run of them as one line
static void draw_rims(Ui *ui, const Outline *outline, bool row, size_t at, float thickness, Color color) {
    Rect rect = outline->rect;
    float wide = rect.w / (float)outline->side, high = rect.h / (float)outline->side, half = thickness / 2;
    for (size_t i = 0; i < outline->side; i++) {
        size_t start = i;
        while (i < outline->side && is_rim(outline, row, at, i)) i++;
        if (i == start) continue;
        float from = (float)start, to = (float)i, edge = (float)at;
        if (row)
            draw_line(ui, rect.x + from * wide - half, rect.y + edge * high, rect.x + to * wide + half,
                      rect.y + edge * high, thickness, color);
        else
            draw_line(ui, rect.x + edge * wide, rect.y + from * high - half, rect.x + edge * wide,
                      rect.y + to * high + half, thickness, color);
    }
}

// White within black, to be seen on every colour.
void draw_outline(Ui *ui, Rect rect, const uint8_t *mask, size_t side) {
    Outline outline = {mask, side, rect};
    static const Color BLACK = {0, 0, 0, 255}, WHITE = {255, 255, 255, 255};
    for (size_t at = 0; at <= side; at++) {
        draw_rims(ui, &outline, true, at, 3, BLACK);
        draw_rims(ui, &outline, false, at, 3, BLACK);
    }
    for (size_t at = 0; at <= side; at++) {
        draw_rims(ui, &outline, true, at, 1, WHITE);
        draw_rims(ui, &outline, false, at, 1, WHITE);
    }
}

// ---- a map over a picture -------------------------------------------------------------------------------------------

static const float MAP_OPACITY = 0.68f, UNDER_WORDS = 0.85f;  // UNDER_WORDS: of what dims a picture for words on it

static Rect draw_layers(Ui *ui, Viewer *viewer, Rect rect, const MapCard *card) {
    const Picture *map = card->map ? &card->map->picture : NULL;
    Rect at = card->below ? picture_fit(card->below, rect) : map ? picture_fit(map, rect) : rect;
    at.x = rect.x;
    if (card->below && (map || card->instead))
        draw_picture(ui, at, maps_grey(&viewer->maps, card->below), PIXELS_SMOOTH);
    if (card->below && !map && !card->instead) draw_picture(ui, at, card->below, PIXELS_SMOOTH);
    if (map) draw_picture_faded(ui, at, map, PIXELS_SMOOTH, card->below ? MAP_OPACITY : 1);
    if (!card->below && !map) draw_fill(ui, at, ui->theme.sunken);
    if (card->outline) draw_outline(ui, at, card->outline, card->side);
    return at;
}

// From its lowest number to its highest
static void draw_scale(Ui *ui, Viewer *viewer, Rect rect, const MapPicture *map) {
    char low[16], high[16];
    snprintf(low, sizeof low, "%.3g", (double)map->low);
    snprintf(high, sizeof high, "%.3g", (double)map->high);
    Rect left = rect_cut_left(&rect, ceilf(text_width(ui, FONT_SMALL, low)));
    Rect right = rect_cut_right(&rect, ceilf(text_width(ui, FONT_SMALL, high)));
    draw_label(ui, left, FONT_SMALL, ui->theme.faint, ALIGN_LEFT, low);
    draw_label(ui, right, FONT_SMALL, ui->theme.faint, ALIGN_RIGHT, high);
    rect.x += WORDS_GAP;
    rect.w -= 2 * WORDS_GAP;
    Rect bar = {rect.x, roundf(rect.y + rect.h / 2) - 4, rect.w, 8};
    const Picture *colors = maps_scale(&viewer->maps);
    draw_picture_part(ui, bar, colors, (Rect){0, 0, (float)colors->image.width, 1}, PIXELS_SMOOTH);
}

// ---- a card ---------------------------------------------------------------------------------------------------------

enum { TITLE = 20, SCALE = 24 };  // points

float map_card_height(Ui *ui, float width, float picture, const MapCard *card) {
    return TITLE + text_height(ui, FONT_SMALL, width, card->meaning_like) + 4 + picture + SCALE;
}

void map_card(Ui *ui, Viewer *viewer, Rect rect, const MapCard *card) {
    const Theme *theme = &ui->theme;
    Rect title = rect_cut_top(&rect, TITLE);
    Rect note = title;
    if (card->note) rect_cut_right(&title, text_width(ui, FONT_SMALL, card->note) + WORDS_GAP);
    rect_cut_left(&note, fminf(text_width(ui, FONT_BOLD, card->title), title.w) + WORDS_GAP);
    draw_label(ui, title, FONT_BOLD, theme->text, ALIGN_LEFT, card->title);
    if (card->note) draw_label(ui, note, FONT_SMALL, theme->faint, ALIGN_LEFT, card->note);
    float meaning = text_height(ui, FONT_SMALL, rect.w, card->meaning_like);
    draw_paragraph(ui, rect_cut_top(&rect, meaning), FONT_SMALL, theme->faint, card->meaning);
    rect_cut_top(&rect, 4);
    Rect scale = rect_cut_bottom(&rect, SCALE), at = draw_layers(ui, viewer, rect, card);
    ui_thing(ui, card->name, at, card->tip, false);
    if (card->map) {
        scale.x = at.x;
        scale.w = at.w;
        draw_scale(ui, viewer, scale, card->map);
    } else if (card->instead) {
        draw_fill(ui, at, color_fade(theme->panel, UNDER_WORDS));
        draw_clip(ui, at);
        words_instead(ui, rect_inset(at, WORDS_GAP), card->instead);
        draw_unclip(ui);
    }
}
