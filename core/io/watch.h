// watch.h - waiting until somebody saves a file

#pragma once

#include "base/error.h"

typedef enum Watched {
    WATCH_SAVED,  // the file was written, or another was renamed to its name
    WATCH_KEY,    // a line can be read from stdin, or it has ended
    WATCH_FAILED,
} Watched;

// Waits for either. path is a file in a folder; editors that save beside it and rename are noticed too. Errors: the
// system can't watch (no inotify, too many watches).
Watched watch_wait(const char *path, Error *error);
