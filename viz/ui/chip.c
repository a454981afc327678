// chip.c - one of many small switches that stand in rows, for choosing several things of a list

#include "ui/inside.h"
#include "ui/widgets.h"

enum { MARGIN = 10 };  // points, at either side of the name

float chip_width(Ui *ui, const char *name) { return text_width(ui, FONT_NORMAL, name) + 2 * MARGIN; }

bool chip(Ui *ui, Rect rect, const char *name, bool *on, const char *tip) {
    const Theme *theme = &ui->theme;
    ui_thing(ui, name, rect, tip, true);
    bool clicked = ui_click(ui, name, rect);
    if (clicked) *on = !*on;
    Color surface = widget_color(ui, *on ? theme->accent : theme->panel, ui_hovers(ui, rect), ui_holds(ui, name));
    draw_round(ui, rect, rect.h / 2, *on ? theme->accent : theme->edge);
    draw_round(ui, rect_inset(rect, 1), rect.h / 2 - 1, surface);
    draw_label(ui, rect, FONT_NORMAL, *on ? theme->on_accent : theme->faint, ALIGN_CENTER, name);
    focus_ring(ui, name, rect);
    return clicked;
}
