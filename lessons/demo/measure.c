// measure.c - see measure.h

#include "demo/measure.h"

#include <math.h>

double deviation(const float *values, size_t n) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) sum += values[i], squares += (double)values[i] * values[i];
    return sqrt(squares / (double)n - sum / (double)n * (sum / (double)n));
}

Interval wilson(size_t successes, size_t n, double z) {
    double N = (double)n, p = (double)successes / N, shrink = 1 + z * z / N;
    double middle = (p + z * z / (2 * N)) / shrink;
    double half = z / shrink * sqrt(p * (1 - p) / N + z * z / (4 * N * N));
    return (Interval){middle - half, middle + half};
}

double sign_test_p(size_t better, size_t worse) {
    size_t n = better + worse, fewer = better < worse ? better : worse;
    double sum = 0, ways = 1;  // ways: how many of the 2^n outcomes have k of one side
    for (size_t k = 0; k <= fewer; k++) {
        sum += ways;
        ways *= (double)(n - k) / (double)(k + 1);
    }
    return fmin(1, 2 * sum / pow(2, (double)n));
}
