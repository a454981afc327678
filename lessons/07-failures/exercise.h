// exercise.h - lesson 07: the functions to be written, as their check calls them

#pragma once

#include <stddef.h>

// What is in a picture, by a measure that anybody can repeat: how much of each half has a colour, about. A pixel has it if
// it is less than 60 away,
//
//     sqrt((r - color[0])^2 + (g - color[1])^2 + (b - color[2])^2) < 60
//
//     pixels  [height, width, 3]  red, green and blue, 0 to 255
//     share   [2]                 the share of such pixels, 0 to 1, among those of the left half, the columns before
//                                 width / 2, and among those of the right half, the others
void halves_share(const float *pixels, size_t width, size_t height, const float color[3], float share[2]);

// What the count says about the share that all seeds would give (Wilson 1927). With p = successes / n,
//
//     middle = (p + z^2 / (2 n)) / (1 + z^2 / n)
//     half   = z sqrt(p (1 - p) / n + z^2 / (4 n^2)) / (1 + z^2 / n)
//
// and interval is [2]: middle - half, middle + half. z = 1.96 makes it right in about 95 of 100 such counts. n is at least 1.
void wilson_interval(size_t successes, size_t n, float z, float interval[2]);

// The same n seeds with two prompts: is the second better? Seeds that went alike say nothing. Of those that changed, if the
// prompts were equally good, each would be a fair coin. p is how likely such coins are at least as far from half and half,
// to either side: with m = seeds that changed and k = the fewer of those that got better and those that got worse,
//
//     p = 2 sum over i = 0 .. k of  m! / (i! (m - i)!) / 2^m,    but never more than 1
//
//     before, after  [n]  1 where the picture was right, 0 where it wasn't
// n may be 1000.
float sign_test(const float *before, const float *after, size_t n);
