// scroll.c - an area that shows a part of what is in it
//
// Read next: explain.c.

#include "ui/inside.h"
#include "ui/widgets.h"

#include "base/check.h"

#include <math.h>

enum { BAR = 8, BAR_LEAST = 24, NOTCH = 48 };  // points

static void set_scroll(UiArea *area, float to) { *area->scroll = fmaxf(fminf(to, area->height - area->rect.h), 0); }

static void scroll_by_keys(Ui *ui, UiArea *area) {
    float at = *area->scroll, page = area->rect.h - NOTCH;
    if (ui_key(ui, SDLK_UP, KMOD_NONE)) at -= NOTCH;
    if (ui_key(ui, SDLK_DOWN, KMOD_NONE)) at += NOTCH;
    if (ui_key(ui, SDLK_PAGEUP, KMOD_NONE)) at -= page;
    if (ui_key(ui, SDLK_PAGEDOWN, KMOD_NONE)) at += page;
    if (ui_key(ui, SDLK_HOME, KMOD_NONE)) at = 0;
    if (ui_key(ui, SDLK_END, KMOD_NONE)) at = area->height;
    set_scroll(area, at);
}

// The bar at the right: as long as the share that is seen. It follows the mouse that holds it, its middle under it.
static void scroll_bar(Ui *ui, UiArea *area, Rect bar) {
    float length = fmaxf(bar.h * area->rect.h / area->height, fminf(BAR_LEAST, bar.h)), way = bar.h - length;
    ui_press(ui, area->name, bar);
    if (ui_holds(ui, area->name) && way > 0)
        set_scroll(area, (ui->input.mouse_y - bar.y - length / 2) / way * (area->height - area->rect.h));
    float share = *area->scroll / (area->height - area->rect.h);
    Rect thumb = {bar.x + 2, bar.y + share * way, bar.w - 4, length};
    Color color = color_mix(ui->theme.edge, ui->theme.faint, 0.4f);
    draw_round(ui, thumb, 2, widget_color(ui, color, ui_hovers(ui, bar), ui_holds(ui, area->name)));
}

Rect scroll_begin(Ui *ui, Rect rect, const char *name, float height, float *scroll) {
    CHECK(ui->area_count < UI_AREAS_MAX, "%zu scrolled areas in one another", ui->area_count);
    UiArea *area = &ui->areas[ui->area_count++];
    *area = (UiArea){.rect = rect, .height = height, .scroll = scroll};
    name_copy(area->name, name);

    bool overflows = height > rect.h;
    ui_thing(ui, name, rect, "", overflows);
    area->first_thing = ui->thing_count;
    set_scroll(area, *scroll);
    Rect inside = rect;
    if (overflows) {
        Rect bar = rect_cut_right(&inside, BAR);
        rect_cut_right(&inside, 4);
        if (ui_focused(ui, name)) scroll_by_keys(ui, area);
        scroll_bar(ui, area, bar);
        focus_ring(ui, name, rect);
    }
    draw_clip(ui, rect);
    return (Rect){inside.x, rect.y - *scroll, inside.w, height};
}

// After what is in it, so that an inner area has the wheel before an outer one.
void scroll_end(Ui *ui) {
    CHECK(ui->area_count > 0, "no scrolled area to end");
    UiArea *area = &ui->areas[--ui->area_count];
    draw_unclip(ui);
    if (area->height <= area->rect.h) return;

    if (ui->input.wheel != 0 && ui_hovers(ui, area->rect)) {
        set_scroll(area, *area->scroll - ui->input.wheel * NOTCH);
        ui->input.wheel = 0;
    }
    for (size_t i = area->first_thing; ui->focus_moved && i < ui->thing_count; i++) {
        if (!ui_focused(ui, ui->things[i].name)) continue;
        Rect rect = ui->things[i].rect, seen = area->rect;
        if (rect.y < seen.y) set_scroll(area, *area->scroll - (seen.y - rect.y) - 8);
        if (rect.y + rect.h > seen.y + seen.h) set_scroll(area, *area->scroll + rect.y + rect.h - seen.y - seen.h + 8);
        ui->wants_frame = true;
    }
}
