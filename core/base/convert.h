// convert.h - whole arrays from one number format to another
//
// Where: when weights are loaded (io/weights.c), and when an op's kernel reads another format than its weight is kept
// in (ops/ops.c). One number at a time: f16_to_f32 and its like in tensor.h.

#pragma once

#include "base/tensor.h"

// n numbers of type F32, F16 or BF16, at any address -> out, F32. Exact.
void convert_to_f32(float *out, const void *in, DType type, size_t n);

// n numbers of type F32, F16 or BF16, at any address -> out, F16, rounded to the nearest (ties to even). What is beyond
// 65504 becomes infinite.
void convert_to_f16(uint16_t *out, const void *in, DType type, size_t n);
