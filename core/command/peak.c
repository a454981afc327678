// peak.c - see peak.h

#include "command/peak.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/machine.h"
#include "ops/context.h"
#include "ops/wide.h"

#include <math.h>
#include <stdlib.h>

// ---- arithmetic -----------------------------------------------------------------------------------------------------
//
// A multiply-add takes four or five clock ticks, and two can begin in each. So ten sums or more have to be under way that
// don't wait for one another: these are twelve registers full of them, x = x a + b, over and over. Their sum is given back,
// or the compiler would leave them out. (A macro, since C has no functions over types.)

enum { CHAINS = 12, ROUNDS = 1 << 14, TRIES = 60 };

#define MULTIPLY_ADDS(Lanes)                                                                                           \
    Lanes x[CHAINS];                                                                                                   \
    float sum = 0;                                                                                                     \
    _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++) x[i] = (Lanes){0} + (float)i;                            \
    for (int round = 0; round < ROUNDS; round++) {                                                                     \
        _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++) x[i] = x[i] * a + b;                                 \
    }                                                                                                                  \
    _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++) sum += x[i][0];                                          \
    return sum;

typedef float Lanes4 __attribute__((vector_size(16)));
typedef float Lanes8 __attribute__((vector_size(32)));
typedef float Lanes16 __attribute__((vector_size(64)));

static float multiply_adds_4(float a, float b){MULTIPLY_ADDS(Lanes4)} AVX2
    static float multiply_adds_8(float a, float b){MULTIPLY_ADDS(Lanes8)} AVX512
    static float multiply_adds_16(float a, float b) {
    MULTIPLY_ADDS(Lanes16)
}

// Of the calling thread: the best of many short tries, so that whoever else uses the machine strikes some of them only.
static double thread_flops(void) {
    int lanes = machine_has_avx512() ? 16 : machine_has_avx2() ? 8 : 4;
    volatile float a = 0.999f, kept;
    double best = INFINITY;
    for (int try = 0; try < TRIES; try++) {
        double start = seconds_now();
        kept = lanes == 16  ? multiply_adds_16(a, 0.001f)
               : lanes == 8 ? multiply_adds_8(a, 0.001f)
                            : multiply_adds_4(a, 0.001f);
        best = fmin(best, seconds_now() - start);
    }
    (void)kept;
    return 2.0 * CHAINS * lanes * ROUNDS / best;
}

double peak_flops(int threads) {
    Context ctx = {.threads = threads};
    int threads_before = context_enter(&ctx);
    double sum = 0;
#pragma omp parallel reduction(+ : sum)
    sum += thread_flops();
    context_leave(threads_before);
    return sum;
}

// ---- memory ---------------------------------------------------------------------------------------------------------

double peak_bandwidth(int threads) {
    const size_t n = (size_t)8 << 20;  // 32 MB each
    float *memory = malloc(3 * n * sizeof *memory), *a = memory, *b = a + n, *c = b + n;
    CHECK(memory, "no memory for three arrays of %zu numbers", n);
    Context ctx = {.threads = threads};
    int threads_before = context_enter(&ctx);
    double seconds = INFINITY;
    for (int pass = 0; pass < 6; pass++) {  // the first touches the memory
        double start = seconds_now();
#pragma omp parallel for simd
        for (size_t i = 0; i < n; i++) a[i] = pass == 0 ? (b[i] = 1, c[i] = 2, 0) : b[i] + 3 * c[i];
        if (pass > 0) seconds = fmin(seconds, seconds_now() - start);
    }
    context_leave(threads_before);
    free(memory);
    return 3.0 * (double)n * sizeof(float) / seconds;
}
