// solution.c - lesson 10: spelling, packing, and the causal mask. core/stages/bpe.c spells with a heap, so that a word of a
// million bytes takes no million times a million looks; finish() in core/stages/tokenizer.c packs; core/ops/attention.c has
// the mask as visible_keys()

#include "exercise.h"

#include <math.h>

size_t bpe_spell(const Bpe *bpe, const BpeMerge *merges, size_t merge_count, const char *word, size_t n,
                 uint32_t *pieces) {
    size_t count = n;
    for (size_t i = 0; i < n; i++) {
        uint8_t byte = (uint8_t)word[i];
        pieces[i] = i + 1 < n ? bpe->byte_piece[byte] : bpe->last_byte_piece[byte];
    }
    for (;;) {
        const BpeMerge *best = NULL;
        size_t where = 0;
        for (size_t i = 0; i + 1 < count; i++) {
            for (size_t m = 0; m < merge_count; m++) {
                if (merges[m].left != pieces[i] || merges[m].right != pieces[i + 1]) continue;
                if (!best || merges[m].rank < best->rank) best = &merges[m], where = i;
            }
        }
        if (!best) return count;
        pieces[where] = best->merged;
        count--;
        for (size_t i = where + 1; i < count; i++) pieces[i] = pieces[i + 1];
    }
}

size_t pack_ids(const uint32_t *tokens, size_t count, uint32_t start_id, uint32_t end_id, uint32_t pad_id,
                size_t length, uint32_t *ids) {
    size_t kept = count < length - 2 ? count : length - 2;
    ids[0] = start_id;
    for (size_t i = 0; i < kept; i++) ids[1 + i] = tokens[i];
    ids[1 + kept] = end_id;
    for (size_t i = kept + 2; i < length; i++) ids[i] = pad_id;
    return kept + 2;
}

void causal_probabilities(const float *q, const float *k, size_t length, size_t d, float *p) {
    for (size_t i = 0; i < length; i++) {
        float *row = p + i * length, largest = -INFINITY, sum = 0;
        for (size_t j = 0; j <= i; j++) {
            row[j] = 0;
            for (size_t c = 0; c < d; c++) row[j] += q[i * d + c] * k[j * d + c];
            row[j] /= sqrtf((float)d);
            largest = fmaxf(largest, row[j]);
        }
        for (size_t j = 0; j <= i; j++) row[j] = expf(row[j] - largest), sum += row[j];
        for (size_t j = 0; j <= i; j++) row[j] /= sum;
        for (size_t j = i + 1; j < length; j++) row[j] = 0;
    }
}
