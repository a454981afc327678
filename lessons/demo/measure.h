// measure.h - numbers about many numbers
#pragma once

#include "base/difference.h"  // distance_between

#include <stddef.h>

double deviation(const float *values, size_t n);  // the standard one: contrast

// What a count of successes among n tries says: the share's interval by Wilson 1927, for z = 1.96 the true share is inside in
// about 95 of 100 such counts
typedef struct Interval {
    double low, high;
} Interval;
Interval wilson(size_t successes, size_t n, double z);

// The exact sign test: of the tries that went otherwise, this many for the better and that many for the worse. How likely a coin
// is at least as far from half and half.
double sign_test_p(size_t better, size_t worse);
