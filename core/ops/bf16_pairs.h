// bf16_pairs.h - floats rounded to bf16 and put together in pairs, as gemm reads them
//
// Where: what the bf16 kernels do to their inputs. (Weights are bf16 in memory already: base/convert.h.) Elsewhere: the
// instruction vcvtne2ps2bf16. Rounded to the nearest; of two that are as near, the one farther from 0, which saves an operation.

#pragma once

#include <stddef.h>
#include <stdint.h>

// in [2 n] -> out [n]: each number and the one beside it
void pairs_along(uint32_t *out, const float *in, size_t n);

// first, second [n] -> out [n]: each number and the one below it. second NULL: zeros. out may be first.
void pairs_across(uint32_t *out, const float *first, const float *second, size_t n);

// rows [K, n] -> [ceil(K / 2), n] pairs, in place: each number and the one below it; an odd last row goes with zeros
void pair_rows_inplace(float *rows, size_t K, size_t n);
