// explain.c - what things are: the tooltip under the mouse, and `?`, which names everything at once
//
// Both are made of nothing but the things that were noted in the frame.

#include "ui/inside.h"

#include <math.h>
#include <string.h>

// ---- tooltips -------------------------------------------------------------------------------------------------------

static const double TOOLTIP_AFTER = 0.5;   // seconds
enum { TIP_WIDTH = 320, TIP_MARGIN = 8 };  // points

// The last that was noted is the uppermost.
static const UiThing *thing_under_mouse(const Ui *ui) {
    for (size_t i = ui->thing_count; i-- > 0;) {
        const UiThing *thing = &ui->things[i];
        if (!thing->is_panel && rect_has(thing->seen, ui->input.mouse_x, ui->input.mouse_y)) return thing;
    }
    return NULL;
}

static void draw_tip(Ui *ui, const UiThing *thing) {
    float width = 0, lines_width = TIP_WIDTH - 2 * TIP_MARGIN;
    for (const char *line = thing->tip; *line; line += strcspn(line, "\n"), line += *line == '\n')
        width = fmaxf(width, text_width_of(ui, FONT_NORMAL, line, strcspn(line, "\n")));
    width = fminf(ceilf(width), lines_width) + 1;
    float height = text_height(ui, FONT_NORMAL, width, thing->tip) + 2 * TIP_MARGIN;

    Rect box = {ui->input.mouse_x, ui->input.mouse_y + 20, width + 2 * TIP_MARGIN, height};
    if (box.y + box.h > ui->height - 4) box.y = ui->input.mouse_y - box.h - 8;
    box.x = fmaxf(fminf(box.x, ui->width - box.w - 4), 4);
    box.y = fmaxf(box.y, 4);
    draw_round(ui, box, CORNER, ui->theme.text);
    draw_paragraph(ui, rect_inset(box, TIP_MARGIN), FONT_NORMAL, ui->theme.panel, thing->tip);
}

void tooltip_draw(Ui *ui) {
    const UiThing *thing = ui->explaining ? NULL : thing_under_mouse(ui);
    if (!thing || !thing->tip[0] || ui->input.down || ui->input.released) {
        ui->hovered[0] = '\0';
        return;
    }
    if (!name_is(ui->hovered, thing->name)) {
        name_copy(ui->hovered, thing->name);
        ui->hovered_since = ui->input.time;
    }
    if (ui->input.time - ui->hovered_since >= TOOLTIP_AFTER)
        draw_tip(ui, thing);
    else
        ui->wants_frame = true;
}

// ---- `?` ------------------------------------------------------------------------------------------------------------

enum { PLACED_MAX = UI_THINGS_MAX, LABEL_WIDTH = 160 };

// Where labels stand already.
typedef struct Placed {
    Rect rects[PLACED_MAX];
    size_t count;
} Placed;

static bool overlap(Rect a, Rect b) { return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h; }

static bool is_free(const Ui *ui, const Placed *placed, Rect rect) {
    if (rect.x < 0 || rect.y < 0 || rect.x + rect.w > ui->width || rect.y + rect.h > ui->height) return false;
    for (size_t i = 0; i < placed->count; i++)
        if (overlap(rect, placed->rects[i])) return false;
    return true;
}

static void place(Placed *placed, Rect rect) {
    if (placed->count < PLACED_MAX) placed->rects[placed->count++] = rect;
}

// A panel's name, what one sees there and the lesson, in a box within it.
static void explain_panel(Ui *ui, Placed *placed, const UiThing *panel) {
    const Theme *theme = &ui->theme;
    float line = line_height(ui, FONT_BOLD), width = fminf(panel->seen.w - 16, TIP_WIDTH);
    if (width < 40) return;
    float inner = width - 2 * TIP_MARGIN,
          height = line + 2 + text_height(ui, FONT_NORMAL, inner, panel->tip) + 2 * TIP_MARGIN;
    Rect box = {panel->seen.x + 8, panel->seen.y + fmaxf(panel->seen.h - height - 8, 8), width, height};
    box.y = fmaxf(fminf(box.y, ui->height - height - 4), 4);
    for (float y = box.y; y >= panel->seen.y && !is_free(ui, placed, box); y -= 8) box.y = y;
    place(placed, box);
    draw_round(ui, box, CORNER, theme->accent);
    draw_round(ui, rect_inset(box, 1), CORNER - 1, theme->panel);
    Rect words = rect_inset(box, TIP_MARGIN);
    draw_label(ui, rect_cut_top(&words, line), FONT_BOLD, theme->accent, ALIGN_LEFT, panel->name);
    rect_cut_top(&words, 2);
    draw_paragraph(ui, words, FONT_NORMAL, theme->text, panel->tip);
}

// The thing's name, shorter and shorter, on it, under, over or beside it: the first place that is free. Where there is
// none the thing is only framed.
static void explain_thing(Ui *ui, Placed *placed, const UiThing *thing) {
    const Theme *theme = &ui->theme;
    Rect at = thing->seen;
    float height = line_height(ui, FONT_SMALL) + 2, whole = text_width(ui, FONT_SMALL, thing->name) + 8;
    for (float width = fminf(whole, LABEL_WIDTH); width >= fminf(whole, 32); width -= 32) {
        Rect tries[] = {{at.x, at.y, width, height},        {at.x + at.w - width, at.y + at.h - height, width, height},
                        {at.x, at.y + at.h, width, height}, {at.x, at.y - height, width, height},
                        {at.x + at.w, at.y, width, height}, {at.x - width, at.y, width, height}};
        for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
            if (!is_free(ui, placed, tries[i])) continue;
            place(placed, tries[i]);
            draw_round(ui, tries[i], 2, theme->accent);
            Rect words = {tries[i].x + 4, tries[i].y, tries[i].w - 8, tries[i].h};
            draw_label(ui, words, FONT_SMALL, theme->on_accent, ALIGN_LEFT, thing->name);
            return;
        }
    }
}

// Frames first, so that none crosses a word; then panels, then things, each where there is room left.
void explain_draw(Ui *ui) {
    Placed placed;
    placed.count = 0;
    draw_fill(ui, (Rect){0, 0, ui->width + 1, ui->height + 1}, color_fade(ui->theme.window, 0.75f));
    enum { FRAMES, PANELS, THINGS, PASSES };
    for (int pass = FRAMES; pass < PASSES; pass++) {
        for (size_t i = 0; i < ui->thing_count; i++) {
            const UiThing *thing = &ui->things[i];
            if (thing->seen.w <= 0 || thing->seen.h <= 0) continue;
            if (pass == FRAMES) draw_frame(ui, thing->seen, ui->theme.accent, thing->is_panel ? 2 : 1);
            if (pass == PANELS && thing->is_panel) explain_panel(ui, &placed, thing);
            if (pass == THINGS && !thing->is_panel) explain_thing(ui, &placed, thing);
        }
    }
}
