// score.h - which cases are solved, with how many looks, and what bisection would have taken
//
// Kept in a file that git doesn't look at (lessons/.whodunit): a line "07 4" each, case and looks.

#pragma once

#include "cases.h"

typedef struct Score {
    int looks[CASE_COUNT];  // -1: not solved
} Score;

// A file that can't be read counts as none.
Score score_read(const char *path);
bool score_save(const Score *score, const char *path, Error *error);

// Looks that halve what may be wrong each time: the least number of them that always finds one of `exhibits`.
int par(size_t exhibits);
