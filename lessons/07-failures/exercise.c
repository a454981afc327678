// exercise.c - lesson 07: count what goes wrong, and say how much the count says
//
// exercise.h says what goes in and comes out, README.md why. `make check N=07` says how far you are, and counts blue dogs with
// what you wrote. Eight lines, five, and ten.

#include "exercise.h"

#include <math.h>

void halves_share(const float *pixels, size_t width, size_t height, const float color[3], float share[2]) {
    // Here.
}

void wilson_interval(size_t successes, size_t n, float z, float interval[2]) {
    // Here.
}

float sign_test(const float *before, const float *after, size_t n) {
    // Here.
    return 0;
}
