// bpe.c - see bpe.h
//
// Training (done long ago, by OpenAI) began with single bytes and again and again made a new piece of the pair that
// stood side by side most often. The list of those merges, in the order of their making, is merges.txt. Spelling a
// word replays it: from single bytes, always the earliest merge that fits, until none does. Common words end as one
// piece, rare words as a few, and nothing is ever unspellable, since at worst each byte is a piece of its own.
//
//     h i p p o</w>  ->  h i pp o</w>  ->  hi pp o</w>  ->  hi ppo</w>  ->  hippo</w>
//
// Read next: tokenizer.c, which cuts a prompt into words and puts the ids in order for the text encoder.

#include "stages/bpe.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

enum { NO_PIECE = UINT32_MAX };

// ---- The two tables -----------------------------------------------------------------------------------------------
//
// Open addressing: a key's hash names a slot; if another key sits there, the next slot, and so on to an empty one. The
// tables stay half empty, so that a look-up takes a step or two however large the vocabulary is.

static uint64_t hash_bytes(const char *bytes, size_t n) {  // FNV-1a
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < n; i++) hash = (hash ^ (uint8_t)bytes[i]) * 1099511628211u;
    return hash ^ hash >> 32;
}

static uint64_t hash_pair(uint32_t left, uint32_t right) {
    uint64_t hash = ((uint64_t)left << 32 | right) * 11400714819323198485u;  // Fibonacci hashing (Knuth 6.4)
    return hash ^ hash >> 32;
}

static size_t table_slots(size_t count) {
    size_t slots = 16;
    while (slots < 2 * count) slots *= 2;
    return slots;
}

// The slot that holds the piece, or the empty one where it would go.
static uint32_t *piece_slot(const Bpe *bpe, const char *piece, size_t n) {
    size_t slot = hash_bytes(piece, n) & (bpe->piece_slots - 1);
    while (bpe->piece_table[slot] != NO_PIECE) {
        const char *there = bpe->pieces[bpe->piece_table[slot]];
        if (strlen(there) == n && memcmp(there, piece, n) == 0) break;  // merges.txt may hold zero bytes
        slot = (slot + 1) & (bpe->piece_slots - 1);
    }
    return &bpe->piece_table[slot];
}

static BpeMerge *merge_slot(const Bpe *bpe, uint32_t left, uint32_t right) {
    size_t slot = hash_pair(left, right) & (bpe->merge_slots - 1);
    while (bpe->merge_table[slot].rank != BPE_NO_RANK) {
        if (bpe->merge_table[slot].left == left && bpe->merge_table[slot].right == right) break;
        slot = (slot + 1) & (bpe->merge_slots - 1);
    }
    return &bpe->merge_table[slot];
}

void bpe_open(Bpe *bpe, char **pieces, size_t size, size_t merge_count) {
    *bpe = (Bpe){.pieces = pieces, .size = size};
    bpe->piece_slots = table_slots(size);
    bpe->piece_table = malloc(bpe->piece_slots * sizeof *bpe->piece_table);
    bpe->merge_slots = table_slots(merge_count);
    bpe->merge_table = malloc(bpe->merge_slots * sizeof *bpe->merge_table);
    CHECK(bpe->piece_table && bpe->merge_table, "no memory for %zu pieces, %zu merges", size, merge_count);
    for (size_t i = 0; i < bpe->piece_slots; i++) bpe->piece_table[i] = NO_PIECE;
    for (size_t i = 0; i < bpe->merge_slots; i++) bpe->merge_table[i].rank = BPE_NO_RANK;
    for (size_t id = 0; id < size; id++) *piece_slot(bpe, pieces[id], strlen(pieces[id])) = (uint32_t)id;
}

void bpe_close(Bpe *bpe) {
    for (size_t id = 0; id < bpe->size; id++) free(bpe->pieces[id]);
    free(bpe->pieces);
    free(bpe->piece_table);
    free(bpe->merge_table);
    *bpe = (Bpe){0};
}

int64_t bpe_find(const Bpe *bpe, const char *piece, size_t n) {
    uint32_t id = *piece_slot(bpe, piece, n);
    return id == NO_PIECE ? -1 : (int64_t)id;
}

bool bpe_add_merge(Bpe *bpe, const char *left, size_t left_n, const char *right, size_t right_n, uint32_t rank,
                   int *missing) {
    char *both = malloc(left_n + right_n + 1);
    CHECK(both, "no memory for a piece of %zu bytes", left_n + right_n);
    memcpy(both, left, left_n);
    memcpy(both + left_n, right, right_n);
    int64_t ids[3] = {bpe_find(bpe, left, left_n), bpe_find(bpe, right, right_n),
                      bpe_find(bpe, both, left_n + right_n)};
    free(both);
    for (*missing = 0; *missing < 3; (*missing)++) {
        if (ids[*missing] < 0) return false;
    }
    BpeMerge merge = {.left = (uint32_t)ids[0], .right = (uint32_t)ids[1], .merged = (uint32_t)ids[2], .rank = rank};
    *merge_slot(bpe, merge.left, merge.right) = merge;
    return true;
}

void bpe_set_bytes(Bpe *bpe, uint32_t unknown) {
    bpe->unknown = unknown;
    for (int byte = 0; byte < 256; byte++) {
        char piece[8];
        strcpy(piece, byte_character((uint8_t)byte).text);
        int64_t inside = bpe_find(bpe, piece, strlen(piece));
        strcat(piece, "</w>");
        int64_t last = bpe_find(bpe, piece, strlen(piece));
        bpe->byte_piece[byte] = inside < 0 ? unknown : (uint32_t)inside;
        bpe->last_byte_piece[byte] = last < 0 ? unknown : (uint32_t)last;
    }
}

uint32_t bpe_append(Bpe *bpe, const char *piece) {
    char **pieces = realloc(bpe->pieces, (bpe->size + 1) * sizeof *pieces);
    char *copy = strdup(piece);
    CHECK(pieces && copy, "no memory for piece %zu", bpe->size);
    bpe->pieces = pieces;
    bpe->pieces[bpe->size] = copy;
    return (uint32_t)bpe->size++;
}

ByteCharacter byte_character(uint8_t byte) {
    unsigned character = byte;
    if (byte <= ' ')
        character = 0x100 + byte;  // 33 control characters and the space
    else if (byte >= 0x7f && byte <= 0xa0)
        character = 0x121 + byte - 0x7f;  // 34 more, and the no-break space
    else if (byte == 0xad)
        character = 0x143;  // the soft hyphen
    if (character < 0x80) return (ByteCharacter){{(char)character}};
    return (ByteCharacter){{(char)(0xc0 | character >> 6), (char)(0x80 | (character & 0x3f))}};
}

// ---- Spelling a word ----------------------------------------------------------------------------------------------
//
// The pieces so far are a linked list over the word's bytes, so that merging two is O(1). The merges that could be done
// wait in a heap, the earliest rank first and of equals the leftmost. A merge changes its neighbours, so what waits may
// be out of date when its turn comes; it is looked at again then.

typedef struct Link {
    uint32_t id;
    uint32_t bytes;           // 0: swallowed by its left neighbour
    uint32_t previous, next;  // indices of links; NO_LINK at the word's ends
} Link;

typedef struct Waiting {
    uint32_t rank;
    uint32_t left;    // index of the left link
    uint32_t merged;  // the piece that the merge would make
} Waiting;

typedef struct Heap {
    Waiting *items;
    size_t count;
} Heap;

enum { NO_LINK = UINT32_MAX };

static bool goes_first(Waiting a, Waiting b) { return a.rank != b.rank ? a.rank < b.rank : a.left < b.left; }

static void heap_push(Heap *heap, Waiting item) {
    size_t at = heap->count++;
    for (; at > 0 && goes_first(item, heap->items[(at - 1) / 2]); at = (at - 1) / 2) {
        heap->items[at] = heap->items[(at - 1) / 2];
    }
    heap->items[at] = item;
}

static Waiting heap_pop(Heap *heap) {
    Waiting first = heap->items[0], item = heap->items[--heap->count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= heap->count) break;
        if (child + 1 < heap->count && goes_first(heap->items[child + 1], heap->items[child])) child++;
        if (!goes_first(heap->items[child], item)) break;
        heap->items[at] = heap->items[child];
        at = child;
    }
    heap->items[at] = item;
    return first;
}

// Puts the merge of a link and its right neighbour into the heap, if there is such a merge.
static void consider(const Bpe *bpe, Heap *heap, const Link *links, uint32_t left) {
    if (left == NO_LINK || links[left].next == NO_LINK) return;
    const BpeMerge *merge = merge_slot(bpe, links[left].id, links[links[left].next].id);
    if (merge->rank == BPE_NO_RANK) return;
    heap_push(heap, (Waiting){.rank = merge->rank, .left = left, .merged = merge->merged});
}

// Does a waiting merge, unless it is out of date.
static void merge(const Bpe *bpe, Heap *heap, Link *links, Waiting waiting) {
    Link *left = &links[waiting.left];
    if (left->bytes == 0 || left->next == NO_LINK) return;
    Link *right = &links[left->next];
    const BpeMerge *now = merge_slot(bpe, left->id, right->id);
    if (now->rank == BPE_NO_RANK || now->merged != waiting.merged) return;

    left->id = waiting.merged;
    left->bytes += right->bytes;
    left->next = right->next;
    right->bytes = 0;
    if (left->next != NO_LINK) links[left->next].previous = waiting.left;
    consider(bpe, heap, links, left->previous);
    consider(bpe, heap, links, waiting.left);
}

size_t bpe_encode(const Bpe *bpe, const char *word, size_t n, BpePiece *pieces) {
    CHECK(n > 0 && n < UINT32_MAX / 4, "a word of %zu bytes", n);
    Link *links = malloc(n * sizeof *links);
    // n - 1 merges wait at the start and each of at most n - 1 done adds two
    Heap heap = {.items = malloc(3 * n * sizeof *heap.items)};
    CHECK(links && heap.items, "no memory for a word of %zu bytes", n);

    for (size_t i = 0; i < n; i++) {
        uint8_t byte = (uint8_t)word[i];
        bool last = i + 1 == n;
        links[i] = (Link){.id = last ? bpe->last_byte_piece[byte] : bpe->byte_piece[byte],
                          .bytes = 1,
                          .previous = i > 0 ? (uint32_t)i - 1 : NO_LINK,
                          .next = last ? NO_LINK : (uint32_t)i + 1};
    }
    for (size_t i = 0; i < n; i++) consider(bpe, &heap, links, (uint32_t)i);
    while (heap.count > 0) merge(bpe, &heap, links, heap_pop(&heap));

    size_t count = 0;
    for (uint32_t i = 0; i != NO_LINK; i = links[i].next) {
        pieces[count++] = (BpePiece){.id = links[i].id, .bytes = links[i].bytes};
    }
    free(links);
    free(heap.items);
    return count;
}
