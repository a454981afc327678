// normal_cdf.h - P(a normally distributed number is below x), in a form that compilers turn into vector instructions
//
// Where: inside GELU and GEGLU (activation.c), which take one of every number.
// Elsewhere: (1 + erf(x / sqrt 2)) / 2 with erff of <math.h>, which is a call for each number. Off by at most 8e-7 of
// the result from -5 on and 5e-6 at -13, where 1 + erff(..) has no digits left.
//
//     P(below -|x|) = e^(-x^2 / 2) q(t),  t = 1 / (1 + 0.3 |x|)             P(below |x|) = 1 - P(below -|x|)
//
// q is a polynomial without a constant term: the form of Hastings 1955 (Abramowitz & Stegun 7.1.26), with 8 terms where
// his has 5. Its numbers are those that make the largest error, relative to the result, as small as 8 terms can: 1.5e-7
// (Remez's algorithm, |x| up to 14, beyond which the result is too small for a float).

#pragma once

#include "ops/exp.h"

static inline float normal_cdf(float x) {
    float distance = select_float(x < 0, -x, x);
    float t = 1 / (1 + 0.3f * distance);

    float series = 0.0356747923f;
    series = series * t - 0.157203157f;
    series = series * t + 0.206353633f;
    series = series * t - 0.0536837589f;
    series = series * t + 0.128561686f;
    series = series * t + 0.0999134749f;
    series = series * t + 0.120753959f;
    series = series * t + 0.119629299f;

    float tail = exp_inline(-0.5f * x * x) * (series * t);
    return select_float(x < 0, tail, 1 - tail);
}
