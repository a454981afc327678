// tokenizer_text.h - a prompt's text, made ready for the tokenizer
//
// Where: first in the tokenizer. Two ways of writing the same thing should become the same ids.
// Elsewhere: tokenizers.normalizers NFC, Replace(\s+), Lowercase, which CLIPTokenizer puts in this order.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A growing text; data is malloc'ed and always ends in '\0' once something was appended.
typedef struct TextBuffer {
    char *data;
    size_t size, capacity;
} TextBuffer;

void text_append(TextBuffer *buffer, const char *text, size_t n);

// How many of the n bytes, from the start, are valid UTF-8 (n if all are).
size_t text_valid_bytes(const char *text, size_t n);

// Appends valid UTF-8 of n bytes in its normal form: composed (NFC), every run of white space as one space, lowercase.
void text_append_normalized(TextBuffer *buffer, const char *text, size_t n);

// Is the character (its first byte) at text[0..n), n > 0, part of a word, as \w has it: letter, mark, number or joiner
// like '_'. text_last_is_word asks about the last character instead.
bool text_first_is_word(const char *text, size_t n);
bool text_last_is_word(const char *text, size_t n);
