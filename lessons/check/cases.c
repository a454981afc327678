// cases.c - what a case is made of: random numbers in fenced arrays
//
// An array ends where a page ends, and the next page may not be touched. So the first number too far is noticed where
// it is read or written (fault.c), not much later or never.

#include "check/inside.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void check_case(Check *check, const char *format, ...) {
    check_release(check);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(check->report->case_text, sizeof check->report->case_text, format, arguments);
    va_end(arguments);
    check->report->case_count++;
    fault_clock(check->seconds);
}

void check_seconds(Check *check, double seconds) {
    check->seconds = seconds;
    fault_clock(seconds);
}

void check_tolerance(Check *check, float tolerance) { check->tolerance = tolerance; }

// ---- random numbers -------------------------------------------------------------------------------------------------

size_t check_pick(Check *check, size_t low, size_t high) { return low + rng_u32(&check->rng) % (high - low + 1); }

float check_uniform(Check *check, float low, float high) {
    return low + (high - low) * (float)(rng_u32(&check->rng) >> 8) * 0x1p-24f;
}

// ---- arrays ---------------------------------------------------------------------------------------------------------

// A NaN that no arithmetic gives
static const uint32_t UNWRITTEN = 0x7fc5c1b7;

bool array_unwritten(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits == UNWRITTEN;
}

static Array *array_take(Check *check, const char *name, Shape shape) {
    CHECK(check->array_count < CHECK_ARRAYS, "a case has at most %d arrays", CHECK_ARRAYS);
    size_t page = (size_t)sysconf(_SC_PAGESIZE), n = shape_count(shape), wanted = n * sizeof(float);
    size_t inside = (wanted + page - 1) / page * page;

    Array *array = &check->arrays[check->array_count];
    *array = (Array){.name = name, .shape = shape, .n = n, .bytes = inside + page};
    array->pages = mmap(NULL, array->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(array->pages != MAP_FAILED, "no memory for %s, %s", name, shape_text(shape).text);
    array->fence = (char *)array->pages + inside;
    array->values = (float *)((char *)array->fence - wanted);
    mprotect(array->fence, page, PROT_NONE);
    check->array_count++;
    return array;
}

float *check_input(Check *check, const char *name, Shape shape) { return array_take(check, name, shape)->values; }

float *check_normal(Check *check, const char *name, Shape shape) {
    Array *array = array_take(check, name, shape);
    rng_normal(&check->rng, array->values, array->n);
    return array->values;
}

float *check_output(Check *check, const char *name, Shape shape) {
    Array *array = array_take(check, name, shape);
    for (size_t i = 0; i < array->n; i++) memcpy(&array->values[i], &UNWRITTEN, sizeof UNWRITTEN);
    return array->values;
}

const Array *array_of(const Check *check, const float *values) {
    for (size_t i = 0; i < check->array_count; i++) {
        if (check->arrays[i].values == values) return &check->arrays[i];
    }
    return NULL;
}

void check_release(Check *check) {
    for (size_t i = 0; i < check->array_count; i++) munmap(check->arrays[i].pages, check->arrays[i].bytes);
    check->array_count = 0;
}
