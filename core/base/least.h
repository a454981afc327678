// least.h - the smaller of two sizes

#pragma once

#include <stddef.h>

static inline size_t least(size_t a, size_t b) { return a < b ? a : b; }
