// machine.h - what the processor can do beyond what every one of its kind can
//
// Where: kernels that use such instructions are compiled for them by an attribute of their own and only called if the
// machine has them, so one binary runs everywhere. Elsewhere: cpuid; /proc/cpuinfo shows the same as flags.
//
// The environment variable SCULPT_INSTRUCTIONS makes a machine look older than it is: "plain" (what the compiler uses
// for all machines of its kind), "avx2" or "avx512" (without bf16). To see what wide instructions are worth, and for
// tests of what runs without them.

#pragma once

#include "base/error.h"

#include <stdbool.h>

bool machine_has_avx2(void);         // 8 floats at a time, with multiply-add (Haswell 2013, Zen 2017)
bool machine_has_avx512(void);       // 16 floats at a time (Skylake-X 2017, Zen 4 2022): F, BW, DQ, VL
bool machine_has_avx512_bf16(void);  // and products of bf16 pairs (Cooper Lake 2020, Zen 4 2022)

// Whether SCULPT_INSTRUCTIONS is absent or one of the above.
bool machine_check(Error *error);
