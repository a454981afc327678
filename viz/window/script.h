// script.h - a script's hand: what a person would do with mouse and keyboard, a line each

#pragma once

#include "window/window.h"

#include <stdio.h>

typedef struct Script {
    Window *window;
    double time;  // the clock, which only a script moves on
} Script;

// Every line of it. Errors begin with "NAME:LINE: ".
bool script_run(Script *script, FILE *stream, const char *name, Error *error);
bool script_line(Script *script, const char *line, Error *error);

// So many seconds later: the viewer takes in what the engine has found out, and a frame is drawn.
void script_frame(Script *script, double seconds);
bool script_write_frame(Script *script, const char *path, Error *error);
