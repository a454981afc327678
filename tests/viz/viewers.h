// viewers.h - what the tests of the viewer's state share: a viewer without a window, and time for its engine
//
// Everything runs on the small model that comes with Sculpt, unless the options name another.

#pragma once

#include "state/viewer.h"

extern double viewers_time;  // of all viewers in a test, in seconds; only moves on

Viewer *viewer_opened(ViewerOptions options);  // nobody is notified; a case fails where it can't be opened
void viewer_settle(Viewer *viewer);            // until the engine has nothing to do and all was taken in
