// exp.h - e^x in a form that compilers turn into vector instructions
//
// Where: inside softmax (attention.c) and the sigmoids (activation.c, norm.c), which take one of every number.
// Elsewhere: expf of <math.h>, which is a call for each number. This is plain arithmetic, so a loop over it is computed
// four or more numbers at a time. Off by at most 2e-7 of the result (5e-7 above 88, close to the largest float).
//
//     x = n ln 2 + r  with n whole and |r| <= ln 2 / 2,  so  e^x = 2^n e^r
//
// 2^n is a float whose exponent bits are n + 127. e^r is its Taylor series up to r^7 / 7!: the next term, at most 5e-9,
// is less than a float near 1 can show.

#pragma once

#include "base/bits.h"

// condition ? a : b, by masks. GCC keeps a comparison of floats as a branch, since it may raise a flag that somebody
// might read (-ftrapping-math, its default), and a loop with a branch in it isn't vectorised.
static inline float select_float(int32_t condition, float a, float b) {
    int32_t mask = -condition, bits_a, bits_b;
    memcpy(&bits_a, &a, sizeof a);
    memcpy(&bits_b, &b, sizeof b);
    bits_a = (bits_a & mask) | (bits_b & ~mask);
    memcpy(&a, &bits_a, sizeof a);
    return a;
}

// 2^n, of n + 1.5 x 2^23: n stands in that float's lowest bits
static inline float two_to_the(float shifted) { return float_of_bits((bits_of_float(shifted) + 127) << 23); }

static inline float exp_inline(float x) {
    // Below this the answer isn't a normal float any more: stay at the smallest that is.
    x = select_float(x < -87.3f, -87.3f, x);

    // Adding 1.5 x 2^23 leaves no room for a fraction, so the sum is rounded to a whole number, which then stands in
    // its lowest bits: rounding and conversion to an integer in one addition. n stops at the largest exponent there is:
    // what is too large for a float becomes infinity in the end, as it should. NaN stays NaN.
    float shifted = x * 1.44269504f + 12582912.0f;  // 1 / ln 2
    shifted = select_float(shifted > 12582912.0f + 127, 12582912.0f + 127, shifted);
    float n = shifted - 12582912.0f;
    // ln 2 in two parts, the first with so few digits that n times it is exact (Cody & Waite 1980).
    float r = x - n * 0.693359375f + n * 2.12194440e-4f;

    float series = 1.0f / 5040;
    series = series * r + 1.0f / 720;
    series = series * r + 1.0f / 120;
    series = series * r + 1.0f / 24;
    series = series * r + 1.0f / 6;
    series = series * r + 0.5f;
    series = series * r + 1;
    series = series * r + 1;

    return two_to_the(shifted) * series;
}

// 2^x for x <= 0, which is all that a softmax asks for, and in half of the operations: nothing can become too large, and
// the base needs no splitting up. x = n + r with n whole and |r| <= 1/2. 2^r is a polynomial of degree 5 whose largest
// relative error is the smallest possible, 8e-8 (Lawson's method); in floats the result is off by at most 3e-7. Below
// -126 the answer stays at 2^-126.
static inline float exp2_of_negative(float x) {
    x = x < -126 ? -126 : x;  // in this order NaN stays NaN
    float shifted = x + 12582912.0f;
    float r = x - (shifted - 12582912.0f);

    float series = 1.327647129e-3f;
    series = series * r + 9.675540961e-3f;
    series = series * r + 5.550713092e-2f;
    series = series * r + 2.402212024e-1f;
    series = series * r + 6.931469440e-1f;
    series = series * r + 1.0000001192f;

    return two_to_the(shifted) * series;
}
