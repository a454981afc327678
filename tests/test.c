// test.c - see test.h

#include "test.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static int passed, failed, skipped;
static bool case_failed, case_skipped;

void test_run(const char *name, void (*function)(void)) {
    case_failed = case_skipped = false;
    function();
    if (case_failed) {
        failed++;
        printf("FAIL %s\n", name);
    } else if (case_skipped) {
        skipped++;
        printf("skip %s\n", name);
    } else {
        passed++;
        printf("ok   %s\n", name);
    }
    fflush(stdout);
}

void test_fail(const char *file, int line, const char *condition, const char *format, ...) {
    case_failed = true;
    printf("%s:%d: %s: ", file, line, condition);
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

void test_skip(const char *format, ...) {
    case_skipped = true;
    printf("skipped: ");
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

int test_summary(void) {
    printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
    return failed > 0;
}

double relative_l2(const float *a, const float *b, size_t n) {
    double difference = 0, reference = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(a[i]) || !isfinite(b[i])) return INFINITY;
        difference += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        reference += (double)b[i] * b[i];
    }
    return sqrt(difference / reference);
}

double relative_max(const float *a, const float *b, size_t n) {
    double difference = 0, reference = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(a[i]) || !isfinite(b[i])) return INFINITY;
        difference = fmax(difference, fabs((double)a[i] - b[i]));
        reference = fmax(reference, fabs((double)b[i]));
    }
    return difference / reference;
}

const char *test_folder(const char *name) {
    static char folder[512];
    char command[1100];
    snprintf(folder, sizeof folder, "build/tmp/%s", name);
    snprintf(command, sizeof command, "rm -rf '%s' && mkdir -p '%s'", folder, folder);
    if (system(command) != 0) {
        printf("can't make %s\n", folder);
        exit(1);
    }
    return folder;
}
