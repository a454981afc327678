// child.h - somebody else's code, in a process of its own with limits of time and memory
//
// Where: learners' answers (lessons/check) and kernels (sculpt lab). Whatever that code does ends in a sentence. The
// parent must not have computed with threads before: a child of such a process waits for threads that it hasn't got.

#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef enum Fault {
    FAULT_NONE,
    FAULT_FENCE,   // behind the end of a fenced array (fence.h), which array_name names
    FAULT_NULL,    // near address 0
    FAULT_STACK,   // the stack is full
    FAULT_MEMORY,  // not far from address 0, with the memory that is allowed used up
    FAULT_WILD,    // anywhere else
    FAULT_DIVISION,
    FAULT_INSTRUCTION,  // one that the processor hasn't got
    FAULT_ABORT,
    FAULT_TIME,
} Fault;

// What the child leaves and the parent reads; in memory that they share, so that it outlives a crash.
typedef struct Ending {
    bool returned;  // it came to its end, whatever that was
    Fault fault;
    char array_name[64];
} Ending;

typedef struct ChildLimits {
    double seconds;       // on the wall's clock, for one that only waits; 0: none
    size_t memory_bytes;  // of address space; 0: none
} ChildLimits;

// Zeros that a child will share with this process; NULL without memory. To be given back by munmap, or never.
void *child_memory(size_t bytes);

// Calls run(subject) in a child, waits for its end and gives its status as waitpid does: 0 if run returned. Signals end
// in `ending`, which has to be child_memory. -1: there can be no child.
int child_run(void (*run)(void *subject), void *subject, ChildLimits limits, Ending *ending);

// In the child: so many seconds of processor time from now on count as an endless loop. 0: none do.
void child_clock(double seconds);

// In the child: so many bytes more from now on, and no more than it was allowed. 0: all of that again. Where nothing was
// limited, nothing is, and nor is it in a program that AddressSanitizer watches.
void child_memory_left(size_t bytes);

// Why it ended: "It crashed: it divided a whole number by 0." limits: those that it had. "" for an ordinary end.
void child_sentence(const Ending *ending, int status, ChildLimits limits, char *sentence, size_t size);
