// profile.c - see profile.h
//
// While a pass runs, an op costs two looks at the clock and a record at the end of a list; whatever takes longer is done
// afterwards. So even the ops of a small model, a few microseconds each, aren't slowed by being watched.

#include "ops/profile.h"

#include "base/check.h"
#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

// ---- during the pass ------------------------------------------------------------------------------------------------

void profile_begin(Profile *profile, Op op, const Kernel *kernel, uint64_t flops, uint64_t bytes) {
    profile->current = (OpRecord){.op = op, .kernel = kernel, .calls = 1, .flops = flops, .bytes = bytes};
    profile->began = seconds_now();
}

void profile_end(Profile *profile, Shape x, Shape with, Shape out) {
    OpRecord *record = &profile->current;
    record->seconds = seconds_now() - profile->began;
    record->x = x;
    record->with = with;
    record->out = out;
    if (profile->count == profile->capacity) {
        profile->capacity = profile->capacity ? 2 * profile->capacity : 1024;
        profile->records = realloc(profile->records, profile->capacity * sizeof *profile->records);
        CHECK(profile->records, "no memory for %zu ops", profile->capacity);
    }
    profile->records[profile->count++] = *record;
}

void profile_clear(Profile *profile) { profile->count = 0; }

void profile_free(Profile *profile) {
    free(profile->records);
    *profile = (Profile){0};
}

// ---- afterwards -----------------------------------------------------------------------------------------------------

double profile_seconds(const Profile *profile) {
    double seconds = 0;
    for (size_t i = 0; i < profile->count; i++) seconds += profile->records[i].seconds;
    return seconds;
}

static bool alike(const OpRecord *a, const OpRecord *b) {
    return a->op == b->op && a->kernel == b->kernel && shape_equal(a->x, b->x) && shape_equal(a->with, b->with) &&
           shape_equal(a->out, b->out);
}

static int slower_first(const void *a, const void *b) {
    const OpRecord *left = a, *right = b;
    return (left->seconds < right->seconds) - (left->seconds > right->seconds);
}

void profile_group(Profile *profile) {
    size_t groups = 0;
    for (size_t i = 0; i < profile->count; i++) {
        OpRecord *record = &profile->records[i];
        size_t group = 0;
        while (group < groups && !alike(&profile->records[group], record)) group++;
        if (group == groups) {
            profile->records[groups++] = *record;
            continue;
        }
        profile->records[group].calls += record->calls;
        profile->records[group].flops += record->flops;
        profile->records[group].bytes += record->bytes;
        profile->records[group].seconds += record->seconds;
    }
    profile->count = groups;
    if (groups > 0) qsort(profile->records, groups, sizeof *profile->records, slower_first);
}

// ---- as text --------------------------------------------------------------------------------------------------------

static size_t append_shape(char *text, size_t room, const char *before, Shape shape) {
    size_t used = (size_t)snprintf(text, room, "%s", before);
    for (size_t i = 0; i < shape.rank; i++) {
        used += (size_t)snprintf(text + used, room - used, i ? "x%zu" : "%zu", shape.axis[i]);
    }
    return used;
}

OpShapeText op_shape_text(const OpRecord *record) {
    OpShapeText shape;
    char *text = shape.text;
    size_t room = sizeof shape.text, used = append_shape(text, room, "", record->x);
    if (record->with.rank > 0) used += append_shape(text + used, room - used, " * ", record->with);
    if (!shape_equal(record->x, record->out)) append_shape(text + used, room - used, " -> ", record->out);
    return shape;
}
