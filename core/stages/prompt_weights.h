// prompt_weights.h - "a (red:1.3) cat": brackets that say which words matter more
//
// Where: before the tokenizer, for those who ask for it; without being asked, a bracket is a bracket. What becomes of a
// weight stands in run/prompts.c. Elsewhere: the web UIs, of which AUTOMATIC1111's (parse_prompt_attention) came first
// and is followed here; Compel has another notation. CLIP was never trained on weighted words: this is a trick that
// works, not a part of the model.
//
//     (word)       1.1                 [word]       1 / 1.1            \( \) \[ \]   a bracket that is text
//     (word:1.3)   1.3                 ((word))     1.1 * 1.1          \\            a backslash
//
// Brackets nest, and their weights are multiplied. One that is never closed reaches to the end; one that was never
// opened is text; a backslash before anything else is dropped. What the web UIs also know, changes of the prompt between
// steps ("[cat:dog:0.5]", "[cat|dog]") and BREAK, is text in brackets here, and a word.

#pragma once

#include "base/error.h"
#include "stages/tokenizer_text.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct Fragment {
    size_t start, end;  // bytes of WeightedPrompt.text
    double weight;
} Fragment;

typedef struct WeightedPrompt {
    char *text;           // the prompt without the brackets that meant something
    Fragment *fragments;  // [count] one behind the other, none empty, all of text; neighbours differ in weight
    size_t count;
} WeightedPrompt;

enum { PROMPT_WEIGHT_MAX = 1000, PROMPT_BRACKETS_MAX = 100 };

// False and an error for a weight that is no number ("(word:1.2.3)") or beyond +-PROMPT_WEIGHT_MAX, and for more than
// PROMPT_BRACKETS_MAX open brackets of one kind. prompt may be any bytes. Give out back with weighted_prompt_free.
bool prompt_weights_read(const char *prompt, WeightedPrompt *out, Error *error);
void weighted_prompt_free(WeightedPrompt *prompt);

// The other way round: appends n bytes of text so that they are read as that text, of this weight. The weight is written
// with nine decimals.
void prompt_weights_write(TextBuffer *prompt, const char *text, size_t n, double weight);
