// exercise.h - lesson 14: the function to be written, as its check calls it

#pragma once

#include "ops/conv2d.h"

enum {
    WINDOWS = 64,      // of how many pixels there is room for in scratch
    GOAL_PERCENT = 10  // of the speed of core's blas, on one core
};

// A convolution (core/ops/conv2d.c has the definition), which looks at every pixel through a window of K x K:
//
//     out[b,o,y,x] = bias[o] + sum over c, ky, kx of  weight[o,c,ky,kx] * in[b, c, y stride + ky - padding,
//                                                                                  x stride + kx - padding]
//
//     in [B, Cin, H, W]    weight [Cout, Cin, K, K]    bias [Cout]    out [B, Cout, Hout, Wout]
//
// What lies outside the picture counts as 0. K is 1 or 3, stride 1 or 2, padding 0 or 1; s.Hout and s.Wout have been worked
// out. In float: the order in which products are added up is yours.
//
//     scratch [Cin K K, WINDOWS]  memory to use as you like: room for what the windows of WINDOWS pixels see
void conv2d_fast(float *out, const float *in, const float *weight, const float *bias, Conv2dShape s, float *scratch);
