// button.c - what is pressed: buttons, toggles, tabs
//
// Read next: slider.c.

#include "ui/inside.h"
#include "ui/widgets.h"

// ---- looks that widgets share ---------------------------------------------------------------------------------------

Color widget_color(const Ui *ui, Color surface, bool hovered, bool held) {
    return color_mix(surface, ui->theme.text, held ? 0.18f : hovered ? 0.08f : 0);
}

void focus_ring(Ui *ui, const char *name, Rect rect) {
    if (ui_focused(ui, name) && ui->focus_by_key) draw_frame(ui, rect_inset(rect, -2), ui->theme.accent, 2);
}

// ---- buttons --------------------------------------------------------------------------------------------------------

typedef struct ButtonColors {
    Color surface, edge, text;
} ButtonColors;

static void draw_button(Ui *ui, Rect rect, const char *name, const char *label, ButtonColors colors) {
    bool held = ui_holds(ui, name) && rect_has(rect, ui->input.mouse_x, ui->input.mouse_y);
    draw_round(ui, rect, CORNER, colors.edge);
    draw_round(ui, rect_inset(rect, 1), CORNER - 1, widget_color(ui, colors.surface, ui_hovers(ui, rect), held));
    float margin = rect.w < 40 ? 2 : 8;
    Rect words = {rect.x + margin, rect.y, rect.w - 2 * margin, rect.h};
    draw_label(ui, words, FONT_NORMAL, colors.text, ALIGN_CENTER, label);
    focus_ring(ui, name, rect);
}

bool button_labelled(Ui *ui, Rect rect, const char *name, const char *label, const char *tip) {
    ui_thing(ui, name, rect, tip, true);
    bool clicked = ui_click(ui, name, rect);
    draw_button(ui, rect, name, label, (ButtonColors){ui->theme.raised, ui->theme.edge, ui->theme.text});
    return clicked;
}

bool button(Ui *ui, Rect rect, const char *name, const char *tip) { return button_labelled(ui, rect, name, name, tip); }

bool button_primary(Ui *ui, Rect rect, const char *name, const char *tip) {
    ui_thing(ui, name, rect, tip, true);
    bool clicked = ui_click(ui, name, rect);
    draw_button(ui, rect, name, name, (ButtonColors){ui->theme.accent, ui->theme.accent, ui->theme.on_accent});
    return clicked;
}

bool button_disabled(Ui *ui, Rect rect, const char *name, const char *why) {
    ui_thing(ui, name, rect, why, false);
    draw_round(ui, rect, CORNER, color_fade(ui->theme.edge, 0.6f));
    draw_round(ui, rect_inset(rect, 1), CORNER - 1, ui->theme.panel);
    draw_label(ui, rect_inset(rect, 4), FONT_NORMAL, color_fade(ui->theme.faint, 0.7f), ALIGN_CENTER, name);
    return false;
}

// ---- a switch -------------------------------------------------------------------------------------------------------

bool toggle(Ui *ui, Rect rect, const char *name, bool *on, const char *tip) {
    enum { WIDTH = 28, HEIGHT = 16, GAP = 8 };
    ui_thing(ui, name, rect, tip, true);
    bool clicked = ui_click(ui, name, rect);
    if (clicked) *on = !*on;

    const Theme *theme = &ui->theme;
    Rect words = rect, pill = rect_cut_left(&words, WIDTH);
    pill.y += (rect.h - HEIGHT) / 2;
    pill.h = HEIGHT;
    Color surface = *on ? theme->accent : theme->faint;
    draw_round(ui, pill, HEIGHT / 2, widget_color(ui, surface, ui_hovers(ui, rect), ui_holds(ui, name)));
    Rect knob = {pill.x + (*on ? WIDTH - HEIGHT : 0) + 2, pill.y + 2, HEIGHT - 4, HEIGHT - 4};
    draw_round(ui, knob, HEIGHT / 2, *on ? theme->on_accent : theme->panel);
    rect_cut_left(&words, GAP);
    draw_label(ui, words, FONT_NORMAL, theme->text, ALIGN_LEFT, name);
    focus_ring(ui, name, rect);
    return clicked;
}

// ---- tabs -----------------------------------------------------------------------------------------------------------

static void draw_tab(Ui *ui, Rect rect, const char *name, bool chosen) {
    const Theme *theme = &ui->theme;
    Color surface =
        widget_color(ui, chosen ? theme->panel : theme->raised, ui_hovers(ui, rect) && !chosen, ui_holds(ui, name));
    draw_round(ui, rect_inset(rect, 2), CORNER, surface);
    Rect words = rect_inset(rect, 4);
    draw_label(ui, words, FONT_NORMAL, chosen ? theme->accent : theme->faint, ALIGN_CENTER, name);
    if (chosen) draw_fill(ui, (Rect){words.x + 8, rect.y + rect.h - 4, words.w - 16, 2}, theme->accent);
    focus_ring(ui, name, rect_inset(rect, 2));
}

bool tabs(Ui *ui, Rect rect, const char *const names[], const char *const tips[], size_t count, size_t *chosen) {
    size_t before = *chosen;
    draw_round(ui, rect, CORNER + 2, ui->theme.edge);
    draw_round(ui, rect_inset(rect, 1), CORNER + 1, ui->theme.raised);
    for (size_t i = 0; i < count; i++) {
        float left = rect.x + rect.w * (float)i / (float)count, right = rect.x + rect.w * (float)(i + 1) / (float)count;
        Rect tab = {left, rect.y, right - left, rect.h};
        ui_thing(ui, names[i], tab, tips[i], true);
        if (ui_click(ui, names[i], tab)) *chosen = i;
        if (ui_focused(ui, names[i])) {
            if (i + 1 < count && ui_key(ui, SDLK_RIGHT, KMOD_NONE)) *chosen = i + 1;
            if (i > 0 && ui_key(ui, SDLK_LEFT, KMOD_NONE)) *chosen = i - 1;
        }
        draw_tab(ui, tab, names[i], i == *chosen);
    }
    if (*chosen == before) return false;
    for (size_t i = 0; i < count; i++) {  // the keyboard goes along, with its ring
        if (!ui_focused(ui, names[i]) || i == *chosen) continue;
        name_copy(ui->focus, names[*chosen]);
        break;
    }
    return true;
}
