// text_field.c - a line of text that is typed
//
// A place in the text is a number of bytes from its start, always between two characters. What is selected lies between
// the anchor, where the selection began, and the cursor, where it ends; nothing is selected where they are the same.
//
// Read next: choice.c.

#include "ui/inside.h"
#include "ui/widgets.h"

#include "base/least.h"
#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

struct FieldState {
    char name[64];
    size_t cursor, anchor;
    float scroll;  // points of text that are hidden at the left
    bool settled;  // chosen by a double click, or by key: the mouse's way until the next press changes nothing
};

bool field_open(Ui *ui) { return (ui->field = calloc(1, sizeof *ui->field)) != NULL; }

void field_select_all(Ui *ui, const char *name, const char *text) {
    struct FieldState *field = ui->field;
    name_copy(field->name, name);
    field->anchor = 0;
    field->cursor = strlen(text);
    field->scroll = 0;
    field->settled = true;
}

// ---- places ---------------------------------------------------------------------------------------------------------

static bool is_boundary(const char *text, size_t at) { return ((unsigned char)text[at] & 0xc0) != 0x80; }

static size_t place_before(const char *text, size_t at) {
    if (at > 0) at--;
    while (at > 0 && !is_boundary(text, at)) at--;
    return at;
}

static size_t place_after(const char *text, size_t at) {
    if (text[at]) at++;
    while (text[at] && !is_boundary(text, at)) at++;
    return at;
}

// Letters and digits, and everything beyond ASCII.
static bool in_word(char c) { return isalnum((unsigned char)c) || (unsigned char)c >= 0x80 || c == '_' || c == '\''; }

static size_t word_before(const char *text, size_t at) {
    while (at > 0 && !in_word(text[at - 1])) at--;
    while (at > 0 && in_word(text[at - 1])) at--;
    return at;
}

static size_t word_after(const char *text, size_t at) {
    while (text[at] && !in_word(text[at])) at++;
    while (text[at] && in_word(text[at])) at++;
    return at;
}

// The place nearest to x, points from the text's left end.
static size_t place_at(Ui *ui, const char *text, float x) {
    size_t low = 0, high = strlen(text);  // the last place whose left neighbour ends at or before x lies here
    while (low < high) {
        size_t middle = (low + high + 1) / 2;
        while (middle > low + 1 && !is_boundary(text, middle)) middle--;
        while (text[middle] && !is_boundary(text, middle)) middle++;
        if (text_width_of(ui, FONT_NORMAL, text, middle) <= x)
            low = middle;
        else
            high = place_before(text, middle);
    }
    size_t next = place_after(text, low);
    float left = text_width_of(ui, FONT_NORMAL, text, low), right = text_width_of(ui, FONT_NORMAL, text, next);
    return x - left > right - x ? next : low;
}

// ---- changes --------------------------------------------------------------------------------------------------------

static size_t selection_start(const struct FieldState *field) { return least(field->cursor, field->anchor); }
static size_t selection_end(const struct FieldState *field) {
    return field->cursor > field->anchor ? field->cursor : field->anchor;
}

// Copies what may stand in a field: valid UTF-8, and a space for every line break, tab or other control character.
static size_t clean_copy(char *out, size_t room, const char *from) {
    size_t used = 0, left = strlen(from);
    while (left > 0) {
        utf8proc_int32_t character;
        utf8proc_ssize_t bytes = utf8proc_iterate((const utf8proc_uint8_t *)from, (utf8proc_ssize_t)left, &character);
        size_t length = bytes > 0 ? (size_t)bytes : 1;
        if (bytes > 0 && used + length > room) break;
        if (bytes > 0 && (character < ' ' || (character >= 0x7f && character <= 0x9f)))
            out[used++] = ' ';
        else if (bytes > 0)
            memcpy(out + used, from, length), used += length;
        from += length;
        left -= length;
    }
    return used;
}

// Puts `with` where the selection is, as much of it as there is room for.
static bool replace_selection(struct FieldState *field, char *text, size_t size, const char *with) {
    size_t start = selection_start(field), end = selection_end(field), tail = strlen(text + end);
    size_t room = size - 1 - start - tail;
    char *clean = malloc(room + 1);
    if (!clean) return false;
    size_t added = clean_copy(clean, room, with);
    memmove(text + start + added, text + end, tail + 1);
    memcpy(text + start, clean, added);
    free(clean);
    field->cursor = field->anchor = start + added;
    return added > 0 || end > start;
}

static void copy_selection(const struct FieldState *field, const char *text) {
    size_t start = selection_start(field), length = selection_end(field) - start;
    char *copy = length ? SDL_malloc(length + 1) : NULL;
    if (!copy) return;
    memcpy(copy, text + start, length);
    copy[length] = '\0';
    SDL_SetClipboardText(copy);
    SDL_free(copy);
}

static bool paste(struct FieldState *field, char *text, size_t size) {
    char *pasted = SDL_GetClipboardText();
    bool changed = pasted && *pasted && replace_selection(field, text, size, pasted);
    SDL_free(pasted);
    return changed;
}

// ---- keys -----------------------------------------------------------------------------------------------------------

static void move_cursor(struct FieldState *field, size_t to, bool selecting) {
    field->cursor = to;
    if (!selecting) field->anchor = to;
}

// Arrows, Home and End; with Ctrl by words, with Shift the anchor stays. False: another key.
static bool move_by_key(Ui *ui, const char *text) {
    struct FieldState *field = ui->field;
    bool shift = ui->input.modifiers & KMOD_SHIFT, ctrl = ui->input.modifiers & KMOD_CTRL;
    bool leaves = !shift && !ctrl && field->cursor != field->anchor;  // an arrow leaves a selection at its end
    size_t to;
    switch (ui->input.key) {
    case SDLK_LEFT:
        to = leaves ? selection_start(field) : (ctrl ? word_before : place_before)(text, field->cursor);
        break;
    case SDLK_RIGHT: to = leaves ? selection_end(field) : (ctrl ? word_after : place_after)(text, field->cursor); break;
    case SDLK_HOME: to = 0; break;
    case SDLK_END: to = strlen(text); break;
    default: return false;
    }
    move_cursor(field, to, shift);
    return true;
}

static bool erase(struct FieldState *field, char *text, size_t size, size_t to) {
    if (field->cursor == field->anchor) field->cursor = to;
    return replace_selection(field, text, size, "");
}

// Whether the text was changed. Keys that are nothing to a field are left to others.
static bool edit_by_key(Ui *ui, char *text, size_t size) {
    struct FieldState *field = ui->field;
    if (ui->key_taken || ui->input.modifiers & (KMOD_ALT | KMOD_GUI)) return false;
    bool ctrl = ui->input.modifiers & KMOD_CTRL;
    ui->key_taken = true;
    if (move_by_key(ui, text)) return false;
    switch (ctrl ? ui->input.key : 0) {
    case SDLK_a: field->anchor = 0, field->cursor = strlen(text); return false;
    case SDLK_c: copy_selection(field, text); return false;
    case SDLK_x: copy_selection(field, text); return replace_selection(field, text, size, "");
    case SDLK_v: return paste(field, text, size);
    }
    switch (ui->input.key) {
    case SDLK_BACKSPACE: return erase(field, text, size, (ctrl ? word_before : place_before)(text, field->cursor));
    case SDLK_DELETE: return erase(field, text, size, (ctrl ? word_after : place_after)(text, field->cursor));
    }
    ui->key_taken = false;
    return false;
}

// ---- mouse ----------------------------------------------------------------------------------------------------------

static void choose_by_mouse(Ui *ui, Rect inner, const char *name, const char *text, bool pressed) {
    struct FieldState *field = ui->field;
    if (!ui_holds(ui, name) || (field->settled && !pressed)) return;
    size_t place = place_at(ui, text, ui->input.mouse_x - inner.x + field->scroll);
    field->settled = pressed && ui->input.clicks >= 2;
    if (field->settled) {
        field->cursor = field->anchor = place;
        while (field->anchor > 0 && in_word(text[field->anchor - 1])) field->anchor--;
        while (in_word(text[field->cursor])) field->cursor++;
    } else {
        move_cursor(field, place, !pressed || ui->input.modifiers & KMOD_SHIFT);
    }
}

// ---- drawing --------------------------------------------------------------------------------------------------------

static void scroll_to_cursor(Ui *ui, const char *text, float width) {
    struct FieldState *field = ui->field;
    float cursor = text_width_of(ui, FONT_NORMAL, text, field->cursor), all = text_width(ui, FONT_NORMAL, text) + 2;
    if (cursor - field->scroll > width - 2) field->scroll = cursor - width + 2;
    if (cursor < field->scroll) field->scroll = cursor;
    field->scroll = fmaxf(fminf(field->scroll, all - width), 0);
}

static void draw_cursor(Ui *ui, Rect inner, const char *text, float left) {
    const struct FieldState *field = ui->field;
    size_t start = selection_start(field), end = selection_end(field);
    float height = line_height(ui, FONT_NORMAL), y = inner.y + (inner.h - height) / 2;
    float from = text_width_of(ui, FONT_NORMAL, text, start), to = text_width_of(ui, FONT_NORMAL, text, end);
    if (end > start) draw_fill(ui, (Rect){left + from, y, to - from, height}, color_fade(ui->theme.accent, 0.3f));
    float x = left + (field->cursor == start ? from : to);
    draw_line(ui, x, y, x, y + height, 1, ui->theme.text);
    SDL_Rect area = rect_pixels(ui, (Rect){x, y, 1, height});
    SDL_SetTextInputRect(&area);  // where an input method shows its window
}

static void draw_field(Ui *ui, Rect rect, Rect inner, const char *name, const char *text, const char *hint) {
    const Theme *theme = &ui->theme;
    bool focused = ui_focused(ui, name);
    Color edge = focused ? theme->accent : widget_color(ui, theme->edge, ui_hovers(ui, rect), false);
    draw_round(ui, rect, CORNER, edge);
    draw_round(ui, rect_inset(rect, focused ? 2 : 1), CORNER - 1, theme->sunken);
    draw_clip(ui, inner);
    Rect line = {inner.x - (focused ? ui->field->scroll : 0), inner.y, 1e6f, inner.h};
    if (!*text && *hint) draw_label(ui, inner, FONT_NORMAL, theme->faint, ALIGN_LEFT, hint);
    draw_label(ui, line, FONT_NORMAL, theme->text, ALIGN_LEFT, text);
    if (focused) draw_cursor(ui, inner, text, line.x);
    draw_unclip(ui);
}

// ---- the field ------------------------------------------------------------------------------------------------------

EditResult field_edit(Ui *ui, Rect rect, const char *name, char *text, size_t size, const char *hint) {
    struct FieldState *field = ui->field;
    float margin = rect.w < 100 ? 4 : 8;
    Rect inner = {rect.x + margin, rect.y, fmaxf(rect.w - 2 * margin, 0), rect.h};
    bool pressed = ui_press(ui, name, rect);
    EditResult result = EDIT_SAME;
    if (ui_focused(ui, name)) {
        if (!name_is(field->name, name)) field_select_all(ui, name, text);
        size_t length = strlen(text);  // the text may have been changed from outside
        field->cursor = text_whole(text, least(field->cursor, length));
        field->anchor = text_whole(text, least(field->anchor, length));

        choose_by_mouse(ui, inner, name, text, pressed);
        if (ui->input.text[0] && !ui->key_taken) {
            ui->key_taken = true;
            if (replace_selection(field, text, size, ui->input.text)) result = EDIT_CHANGED;
        } else if (ui_key(ui, SDLK_RETURN, KMOD_NONE) || ui_key(ui, SDLK_KP_ENTER, KMOD_NONE)) {
            result = EDIT_ENTERED;
        } else if (ui_key(ui, SDLK_ESCAPE, KMOD_NONE)) {
            result = EDIT_ESCAPED;
        } else if (edit_by_key(ui, text, size)) {
            result = EDIT_CHANGED;
        }
        scroll_to_cursor(ui, text, inner.w);
    }
    draw_field(ui, rect, inner, name, text, hint);
    return result;
}

FieldResult text_field(Ui *ui, Rect rect, const char *name, char *text, size_t size, const char *hint,
                       const char *tip) {
    UiThing *thing = thing_note(ui, name, rect, tip, true);
    if (thing) thing->takes_text = true;
    switch (field_edit(ui, rect, name, text, size, hint)) {
    case EDIT_CHANGED: return FIELD_CHANGED;
    case EDIT_ENTERED: return FIELD_ENTERED;
    case EDIT_ESCAPED: ui_focus(ui, ""); return FIELD_SAME;
    default: return FIELD_SAME;
    }
}
