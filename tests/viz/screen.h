// screen.h - a window that isn't there: frames drawn into memory, and a hand that presses and types

#pragma once

#include "io/image.h"
#include "ui/draw.h"
#include "ui/widgets.h"

typedef struct Screen {
    SDL_Surface *surface;
    SDL_Renderer *renderer;
    Ui ui;
    UiInput input;         // of the next frame: mouse and time stay, events are one frame's
    void (*page)(Ui *ui);  // draws what is on it
} Screen;

// Stops the test program when there is no memory or no font.
Screen *screen_open(float width, float height, float scale, bool dark, void (*page)(Ui *ui));  // points
void screen_close(Screen *screen);

void screen_frame(
    Screen *screen);  // with screen->input; clears its events. Time goes on by 1/60 s. Names have to be unique
Image screen_image(const Screen *screen);  // what is to be seen; the caller frees it
void screen_move(Screen *screen, float x, float y);
void screen_press(Screen *screen, float x, float y, int clicks);
void screen_release(Screen *screen, float x, float y);
void screen_click(Screen *screen, const char *name);  // in the thing's middle, by name
void screen_key(Screen *screen, SDL_Keycode key, int modifiers);
void screen_type(Screen *screen, const char *text);
