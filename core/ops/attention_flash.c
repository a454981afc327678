// attention_flash.c - attention without the matrix of scores
//
// Where: attention=flash. Elsewhere: torch's scaled_dot_product_attention on a CPU does the same.
// Papers: Milakov & Gimelshein 2018 (arXiv 1805.02867) for a softmax in one pass; Dao et al. 2022 (arXiv 2205.14135,
// "FlashAttention"), algorithm 1. Read next: attention.c for the definition, gemm.h for the two products.
//
// At 64x64 latents every head has 4096 x 4096 scores. None of them is needed for long: a few keys' scores are enough to
// go on, if the sums so far can be corrected when a larger score turns up. For PANEL queries at a time:
//
//     for each block of keys:
//         S = K_block Q' log2(e) / sqrt(d)            [keys, queries]; 2^S is e^ of the score
//         m' = max(m, largest of S's column)          [queries]; m starts at -inf
//         P = 2^(S - m')                              [keys, queries]
//         f = 2^(m - m')                              what all that was added up so far is multiplied with
//         l = f l + sum of P's column                 [queries]
//         O = f O + V_block' P                        [d, queries]
//     out = (O / l)'
//
// Everything is transposed: keys and channels go down, queries across. So P is a panel, as gemm wants its right matrix,
// the very moment it is made; K and V are read where they lie; and a column's maximum and sum are those of a vector
// register's lane, with nothing to add up across.

#include "ops/attention.h"

#include "base/least.h"
#include "base/machine.h"
#include "ops/bf16_pairs.h"
#include "ops/exp.h"
#include "ops/gemm.h"
#include "ops/wide.h"

#include <math.h>
#include <string.h>

enum {
    KEYS = 126,  // in a block: nine times what gemm keeps in registers; their 16 KB of scores stay in the nearest cache
    PANELS = 4,  // of queries that a block of keys and values is fetched for
    PARTS = 64,  // that the work is dealt in, each with memory of its own
};

// One head's keys and values, in units (gemm.h): floats, or pairs of bf16, of which keys have one for two channels of a
// token, and values one for two tokens' channel.
typedef struct Head {
    bool bf16;
    const float *k, *v;
    size_t k_row, v_row;  // units from one row to the next
} Head;

// What is kept for PANEL queries of one head.
typedef struct Queries {
    float *q;              // [d, PANEL], times log2(e) / sqrt(d); with bf16 in pairs, [d / 2, PANEL]
    float *sums;           // [d, PANEL]: O
    float largest[PANEL];  // m
    float total[PANEL];    // l
} Queries;

static size_t part_size(AttentionShape s) { return (PANELS * 2 * s.d + KEYS) * PANEL; }

// A tile: PANELS PANEL queries of one head, as far as there are so many.
static size_t tiles_a_head(AttentionShape s) { return (s.Tq + PANELS * PANEL - 1) / (PANELS * PANEL); }

static size_t part_count(AttentionShape s) { return least(PARTS, s.B * s.heads * tiles_a_head(s)); }

size_t attention_flash_scratch_size(const void *attention_shape) {
    const AttentionShape *s = attention_shape;
    return part_count(*s) * part_size(*s) * sizeof(float);
}

// ---- softmax, a block of keys at a time -----------------------------------------------------------------------------

// Multiplies what was added up so far by 2^(m - m'), and makes m' the largest. Most blocks bring no larger score.
INLINE void correct_sums(Queries *queries, const float *largest, size_t d) {
    float factor[PANEL];
    if (memcmp(queries->largest, largest, sizeof factor) == 0) return;
#pragma omp simd
    for (size_t i = 0; i < PANEL; i++) {
        factor[i] = exp2_of_negative(queries->largest[i] - largest[i]);
        queries->total[i] *= factor[i];
    }
    for (size_t c = 0; c < d; c++) {
        float *sum = queries->sums + c * PANEL;
#pragma omp simd
        for (size_t i = 0; i < PANEL; i++) sum[i] *= factor[i];
    }
    memcpy(queries->largest, largest, sizeof factor);
}

// scores [keys, PANEL] become 2^(score - m'); largest, total and sums are brought up to date.
INLINE void take_block(Queries *queries, float *scores, size_t keys, size_t d) {
    float largest[PANEL], total[PANEL] = {0};
    memcpy(largest, queries->largest, sizeof largest);
    for (size_t j = 0; j < keys; j++) {
        const float *score = scores + j * PANEL;
#pragma omp simd
        for (size_t i = 0; i < PANEL; i++) largest[i] = score[i] > largest[i] ? score[i] : largest[i];
    }
    correct_sums(queries, largest, d);
    for (size_t j = 0; j < keys; j++) {
        float *score = scores + j * PANEL;
#pragma omp simd
        for (size_t i = 0; i < PANEL; i++) {
            score[i] = exp2_of_negative(score[i] - largest[i]);
            total[i] += score[i];
        }
    }
#pragma omp simd
    for (size_t i = 0; i < PANEL; i++) queries->total[i] += total[i];
}

AVX512 static void take_block_avx512(Queries *queries, float *scores, size_t keys, size_t d) {
    take_block(queries, scores, keys, d);
}

static void take_block_plain(Queries *queries, float *scores, size_t keys, size_t d) {
    take_block(queries, scores, keys, d);
}

static void (*take_block_here(void))(Queries *, float *, size_t, size_t) {
    return machine_has_avx512() ? take_block_avx512 : take_block_plain;
}

// ---- all keys for some queries --------------------------------------------------------------------------------------

// Causal: a query doesn't see the keys after it. i0, j0: the first query, the first key of the block.
static void hide_later_keys(float *scores, size_t keys, size_t i0, size_t j0) {
    for (size_t j = 0; j < keys; j++) {
        for (size_t i = 0; i < PANEL && i0 + i < j0 + j; i++) scores[j * PANEL + i] = -INFINITY;
    }
}

static void begin_queries(Queries *queries, const float *q, size_t count, bool bf16, AttentionShape s) {
    float scale = 1.44269504f / sqrtf((float)s.d);  // log2(e) = 1 / ln 2
    pack_transposed(queries->q, q, s.heads * s.d, s.d, count);
    for (size_t i = 0; i < s.d * PANEL; i++) {
        queries->q[i] *= scale;
        queries->sums[i] = 0;
    }
    if (bf16) pair_rows_inplace(queries->q, s.d, PANEL);
    for (size_t i = 0; i < PANEL; i++) {
        queries->largest[i] = -INFINITY;
        queries->total[i] = 0;
    }
}

static void end_queries(float *out, const Queries *queries, size_t count, AttentionShape s) {
    for (size_t i = 0; i < count; i++) {
        float share = 1 / queries->total[i];
        for (size_t c = 0; c < s.d; c++) out[i * s.heads * s.d + c] = queries->sums[c * PANEL + i] * share;
    }
}

// One block of keys, the first of which is j0, for PANEL queries, the first of which is i0.
static void attend_block(Queries *queries, float *scores, Head head, size_t i0, size_t j0, size_t keys,
                         AttentionShape s) {
    gemm((Gemm){.out = scores,
                .out_stride = PANEL,
                .bf16 = head.bf16,
                .rows = head.k + j0 * head.k_row,
                .row_stride = head.k_row,
                .k_stride = 1,
                .panels = queries->q,
                .M = keys,
                .N = PANEL,
                .K = head.bf16 ? s.d / 2 : s.d});
    if (s.causal) hide_later_keys(scores, keys, i0, j0);
    take_block_here()(queries, scores, keys, s.d);
    if (head.bf16) pair_rows_inplace(scores, keys, PANEL);
    gemm((Gemm){.out = queries->sums,
                .out_stride = PANEL,
                .bf16 = head.bf16,
                .rows = head.v + (head.bf16 ? j0 / 2 : j0) * head.v_row,
                .row_stride = 1,
                .k_stride = head.v_row,
                .panels = scores,
                .M = s.d,
                .N = PANEL,
                .K = head.bf16 ? (keys + 1) / 2 : keys,
                .add = true});
}

// Queries i0 .. i0 + count of one head, at most PANELS PANEL. out and q point at the first of them.
static void attend(float *out, const float *q, Head head, size_t i0, size_t count, AttentionShape s, float *memory) {
    size_t C = s.heads * s.d, visible = s.causal ? i0 + count : s.Tk, panels = panel_count(count);
    float *scores = memory + PANELS * 2 * s.d * PANEL;
    Queries queries[PANELS];
    for (size_t p = 0; p < panels; p++) {
        queries[p].q = memory + p * 2 * s.d * PANEL;
        queries[p].sums = queries[p].q + s.d * PANEL;
        begin_queries(&queries[p], q + p * PANEL * C, least(PANEL, count - p * PANEL), head.bf16, s);
    }
    for (size_t j0 = 0; j0 < visible; j0 += KEYS) {
        for (size_t p = 0; p < panels; p++) {
            attend_block(&queries[p], scores, head, i0 + p * PANEL, j0, least(KEYS, visible - j0), s);
        }
    }
    for (size_t p = 0; p < panels; p++) {
        end_queries(out + p * PANEL * C, &queries[p], least(PANEL, count - p * PANEL), s);
    }
}

// all: the first head of the first picture. k_picture, v_picture: units from a picture's keys and values to the next one's.
static void attend_heads(float *out, const float *q, Head all, size_t k_picture, size_t v_picture, AttentionShape s,
                         void *scratch) {
    size_t C = s.heads * s.d, tiles = tiles_a_head(s), count = s.B * s.heads * tiles, parts = part_count(s);
#pragma omp parallel for schedule(dynamic)
    for (size_t part = 0; part < parts; part++) {
        float *memory = (float *)scratch + part * part_size(s);
        for (size_t tile = count * part / parts; tile < count * (part + 1) / parts; tile++) {
            size_t b = tile / (s.heads * tiles), h = tile / tiles % s.heads, i0 = tile % tiles * PANELS * PANEL;
            size_t row = (b * s.Tq + i0) * C + h * s.d;
            Head head = all;
            head.k += b * k_picture + h * (all.bf16 ? s.d / 2 : s.d);
            head.v += b * v_picture + h * s.d;
            attend(out + row, q + row, head, i0, least(PANELS * PANEL, s.Tq - i0), s, memory);
        }
    }
}

void attention_flash(float *out, const float *q, const float *k, const float *v, AttentionShape s, void *scratch) {
    size_t C = s.heads * s.d;
    attend_heads(out, q, (Head){false, k, v, C, C}, s.Tk * C, s.Tk * C, s, scratch);
}

// ---- bf16 -----------------------------------------------------------------------------------------------------------
//
// The same with both products in bf16: keys, values, queries and 2^(S - m') are rounded to it. Maximum, exponential and
// sums stay in f32. Heads of an odd width have no pairs, and are multiplied as floats.

static size_t value_pairs(AttentionShape s) { return (s.Tk + 1) / 2; }

size_t attention_bf16_scratch_size(const void *attention_shape) {
    const AttentionShape *s = attention_shape;
    if (s->d % 2 == 1) return attention_flash_scratch_size(s);
    size_t C = s->heads * s->d, pairs = s->B * s->Tk * C / 2 + s->B * value_pairs(*s) * C;
    return attention_flash_scratch_size(s) + pairs * sizeof(uint32_t);
}

// v [B, Tk, C] -> pairs [B, ceil(Tk / 2), C]: of two tokens each; an odd last one goes with zeros
static void pair_values(uint32_t *pairs, const float *v, AttentionShape s) {
    size_t C = s.heads * s.d, rows = value_pairs(s);
#pragma omp parallel for
    for (size_t row = 0; row < s.B * rows; row++) {
        size_t token = row % rows * 2;
        const float *first = v + (row / rows * s.Tk + token) * C;
        pairs_across(pairs + row * C, first, token + 1 < s.Tk ? first + C : NULL, C);
    }
}

void attention_bf16(float *out, const float *q, const float *k, const float *v, AttentionShape s, void *scratch) {
    if (s.d % 2 == 1) {
        attention_flash(out, q, k, v, s, scratch);
        return;
    }
    size_t C = s.heads * s.d, rows = s.B * s.Tk;
    uint32_t *keys = scratch, *values = keys + rows * C / 2;
    float *rest = (float *)(values + s.B * value_pairs(s) * C);
#pragma omp parallel for
    for (size_t row = 0; row < rows; row++) pairs_along(keys + row * C / 2, k + row * C, C / 2);
    pair_values(values, v, s);
    attend_heads(out, q, (Head){true, (float *)keys, (float *)values, C / 2, C}, s.Tk * C / 2, value_pairs(s) * C, s,
                 rest);
}
