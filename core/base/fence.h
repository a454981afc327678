// fence.h - arrays that can't be overrun unseen
//
// Where: what somebody else's code is given to work on: learners' answers (lessons/check) and kernels (sculpt lab). An
// array ends where a page ends, and the next page may not be touched. So the first number too far is noticed where it is
// read or written, not much later or never; child.h makes a sentence of it.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FENCES = 32 };  // arrays at a time, in a process

// n zeros. The name is what is said of it, and has to live as long.
float *fence_take(const char *name, size_t n);
void fence_release(void);  // all of them

// The name of the array behind whose end this address lies; NULL for none. A signal handler may call it.
const char *fence_at(uintptr_t address);

// Numbers that are to be written are filled with a NaN that no arithmetic gives, so that those left out are known.
void fill_unwritten(float *values, size_t n);
bool is_unwritten(float value);
