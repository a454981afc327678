// inside.h - what the files of the check library share
//
//     run.c       parts in child processes, and what is said about them      fault.c    crashes and limits, to sentences
//     cases.c     cases, random numbers, fenced arrays                       picture.c  pictures side by side
//     diagnose.c  right, or which mistake

#pragma once

#include "check/check.h"

#include "base/rng.h"

#include <stdbool.h>

typedef enum Fault {
    FAULT_NONE,
    FAULT_FENCE,   // behind the end of one of the case's arrays, which array_name names
    FAULT_NULL,    // near address 0
    FAULT_STACK,   // the stack is full
    FAULT_MEMORY,  // near address 0, with the memory that is allowed used up
    FAULT_WILD,    // anywhere else
    FAULT_DIVISION,
    FAULT_ABORT,
    FAULT_TIME,
} Fault;

typedef enum Verdict { UNDECIDED, RIGHT, WRONG } Verdict;

// What the child writes and the parent reads; in memory that they share, so that it outlives a crash.
typedef struct Report {
    Verdict verdict;
    Fault fault;
    size_t case_count;
    char case_text[256];   // where it is
    char array_name[64];   // of a fence
    char difference[512];  // which number differs, and by how much
    char sentence[768];    // the diagnosis
    char picture[512];     // what was drawn, in a sentence
    char memory[256];      // check_memory's sentence
} Report;

typedef struct Array {
    const char *name;
    Shape shape;
    size_t n;
    float *values;
    void *pages, *fence;  // the mapping, and the page behind the values that nobody may touch
    size_t bytes;         // of the mapping, the fence included
} Array;

struct Check {
    const char *lesson;
    Report *report;
    Rng rng;
    double seconds;
    float tolerance;
    Array arrays[CHECK_ARRAYS];
    size_t array_count;
};

enum { CHECK_MEMORY_GB = 2 };

// cases.c
const Array *array_of(const Check *check, const float *values);  // NULL if it isn't one of the case's
bool array_unwritten(float value);                               // still what check_output left there
void check_release(Check *check);

// run.c: how much address space the program may take
void limit_memory(size_t bytes);

// fault.c: from here on signals end in the report; then _exit.
void fault_catch(Check *check);
void fault_clock(double seconds);  // processor time from now on
// "your function read or wrote behind the end of `x`", for a report with a fault
void fault_sentence(const Report *report, char *sentence, size_t size);
