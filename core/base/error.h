// error.h - what went wrong outside, in one line that a person can act on
//
// A function that can fail for a reason outside the program takes an Error * last and returns false (or NULL).
// The text is "what: why; what to do", without the leading "sculpt: " that the command line adds.

#pragma once

#include <stdbool.h>

typedef struct Error {
    char message[1024];  // "" while nothing went wrong
} Error;

// Writes the message (printf-style, control characters from outside made visible, cut between two characters where the
// buffer ends) and returns false, so that a function can end with `return error_set(error, ...)`. An error already set
// is kept: the first is the cause, what follows are its effects. error may be NULL.
bool error_set(Error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
