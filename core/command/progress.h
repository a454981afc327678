// progress.h - the line that moves while a run does
//
// Only on a terminal; a file or a pipe gets nothing of it.

#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct Progress {
    bool terminal;
    size_t count;    // steps in all
    double started;  // seconds on a clock that only goes forward
} Progress;

void progress_begin(Progress *progress, size_t count);
void progress_step(const Progress *progress, size_t done);      // [#####.....] step 10/20  0.21 s/step  2 s left
void progress_say(const Progress *progress, const char *what);  // what goes on behind the steps
void progress_end(const Progress *progress);                    // clears the line
