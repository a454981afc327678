// exercise.c - lesson 14: the same convolution, faster
//
// This one is right, and slow. `make check N=14` first makes sure that yours is right, too, then holds it against blas, on
// one core, in turns. exercise.h says what goes in and out, README.md where the time goes.

#include "exercise.h"

void conv2d_fast(float *out, const float *in, const float *weight, const float *bias, Conv2dShape s, float *scratch) {
    for (size_t b = 0; b < s.B; b++) {
        for (size_t o = 0; o < s.Cout; o++) {
            for (size_t y = 0; y < s.Hout; y++) {
                for (size_t x = 0; x < s.Wout; x++) {
                    float sum = bias[o];
                    for (size_t c = 0; c < s.Cin; c++) {
                        for (size_t ky = 0; ky < s.K; ky++) {
                            for (size_t kx = 0; kx < s.K; kx++) {
                                // Above the top and left of the edge these wrap to huge numbers: outside as well.
                                size_t yin = y * s.stride + ky - s.padding, xin = x * s.stride + kx - s.padding;
                                if (yin >= s.H || xin >= s.W) continue;
                                sum += weight[((o * s.Cin + c) * s.K + ky) * s.K + kx] *
                                       in[((b * s.Cin + c) * s.H + yin) * s.W + xin];
                            }
                        }
                    }
                    out[((b * s.Cout + o) * s.Hout + y) * s.Wout + x] = sum;
                }
            }
        }
    }
}
