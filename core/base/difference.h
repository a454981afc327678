// difference.h - somebody's numbers beside the right ones: which differs first, and what goes wrong everywhere
//
// Where: learners' answers (lessons/check) and kernels (sculpt lab). Read next: fence.h, for numbers that were never
// written.

#pragma once

#include "base/tensor.h"

// NaN is like NaN, infinity like infinity of the same sign, and numbers like each other that differ by no more than
// `allowed`.
bool number_alike(float a, float b, float allowed);
bool numbers_alike(const float *a, const float *b, size_t n, float allowed);
float largest_of(const float *values, size_t n);  // without sign, of those that are finite

double distance_between(const float *a, const float *b, size_t n);  // ||a - b|| / ||b||

// "out[0, 2, 1, 3] is 0.25, should be 0.5 (off by -0.25); 17 of 96 numbers differ". They do differ.
void difference_describe(const char *name, Shape shape, const float *yours, const float *right, float allowed,
                         char *text, size_t size);

// A sentence for what goes wrong with whole arrays: nothing written, NaN, zeros, a constant factor; "" for none of these.
void difference_general(const char *name, const float *yours, const float *right, size_t n, float allowed, char *text,
                        size_t size);
