// measure.h - numbers about many numbers
#pragma once

#include <stddef.h>

double deviation(const float *values, size_t n);            // the standard one: contrast
double distance(const float *a, const float *b, size_t n);  // ||a - b|| / ||b||
