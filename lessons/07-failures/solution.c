// solution.c - lesson 07: counting, honestly. lessons/demo has the same, in look.c and measure.c

#include "exercise.h"

#include <math.h>
#include <stdbool.h>

void halves_share(const float *pixels, size_t width, size_t height, const float color[3], float share[2]) {
    size_t found[2] = {0}, all[2] = {height * (width / 2), height * (width - width / 2)};
    for (size_t y = 0; y < height; y++) {
        for (size_t x = 0; x < width; x++) {
            const float *p = pixels + 3 * (y * width + x);
            float r = p[0] - color[0], g = p[1] - color[1], b = p[2] - color[2];
            bool alike = sqrtf(r * r + g * g + b * b) < 60;
            found[x >= width / 2] += alike;
        }
    }
    for (size_t half = 0; half < 2; half++) share[half] = (float)found[half] / (float)all[half];
}

void wilson_interval(size_t successes, size_t n, float z, float interval[2]) {
    float p = (float)successes / (float)n, N = (float)n, shrink = 1 + z * z / N;
    float middle = (p + z * z / (2 * N)) / shrink;
    float half = z * sqrtf(p * (1 - p) / N + z * z / (4 * N * N)) / shrink;
    interval[0] = middle - half, interval[1] = middle + half;
}

float sign_test(const float *before, const float *after, size_t n) {
    size_t better = 0, worse = 0;
    for (size_t i = 0; i < n; i++) {
        better += after[i] > before[i];
        worse += after[i] < before[i];
    }
    size_t m = better + worse, k = better < worse ? better : worse;
    double sum = 0, chance = pow(0.5, (double)m);  // of i heads among m coins
    for (size_t i = 0; i <= k; i++) {
        sum += chance;
        chance *= (double)(m - i) / (double)(i + 1);
    }
    double p = 2 * sum;
    return (float)(p < 1 ? p : 1);
}
