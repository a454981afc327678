// solution.c - lesson 14: a convolution in tiles of 6 channels x 8 pixels, whose sums stay in registers
//
// What the windows of 8 pixels see is written side by side once, and multiplied with all output channels, six at a time:
// 48 products for 14 numbers fetched. core/ops/gemm_avx512.c does so with 14 x 32.

#include "exercise.h"

#include "base/least.h"
#include "base/machine.h"
#include "ops/wide.h"

#include <stdbool.h>
#include <string.h>

enum { CHANNELS = 6, PIXELS = 8 };

// panel [Cin K K, PIXELS]: what is seen from the output pixels first .. first + PIXELS - 1 of one picture
static void see(float *panel, const float *picture, size_t first, Conv2dShape s) {
    for (size_t c = 0; c < s.Cin; c++) {
        for (size_t ky = 0; ky < s.K; ky++) {
            for (size_t kx = 0; kx < s.K; kx++, panel += PIXELS) {
                size_t x = first % s.Wout, y = first / s.Wout;
                for (size_t i = 0; i < PIXELS; i++) {
                    size_t yin = y * s.stride + ky - s.padding, xin = x * s.stride + kx - s.padding;
                    bool inside = y < s.Hout && yin < s.H && xin < s.W;
                    panel[i] = inside ? picture[(c * s.H + yin) * s.W + xin] : 0;
                    if (++x == s.Wout) x = 0, y++;
                }
            }
        }
    }
}

// sums [CHANNELS, PIXELS] += rows [CHANNELS][depth] x panel [depth, PIXELS]. The copy is small, nobody else knows its address,
// and all loops over it have fixed ends: so the compiler keeps it in registers.
INLINE void multiply(float sums[CHANNELS][PIXELS], const float *const *rows, const float *panel, size_t depth) {
    float sum[CHANNELS][PIXELS];
    memcpy(sum, sums, sizeof sum);
    for (size_t k = 0; k < depth; k++) {
        for (size_t o = 0; o < CHANNELS; o++) {
#pragma omp simd
            for (size_t i = 0; i < PIXELS; i++) sum[o][i] += rows[o][k] * panel[k * PIXELS + i];
        }
    }
    memcpy(sums, sum, sizeof sum);
}

// Compiled for registers of 8 numbers, and for those that every machine has (ops/wide.h)
AVX2 static void multiply_avx2(float sums[CHANNELS][PIXELS], const float *const *rows, const float *panel,
                               size_t depth) {
    multiply(sums, rows, panel, depth);
}

static void multiply_plain(float sums[CHANNELS][PIXELS], const float *const *rows, const float *panel, size_t depth) {
    multiply(sums, rows, panel, depth);
}

void conv2d_fast(float *out, const float *in, const float *weight, const float *bias, Conv2dShape s, float *scratch) {
    size_t depth = s.Cin * s.K * s.K, plane = s.Hout * s.Wout;
    for (size_t b = 0; b < s.B; b++) {
        for (size_t first = 0; first < plane; first += PIXELS) {
            see(scratch, in + b * s.Cin * s.H * s.W, first, s);
            for (size_t o = 0; o < s.Cout; o += CHANNELS) {
                const float *rows[CHANNELS];
                float sums[CHANNELS][PIXELS];
                for (size_t i = 0; i < CHANNELS; i++) {
                    size_t channel = least(o + i, s.Cout - 1);  // behind the last one, that one again
                    rows[i] = weight + channel * depth;
                    for (size_t x = 0; x < PIXELS; x++) sums[i][x] = bias[channel];
                }
                (machine_has_avx2() ? multiply_avx2 : multiply_plain)(sums, rows, scratch, depth);
                for (size_t i = 0; i < CHANNELS && o + i < s.Cout; i++) {
                    float *to = out + (b * s.Cout + o + i) * plane + first;
                    memcpy(to, sums[i], least(PIXELS, plane - first) * sizeof *to);
                }
            }
        }
    }
}
