// hand.h - what a script's hand does to the window, each with the frames that it takes

#pragma once

#include "window/script.h"

void hand_move(Script *script, float x, float y);
void hand_press(Script *script, float x, float y, int clicks);  // and release; clicks 2: the second of a double click
void hand_drag(Script *script, float x0, float y0, float x1, float y1);
void hand_turn_wheel(Script *script, float notches);
void hand_press_key(Script *script, SDL_Keycode key, SDL_Keymod modifiers);
void hand_type(Script *script, const char *text);  // a frame a character; bytes that are not UTF-8 as they are
void hand_drop(Script *script, const char *path);
