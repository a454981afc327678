// options.h - the command line of `sculpt-view`, as a struct

#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

// Of the window in points, and of a point in pixels
enum { SMALLEST_WIDTH = 640, SMALLEST_HEIGHT = 480, LARGEST_WINDOW = 8192 };
#define SMALLEST_SCALE 0.5f
#define LARGEST_SCALE 4.0f

typedef struct WindowOptions {
    const char *model, *trace, *prompt;  // NULL where none was given
    bool dark;
    float scale;           // pixels a point; 0: as the screen is
    size_t width, height;  // of the window, in points
    bool headless;
    const char *script;  // a file, or "-"; NULL: none
    const char *frame;   // a PNG for the last frame of a headless run; NULL: none
    const char *frame_times;
    double pretend_seconds;
    bool help, version;
} WindowOptions;

// A word that isn't an option is a trace or a model if a .safetensors file has that name, else a prompt.
bool window_options_read(WindowOptions *options, int argc, char **argv, Error *error);
// "1280x800"; false for what is no size, or one that no window has
bool read_window_size(const char *text, size_t *width, size_t *height);
void window_help_print(void);  // on stdout
