// attention.c - attention: every token asks all tokens, and takes from those whose answer fits
//
// Where: the text encoder (words look at earlier words), the U-Net's transformers (pixels look at pixels, then at the
//        prompt's words: here text becomes picture) and the middle of the VAE.
// Elsewhere: torch.nn.functional.scaled_dot_product_attention; paper: Vaswani et al. 2017 (arXiv 1706.03762), eq. 1.
// Read next: linear.c makes q, k and v; stages/transformer.c puts them together.

#include "ops/attention.h"

#include "ops/exp.h"

#include <cblas.h>
#include <math.h>

// ---- Scaled dot-product attention -----------------------------------------------------------------------------------
//
//     score[i,j] = q[i] . k[j] / sqrt(d)             how well key j answers query i
//     p[i,:]     = softmax(score[i,:])               e^score, divided by their sum: shares that add up to 1
//     out[i]     = sum over j of  p[i,j] v[j]        what query i takes home
//
//     q [B, Tq, heads d]    k, v [B, Tk, heads d]    out [B, Tq, heads d]    score, p [Tq, Tk], for each b and head
//
// A head is a slice of d numbers of each token, and each head does all this for itself. Causal: query i sees the keys
// up to i, as if the later scores were minus infinity. The largest score of a row is subtracted before e^: it cancels
// in the division, and e^ of what is left can't overflow.

static size_t visible_keys(size_t i, AttentionShape s) { return s.causal ? i + 1 : s.Tk; }

// One row p[Tk] of the equation above. q: this token's and head's [d]; k: this head's first, rows lie heads d apart.
static void probabilities_naive(float *p, const float *q, const float *k, size_t visible, AttentionShape s) {
    double largest = -INFINITY;
    for (size_t j = 0; j < visible; j++) {
        double dot = 0;
        for (size_t c = 0; c < s.d; c++) dot += (double)q[c] * k[j * s.heads * s.d + c];
        p[j] = (float)(dot / sqrt((double)s.d));
        if (p[j] > largest) largest = p[j];
    }
    double sum = 0;
    for (size_t j = 0; j < visible; j++) sum += exp(p[j] - largest);
    for (size_t j = 0; j < visible; j++) p[j] = (float)(exp(p[j] - largest) / sum);
    for (size_t j = visible; j < s.Tk; j++) p[j] = 0;
}

size_t attention_naive_scratch_size(const void *attention_shape) {
    return ((const AttentionShape *)attention_shape)->Tk * sizeof(float);  // p
}

void attention_naive(float *out, const float *q, const float *k, const float *v, AttentionShape s, void *scratch) {
    float *p = scratch;
    size_t C = s.heads * s.d;
    for (size_t b = 0; b < s.B; b++) {
        for (size_t h = 0; h < s.heads; h++) {
            for (size_t i = 0; i < s.Tq; i++) {
                size_t row = (b * s.Tq + i) * C + h * s.d, first_key = b * s.Tk * C + h * s.d;
                probabilities_naive(p, q + row, k + first_key, visible_keys(i, s), s);
                for (size_t c = 0; c < s.d; c++) {
                    double sum = 0;
                    for (size_t j = 0; j < s.Tk; j++) sum += (double)p[j] * v[first_key + j * C + c];
                    out[row + c] = (float)sum;
                }
            }
        }
    }
}

void attention_probabilities(float *out, const float *q, const float *k, AttentionShape s) {
    size_t C = s.heads * s.d;
#pragma omp parallel for collapse(3)
    for (size_t b = 0; b < s.B; b++) {
        for (size_t h = 0; h < s.heads; h++) {
            for (size_t i = 0; i < s.Tq; i++) {
                probabilities_naive(out + ((b * s.heads + h) * s.Tq + i) * s.Tk, q + (b * s.Tq + i) * C + h * s.d,
                                    k + b * s.Tk * C + h * s.d, visible_keys(i, s), s);
            }
        }
    }
}

// ---- openmp ---------------------------------------------------------------------------------------------------------
//
// Queries don't share anything, so they are dealt to the threads. All (b, head, i) are split into at most PARTS parts,
// each with a row of scores of its own: memory for 64 rows, however many threads there are. Values are added up a token
// at a time, so that the innermost loops run over d numbers that lie side by side and become vector instructions.

enum { PARTS = 64 };

enum { LANES = 8 };

// A maximum taken as LANES maxima side by side, which become one vector register: compilers won't split it up by
// themselves, since with NaN among the numbers the order would show.
static float largest_of(const float *row, size_t n) {
    float largest[LANES];
    for (size_t lane = 0; lane < LANES; lane++) largest[lane] = row[0];
    size_t whole = n / LANES * LANES;
    for (size_t j = 0; j < whole; j += LANES) {
        for (size_t lane = 0; lane < LANES; lane++) {
            largest[lane] = row[j + lane] > largest[lane] ? row[j + lane] : largest[lane];
        }
    }
    for (size_t j = whole; j < n; j++) largest[0] = row[j] > largest[0] ? row[j] : largest[0];
    for (size_t lane = 1; lane < LANES; lane++) largest[0] = largest[lane] > largest[0] ? largest[lane] : largest[0];
    return largest[0];
}

// scores[visible] -> shares[visible], in place.
static void softmax_row(float *row, size_t visible) {
    float largest = largest_of(row, visible);
    double sum = 0;  // thousands of small shares: in float their sum would lose a digit
#pragma omp simd reduction(+ : sum)
    for (size_t j = 0; j < visible; j++) {
        row[j] = exp_inline(row[j] - largest);
        sum += row[j];
    }
    float share = (float)(1 / sum);
#pragma omp simd
    for (size_t j = 0; j < visible; j++) row[j] *= share;
}

static void attend_one_query(float *out, const float *q, const float *k, const float *v, size_t visible,
                             AttentionShape s, float *p) {
    size_t C = s.heads * s.d;
    float scale = 1 / sqrtf((float)s.d);
    for (size_t j = 0; j < visible; j++) {
        float dot = 0;
#pragma omp simd reduction(+ : dot)
        for (size_t c = 0; c < s.d; c++) dot += q[c] * k[j * C + c];
        p[j] = dot * scale;
    }
    softmax_row(p, visible);
    for (size_t c = 0; c < s.d; c++) out[c] = 0;
    for (size_t j = 0; j < visible; j++) {
#pragma omp simd
        for (size_t c = 0; c < s.d; c++) out[c] += p[j] * v[j * C + c];
    }
}

size_t attention_openmp_scratch_size(const void *attention_shape) {
    return PARTS * ((const AttentionShape *)attention_shape)->Tk * sizeof(float);
}

void attention_openmp(float *out, const float *q, const float *k, const float *v, AttentionShape s, void *scratch) {
    size_t C = s.heads * s.d, queries = s.B * s.heads * s.Tq;
#pragma omp parallel for schedule(dynamic)
    for (size_t part = 0; part < PARTS; part++) {
        float *p = (float *)scratch + part * s.Tk;
        for (size_t query = queries * part / PARTS; query < queries * (part + 1) / PARTS; query++) {
            size_t b = query / (s.heads * s.Tq), h = query / s.Tq % s.heads, i = query % s.Tq;
            size_t row = (b * s.Tq + i) * C + h * s.d, first_key = b * s.Tk * C + h * s.d;
            attend_one_query(out + row, q + row, k + first_key, v + first_key, visible_keys(i, s), s, p);
        }
    }
}

// ---- blas -----------------------------------------------------------------------------------------------------------
//
// Scores and output are two matrix products with a softmax between them, and matrix products are what sgemm is fast at:
//
//     scores [tile, Tk] = q k^T / sqrt(d)        softmax of every row        out [tile, d] = scores v
//
// for a tile of queries at a time. At 64x64 latents all scores of one head would be 4096 x 4096 floats, 64 MiB, read
// and written to memory three times; a tile's stay in the cache. A head is a slice of every row, and sgemm takes
// matrices whose rows lie further apart than they are long ("leading dimension" C), so nothing is copied to pick a head
// out. Causal tiles compute scores that the softmax then ignores: text is 77 tokens long, the waste is nothing.

enum {
    TILE_BYTES = 1 << 20,
    TILE_QUERIES = 128,      // at least: every tile reads all keys and values, which for large pictures are in no cache
    PARALLEL_FROM = 1 << 13  // numbers in a softmax before waking the other threads pays
};

static size_t tile_queries(AttentionShape s) {
    size_t rows = TILE_BYTES / (s.Tk * sizeof(float));
    if (rows < TILE_QUERIES) rows = TILE_QUERIES;
    return rows < s.Tq ? rows : s.Tq;
}

size_t attention_blas_scratch_size(const void *attention_shape) {
    const AttentionShape *s = attention_shape;
    return tile_queries(*s) * s->Tk * sizeof(float);
}

// Queries i0 .. i0 + rows - 1 of one head. out and q point at the first of them, k and v at the head's first key.
static void attend_tile(float *out, const float *q, const float *k, const float *v, size_t i0, size_t rows,
                        AttentionShape s, float *scores) {
    int C = (int)(s.heads * s.d), n = (int)rows, Tk = (int)s.Tk, d = (int)s.d;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, Tk, d, 1 / sqrtf((float)s.d), q, C, k, C, 0, scores, Tk);
#pragma omp parallel for if (rows * s.Tk > PARALLEL_FROM)
    for (size_t i = 0; i < rows; i++) {
        size_t visible = visible_keys(i0 + i, s);
        softmax_row(scores + i * s.Tk, visible);
        for (size_t j = visible; j < s.Tk; j++) scores[i * s.Tk + j] = 0;
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, d, Tk, 1, scores, Tk, v, C, 0, out, C);
}

void attention_blas(float *out, const float *q, const float *k, const float *v, AttentionShape s, void *scratch) {
    size_t C = s.heads * s.d, step = tile_queries(s);
    for (size_t b = 0; b < s.B; b++) {
        for (size_t h = 0; h < s.heads; h++) {
            size_t first_key = b * s.Tk * C + h * s.d;
            for (size_t i0 = 0; i0 < s.Tq; i0 += step) {
                size_t row = (b * s.Tq + i0) * C + h * s.d, rows = s.Tq - i0 < step ? s.Tq - i0 : step;
                attend_tile(out + row, q + row, k + first_key, v + first_key, i0, rows, s, scratch);
            }
        }
    }
}
