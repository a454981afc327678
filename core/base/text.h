// text.h - the little that messages need to know of UTF-8, where a character is 1 to 4 bytes

#pragma once

#include <stddef.h>

// How many of the first n bytes remain when a character that only begins in them is left out.
size_t text_whole(const char *text, size_t n);

// How many characters there are.
size_t text_characters(const char *text);
