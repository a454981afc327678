// kernel_file.h - kernels from outside: `--kernel conv2d=./mine.so`

#pragma once

#include "base/error.h"
#include "ops/registry.h"

// Loads "op=./mine.so"; other choices are none of its business, and fine. From then on context_choose_kernel finds it.
// Errors: whatever is wrong with the object, and an op that it isn't for.
bool kernel_load(const char *choice, Error *error);

// The row of a kernel that was loaded; NULL, and why, if none was from there or it is for another op. Its variant is the
// path.
const Kernel *kernel_loaded(Op op, const char *path, Error *error);
