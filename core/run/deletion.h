// deletion.h - where in the picture does a word act? Leave it out, and see where the U-Net says something else
//
//     PromptWord words[80];
//     size_t count = prompt_words(run_tokens(run, 1), words, 80);
//     run_deletion_map(run, &words[0], NULL, map, &error);  // of the first, at the step that comes next
//
// Where: between two steps, for people who look. Cross-attention (AttentionObserver) shows where the picture looks at a
// word's token, which isn't the same: a token that is looked at may say nothing, and what a word says has also gone into
// the tokens behind it, in the text encoder. A deletion map compares two answers of the U-Net that differ in the word
// alone, so what it shows the word has caused.
// Elsewhere: occlusion maps (Zeiler & Fergus 2014, arXiv 1311.2901, section 4.2), there of pixels.
// Read next: deletion.c; ask.c for the question.

#pragma once

#include "sculpt.h"

// Tokens that stand side by side and are all of letters, digits and marks (or apostrophes between them), or all of other
// characters: a word, a number, a run of punctuation. "hippo's, 2024" has three: hippo's and , and 2024.
typedef struct PromptWord {
    size_t start, end;   // bytes of TokenIds.text
    size_t first, last;  // of its tokens that are read: TokenIds.tokens[first] .. tokens[last], ids one further
} PromptWord;

// The words of a prompt in their order, but those that were cut off; of one that was cut through, all of its text.
// Writes at most max of them, and returns how many there are: never more than TokenIds.used - 2.
size_t prompt_words(const TokenIds *tokens, PromptWord *words, size_t max);

// The prompt's text (in lower case, as TokenIds has it) without this word of it, malloc'ed. Of two spaces one remains;
// words that would become one get a space. prompt_weights: in brackets again, so that all tokens keep their weights.
char *prompt_without_word(const TokenIds *tokens, const PromptWord *word, bool prompt_weights);

// map [h, w]: how far the U-Net's answer (noise, or v) at each place moves when the prompt goes without the word,
//
//     map = sqrt(sum over the channels of (with - without)^2)
//
// about the run's latents as they are now. Words behind it move up one place, and words that were cut may come in: that
// is in the map too. noise_pred_text [4, h, w]: the answer with the whole prompt where it is known already; NULL: that is
// asked, too. One call of the U-Net, or two, as run_ask makes them. Errors: those of run_ask; a word that isn't one of
// the run's prompt.
bool run_deletion_map(Run *run, const PromptWord *word, const float *noise_pred_text, float *map, Error *error);
