// profile.h - how long each op of a forward pass took, and on what
//
// Where: a Context that has one (ctx->profile) tells it of every op that is executed, by op_begin and op_end of ops.c.
// `sculpt bench` prints it. Elsewhere: torch.profiler.

#pragma once

#include "base/tensor.h"
#include "ops/registry.h"

#include <stddef.h>
#include <stdint.h>

typedef struct OpRecord {
    Op op;
    const Kernel *kernel;
    Shape x, with, out;  // what it read and made; with: its weight, or a second tensor; rank 0 where there is none.
                         // Attention has heads apart: q [B, heads, Tq, d], k [B, heads, Tk, d]
    uint64_t calls;      // 1, until calls alike are put together
    uint64_t flops, bytes;
    double seconds;
} OpRecord;

// {0} is an empty one.
typedef struct Profile {
    OpRecord *records;  // in the order of the calls
    size_t count, capacity;
    OpRecord current;  // the op under way
    double began;
} Profile;

// One op at a time. An op that was begun and never ended, since the pass was stopped, leaves nothing.
void profile_begin(Profile *profile, Op op, const Kernel *kernel, uint64_t flops, uint64_t bytes);
void profile_end(Profile *profile, Shape x, Shape with, Shape out);

// Puts the calls of one op and kernel on the same shapes together, and what took the most time first.
void profile_group(Profile *profile);

double profile_seconds(const Profile *profile);  // of all ops together
void profile_clear(Profile *profile);            // forgets the records and keeps their memory
void profile_free(Profile *profile);

// "2x320x64x64 * 640x320x3x3 -> 2x640x64x64"; what is made isn't named where it has the shape of what was read.
typedef struct OpShapeText {
    char text[3 * 88];
} OpShapeText;
OpShapeText op_shape_text(const OpRecord *record);
