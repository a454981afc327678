// exercise.c - lesson 12: where a word is looked at, where it acts, and how good a map is
//
// exercise.h says what goes in and comes out, README.md what for. `make check N=12` says how far you are, and shows your deletion
// map of "top". Twenty lines, eight, and ten.

#include "exercise.h"

#include <math.h>

void word_map(const float *q, const float *k, LookShape s, size_t first, size_t last, float *map) {
    // Here. s.tokens may be 77; an array of that many scores fits on the stack.
}

void deletion_map(const float *with, const float *without, size_t channels, size_t places, float *map) {
    // Here.
}

float map_grade(const float *map, const uint8_t *mask, size_t places) {
    // Here. No sorting is needed: a place is chosen if fewer places than the mask has are larger.
    return 0;
}
