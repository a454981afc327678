// exercise.c - lesson 10: spell words, fill 77 places, and look only back
//
// exercise.h says what goes in and comes out. `make check N=10` says how far you are, and what your mask does to a
// picture. They are about 25, 8 and 12 lines, and can be written one by one.

#include "exercise.h"

#include <math.h>

size_t bpe_spell(const Bpe *bpe, const BpeMerge *merges, size_t merge_count, const char *word, size_t n,
                 uint32_t *pieces) {
    return 0;  // Here. A char may be negative: (uint8_t)word[i] is the byte
}

size_t pack_ids(const uint32_t *tokens, size_t count, uint32_t start_id, uint32_t end_id, uint32_t pad_id,
                size_t length, uint32_t *ids) {
    return 0;  // and here
}

void causal_probabilities(const float *q, const float *k, size_t length, size_t d, float *p) {
    // and here
}
