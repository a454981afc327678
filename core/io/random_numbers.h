// random_numbers.h - gigabytes of random numbers in a second or two
//
// Where: weights that are drawn instead of read (weights.h). The generator of pictures' noise is base/rng.h: that one
// gives the numbers of torch, and a thousandth as many in the time.

#pragma once

#include "base/tensor.h"

// n numbers of type F32 or F16, uniform in -bound..bound; the same for the same seed, however many threads there are.
void random_numbers(void *out, DType type, size_t n, float bound, uint32_t seed);
