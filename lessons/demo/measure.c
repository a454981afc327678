// measure.c - see measure.h

#include "demo/measure.h"

#include <math.h>

double deviation(const float *values, size_t n) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) sum += values[i], squares += (double)values[i] * values[i];
    return sqrt(squares / (double)n - sum / (double)n * (sum / (double)n));
}

double distance(const float *a, const float *b, size_t n) {
    double off = 0, all = 0;
    for (size_t i = 0; i < n; i++) off += pow(a[i] - b[i], 2), all += pow(b[i], 2);
    return sqrt(off / all);
}
