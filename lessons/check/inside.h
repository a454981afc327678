// inside.h - what the files of the check library share
//
//     run.c       parts in child processes, and what is said about them
//     cases.c     cases, random numbers, fenced arrays                       picture.c  pictures side by side
//     diagnose.c  right, or which mistake
//
// What `sculpt lab` needs as well stands in core/base: child.h, fence.h, difference.h.

#pragma once

#include "check/check.h"

#include "base/child.h"
#include "base/rng.h"

typedef enum Verdict { UNDECIDED, RIGHT, WRONG } Verdict;

// Known mistakes that give the learner's numbers, all of them: bit i for mistakes[i]
typedef struct Suspects {
    const CheckMistake *mistakes;
    uint64_t bits;
} Suspects;

// What the child writes and the parent reads; in memory that they share, so that it outlives a crash.
typedef struct Report {
    Verdict verdict;
    Ending ending;  // of a crash
    size_t case_count;
    char case_text[256];   // where it is
    char difference[512];  // which number differs, and by how much
    char sentence[768];    // the diagnosis
    char picture[512];     // what was drawn, in a sentence
    char memory[256];      // check_memory's sentence
    Suspects suspects;     // one of them is the diagnosis
} Report;

typedef struct Array {
    const char *name;
    Shape shape;
    size_t n;
    float *values;  // fenced (base/fence.h)
} Array;

struct Check {
    const char *lesson;
    Report *report;
    Rng rng;
    double seconds;
    float tolerance;
    size_t parts_right;  // before this one, or before show
    Suspects among;      // that other numbers have left; mistakes is NULL if there are none: all are suspects
    Array arrays[CHECK_ARRAYS];
    size_t array_count;
};

// cases.c
const Array *array_of(const Check *check, const float *values);  // NULL if it isn't one of the case's
void check_release(Check *check);
