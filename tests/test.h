// test.h - the little that the tests need: named cases, expectations that say both numbers, a closing count
//
//     static void test_truncated(void) { EXPECT(safetensors_open(path, &error) == NULL, "opened a truncated file"); }
//     int main(void) {
//         TEST(test_truncated);
//         return test_summary();
//     }
//
// A case fails at its first failed expectation's line but runs on, so one run shows everything that is wrong. A case
// that can't run here says why with SKIP and is counted as skipped, never as passed.

#pragma once

#include <stdbool.h>
#include <stddef.h>

#define EXPECT(condition, ...)                                                                                         \
    do {                                                                                                               \
        if (!(condition)) test_fail(__FILE__, __LINE__, #condition, __VA_ARGS__);                                      \
    } while (0)
#define SKIP(...)                                                                                                      \
    do {                                                                                                               \
        test_skip(__VA_ARGS__);                                                                                        \
        return;                                                                                                        \
    } while (0)
#define TEST(function) test_run(#function, function)

void test_run(const char *name, void (*function)(void));  // prints "ok NAME", "FAIL NAME" or "skip NAME: why"
void test_fail(const char *file, int line, const char *condition, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void test_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));
int test_summary(void);  // prints "N passed, N failed, N skipped" and gives the exit status

// ||a - b|| / ||b|| over n numbers (b is the reference), the measure of every parity test; infinity when either isn't
// finite. Largest |a - b| / largest |b| for schedulers.
double relative_l2(const float *a, const float *b, size_t n);
double relative_max(const float *a, const float *b, size_t n);

// A folder of this test's own, made anew and empty at each start: build/tmp/NAME. For files that tests write.
const char *test_folder(const char *name);
