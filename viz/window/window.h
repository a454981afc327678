// window.h - a place to draw in, a viewer to draw, and the frames between
//
// Live and headless are one: a window of SDL's, on a screen or in memory only, and a hand that is a person's or a
// script's. So what a script shows is what a person would see.
// Where: above the panels. Read next: live.c (a person's hand), script.c (a script's).

#pragma once

#include "state/viewer.h"
#include "ui/ui.h"
#include "window/options.h"

#include <stdio.h>

typedef struct Window {
    SDL_Window *window;
    SDL_Renderer *renderer;
    Ui *ui;
    Viewer *viewer;
    UiInput input;      // what the hand has done since the last frame, and what it holds
    float fixed_scale;  // pixels a point that were asked for; 0: as the screen is
    bool in_memory;
    Uint32 wake_event;     // the engine has a result
    SDL_atomic_t woken;    // and this event is in SDL's queue
    FILE *frame_times;     // a line a frame, in milliseconds; NULL: not wanted
    double frame_seconds;  // drawing since the last that was presented
} Window;

// Opens all of it; window_close is needed only after success. Errors: no screen, no fonts, no such file.
bool window_open(Window *window, const WindowOptions *options, Error *error);
void window_close(Window *window);  // a run under way is cancelled

// One frame: all panels see window->input, and draw. What happened is then taken out of it; what is held stays.
void window_draw(Window *window);
void window_present(Window *window);
// What window_draw has drawn, in pixels. To be called before window_present.
bool window_picture(Window *window, Image *image, Error *error);

void window_resize(Window *window, size_t width, size_t height);   // in points
bool window_set_scale(Window *window, float scale, Error *error);  // false: no fonts
void window_moved(Window *window);                                 // to another screen, maybe, with another scale
// How many of the window's own units, in which SDL gives the mouse's place, a point takes
float window_units(const Window *window);
