// live.h - a person's hand: SDL's events, until the window is closed

#pragma once

#include "window/window.h"

void live_run(Window *window);
