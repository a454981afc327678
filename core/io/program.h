// program.h - this program itself: where it lies, what came with it, and how its threads wait

#pragma once

#include <limits.h>
#include <stdbool.h>

// Where its own file is; false where /proc can't tell.
bool program_path(char path[PATH_MAX]);

// What comes with Sculpt, by its path in the source tree ("data/models/critters"): in the current folder or else beside
// the program, so that it is found from anywhere. malloc'ed.
char *shipped_path(const char *path);

// To be called first in main, with its argv: OpenMP's threads wait asleep from here on, not spinning. Starts the program
// anew; returns where that has been done already, or can't be, or the environment says OMP_WAIT_POLICY.
void let_threads_sleep(char **argv);
