// wide.h - the same loop, compiled for wider registers
//
// Where: in kernels that are written in plain C and gain by it.
//
// A vector register holds 4 floats on every x86-64 machine, 8 where there is AVX2, 16 where there is AVX-512. The
// program is to run on all of them, so the compiler keeps to 4, except in functions marked AVX2 or AVX512. What is
// INLINE in such a function is compiled anew for it: the loop is written once. Where the machine lacks the registers,
// the function must not be called: base/machine.h tells. Other kinds of machines have neither, and there the marks mean
// nothing.

#pragma once

#define INLINE static inline __attribute__((always_inline))

#ifdef __x86_64__
#define AVX2 __attribute__((target("avx2,fma")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#else
#define AVX2
#define AVX512
#endif
