// cases.c - what a case is made of: random numbers in fenced arrays

#include "check/inside.h"

#include "base/check.h"
#include "base/fence.h"

#include <stdarg.h>
#include <stdio.h>

void check_case(Check *check, const char *format, ...) {
    check_release(check);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(check->report->case_text, sizeof check->report->case_text, format, arguments);
    va_end(arguments);
    check->report->case_count++;
    child_clock(check->seconds);
}

size_t check_parts_right(const Check *check) { return check->parts_right; }

void check_seconds(Check *check, double seconds) {
    check->seconds = seconds;
    child_clock(seconds);
}

void check_memory(Check *check, size_t bytes, const char *sentence) {
    child_memory_left(bytes);
    snprintf(check->report->memory, sizeof check->report->memory, "%s", bytes ? sentence : "");
}

void check_tolerance(Check *check, float tolerance) { check->tolerance = tolerance; }

// ---- random numbers -------------------------------------------------------------------------------------------------

size_t check_pick(Check *check, size_t low, size_t high) { return low + rng_u32(&check->rng) % (high - low + 1); }

float check_uniform(Check *check, float low, float high) {
    return low + (high - low) * (float)(rng_u32(&check->rng) >> 8) * 0x1p-24f;
}

// ---- arrays ---------------------------------------------------------------------------------------------------------

static Array *array_take(Check *check, const char *name, Shape shape) {
    CHECK(check->array_count < CHECK_ARRAYS, "a case has at most %d arrays", CHECK_ARRAYS);
    size_t n = shape_count(shape);
    Array *array = &check->arrays[check->array_count++];
    *array = (Array){.name = name, .shape = shape, .n = n, .values = fence_take(name, n)};
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
    fill_unwritten(array->values, array->n);
    return array->values;
}

const Array *array_of(const Check *check, const float *values) {
    for (size_t i = 0; i < check->array_count; i++) {
        if (check->arrays[i].values == values) return &check->arrays[i];
    }
    return NULL;
}

void check_release(Check *check) {
    fence_release();
    check->array_count = 0;
}
