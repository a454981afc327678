// attention.c - each token gathers from the tokens that matter to it; where words meet pixels
//
// The definition, to begin with: copy it, change it, and try
//
//     sculpt lab attention mine.c
//
// How Sculpt's own do it: core/ops/attention.c. What the arguments are: core/ops/attention.h. Made by templates.py.

#include "ops/my_kernel.h"

#include <math.h>

// Scaled dot-product attention
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
static void my_probabilities(float *p, const float *q, const float *k, size_t visible, AttentionShape s) {
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

static size_t my_attention_scratch_size(const void *attention_shape) {
    return ((const AttentionShape *)attention_shape)->Tk * sizeof(float);  // p
}

static void my_attention(float *out, const float *q, const float *k, const float *v, AttentionShape s, void *scratch) {
    float *p = scratch;
    size_t C = s.heads * s.d;
    for (size_t b = 0; b < s.B; b++) {
        for (size_t h = 0; h < s.heads; h++) {
            for (size_t i = 0; i < s.Tq; i++) {
                size_t row = (b * s.Tq + i) * C + h * s.d, first_key = b * s.Tk * C + h * s.d;
                my_probabilities(p, q + row, k + first_key, visible_keys(i, s), s);
                for (size_t c = 0; c < s.d; c++) {
                    double sum = 0;
                    for (size_t j = 0; j < s.Tk; j++) sum += (double)p[j] * v[first_key + j * C + c];
                    out[row + c] = (float)sum;
                }
            }
        }
    }
}

KernelPlugin sculpt_kernel = {KERNEL_ABI, "attention", .attention = my_attention,
                              .scratch_size = my_attention_scratch_size};
