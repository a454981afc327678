// ui.c - a frame from its beginning to its end, and who has mouse and keyboard in it
//
// Read next: button.c, the smallest widget; explain.c, what is made of the things' names.

#include "ui/inside.h"

#include "base/check.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PICTURE_BYTES = 192 << 20 };  // that scaled pictures may take

static const float NOWHERE = -1e6f;  // where the mouse is while something else has it

// ---- opening and closing --------------------------------------------------------------------------------------------

bool ui_open(Ui *ui, SDL_Renderer *renderer, float scale, bool dark, Error *error) {
    *ui = (Ui){.renderer = renderer, .scale = scale, .theme = theme_make(dark)};
    ui->textures = texture_cache_new(PICTURE_BYTES);
    if (!ui->textures || !list_open(ui) || !field_open(ui)) {
        ui_close(ui);
        return error_set(error, "window: out of memory");
    }
    if (!fonts_open(ui, error)) {
        ui_close(ui);
        return false;
    }
    SDL_StartTextInput();  // and never stopped: `?` is a letter, wherever a keyboard has it
    return true;
}

void ui_close(Ui *ui) {
    fonts_close(ui);
    texture_cache_free(ui->textures);
    free(ui->list);
    free(ui->field);
    SDL_free(ui->input.dropped);
    *ui = (Ui){.scale = 1};
}

bool ui_set_scale(Ui *ui, float scale, Error *error) {
    struct Fonts *old_fonts = ui->fonts;
    float old_scale = ui->scale;
    ui->scale = scale;
    ui->fonts = NULL;
    if (!fonts_open(ui, error)) {
        ui->scale = old_scale;
        ui->fonts = old_fonts;
        return false;
    }
    struct Fonts *new_fonts = ui->fonts;
    ui->fonts = old_fonts;
    fonts_close(ui);
    ui->fonts = new_fonts;
    return true;
}

// ---- a frame --------------------------------------------------------------------------------------------------------

// What everybody but the list, or the explanations, sees of the input: no mouse, and nothing held by it.
static void take_mouse_and_keys(Ui *ui, bool keys) {
    UiInput *input = &ui->input;
    ui->held[0] = '\0';
    input->mouse_x = input->mouse_y = NOWHERE;
    input->down = input->pressed = input->released = false;
    input->wheel = 0;
    if (keys) input->key = 0, input->text[0] = '\0';
}

void ui_begin(Ui *ui, UiInput input) {
    int width = 0, height = 0;
    SDL_GetRendererOutputSize(ui->renderer, &width, &height);
    ui->width = (float)width / ui->scale;
    ui->height = (float)height / ui->scale;
    ui->mouse_moved = input.mouse_x != ui->input.mouse_x || input.mouse_y != ui->input.mouse_y;
    ui->input = input;
    ui->key_taken = false;
    ui->wants_frame =
        input.pressed || input.released || input.wheel != 0 || input.key || input.text[0] || input.dropped;
    ui->thing_count = ui->clip_count = ui->area_count = 0;
    if (!input.down && !input.released) ui->held[0] = '\0';  // a release that never came

    if (ui->open_list[0]) {
        list_take_input(ui);
        if (ui->open_list[0]) take_mouse_and_keys(ui, true);
    } else if (ui->explaining) {
        bool ends = input.pressed || input.key == SDLK_ESCAPE;
        take_mouse_and_keys(ui, input.key == SDLK_ESCAPE);
        if (ends) ui->explaining = false;
    }

    SDL_RenderSetClipRect(ui->renderer, NULL);
    draw_fill(ui, (Rect){0, 0, ui->width + 1, ui->height + 1}, ui->theme.window);
}

// Tab: to the next thing that takes keys, around at the end. Shift+Tab: to the one before.
static void walk_focus(Ui *ui) {
    bool back = ui_key(ui, SDLK_TAB, KMOD_SHIFT);
    if (!back && !ui_key(ui, SDLK_TAB, KMOD_NONE)) return;
    size_t n = ui->thing_count, start = back ? 0 : n - 1;
    for (size_t i = 0; i < n; i++)
        if (ui_focused(ui, ui->things[i].name)) start = i;
    for (size_t step = 1; step <= n; step++) {
        const UiThing *thing = &ui->things[(start + (back ? n - step : step)) % n];
        if (!thing->takes_keys) continue;
        ui_focus(ui, thing->name);
        ui->focus_by_key = ui->focus_moved = true;
        return;
    }
}

void ui_end(Ui *ui) {
    CHECK(ui->clip_count == 0 && ui->area_count == 0, "%zu clips and %zu scrolled areas were not ended", ui->clip_count,
          ui->area_count);
    ui->focus_moved = false;
    if (ui->input.pressed && !ui->held[0]) ui_focus(ui, "");  // pressed where nothing is
    if (ui->input.released) ui->held[0] = '\0';
    if (ui->thing_count) walk_focus(ui);
    const UiThing *focused = ui->focus[0] ? ui_find(ui, ui->focus) : NULL;
    if (!focused) ui_focus(ui, "");
    ui->typing = focused && focused->takes_text;

    if (ui->explaining) explain_draw(ui);
    list_draw(ui);
    tooltip_draw(ui);
    SDL_free(ui->input.dropped);
    ui->input.dropped = NULL;
}

// ---- names and things -----------------------------------------------------------------------------------------------

enum { NAME_SIZE = sizeof((UiThing){0}.name) };

void name_copy(char name[64], const char *from) {
    size_t length = strnlen(from, NAME_SIZE);
    if (length == NAME_SIZE) length = text_whole(from, NAME_SIZE - 1);
    memcpy(name, from, length);
    name[length] = '\0';
}

bool name_is(const char *name, const char *other) {
    char cut[NAME_SIZE];
    if (strnlen(other, NAME_SIZE) < NAME_SIZE) return strcmp(name, other) == 0;
    name_copy(cut, other);
    return strcmp(name, cut) == 0;
}

static Rect seen_of(const Ui *ui, Rect rect) {
    SDL_Rect window = {0, 0, to_pixels(ui, ui->width), to_pixels(ui, ui->height)}, seen = rect_pixels(ui, rect);
    const SDL_Rect *clip = ui->clip_count ? &ui->clips[ui->clip_count - 1] : &window;
    if (!SDL_IntersectRect(&seen, clip, &seen)) return (Rect){rect.x, rect.y, 0, 0};
    float scale = ui->scale;
    return (Rect){(float)seen.x / scale, (float)seen.y / scale, (float)seen.w / scale, (float)seen.h / scale};
}

UiThing *thing_note(Ui *ui, const char *name, Rect rect, const char *tip, bool takes_keys) {
    if (ui->thing_count == UI_THINGS_MAX) return NULL;
    UiThing *thing = &ui->things[ui->thing_count++];
    *thing = (UiThing){.rect = rect, .seen = seen_of(ui, rect), .takes_keys = takes_keys};
    name_copy(thing->name, name);
    snprintf(thing->tip, sizeof thing->tip, "%s", tip ? tip : "");
    thing->tip[text_whole(thing->tip, strlen(thing->tip))] = '\0';
    return thing;
}

void ui_thing(Ui *ui, const char *name, Rect rect, const char *tip, bool takes_keys) {
    thing_note(ui, name, rect, tip, takes_keys);
}

void ui_panel(Ui *ui, const char *name, Rect rect, const char *sentence, const char *lesson) {
    char tip[sizeof((UiThing){0}.tip)];
    if (lesson)
        snprintf(tip, sizeof tip, "%s\nRead %s", sentence, lesson);
    else
        snprintf(tip, sizeof tip, "%s", sentence);
    UiThing *thing = thing_note(ui, name, rect, tip, false);
    if (thing) thing->is_panel = true;
}

const UiThing *ui_find(const Ui *ui, const char *name) {
    for (size_t i = 0; i < ui->thing_count; i++)
        if (name_is(ui->things[i].name, name)) return &ui->things[i];
    return NULL;
}

// ---- mouse and keyboard ---------------------------------------------------------------------------------------------

static bool mouse_in(const Ui *ui, Rect rect) {
    if (!rect_has(rect, ui->input.mouse_x, ui->input.mouse_y)) return false;
    SDL_Point mouse = {to_pixels(ui, ui->input.mouse_x), to_pixels(ui, ui->input.mouse_y)};
    return !ui->clip_count || SDL_PointInRect(&mouse, &ui->clips[ui->clip_count - 1]);
}

bool ui_hovers(const Ui *ui, Rect rect) { return !ui->held[0] && mouse_in(ui, rect); }

bool ui_press(Ui *ui, const char *name, Rect rect) {
    if (!ui->input.pressed || !ui_hovers(ui, rect)) return false;
    name_copy(ui->held, name);
    ui_focus(ui, name);
    return true;
}

bool ui_holds(const Ui *ui, const char *name) { return ui->held[0] && name_is(ui->held, name); }

bool ui_click(Ui *ui, const char *name, Rect rect) {
    ui_press(ui, name, rect);
    if (ui->input.released && ui_holds(ui, name) && mouse_in(ui, rect)) return true;
    return ui_focused(ui, name) && (ui_key(ui, SDLK_RETURN, KMOD_NONE) || ui_key(ui, SDLK_KP_ENTER, KMOD_NONE) ||
                                    ui_key(ui, SDLK_SPACE, KMOD_NONE));
}

bool ui_focused(const Ui *ui, const char *name) { return ui->focus[0] && name_is(ui->focus, name); }

void ui_focus(Ui *ui, const char *name) {
    name_copy(ui->focus, name);
    ui->focus_by_key = false;
}

bool ui_key(Ui *ui, SDL_Keycode key, int modifiers) {
    if (ui->key_taken || ui->input.key != key || key == 0) return false;
    static const int KINDS[] = {KMOD_CTRL, KMOD_SHIFT, KMOD_ALT, KMOD_GUI};  // left and right are alike
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (!(ui->input.modifiers & KINDS[i]) != !(modifiers & KINDS[i])) return false;
    ui->key_taken = true;
    return true;
}

bool ui_typing(const Ui *ui) { return ui->typing; }
