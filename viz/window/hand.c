// hand.c - see hand.h

#include "window/hand.h"

#include <string.h>

static const double EVENT_SECONDS = 0.05;

// Keys are looked at when all has been drawn, so what they change is only seen, and found by name, a frame later.
static void act(Script *script) {
    script_frame(script, EVENT_SECONDS);
    script_frame(script, 0);
}

void hand_move(Script *script, float x, float y) {
    script->window->input.mouse_x = x;
    script->window->input.mouse_y = y;
    act(script);
}

static void hand_down(Script *script, int clicks) {
    UiInput *input = &script->window->input;
    input->down = input->pressed = true;
    input->clicks = clicks;
    act(script);
}

static void hand_up(Script *script) {
    UiInput *input = &script->window->input;
    input->down = false;
    input->released = true;
    act(script);
}

void hand_press(Script *script, float x, float y, int clicks) {
    hand_move(script, x, y);
    for (int click = 1; click <= clicks; click++) {
        hand_down(script, click);
        hand_up(script);
    }
}

void hand_drag(Script *script, float x0, float y0, float x1, float y1) {
    enum { PLACES = 8 };  // on the way
    hand_move(script, x0, y0);
    hand_down(script, 1);
    for (int i = 1; i <= PLACES; i++) {
        float t = (float)i / PLACES;
        hand_move(script, x0 + t * (x1 - x0), y0 + t * (y1 - y0));
    }
    hand_up(script);
}

void hand_turn_wheel(Script *script, float notches) {
    script->window->input.wheel = notches;
    act(script);
}

void hand_press_key(Script *script, SDL_Keycode key, SDL_Keymod modifiers) {
    UiInput *input = &script->window->input;
    input->key = key;
    input->modifiers = modifiers;
    act(script);
    input->modifiers = KMOD_NONE;
}

void hand_type(Script *script, const char *text) {
    while (*text) {
        size_t length = 1;
        while (((unsigned char)text[length] & 0xc0) == 0x80 && length < 4) length++;
        UiInput *input = &script->window->input;
        memcpy(input->text, text, length);
        input->text[length] = '\0';
        act(script);
        text += length;
    }
}

void hand_drop(Script *script, const char *path) {
    script->window->input.dropped = SDL_strdup(path);
    act(script);
}
