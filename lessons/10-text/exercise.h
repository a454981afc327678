// exercise.h - lesson 10: the functions to be written, as their check calls them

#pragma once

#include "stages/bpe.h"

// Spells a word with the vocabulary's pieces. It begins as one piece a byte: bpe->byte_piece[byte], and for the word's
// last byte bpe->last_byte_piece[byte], which has "</w>" in it. Then, again and again: of all merges whose left and right
// stand side by side in the word, the one with the lowest rank is done, where it fits first (from the left); until none
// fits any more. To merge is to put `merged` where left and right stood, and the word is a piece shorter.
//
//     merges  [merge_count]  left, right, merged and rank of each (stages/bpe.h). They stand in no order
//     word    [n]            its bytes, n > 0, without '\0' at the end
//     pieces  [n]            to be filled: room for the spelling at its longest
//
// Returns how many pieces it took.
size_t bpe_spell(const Bpe *bpe, const BpeMerge *merges, size_t merge_count, const char *word, size_t n,
                 uint32_t *pieces);

// What the text encoder is given, always `length` ids: the start token, the prompt's tokens, the end token, and padding up
// to the end. A prompt that is too long loses its last tokens, but never the end token.
//
//     tokens  [count]   the prompt's, without ends; may be none
//     ids     [length]  to be filled; length is at least 2
//
// Returns how many ids stand before the padding, both ends included.
size_t pack_ids(const uint32_t *tokens, size_t count, uint32_t start_id, uint32_t end_id, uint32_t pad_id,
                size_t length, uint32_t *ids);

// Who looks at whom, in one head of the text encoder:
//
//     score[i,j] = q[i] . k[j] / sqrt(d)       for j <= i: a token sees itself and those before it
//     p[i,:]     = softmax(score[i,:])         e^score, divided by their sum over the tokens that i sees; 0 for the others
//
// Scores may be in the hundreds. e^ of that is no float, but subtracting the row's largest score from all of them changes
// nothing in p.
//
//     q, k  [length, d]
//     p     [length, length]  to be filled: row i is what token i looks at
void causal_probabilities(const float *q, const float *k, size_t length, size_t d, float *p);
