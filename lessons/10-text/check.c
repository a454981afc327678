// check.c - lesson 10: random words, prompts of all lengths, random heads
//
// The right numbers are those of core/stages/bpe.c and core/ops/attention.c. The mistakes are written as what they compute.
// Read next: check/check.h.

#include "exercise.h"

#include "check/check.h"

#include "base/check.h"
#include "demo/demo.h"
#include "demo/network.h"
#include "ops/attention.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CASES = 30 };

// Whole numbers that were written into one of the case's arrays, as the floats that check_values compares: the first
// `count`, and -1 for the others up to n. What is still unwritten stays so.
static float *as_floats(Check *check, const char *name, const uint32_t *whole, size_t count, size_t n) {
    float *out = check_output(check, name, shape1(n));
    for (size_t i = 0; i < n; i++) {
        if (i >= count)
            out[i] = -1;
        else if (memcmp(&whole[i], &out[i], sizeof *out) != 0)
            out[i] = (float)whole[i];
    }
    return out;
}

// ---- bpe_spell ------------------------------------------------------------------------------------------------------

enum { LONGEST_WORD = 48 };

typedef struct Word {
    const Bpe *bpe;
    const BpeMerge *merges;  // [merge_count], shuffled
    size_t merge_count;
    char text[LONGEST_WORD + 1];
    size_t n;
} Word;

static void right_pieces(const void *question, float *out) {
    const Word *word = question;
    BpePiece pieces[LONGEST_WORD];
    size_t count = bpe_encode(word->bpe, word->text, word->n, pieces);
    for (size_t i = 0; i < word->n; i++) out[i] = i < count ? (float)pieces[i].id : -1;
}

typedef enum Ends { LAST_BYTE, NO_BYTE, EVERY_BYTE } Ends;  // has "</w>"
typedef enum Choice { LOWEST_RANK, LOWEST_RANK_RIGHTMOST, HIGHEST_RANK, LEFTMOST, RIGHTMOST, LIST_ORDER } Choice;

typedef struct Fit {
    const BpeMerge *merge;  // NULL: none
    size_t where;
} Fit;

static bool is_better(const Fit *a, const Fit *than, Choice choice) {
    if (!than->merge || choice == RIGHTMOST) return true;
    if (choice == LOWEST_RANK) return a->merge->rank < than->merge->rank;
    if (choice == LOWEST_RANK_RIGHTMOST) return a->merge->rank <= than->merge->rank;
    if (choice == HIGHEST_RANK) return a->merge->rank > than->merge->rank;
    return choice == LIST_ORDER && a->merge < than->merge;
}

static Fit best_fit(const Word *word, const uint32_t *pieces, size_t count, Choice choice) {
    Fit best = {0};
    for (size_t i = 0; i + 1 < count; i++) {
        for (size_t m = 0; m < word->merge_count; m++) {
            Fit fit = {&word->merges[m], i};
            if (fit.merge->left != pieces[i] || fit.merge->right != pieces[i + 1]) continue;
            if (is_better(&fit, &best, choice)) best = fit;
        }
    }
    return best;
}

// By at most so many merges
static void spell(const void *question, Ends ends, Choice choice, size_t limit, float *out) {
    const Word *word = question;
    uint32_t pieces[LONGEST_WORD];
    size_t count = word->n;
    for (size_t i = 0; i < count; i++) {
        uint8_t byte = (uint8_t)word->text[i];
        bool has_end = ends == EVERY_BYTE || (ends == LAST_BYTE && i + 1 == word->n);
        pieces[i] = has_end ? word->bpe->last_byte_piece[byte] : word->bpe->byte_piece[byte];
    }
    for (size_t done = 0; done < limit; done++) {
        Fit fit = best_fit(word, pieces, count, choice);
        if (!fit.merge) break;
        pieces[fit.where] = fit.merge->merged;
        count--;
        for (size_t i = fit.where + 1; i < count; i++) pieces[i] = pieces[i + 1];
    }
    for (size_t i = 0; i < word->n; i++) out[i] = i < count ? (float)pieces[i] : -1;
}

static void no_merge(const void *q, float *out) { spell(q, LAST_BYTE, LOWEST_RANK, 0, out); }
static void one_merge(const void *q, float *out) { spell(q, LAST_BYTE, LOWEST_RANK, 1, out); }
static void highest(const void *q, float *out) { spell(q, LAST_BYTE, HIGHEST_RANK, SIZE_MAX, out); }
static void leftmost(const void *q, float *out) { spell(q, LAST_BYTE, LEFTMOST, SIZE_MAX, out); }
static void rightmost(const void *q, float *out) { spell(q, LAST_BYTE, RIGHTMOST, SIZE_MAX, out); }
static void list_order(const void *q, float *out) { spell(q, LAST_BYTE, LIST_ORDER, SIZE_MAX, out); }
static void equal_right(const void *q, float *out) { spell(q, LAST_BYTE, LOWEST_RANK_RIGHTMOST, SIZE_MAX, out); }
static void no_end(const void *q, float *out) { spell(q, NO_BYTE, LOWEST_RANK, SIZE_MAX, out); }
static void ends_everywhere(const void *q, float *out) { spell(q, EVERY_BYTE, LOWEST_RANK, SIZE_MAX, out); }

static const CheckMistake SPELL_MISTAKES[] = {
    {"You merged nothing: these are the single bytes that the word begins as.", no_merge},
    {"You stopped after one merge: go on until no merge fits any more.", one_merge},
    {"You forgot </w>: the word's last byte begins as last_byte_piece, or \"cat\" inside a word would be the word cat.",
     no_end},
    {"Every byte got </w>: only the word's last one begins as last_byte_piece.", ends_everywhere},
    {"The highest rank went first: low ranks are early merges, and later ones are built on them.", highest},
    {"You took the first pair from the left that fits, whatever its rank: look at all pairs, the lowest rank goes "
     "first.",
     leftmost},
    {"You took the last pair that fits, whatever its rank: look at all pairs, the lowest rank goes first.", rightmost},
    {"You took the merge that stands first in the list: they stand in no order, and rank says which goes first.",
     list_order},
    {"Of equal ranks you took the rightmost: it is the leftmost that goes first.", equal_right},
    {NULL, NULL},
};

// A piece of the vocabulary that isn't a byte, without its "</w>", behind the word
static void append_piece(Check *check, Word *word) {
    const size_t bytes = 512;  // the vocabulary begins with 256 bytes, and 256 with "</w>"; the ends are its last two
    const char *piece = word->bpe->pieces[check_pick(check, bytes, word->bpe->size - 3)];
    size_t n = strcspn(piece, "<");
    if (word->n + n > LONGEST_WORD) return;
    memcpy(word->text + word->n, piece, n);
    word->n += n;
}

// Whether ways to choose the next merge can be told apart by what they make of this word
static bool is_telling(const Word *word, CheckAnswer *const *ways, size_t count) {
    float spelt[8][LONGEST_WORD];
    for (size_t i = 0; i < count; i++) {
        ways[i](word, spelt[i]);
        for (size_t other = 0; other < i; other++) {
            if (memcmp(spelt[i], spelt[other], word->n * sizeof **spelt) == 0) return false;
        }
    }
    return true;
}

static void append_letter(Word *word, char letter) {
    if (word->n < LONGEST_WORD) word->text[word->n++] = letter;
}

// The merges of a vocabulary, shuffled
static BpeMerge *merges_of(Check *check, const Bpe *bpe, size_t *count) {
    BpeMerge *merges = malloc(bpe->merge_slots * sizeof *merges);
    CHECK(merges, "no memory");
    *count = 0;
    for (size_t slot = 0; slot < bpe->merge_slots; slot++) {
        if (bpe->merge_table[slot].rank == BPE_NO_RANK) continue;
        size_t at = check_pick(check, 0, *count);
        merges[(*count)++] = merges[at];
        merges[at] = bpe->merge_table[slot];
    }
    return merges;
}

static void check_word(Check *check, Word *word) {
    check_case(check, "the word \"%s\"; pieces: their ids, -1 behind the last", word->text);
    uint32_t *pieces = (uint32_t *)check_output(check, "pieces", shape1(word->n));
    size_t count = bpe_spell(word->bpe, word->merges, word->merge_count, word->text, word->n, pieces);
    if (count > word->n) check_wrong(check, "You returned %zu pieces for a word of %zu bytes.", count, word->n);

    BpePiece right[LONGEST_WORD];
    size_t right_count = bpe_encode(word->bpe, word->text, word->n, right), alike = 0;
    while (alike < right_count && pieces[alike] == right[alike].id) alike++;
    if (alike == right_count && count != right_count) {
        check_wrong(check, "The pieces are right, but you returned %zu: that many are %zu.", count, right_count);
    }
    if (count == 0) check_wrong(check, "You returned 0 pieces: a word has at least one.");
    check_values(check, as_floats(check, "pieces", pieces, count, word->n), word, right_pieces, SPELL_MISTAKES);
}

// The only pair of twice the same piece is p p: where three stand side by side, it matters which are merged first. That
// is what `repeated` is for, and else there are none.
static void make_word(Check *check, Word *word, bool repeated) {
    word->n = 0, memset(word->text, 0, sizeof word->text);
    if (check_pick(check, 0, 2) == 0) append_letter(word, (char)('a' + check_pick(check, 0, 25)));
    for (size_t p = check_pick(check, 1, 3); p > 0; p--) append_piece(check, word);
    if (!repeated) return;
    for (size_t p = 2 * check_pick(check, 1, 4) + 1; p > 0; p--) append_letter(word, 'p');
    append_piece(check, word);
}

static void check_words(Check *check, bool repeated, CheckAnswer *const *ways, size_t count) {
    Error error = {0};
    Tokenizer *tokenizer = tokenizer_open("data/models/critters/tokenizer", &error);
    CHECK(tokenizer, "%s", error.message);
    for (size_t i = 0; i < CASES; i++) {
        Word word = {.bpe = &tokenizer->bpe};
        BpeMerge *merges = merges_of(check, word.bpe, &word.merge_count);
        word.merges = merges;
        do make_word(check, &word, repeated);
        while (!is_telling(&word, ways, count) || (!repeated && strstr(word.text, "ppp")));
        check_word(check, &word);
        free(merges);
    }
    tokenizer_close(tokenizer);
}

static void check_spell(Check *check) {
    static CheckAnswer *const WAYS[] = {right_pieces, no_end, highest, leftmost, rightmost, list_order};
    check_words(check, false, WAYS, sizeof WAYS / sizeof *WAYS);
}

static void check_repeated(Check *check) {
    static CheckAnswer *const WAYS[] = {right_pieces, equal_right, rightmost};
    check_words(check, true, WAYS, sizeof WAYS / sizeof *WAYS);
}

// ---- pack_ids -------------------------------------------------------------------------------------------------------

typedef struct Prompt {
    const uint32_t *tokens;
    size_t count, length;
    uint32_t start, end, pad;
} Prompt;

static size_t fitting(const Prompt *q) { return q->count < q->length - 2 ? q->count : q->length - 2; }

// start, so many tokens from `first` on, end, and padding; a 0 for start or end leaves it out
static void pack(const Prompt *q, uint32_t start, size_t first, size_t kept, uint32_t end, uint32_t pad, float *out) {
    size_t used = 0;
    if (start) out[used++] = (float)start;
    for (size_t i = 0; i < kept && used < q->length; i++) out[used++] = (float)q->tokens[first + i];
    if (end && used < q->length) out[used++] = (float)end;
    while (used < q->length) out[used++] = (float)pad;
}

static void right_ids(const void *question, float *out) {
    const Prompt *q = question;
    pack(q, q->start, 0, fitting(q), q->end, q->pad, out);
}

static void no_start(const void *question, float *out) {
    const Prompt *q = question;
    pack(q, 0, 0, fitting(q), q->end, q->pad, out);
}

static void no_end_token(const void *question, float *out) {
    const Prompt *q = question;
    pack(q, q->start, 0, fitting(q), 0, q->pad, out);
}

static void pads_with_0(const void *question, float *out) {
    const Prompt *q = question;
    pack(q, q->start, 0, fitting(q), q->end, 0, out);
}

static void pads_with_end(const void *question, float *out) {
    const Prompt *q = question;
    pack(q, q->start, 0, fitting(q), q->end, q->end, out);
}

static void end_is_last(const void *question, float *out) {
    const Prompt *q = question;
    pack(q, q->start, 0, fitting(q), 0, q->pad, out);
    out[q->length - 1] = (float)q->end;
}

static void cut_without_end(const void *question, float *out) {
    const Prompt *q = question;
    pack(q, q->start, 0, fitting(q) + (q->count > fitting(q)), 0, q->pad, out);
}

static void keeps_the_last(const void *question, float *out) {
    const Prompt *q = question;
    pack(q, q->start, q->count - fitting(q), fitting(q), q->end, q->pad, out);
}

static void keeps_one_less(const void *question, float *out) {
    const Prompt *q = question;
    pack(q, q->start, 0, fitting(q) - 1, q->end, q->pad, out);
}

static const CheckMistake PACK_MISTAKES[] = {
    {"The start token is missing: it is ids[0], and the prompt's first token is ids[1].", no_start},
    {"The end token stands at the very end: it comes right behind the prompt, and the padding behind it.", end_is_last},
    {"The end token is missing: it stands behind the prompt's last token, before the padding.", no_end_token},
    {"The prompt was cut without an end token: keep length - 2 tokens, so that both ends have a place.",
     cut_without_end},
    {"You padded with 0: pad with pad_id, which is what the model was trained with.", pads_with_0},
    {"You padded with end_id: Stable Diffusion 1 does, but 2 has another padding. Use pad_id.", pads_with_end},
    {"You cut the prompt's beginning: it is the end of it that is lost.", keeps_the_last},
    {"One token too many was cut: length - 2 of them fit.", keeps_one_less},
    {NULL, NULL},
};

static void right_used(const void *q, float *out) { *out = (float)fitting(q) + 2; }
static void used_without_ends(const void *q, float *out) { *out = (float)fitting(q); }
static void used_with_start(const void *q, float *out) { *out = (float)fitting(q) + 1; }
static void used_is_length(const void *q, float *out) { *out = (float)((const Prompt *)q)->length; }
static void used_uncut(const void *q, float *out) { *out = (float)((const Prompt *)q)->count + 2; }

static const CheckMistake USED_MISTAKES[] = {
    {"You returned how many tokens were kept: both ends count as well.", used_without_ends},
    {"One of the two ends isn't counted in what you returned.", used_with_start},
    {"You returned length, which is always the same: say how many ids stand before the padding.", used_is_length},
    {"You returned count + 2 for a prompt that was cut: only what was kept counts.", used_uncut},
    {NULL, NULL},
};

static void check_pack(Check *check, bool too_long) {
    for (size_t i = 0; i < CASES; i++) {
        Prompt q = {.length = i % 4 == 0 ? 77 : check_pick(check, 6, 20)};
        q.count = too_long ? check_pick(check, q.length - 1, q.length + 20) : check_pick(check, 1, q.length - 3);
        if (!too_long && i % 10 == 9) q.count = 0;
        check_case(check, "a prompt of %zu tokens, length %zu", q.count, q.length);
        q.start = (uint32_t)check_pick(check, 1000, 1999), q.end = q.start + 1, q.pad = q.start + 2;
        uint32_t *tokens = (uint32_t *)check_input(check, "tokens", shape1(q.count ? q.count : 1));
        for (size_t t = 0; t < q.count; t++) tokens[t] = (uint32_t)check_pick(check, 1, 999);
        q.tokens = tokens;
        uint32_t *ids = (uint32_t *)check_output(check, "ids", shape1(q.length));
        size_t used = pack_ids(tokens, q.count, q.start, q.end, q.pad, q.length, ids);
        check_values(check, as_floats(check, "ids", ids, q.length, q.length), &q, right_ids, PACK_MISTAKES);
        check_number(check, "what you returned", (float)used, &q, right_used, USED_MISTAKES);
    }
}

static void check_fitting(Check *check) { check_pack(check, false); }
static void check_cut(Check *check) { check_pack(check, true); }

// ---- causal_probabilities -------------------------------------------------------------------------------------------

typedef struct Head {
    const float *q, *k;
    size_t length, d;
} Head;

static void right_head(const void *question, float *out) {
    const Head *h = question;
    attention_probabilities(
        out, h->q, h->k,
        (AttentionShape){.B = 1, .heads = 1, .Tq = h->length, .Tk = h->length, .d = h->d, .causal = true});
}

typedef bool Sees(size_t i, size_t j);
static bool backward(size_t i, size_t j) { return j <= i; }
static bool before_only(size_t i, size_t j) { return j < i; }
static bool forward(size_t i, size_t j) { return j >= i; }
static bool all(size_t i, size_t j) { return i + j < SIZE_MAX; }

// Softmax of the scores where i sees j, and of `hidden` elsewhere. power: of d in the scores
static void look(const void *question, Sees *sees, double hidden, double power, float *out) {
    const Head *h = question;
    for (size_t i = 0; i < h->length; i++) {
        float *row = out + i * h->length;
        double largest = -INFINITY, sum = 0;
        for (size_t j = 0; j < h->length; j++) {
            double dot = 0;
            for (size_t c = 0; c < h->d; c++) dot += (double)h->q[i * h->d + c] * (double)h->k[j * h->d + c];
            row[j] = (float)(sees(i, j) ? dot * pow((double)h->d, power) : hidden);
            largest = fmax(largest, (double)row[j]);
        }
        for (size_t j = 0; j < h->length; j++) {
            row[j] = isfinite(row[j]) ? (float)exp((double)row[j] - largest) : 0;
            sum += (double)row[j];
        }
        for (size_t j = 0; j < h->length; j++) row[j] = sum > 0 ? (float)((double)row[j] / sum) : 0;
    }
}

static void no_mask(const void *q, float *out) { look(q, all, -INFINITY, -0.5, out); }
static void not_itself(const void *q, float *out) { look(q, before_only, -INFINITY, -0.5, out); }
static void looks_ahead(const void *q, float *out) { look(q, forward, -INFINITY, -0.5, out); }
static void hides_by_0(const void *q, float *out) { look(q, backward, 0, -0.5, out); }
static void no_scale(const void *q, float *out) { look(q, backward, -INFINITY, 0, out); }
static void scale_by_d(const void *q, float *out) { look(q, backward, -INFINITY, -1, out); }

// Zeros for what comes later, in a finished p
static void cut(const Head *h, float *out) {
    for (size_t i = 0; i < h->length; i++) {
        for (size_t j = i + 1; j < h->length; j++) out[i * h->length + j] = 0;
    }
}

static void masks_afterwards(const void *q, float *out) { no_mask(q, out), cut(q, out); }
static void hides_by_0_and_cuts(const void *q, float *out) { hides_by_0(q, out), cut(q, out); }

// e^score without the division; with or without the largest subtracted
static void undivided(const void *question, bool shifted, float *out) {
    const Head *h = question;
    for (size_t i = 0; i < h->length; i++) {
        float *row = out + i * h->length, largest = shifted ? -INFINITY : 0;
        for (size_t j = 0; j <= i; j++) {
            double dot = 0;
            for (size_t c = 0; c < h->d; c++) dot += (double)h->q[i * h->d + c] * (double)h->k[j * h->d + c];
            row[j] = (float)(dot / sqrt((double)h->d));
            if (shifted) largest = fmaxf(largest, row[j]);
        }
        for (size_t j = 0; j < h->length; j++) row[j] = j <= i ? expf(row[j] - largest) : 0;
    }
}

static void not_divided(const void *q, float *out) { undivided(q, true, out); }
static void not_divided_nor_shifted(const void *q, float *out) { undivided(q, false, out); }

static void roles_swapped(const void *question, float *out) {
    const Head *h = question;
    right_head(&(Head){h->k, h->q, h->length, h->d}, out);
}

// e^ of the scores as they are: infinity over infinity
static void overflows(const void *question, float *out) {
    const Head *h = question;
    undivided(h, false, out);
    for (size_t i = 0; i < h->length; i++) {
        float sum = 0;
        for (size_t j = 0; j < h->length; j++) sum += out[i * h->length + j];
        for (size_t j = 0; j <= i; j++) out[i * h->length + j] /= sum;
    }
}

static const CheckMistake HEAD_MISTAKES[] = {
    {"Tokens see what comes after them: the mask is missing. Token i looks at j <= i.", no_mask},
    {"The mask came after softmax: what is left of a row no longer adds up to 1. Leave the later tokens out of the "
     "sum.",
     masks_afterwards},
    {"A token doesn't see itself here: token i looks at j <= i, not j < i.", not_itself},
    {"The mask is the wrong way round: here tokens see only what comes after them.", looks_ahead},
    {"Hidden scores became 0, and e^0 is 1: a score is hidden by minus infinity, or by leaving it out of the sum.",
     hides_by_0},
    {"Hidden scores count in the sum, with e^0 = 1: leave them out of it.", hides_by_0_and_cuts},
    {"Divide the scores by sqrt(d): the sum of d products grows with its root.", no_scale},
    {"You divided the scores by d: it is sqrt(d).", scale_by_d},
    {"Divide by the sum: the shares of a row add up to 1.", not_divided},
    {"Divide by the sum: the shares of a row add up to 1.", not_divided_nor_shifted},
    {"q and k are swapped: token i asks with q[i], and token j answers with k[j].", roles_swapped},
    {NULL, NULL},
};

static const CheckMistake LARGE_MISTAKES[] = {
    {"e^ overflowed: infinity divided by infinity. Subtract the row's largest score from its scores first.", overflows},
    {NULL, NULL},
};

static void check_heads(Check *check, float loudness, const CheckMistake *mistakes) {
    for (size_t i = 0; i < CASES; i++) {
        Head h = {.length = check_pick(check, 4, 30), .d = check_pick(check, 3, 24)};
        check_case(check, "%zu tokens, a head of %zu numbers", h.length, h.d);
        float *q = check_normal(check, "q", shape2(h.length, h.d));
        for (size_t n = 0; n < h.length * h.d; n++) q[n] *= loudness;
        h.q = q, h.k = check_normal(check, "k", shape2(h.length, h.d));
        float *p = check_output(check, "p", shape2(h.length, h.length));
        causal_probabilities(h.q, h.k, h.length, h.d, p);
        check_values(check, p, &h, right_head, mistakes);
    }
}

static void check_mask(Check *check) { check_heads(check, 1, HEAD_MISTAKES); }

static void check_large(Check *check) {
    check_tolerance(check, 1e-3f);
    check_heads(check, 150, LARGE_MISTAKES);
}

// ---- what it does to a picture --------------------------------------------------------------------------------------

// An AttentionKernel that is made of the learner's function
static void learners_attention(float *out, const float *q, const float *k, const float *v, AttentionShape s,
                               void *scratch) {
    (void)scratch;
    float *head_q = demo_floats(s.Tq * s.d), *head_k = demo_floats(s.Tk * s.d), *p = demo_floats(s.Tq * s.Tk);
    for (size_t h = 0; h < s.B * s.heads; h++) {
        size_t first = h / s.heads * s.Tq * s.heads * s.d + h % s.heads * s.d;  // of this batch and head
        for (size_t i = 0; i < s.Tq; i++) {
            memcpy(head_q + i * s.d, q + first + i * s.heads * s.d, s.d * sizeof *head_q);
            memcpy(head_k + i * s.d, k + first + i * s.heads * s.d, s.d * sizeof *head_k);
        }
        causal_probabilities(head_q, head_k, s.Tq, s.d, p);
        for (size_t i = 0; i < s.Tq; i++) {
            for (size_t c = 0; c < s.d; c++) {
                float sum = 0;
                for (size_t j = 0; j < s.Tk; j++) sum += p[i * s.Tk + j] * v[first + j * s.heads * s.d + c];
                out[first + i * s.heads * s.d + c] = sum;
            }
        }
    }
    free(head_q), free(head_k), free(p);
}

static void show(Check *check) {
    check_seconds(check, 60);
    Model *model = demo_model();
    Settings settings = demo_settings(model);
    settings.prompt = "a red cat and a blue dog";
    Network *network = network_open(model, &settings);
    float *latents = demo_floats(network->n);
    network_draw(network, network_ask, network, latents);
    Image right = demo_decode(network->run, latents);

    int64_t ids[2 * 77];
    for (int row = 0; row < 2; row++) memcpy(ids + 77 * row, run_tokens(network->run, row)->ids, 77 * sizeof *ids);
    Kernel mine = *network->ctx.kernels[OP_ATTENTION];
    const Kernel *theirs = network->ctx.kernels[OP_ATTENTION];
    mine.function = (void (*)(void))learners_attention, mine.scratch_size = NULL;
    network->ctx.kernels[OP_ATTENTION] = &mine;
    network->text = text_encoder_forward(&network->ctx, model->text_encoder, tensor_over_ids(ids, shape2(2, 77)), 0);
    network->ctx.kernels[OP_ATTENTION] = theirs;
    network_draw(network, network_ask, network, latents);
    Image yours = demo_decode(network->run, latents);
    check_picture(check, "picture.png", &yours, &right);
}

int main(void) {
    static const CheckPart PARTS[] = {
        {"bpe_spell", check_spell},
        {"bpe_spell: the same pair many times", check_repeated},
        {"pack_ids: prompts that fit", check_fitting},
        {"pack_ids: prompts that are too long", check_cut},
        {"causal_probabilities", check_mask},
        {"causal_probabilities: large scores", check_large},
    };
    return check_run("10-text", PARTS, sizeof PARTS / sizeof *PARTS, show);
}
