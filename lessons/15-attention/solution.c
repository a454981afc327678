// solution.c - lesson 15: streaming attention. core/ops/attention_flash.c does so for 32 queries and 126 keys at a time

#include "exercise.h"

#include "base/least.h"

#include <math.h>

static float dot(const float *a, const float *b, size_t n) {
    float sum = 0;
    for (size_t c = 0; c < n; c++) sum += a[c] * b[c];
    return sum;
}

// One block of n keys and values, n at most KEYS, for one query
static void take_block(float *sums, float *total, float *largest, const float *q, const float *k, const float *v,
                       size_t n, size_t d) {
    float scores[KEYS], before = *largest;
    for (size_t j = 0; j < n; j++) {
        scores[j] = dot(q, k + j * d, d) / sqrtf((float)d);
        *largest = fmaxf(*largest, scores[j]);
    }
    float factor = expf(before - *largest);  // 0 in the first block
    *total *= factor;
    for (size_t c = 0; c < d; c++) sums[c] *= factor;
    for (size_t j = 0; j < n; j++) {
        float share = expf(scores[j] - *largest);
        *total += share;
        for (size_t c = 0; c < d; c++) sums[c] += share * v[j * d + c];
    }
}

void attend_streaming(float *out, const float *q, const float *k, const float *v, size_t Tq, size_t Tk, size_t d) {
    for (size_t i = 0; i < Tq; i++) {
        float *sums = out + i * d, total = 0, largest = -INFINITY;
        for (size_t c = 0; c < d; c++) sums[c] = 0;
        for (size_t j = 0; j < Tk; j += KEYS)
            take_block(sums, &total, &largest, q + i * d, k + j * d, v + j * d, least(KEYS, Tk - j), d);
        for (size_t c = 0; c < d; c++) sums[c] /= total;
    }
}
