// tokenizer_unicode.h - what the reference knows of Unicode, where the installed libraries may know more or less
//
// Unicode grows each year, and each library knows the version it was built with. The reference lives in three: it
// composes (NFC) as Unicode 9 did, takes letters and digits from 16 and capitals from 17. pcre2 and utf8proc are, in
// today's distributions, at 14 or later. What makes the difference stands here, so that a prompt has the same ids as in
// transformers and on every machine. None of it matters to a prompt in English.
// Source: UnicodeData.txt of versions 9 to 18, held against tokenizers 0.23.3.

#pragma once

#include <stdbool.h>
#include <stdint.h>

// Letters (general category L) and numbers (N) of Unicode 15 and 16, for a character class of pcre2.
#define NEW_LETTERS                                                                                                    \
    "\\x{1c89}-\\x{1c8a}\\x{a7cb}-\\x{a7cd}\\x{a7da}-\\x{a7dc}\\x{105c0}-\\x{105f3}\\x{10d4a}-\\x{10d65}"              \
    "\\x{10d6f}-\\x{10d85}\\x{10ec2}-\\x{10ec4}\\x{1123f}-\\x{11240}\\x{11380}-\\x{11389}\\x{1138b}\\x{1138e}"         \
    "\\x{11390}-\\x{113b5}\\x{113b7}\\x{113d1}\\x{113d3}\\x{11bc0}-\\x{11be0}\\x{11f02}\\x{11f04}-\\x{11f10}"          \
    "\\x{11f12}-\\x{11f33}\\x{1342f}\\x{13441}-\\x{13446}\\x{13460}-\\x{143fa}\\x{16100}-\\x{1611d}"                   \
    "\\x{16d40}-\\x{16d6c}\\x{18cff}\\x{1b132}\\x{1b155}\\x{1df25}-\\x{1df2a}\\x{1e030}-\\x{1e06d}"                    \
    "\\x{1e4d0}-\\x{1e4eb}\\x{1e5d0}-\\x{1e5ed}\\x{1e5f0}\\x{2b739}\\x{2ebf0}-\\x{2ee5d}\\x{31350}-\\x{323af}"
#define NEW_NUMBERS                                                                                                    \
    "\\x{10d40}-\\x{10d49}\\x{116d0}-\\x{116e3}\\x{11bf0}-\\x{11bf9}\\x{11f50}-\\x{11f59}\\x{16130}-\\x{16139}"        \
    "\\x{16d70}-\\x{16d79}\\x{1ccf0}-\\x{1ccf9}\\x{1d2c0}-\\x{1d2d3}\\x{1e4f0}-\\x{1e4f9}\\x{1e5f1}-\\x{1e5fa}"

// Does NFC leave the character and its neighbours alone: the combining marks, and halves of composed characters, that
// came after Unicode 9. (The reference neither reorders nor composes across them.)
bool unicode_is_inert(int32_t character);

// The small letter of a capital; any other character itself. U+0130, which becomes two characters, isn't for this.
int32_t unicode_lowercase(int32_t character);

// Is the character part of a word, as Unicode Technical Standard 18 defines \w: alphabetic, a mark, a digit, a joiner
// (of the Unicode that utf8proc knows; only added tokens with single_word ask).
bool unicode_is_word(int32_t character);

// White_Space of the Unicode Character Database (PropList.txt): 25 characters.
bool unicode_is_space(int32_t character);
