// measure.c - see measure.h

#include "demo/measure.h"

#include "base/difference.h"

#include <math.h>

double deviation(const float *values, size_t n) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) sum += values[i], squares += (double)values[i] * values[i];
    return sqrt(squares / (double)n - sum / (double)n * (sum / (double)n));
}

double distance(const float *a, const float *b, size_t n) { return distance_between(a, b, n); }
