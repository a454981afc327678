// check.h - stop at a bug, at once and with the numbers
//
// CHECK is for what only a mistake in our own code can break: a shape that doesn't fit between two of our layers, an
// arena used out of order. It is on in every build. Whatever comes from outside (files, options, prompts) is never
// CHECKed: it returns an Error (error.h), and the caller goes on living.

#pragma once

#define CHECK(condition, ...)                                                                                          \
    do {                                                                                                               \
        if (!(condition)) check_failed(__FILE__, __LINE__, #condition, __VA_ARGS__);                                   \
    } while (0)

// Prints "file:line: CHECK failed: condition: message" to stderr and aborts. The message is printf-style.
_Noreturn void check_failed(const char *file, int line, const char *condition, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
