// bpe.h - byte pair encoding: spelling any word with a fixed set of pieces
//
// Where: the last step of the tokenizer; tokenizer.c cuts a prompt into words, this spells each word.
// Elsewhere: tokenizers.models.BPE; encoder and bpe_ranks in OpenAI's clip/simple_tokenizer.py.
// Paper: Sennrich, Haddow & Birch 2016 (arXiv 1508.07909), on bytes as in Radford et al. 2019 (GPT-2), section 2.2.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// One line of merges.txt: left and right, side by side in a word, become merged. Earlier lines go first.
typedef struct BpeMerge {
    uint32_t left, right;
    uint32_t merged;
    uint32_t rank;  // the line's number; BPE_NO_RANK in an empty slot of the table
} BpeMerge;

enum { BPE_NO_RANK = UINT32_MAX };

typedef struct Bpe {
    char **pieces;  // [size] id -> piece, as vocab.json spells it ("hippo</w>"); owned
    size_t size;

    uint32_t *piece_table;  // [piece_slots] hash table of ids, by piece
    size_t piece_slots;     // a power of two, at least twice what it holds; so is merge_slots
    BpeMerge *merge_table;  // [merge_slots] hash table, by (left, right)
    size_t merge_slots;

    uint32_t unknown;               // what stands for a byte that has no piece
    uint32_t byte_piece[256];       // the piece of one byte inside a word
    uint32_t last_byte_piece[256];  // and of a word's last byte, with "</w>"
} Bpe;

// A piece of a word: which one, and how many of the word's bytes it spells.
typedef struct BpePiece {
    uint32_t id;
    uint32_t bytes;
} BpePiece;

// Takes over pieces [size] (all set, malloc'ed one by one in a malloc'ed array) and makes room for merge_count merges.
void bpe_open(Bpe *bpe, char **pieces, size_t size, size_t merge_count);
void bpe_close(Bpe *bpe);

// The id of a piece of n bytes; -1 if there is none.
int64_t bpe_find(const Bpe *bpe, const char *piece, size_t n);

// Adds a merge of two pieces by name; a pair named twice keeps the later rank, as the reference does. False when left,
// right or the two together aren't in the vocabulary; *missing then says which (0, 1, 2).
bool bpe_add_merge(Bpe *bpe, const char *left, size_t left_n, const char *right, size_t right_n, uint32_t rank,
                   int *missing);

// Looks up the pieces of single bytes; unknown stands in for those that the vocabulary lacks.
void bpe_set_bytes(Bpe *bpe, uint32_t unknown);

// Gives a further token the next id. It is never found by bpe_find nor made by merging. Returns its id.
uint32_t bpe_append(Bpe *bpe, const char *piece);

// Spells a word of n > 0 bytes. pieces has room for n; returns how many it took. O(n log n).
size_t bpe_encode(const Bpe *bpe, const char *word, size_t n, BpePiece *pieces);

// The character that stands for a byte in vocab.json, as UTF-8 with '\0'. Files of text can't hold every byte as
// itself, so printable bytes of Latin-1 stand for themselves and the other 68 for U+0100, U+0101 and on, in order.
// Elsewhere: bytes_to_unicode() in simple_tokenizer.py.
typedef struct ByteCharacter {
    char text[3];
} ByteCharacter;
ByteCharacter byte_character(uint8_t byte);
