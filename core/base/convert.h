// convert.h - whole arrays from one number format to another
//
// Where: when weights are loaded (io/weights.c), and when an op's kernel reads another format than its weight is kept
// in (ops/ops.c). One number at a time: f16_to_f32 and its like in tensor.h.

#pragma once

#include "base/tensor.h"

// n numbers of type `from`, at any address -> out, of type `to`; each is F32, F16 or BF16. Wider formats hold all numbers
// of narrower ones; into narrower ones it is rounded to the nearest, ties to even. What is beyond 65504 becomes infinite
// as F16. A NaN stays one.
void convert(void *out, DType to, const void *in, DType from, size_t n);

// The same into F32, which is exact.
void convert_to_f32(float *out, const void *in, DType from, size_t n);

// What these are made of: the same by the calling thread alone, with the instructions of F16C or without. Both give the
// same bits.
void convert_piece(void *out, DType to, const void *in, DType from, size_t n, bool f16c);
bool convert_has_f16c(void);  // whether this machine has them; convert takes them where it does
