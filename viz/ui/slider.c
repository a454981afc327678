// slider.c - a number between two others
//
// Read next: text_field.c, in which a value is typed.

#include "ui/inside.h"
#include "ui/widgets.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { TRACK = 16, KNOB = 12, VALUE_WIDTH = 72 };  // points

// The nearest value that the range has.
static float allowed(SliderRange range, float value) {
    if (range.step > 0) value = (float)(range.low + round((value - range.low) / range.step) * (double)range.step);
    return fminf(fmaxf(value, range.low), range.high);
}

static float share_of(SliderRange range, float value) {
    return range.high > range.low ? fminf(fmaxf((value - range.low) / (range.high - range.low), 0), 1) : 0;
}

static bool set(float *value, float to) {
    bool changed = *value != to;
    *value = to;
    return changed;
}

// One notch of an arrow: a step, or a hundredth of the range where any value will do.
static bool move_by_keys(Ui *ui, float *value, SliderRange range) {
    static const struct {
        SDL_Keycode key;
        int modifiers;
        float steps;
    } MOVES[] = {{SDLK_LEFT, KMOD_NONE, -1},   {SDLK_DOWN, KMOD_NONE, -1},   {SDLK_RIGHT, KMOD_NONE, 1},
                 {SDLK_UP, KMOD_NONE, 1},      {SDLK_LEFT, KMOD_SHIFT, -10}, {SDLK_DOWN, KMOD_SHIFT, -10},
                 {SDLK_RIGHT, KMOD_SHIFT, 10}, {SDLK_UP, KMOD_SHIFT, 10}};
    float step = range.step > 0 ? range.step : (range.high - range.low) / 100;
    for (size_t i = 0; i < sizeof MOVES / sizeof *MOVES; i++)
        if (ui_key(ui, MOVES[i].key, MOVES[i].modifiers))
            return set(value, allowed(range, *value + MOVES[i].steps * step));
    if (ui_key(ui, SDLK_HOME, KMOD_NONE)) return set(value, range.low);
    if (ui_key(ui, SDLK_END, KMOD_NONE)) return set(value, allowed(range, range.high));
    return false;
}

// ---- typing ---------------------------------------------------------------------------------------------------------

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"  // the format is the panel's own
static void print_value(char text[32], SliderRange range, float value) {
    snprintf(text, 32, range.format, (double)value);
}
#pragma GCC diagnostic pop

static void begin_typing(Ui *ui, const char *name, float value, SliderRange range) {
    name_copy(ui->typed_name, name);
    print_value(ui->typed, range, value);
    field_select_all(ui, name, ui->typed);
}

// Takes what was typed, if it is a number.
static bool end_typing(Ui *ui, float *value, SliderRange range) {
    ui->typed_name[0] = '\0';
    char *end;
    float typed = strtof(ui->typed, &end);
    if (end == ui->typed || !isfinite(typed)) return false;
    return set(value, allowed(range, typed));
}

static bool type_value(Ui *ui, Rect rect, const char *name, float *value, SliderRange range) {
    if (!ui_focused(ui, name)) return end_typing(ui, value, range);
    switch (field_edit(ui, rect, name, ui->typed, sizeof ui->typed, "")) {
    case EDIT_ENTERED: return end_typing(ui, value, range);
    case EDIT_ESCAPED: ui->typed_name[0] = '\0'; return false;
    default: return false;
    }
}

// ---- the slider -----------------------------------------------------------------------------------------------------

static void draw_track(Ui *ui, Rect track, const char *name, float share, bool hovered) {
    const Theme *theme = &ui->theme;
    float middle = track.y + track.h / 2, at = track.x + KNOB / 2 + share * (track.w - KNOB);
    draw_round(ui, (Rect){track.x, middle - 2, track.w, 4}, 2, theme->edge);
    draw_round(ui, (Rect){track.x, middle - 2, at - track.x, 4}, 2, theme->accent);
    Rect knob = {at - KNOB / 2, middle - KNOB / 2, KNOB, KNOB};
    draw_round(ui, rect_inset(knob, -1), KNOB, theme->panel);
    draw_round(ui, knob, KNOB / 2, widget_color(ui, theme->accent, hovered, ui_holds(ui, name)));
}

bool slider(Ui *ui, Rect rect, const char *name, float *value, SliderRange range, const char *tip) {
    UiThing *thing = thing_note(ui, name, rect, tip, true);
    Rect words = rect, track = rect_cut_bottom(&words, TRACK), label = words;
    Rect number = rect_cut_right(&label, fminf(VALUE_WIDTH, words.w / 2));
    bool typing = name_is(ui->typed_name, name), changed = false;

    if (typing) {
        changed = type_value(ui, number, name, value, range);
    } else {
        bool pressed = ui_press(ui, name, rect);
        bool on_number = rect_has(number, ui->input.mouse_x, ui->input.mouse_y);
        if (pressed && on_number && ui->input.clicks >= 2) {
            begin_typing(ui, name, *value, range);
        } else if (pressed && !rect_has(track, ui->input.mouse_x, ui->input.mouse_y)) {
            ui->held[0] = '\0';  // on its words: it has the keyboard, and nothing moves
            ui->input.pressed = false;
        } else if (ui_holds(ui, name)) {
            float share = (ui->input.mouse_x - track.x - KNOB / 2) / fmaxf(track.w - KNOB, 1);
            share = fminf(fmaxf(share, 0), 1);
            changed = set(value, allowed(range, range.low + share * (range.high - range.low)));
        } else if (ui_focused(ui, name)) {
            changed = move_by_keys(ui, value, range);
            if (ui_key(ui, SDLK_RETURN, KMOD_NONE) || ui_key(ui, SDLK_KP_ENTER, KMOD_NONE))
                begin_typing(ui, name, *value, range);
        }
    }

    if (thing) thing->takes_text = name_is(ui->typed_name, name);

    draw_label(ui, label, FONT_NORMAL, ui->theme.text, ALIGN_LEFT, name);
    if (!typing) {
        char text[32];
        print_value(text, range, *value);
        draw_label(ui, number, FONT_NORMAL, ui->theme.text, ALIGN_RIGHT, text);
    }
    draw_track(ui, track, name, share_of(range, *value), ui_hovers(ui, track));
    focus_ring(ui, name, rect);
    return changed;
}
