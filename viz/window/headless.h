// headless.h - without a screen: a script's hand, and frames as PNG files

#pragma once

#include "window/window.h"

// Does what the options' script says, or waits until the engine has nothing left to do; then writes the frame that they
// ask for. Errors: those of the script, with its line.
bool headless_run(Window *window, const WindowOptions *options, Error *error);
