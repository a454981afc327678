// peak.h - what this machine can do at best, measured: arithmetic alone, and memory alone
//
// Paper: Williams, Waterman & Patterson 2009, "Roofline". An op that does n FLOP for each byte it moves can't be faster
// than either of them allows: min(peak, n bandwidth).

#pragma once

// FLOP a second of multiply-adds that stay in registers, f32, in the widest that there are, by so many threads
// (0: all).
double peak_flops(int threads);

// Bytes a second that a[i] = b[i] + s c[i] reads and writes, over arrays larger than the caches (STREAM's triad).
double peak_bandwidth(int threads);
