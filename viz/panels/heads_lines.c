// heads_lines.c - two columns of the same tokens: who looks, and at whom

#include "panels/words.h"

#include <math.h>
#include <stdio.h>

enum { ROW = 20, HEADING = 20, NUMBER = 36 };  // points
static const float FAINTEST = 0.04f;           // less isn't drawn

// ---- tokens ---------------------------------------------------------------------------------------------------------

static void token_text(const TextLook *look, size_t i, char text[WORD_TEXT]) {
    if (i == 0 || i + 1 == look->count) {
        snprintf(text, WORD_TEXT, i == 0 ? "‹start›" : "‹end›");
        return;
    }
    const Token *token = &look->words->tokens.tokens[i - 1];
    snprintf(text, WORD_TEXT, "%.*s", (int)fminf((float)(token->end - token->start), WORD_TEXT - 1),
             look->words->tokens.text + token->start);
}

// ---- weights --------------------------------------------------------------------------------------------------------

static const float *weights_from(const TextLook *look, size_t layer, size_t head, size_t token) {
    const TextLayerMaps *maps = &look->attention->layers[layer];
    return maps->maps + (head * maps->length + token) * maps->length;
}

static bool head_shown(const Viewer *viewer, size_t head) { return head >= 64 || !(viewer->text_heads >> head & 1); }

// How much `from` looks at `to`: the mean over the heads that are shown
static float mean_weight(const Viewer *viewer, const TextLook *look, size_t from, size_t to) {
    float sum = 0, count = 0;
    for (size_t h = 0; h < look->attention->layers[viewer->text_layer].heads; h++) {
        if (!head_shown(viewer, h)) continue;
        sum += weights_from(look, viewer->text_layer, h, from)[to];
        count++;
    }
    return count > 0 ? sum / count : 0;
}

// ---- lines ----------------------------------------------------------------------------------------------------------

typedef struct Columns {
    Rect left, right;  // of the tokens, all rows
    float from, to;    // x of the lines' ends
    Rect seen;
} Columns;

static float row_middle(const Columns *columns, size_t i) { return columns->left.y + ((float)i + 0.5f) * ROW; }

static bool row_seen(const Columns *columns, size_t i) {
    float y = row_middle(columns, i);
    return y > columns->seen.y - ROW && y < columns->seen.y + columns->seen.h + ROW;
}

// With a token pointed at: whether the line belongs to it.
static bool line_shown(const Viewer *viewer, size_t from, size_t to, size_t count) {
    if (viewer->text_token >= count) return true;
    return (viewer->text_token_seen ? to : from) == viewer->text_token;
}

static void draw_lines(Ui *ui, const Viewer *viewer, const TextLook *look, const Columns *columns) {
    size_t heads = look->attention->layers[viewer->text_layer].heads;
    for (size_t from = 0; from < look->count; from++) {
        for (size_t to = 0; to <= from; to++) {
            if (!line_shown(viewer, from, to, look->count) || (!row_seen(columns, from) && !row_seen(columns, to)))
                continue;
            for (size_t h = 0; h < heads; h++) {
                float weight = weights_from(look, viewer->text_layer, h, from)[to];
                if (weight < FAINTEST || !head_shown(viewer, h)) continue;
                draw_line(ui, columns->from, row_middle(columns, from), columns->to, row_middle(columns, to), 2,
                          color_fade(ui->theme.series[h % 8], weight));
            }
        }
    }
}

// ---- columns --------------------------------------------------------------------------------------------------------

// How much the token that is pointed at looks at token i, or is looked at by it
static void draw_number(Ui *ui, const Viewer *viewer, const TextLook *look, size_t i, bool right, Rect rect) {
    size_t from = right ? viewer->text_token : i, to = right ? i : viewer->text_token;
    Align align = right ? ALIGN_RIGHT : ALIGN_LEFT;
    char number[8];
    snprintf(number, sizeof number, "%.2f", (double)mean_weight(viewer, look, from, to));
    if (to > from)
        draw_label(ui, rect, FONT_SMALL, color_fade(ui->theme.faint, 0.6f), align, "–");
    else
        draw_label(ui, rect, FONT_SMALL, ui->theme.text, align, number);
}

static void draw_token(Ui *ui, Viewer *viewer, const TextLook *look, size_t i, bool right, Rect row) {
    char text[WORD_TEXT], name[WORD_TEXT + 40];
    token_text(look, i, text);
    snprintf(name, sizeof name, "%s %zu %s", right ? "looked at" : "token", i, text);
    ui_thing(ui, name, row, right ? "Who looks at this token" : "Which tokens it looks at", false);
    if (ui->mouse_moved && ui_hovers(ui, row)) {
        viewer->text_token = i;
        viewer->text_token_seen = right;
    }
    bool any = viewer->text_token < look->count, same_side = viewer->text_token_seen == right;
    if (viewer->text_token == i && same_side)
        draw_round(ui, row, 4, color_mix(ui->theme.panel, ui->theme.accent, 0.18f));
    Rect label = row;
    if (any && !same_side)
        draw_number(ui, viewer, look, i, right, right ? rect_cut_right(&label, NUMBER) : rect_cut_left(&label, NUMBER));
    label.x += 4;
    label.w -= 8;
    bool end = i == 0 || i + 1 == look->count;
    draw_label(ui, label, FONT_NORMAL, end ? ui->theme.faint : ui->theme.text, right ? ALIGN_LEFT : ALIGN_RIGHT, text);
}

// A column of tokens. right: those that are looked at.
static void draw_column(Ui *ui, Viewer *viewer, const TextLook *look, const Columns *columns, bool right) {
    Rect column = right ? columns->right : columns->left;
    for (size_t i = 0; i < look->count; i++) {
        Rect row = {column.x, column.y + (float)i * ROW, column.w, ROW};
        if (row_seen(columns, i)) draw_token(ui, viewer, look, i, right, row);
    }
}

static void scroll_to_row(Viewer *viewer, size_t i, float room) {
    float top = (float)i * ROW;
    viewer->heads_scroll = fmaxf(fminf(viewer->heads_scroll, top), top + ROW - room);
}

// Up and Down walk through the tokens that look, while the columns have the keyboard; Escape shows all lines again.
static void walk_by_keys(Ui *ui, Viewer *viewer, size_t count, Rect rect) {
    static const char NAME[] = "tokens";
    ui_thing(ui, NAME, rect, "", true);
    if (!ui_focused(ui, NAME)) return;
    Rect ring = {rect.x, rect.y, rect.w, fminf(rect.h, (float)count * ROW)};
    if (ui->focus_by_key) draw_frame(ui, rect_inset(ring, -2), ui->theme.accent, 2);
    bool none = viewer->text_token >= count;
    size_t to = viewer->text_token;
    if (ui_key(ui, SDLK_DOWN, KMOD_NONE)) to = none ? 0 : to + 1 < count ? to + 1 : to;
    if (ui_key(ui, SDLK_UP, KMOD_NONE)) to = none ? count - 1 : to > 0 ? to - 1 : 0;
    if (!none && ui_key(ui, SDLK_ESCAPE, KMOD_NONE)) to = SIZE_MAX;
    if (to == viewer->text_token) return;
    viewer->text_token = to;
    viewer->text_token_seen = false;
    if (to < count) scroll_to_row(viewer, to, rect.h);
}

void heads_lines(Ui *ui, Viewer *viewer, const TextLook *look, Rect rect) {
    Rect heading = rect_cut_top(&rect, HEADING);
    walk_by_keys(ui, viewer, look->count, rect);
    bool mouse_here = ui_hovers(ui, rect);
    float height = (float)look->count * ROW;
    Rect all = scroll_begin(ui, rect, "tokens' column", height, &viewer->heads_scroll);
    float column = fminf(0.36f * all.w, 160);
    Columns columns = {.left = {all.x, all.y, column, height},
                       .right = {all.x + all.w - column, all.y, column, height},
                       .from = all.x + column,
                       .to = all.x + all.w - column,
                       .seen = rect};
    if (ui->mouse_moved && !mouse_here) viewer->text_token = SIZE_MAX;
    draw_lines(ui, viewer, look, &columns);
    draw_column(ui, viewer, look, &columns, false);
    draw_column(ui, viewer, look, &columns, true);
    scroll_end(ui);
    Rect left = {all.x, heading.y, column - 4, HEADING}, right = {columns.to + 6, heading.y, column, HEADING};
    draw_label(ui, left, FONT_SMALL, ui->theme.faint, ALIGN_RIGHT, "looks");
    draw_label(ui, right, FONT_SMALL, ui->theme.faint, ALIGN_LEFT, "is looked at");
}
