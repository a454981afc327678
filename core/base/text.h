// text.h - small things that are said in many messages: lists of names, numbers as people write them, and where text may
// be cut: in UTF-8 a character is 1 to 4 bytes

#pragma once

#include <stdbool.h>
#include <stddef.h>

// How many of the first n bytes remain when a character that only begins in them is left out.
size_t text_whole(const char *text, size_t n);

// How many characters there are.
size_t text_characters(const char *text);

// Whether the first n bytes, of which it must be more than the ending alone, end so.
bool text_ends_in(const char *text, size_t n, const char *ending);

// Appends ", name" to a list (the first name without the comma); what doesn't fit into size bytes is cut.
void list_append(char *list, size_t size, const char *name);

// The double nearest to the decimal number that x was written as: 0.7 for 0.7f, not 0.699999988. Python reads settings
// in double, and int(10 * 0.7) is one thing, int(10 * 0.7f) another.
double as_written(float x);

// How many letters have to be put in, taken out or changed to get from a to b (Levenshtein's distance), for "did you mean";
// SIZE_MAX where b has more than 64 bytes.
size_t edit_distance(const char *a, const char *b);

// A decimal number and nothing else; not the hexadecimal ones, infinities and NaNs that strtof would take too.
bool text_number(const char *text, float *number);

// "9.41 M", "1.2 G": three digits and the unit's thousand, for a unit to follow
typedef struct NumberText {
    char text[32];
} NumberText;
NumberText number_text(double number);
