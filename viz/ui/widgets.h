// widgets.h - what can be pressed, dragged and typed into
//
// Each is drawn and answered in one call. `name` is what it is called on the screen or, where nothing is written on it,
// in `?` and in scripts; names are unique in a frame. `tip` is its tooltip. All can be reached and used with the
// keyboard: Tab and Shift+Tab walk, Enter and Space press, arrows move sliders and choose.

#pragma once

#include "ui/draw.h"

// ---- buttons --------------------------------------------------------------------------------------------------------

bool button(Ui *ui, Rect rect, const char *name, const char *tip);
bool button_primary(Ui *ui, Rect rect, const char *name, const char *tip);  // the one to press, in the accent's colour
bool button_disabled(Ui *ui, Rect rect, const char *name,
                     const char *why);  // can't be pressed now; the tip says why. false
// Shows `label` instead of its name, for names that wouldn't be unique ("Open" in each cell).
bool button_labelled(Ui *ui, Rect rect, const char *name, const char *label, const char *tip);
bool toggle(Ui *ui, Rect rect, const char *name, bool *on, const char *tip);  // true when it was changed
// The same as a small box around its name, for many in rows (chip.c); chip_width: as wide as its name wants.
bool chip(Ui *ui, Rect rect, const char *name, bool *on, const char *tip);
float chip_width(Ui *ui, const char *name);
// One of several, side by side, as tabs. True when another was chosen.
bool tabs(Ui *ui, Rect rect, const char *const names[], const char *const tips[], size_t count, size_t *chosen);

// ---- numbers --------------------------------------------------------------------------------------------------------

typedef struct SliderRange {
    float low, high, step;  // values are low + k * step, typed ones too; step 0: any value
    const char *format;     // "%.1f"
} SliderRange;

// The name stands left of the value, above the track. A double click on the value (or Enter with the keyboard there)
// opens it for typing; arrows move by one step, with Shift by ten. True when it was changed.
bool slider(Ui *ui, Rect rect, const char *name, float *value, SliderRange range, const char *tip);

// ---- words ----------------------------------------------------------------------------------------------------------

// A text field over the caller's buffer of `size` bytes, UTF-8: selection with mouse and Shift, Ctrl+A C X V, Home, End,
// Ctrl+arrows by words, input methods. `hint` is shown while it is empty. FIELD_ENTERED: Enter was pressed;
// FIELD_CHANGED: the text is another one.
typedef enum { FIELD_SAME, FIELD_CHANGED, FIELD_ENTERED } FieldResult;
FieldResult text_field(Ui *ui, Rect rect, const char *name, char *text, size_t size, const char *hint, const char *tip);

// ---- lists ----------------------------------------------------------------------------------------------------------

// A choice: shows what is chosen (its name where *chosen is count: nothing); pressed, a list opens under it (or above where there is no room), scrolled if long.
bool choice(Ui *ui, Rect rect, const char *name, const char *const items[], size_t count, size_t *chosen,
            const char *tip);

// ---- areas that scroll ----------------------------------------------------------------------------------------------

// A scrolled column: content of `height` points seen through rect; *scroll is where. Between begin and end panels draw at
// the returned rectangle (whose y has moved up by the scroll). Wheel, and a bar at the right.
Rect scroll_begin(Ui *ui, Rect rect, const char *name, float height, float *scroll);
void scroll_end(Ui *ui);
