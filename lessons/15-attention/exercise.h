// exercise.h - lesson 15: the function to be written, as its check calls it

#pragma once

#include <stddef.h>

enum { KEYS = 16 };  // in a block; the last block has those that are left

// Attention of one head (core/ops/attention.c has the definition):
//
//     score[i,j] = q[i] . k[j] / sqrt(d)
//     out[i]     = sum over j of  e^score[i,j] v[j]  /  sum over j of e^score[i,j]
//
//     q, out [Tq, d]    k, v [Tk, d]    each at least 1
//
// without a matrix of scores, and without a row of it: for each query, a block of KEYS keys at a time, with no more than KEYS
// scores in memory. What is kept from block to block are the largest score so far, m, the sum of e^(score - m), l, and
// the sum of e^(score - m) v[j], for which the query's row of out is room enough. A block whose largest score is larger than m:
//
//     m' = max(m, largest)        f = e^(m - m')
//     l  = f l + sum of the block's e^(score - m')
//     o  = f o + sum of the block's e^(score - m') v[j]
//
// Scores may be hundreds, or hundreds below 0: in float, e^89 is infinite, and e^-104 is 0.
void attend_streaming(float *out, const float *q, const float *k, const float *v, size_t Tq, size_t Tk, size_t d);
