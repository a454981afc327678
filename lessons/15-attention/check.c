// check.c - lesson 15: is it attention, from few keys and many, with large scores, and without a row of them?
//
// The right numbers are those of attention_naive (core/ops/attention.c). The mistakes are the same stream of blocks with one
// thing wrong; since somebody may take one key at a time, each is tried with both.
// Read next: check/check.h.

#include "exercise.h"

#include "check/check.h"

#include "base/check.h"
#include "base/least.h"
#include "ops/attention.h"

#include <math.h>
#include <stdlib.h>

enum { CASES = 16, MOST_WIDTH = 64 };

typedef struct Question {
    float *q, *k, *v;
    size_t Tq, Tk, d;
} Question;

static void right_attention(const void *question, float *out) {
    const Question *a = question;
    AttentionShape s = {1, 1, a->Tq, a->Tk, a->d, false};
    void *scratch = malloc(attention_naive_scratch_size(&s));
    CHECK(scratch, "no memory for %zu scores", a->Tk);
    attention_naive(out, a->q, a->k, a->v, s, scratch);
    free(scratch);
}

// ---- mistakes -------------------------------------------------------------------------------------------------------

typedef enum Mistake {
    CORRECTS_NOTHING,
    CORRECTS_TOTAL_ONLY,
    CORRECTS_SUMS_ONLY,
    CORRECTS_UPSIDE_DOWN,
    CORRECTS_LATER_UPSIDE_DOWN,
    CORRECTS_BY_DIFFERENCE,
    SUBTRACTS_NOTHING,
    SUBTRACTS_FIRST_LARGEST,
    SUBTRACTS_BLOCKS_LARGEST,
    BEGINS_AT_0,
    NO_ROOT,
    DIVIDES_BY_d,
    MULTIPLIES_ROOT,
    TWO_TO_THE,
    NOT_DIVIDED,
    DIVIDED_BY_COUNT,
    DIVIDED_EACH_BLOCK,
    ADDS_SOFTMAXES,
    TOTAL_OF_LAST_BLOCK,
    LAST_BLOCK_DROPPED,
    KEYS_FOR_VALUES,
} Mistake;

static float score_of(const Question *a, size_t i, size_t j, Mistake mistake) {
    float dot = 0, d = (float)a->d;
    for (size_t c = 0; c < a->d; c++) dot += a->q[i * a->d + c] * a->k[j * a->d + c];
    if (mistake == NO_ROOT) return dot;
    if (mistake == DIVIDES_BY_d) return dot / d;
    if (mistake == MULTIPLIES_ROOT) return dot * sqrtf(d);
    return dot / sqrtf(d) * (mistake == TWO_TO_THE ? logf(2) : 1);
}

// What is subtracted from a block's scores; m: from the scores before
static float subtrahend(float m, float largest, bool first, Mistake mistake) {
    if (mistake == SUBTRACTS_NOTHING) return 0;
    if (mistake == SUBTRACTS_FIRST_LARGEST && !first) return m;
    if (mistake == SUBTRACTS_BLOCKS_LARGEST || mistake == ADDS_SOFTMAXES) return largest;
    return fmaxf(m, largest);
}

static float correction(float m, float m_next, Mistake mistake) {
    if (mistake == CORRECTS_UPSIDE_DOWN) return expf(m_next - m);
    if (isinf(m)) return 0;
    if (mistake == CORRECTS_LATER_UPSIDE_DOWN) return expf(m_next - m);
    if (mistake == CORRECTS_BY_DIFFERENCE) return m - m_next;
    return expf(m - m_next);
}

static void stream(const Question *a, size_t i, size_t block, Mistake mistake, float *out) {
    float m = mistake == BEGINS_AT_0 ? 0 : -INFINITY, total = 0, sums[MOST_WIDTH] = {0};
    const float *values = mistake == KEYS_FOR_VALUES ? a->k : a->v;
    for (size_t first = 0; first < a->Tk; first += block) {
        size_t n = least(block, a->Tk - first);
        if (mistake == LAST_BLOCK_DROPPED && n < block) break;
        float largest = -INFINITY, block_total = 0, block_sums[MOST_WIDTH] = {0};
        for (size_t j = first; j < first + n; j++) largest = fmaxf(largest, score_of(a, i, j, mistake));
        float m_next = subtrahend(m, largest, first == 0, mistake), factor = correction(m, m_next, mistake);
        if (mistake != CORRECTS_NOTHING && mistake != CORRECTS_SUMS_ONLY) total *= factor;
        for (size_t j = first; j < first + n; j++) {
            float share = expf(score_of(a, i, j, mistake) - m_next);
            block_total += share;
            for (size_t c = 0; c < a->d; c++) block_sums[c] += share * values[j * a->d + c];
        }
        total = mistake == TOTAL_OF_LAST_BLOCK ? block_total : total + block_total;
        for (size_t c = 0; c < a->d; c++) {
            if (mistake == ADDS_SOFTMAXES) block_sums[c] /= block_total;
            bool corrected = mistake != CORRECTS_NOTHING && mistake != CORRECTS_TOTAL_ONLY && mistake != ADDS_SOFTMAXES;
            sums[c] = sums[c] * (corrected ? factor : 1) + block_sums[c];
            if (mistake == DIVIDED_EACH_BLOCK) sums[c] /= total;
        }
        m = m_next;
    }
    float divisor = mistake == DIVIDED_BY_COUNT ? (float)a->Tk : total;
    if (mistake == NOT_DIVIDED || mistake == DIVIDED_EACH_BLOCK || mistake == ADDS_SOFTMAXES) divisor = 1;
    for (size_t c = 0; c < a->d; c++) out[i * a->d + c] = sums[c] / divisor;
}

static void in_blocks(const void *question, size_t block, Mistake mistake, float *out) {
    const Question *a = question;
    for (size_t i = 0; i < a->Tq; i++) stream(a, i, block, mistake, out);
}

static void corrects_nothing(const void *q, float *out) { in_blocks(q, KEYS, CORRECTS_NOTHING, out); }
static void corrects_total_only(const void *q, float *out) { in_blocks(q, KEYS, CORRECTS_TOTAL_ONLY, out); }
static void corrects_sums_only(const void *q, float *out) { in_blocks(q, KEYS, CORRECTS_SUMS_ONLY, out); }
static void corrects_nothing_singly(const void *q, float *out) { in_blocks(q, 1, CORRECTS_NOTHING, out); }
static void corrects_total_only_singly(const void *q, float *out) { in_blocks(q, 1, CORRECTS_TOTAL_ONLY, out); }
static void corrects_sums_only_singly(const void *q, float *out) { in_blocks(q, 1, CORRECTS_SUMS_ONLY, out); }
static void corrects_upside_down(const void *q, float *out) { in_blocks(q, KEYS, CORRECTS_UPSIDE_DOWN, out); }
static void corrects_later_upside_down(const void *q, float *out) {
    in_blocks(q, KEYS, CORRECTS_LATER_UPSIDE_DOWN, out);
}
static void corrects_by_difference(const void *q, float *out) { in_blocks(q, KEYS, CORRECTS_BY_DIFFERENCE, out); }
static void subtracts_nothing(const void *q, float *out) { in_blocks(q, KEYS, SUBTRACTS_NOTHING, out); }
static void subtracts_first(const void *q, float *out) { in_blocks(q, KEYS, SUBTRACTS_FIRST_LARGEST, out); }
static void subtracts_blocks(const void *q, float *out) { in_blocks(q, KEYS, SUBTRACTS_BLOCKS_LARGEST, out); }
static void begins_at_0(const void *q, float *out) { in_blocks(q, KEYS, BEGINS_AT_0, out); }
static void no_root(const void *q, float *out) { in_blocks(q, KEYS, NO_ROOT, out); }
static void divides_by_d(const void *q, float *out) { in_blocks(q, KEYS, DIVIDES_BY_d, out); }
static void multiplies_root(const void *q, float *out) { in_blocks(q, KEYS, MULTIPLIES_ROOT, out); }
static void two_to_the(const void *q, float *out) { in_blocks(q, KEYS, TWO_TO_THE, out); }
static void not_divided(const void *q, float *out) { in_blocks(q, KEYS, NOT_DIVIDED, out); }
static void divided_by_count(const void *q, float *out) { in_blocks(q, KEYS, DIVIDED_BY_COUNT, out); }
static void divided_each_block(const void *q, float *out) { in_blocks(q, KEYS, DIVIDED_EACH_BLOCK, out); }
static void adds_softmaxes(const void *q, float *out) { in_blocks(q, KEYS, ADDS_SOFTMAXES, out); }
static void total_of_last_block(const void *q, float *out) { in_blocks(q, KEYS, TOTAL_OF_LAST_BLOCK, out); }
static void last_block_dropped(const void *q, float *out) { in_blocks(q, KEYS, LAST_BLOCK_DROPPED, out); }
static void keys_for_values(const void *q, float *out) { in_blocks(q, KEYS, KEYS_FOR_VALUES, out); }

static const char NOTHING_CORRECTED[] = "When a larger score turns up, what was added up before is too large: multiply "
                                        "both sums by e^(m - m'), before m is "
                                        "overwritten.";
static const char TOTAL_CORRECTED[] = "You corrected l, and not o: what was added up of the values has the old m in "
                                      "it, too. Multiply both by e^(m - m').";
static const char SUMS_CORRECTED[] =
    "You corrected o, and not l: the sum of the shares has the old m in it, too. Multiply both by e^(m - m').";

static const CheckMistake MISTAKES[] = {
    {"1 / sqrt(d) is missing: scores of wide heads are large, and one key takes all.", no_root},
    {"You divided by d: scores are divided by its root.", divides_by_d},
    {"You multiplied by sqrt(d): scores are divided by it.", multiplies_root},
    {"That is 2^ of the scores, not e^. With exp2f, multiply them by log2(e) first.", two_to_the},
    {"You added up keys: the shares are shares of v.", keys_for_values},
    {"The division is missing: out is o / l, so that the shares add up to 1.", not_divided},
    {"You divided by the number of keys: divide by l, the sum of the shares.", divided_by_count},
    {"The last keys are missing: a block that isn't full counts, too.", last_block_dropped},
    {"You divided after every block: o and l go on growing, and are divided once, at the end.", divided_each_block},
    {"Each block made a softmax of its own, and you added these up: a block of bad answers must count less than one of "
     "good "
     "ones. Keep o and l apart until the end.",
     adds_softmaxes},
    {"l is only the last block's: it goes on from block to block, f * l + the block's sum.", total_of_last_block},
    {NOTHING_CORRECTED, corrects_nothing},
    {TOTAL_CORRECTED, corrects_total_only},
    {SUMS_CORRECTED, corrects_sums_only},
    {NOTHING_CORRECTED, corrects_nothing_singly},
    {TOTAL_CORRECTED, corrects_total_only_singly},
    {SUMS_CORRECTED, corrects_sums_only_singly},
    {"The factor is upside down: it is e^(m - m'), at most 1. (Where m is -INFINITY yours is infinite.)",
     corrects_upside_down},
    {"The factor is upside down: it is e^(m - m'), at most 1.", corrects_later_upside_down},
    {"The factor is e^(m - m'), not m - m': what is added up are powers of e.", corrects_by_difference},
    {NULL, NULL},
};

// ---- cases ----------------------------------------------------------------------------------------------------------

static void ask(Check *check, Question *a, const CheckMistake *mistakes) {
    float *out = check_output(check, "out", shape2(a->Tq, a->d));
    attend_streaming(out, a->q, a->k, a->v, a->Tq, a->Tk, a->d);
    check_values(check, out, a, right_attention, mistakes);
}

static Question question_of(Check *check, size_t Tk, const char *about) {
    Question a = {.Tq = check_pick(check, 2, 9), .Tk = Tk, .d = check_pick(check, 5, 40)};
    check_case(check, "%s%zu queries, %zu keys, d %zu", about, a.Tq, a.Tk, a.d);
    a.q = check_normal(check, "q", shape2(a.Tq, a.d));
    a.k = check_normal(check, "k", shape2(a.Tk, a.d));
    a.v = check_normal(check, "v", shape2(a.Tk, a.d));
    return a;
}

static void check_one_block(Check *check) {
    for (size_t i = 0; i < CASES; i++) {
        Question a = question_of(check, KEYS, "");
        ask(check, &a, MISTAKES);
    }
}

static void check_blocks(Check *check) {
    for (size_t i = 0; i < CASES; i++) {
        Question a = question_of(check, KEYS * check_pick(check, 2, 7), "");
        ask(check, &a, MISTAKES);
    }
}

static void check_rest(Check *check) {
    for (size_t i = 0; i < CASES; i++) {
        size_t blocks = check_pick(check, 1, 5), rest = check_pick(check, 1, KEYS - 1);
        Question a = question_of(check, KEYS * blocks + rest, "");
        ask(check, &a, MISTAKES);
    }
    for (size_t Tk = 1; Tk < KEYS; Tk += 4) {
        Question a = question_of(check, Tk, "less than a block: ");
        ask(check, &a, MISTAKES);
    }
}

// ---- large scores ---------------------------------------------------------------------------------------------------
//
// In each of these cases one of the mistakes ends in NaN, and those that stand behind it don't.

typedef struct Large {
    const char *about;
    float (*score)(size_t j, size_t Tk);  // roughly
    CheckMistake mistakes[2];
} Large;

static float high(size_t j, size_t Tk) { return 300 + 3 * (float)j / (float)Tk; }
static float low(size_t j, size_t Tk) { return -300 - 3 * (float)j / (float)Tk; }
static float rising(size_t j, size_t Tk) { return 300 * (float)j / (float)Tk; }
static float last_alone(size_t j, size_t Tk) { return j + 1 == Tk ? 200 : 0; }
static float falling(size_t j, size_t Tk) { return 400 - 300 * (float)j / (float)Tk; }

static const CheckMistake FIRST_LARGEST = {
    "m stays at the first block's largest: a later score that is larger by 89 is infinite. m' = max(m, largest).",
    subtracts_first};

static void check_large(Check *check) {
    const Large LARGE[] = {
        {"all scores near 300: ",
         high,
         {{"Subtract the largest score before e^: e^89 is infinite, and infinite divided by infinite isn't a number.",
           subtracts_nothing}}},
        {"all scores near -300: ",
         low,
         {{"m begins at 0: where all scores are far below, every share is 0, and 0 / 0 isn't a number. Begin with "
           "-INFINITY.",
           begins_at_0}}},
        {"scores rise to 300: ", rising, {FIRST_LARGEST}},
        {"the last score is 200, the others small: ", last_alone, {FIRST_LARGEST}},
        {"scores fall from 400 to 100: ",
         falling,
         {{"m fell: it is the largest score so far, so where a block has only smaller ones it stays. m' = max(m, "
           "largest).",
           subtracts_blocks}}},
    };
    check_tolerance(check, 1e-3f);  // of a score of 300 float keeps less behind the point
    for (size_t i = 0; i < CASES * sizeof LARGE / sizeof *LARGE / 4; i++) {
        const Large *large = &LARGE[i % (sizeof LARGE / sizeof *LARGE)];
        size_t Tk = KEYS * check_pick(check, 2, 5) + check_pick(check, 1, KEYS - 1);
        Question a = question_of(check, Tk, large->about);
        for (size_t j = 0; j < a.Tq * a.d; j++) a.q[j] = j % a.d == 0 ? 1 : 0.5f * a.q[j];
        for (size_t j = 0; j < Tk; j++) a.k[j * a.d] = large->score(j, Tk) * sqrtf((float)a.d);
        ask(check, &a, large->mistakes);
    }
}

// A row of scores would be 4 MB
static void check_memory_free(Check *check) {
    Question a = {.Tq = 2, .Tk = (1 << 20) + check_pick(check, 1, 999), .d = 2};
    check_case(check, "%zu queries, %zu keys, d %zu, and 1 MB of memory left", a.Tq, a.Tk, a.d);
    check_seconds(check, 20);
    check_tolerance(check, 5e-3f);  // a million of small shares, added up in float
    a.q = check_normal(check, "q", shape2(a.Tq, a.d)), a.k = check_normal(check, "k", shape2(a.Tk, a.d));
    a.v = check_normal(check, "v", shape2(a.Tk, a.d));
    for (size_t i = 0; i < a.Tq * a.d; i++) a.q[i] *= 5;  // so that some keys matter more than the rest
    float *out = check_output(check, "out", shape2(a.Tq, a.d));
    check_memory(
        check, 2 << 20,
        "It ran out of memory: it keeps a score for every key, 4 MB a query. Keep those of one block, and go on.");
    attend_streaming(out, a.q, a.k, a.v, a.Tq, a.Tk, a.d);
    check_memory(check, 0, NULL);
    check_values(check, out, &a, right_attention, NULL);
}

int main(void) {
    static const CheckPart PARTS[] = {
        {"one block of keys", check_one_block},  {"several blocks", check_blocks},
        {"a block that isn't full", check_rest}, {"scores of hundreds", check_large},
        {"no row of scores", check_memory_free},
    };
    return check_run("15-attention", PARTS, sizeof PARTS / sizeof *PARTS, NULL);
}
