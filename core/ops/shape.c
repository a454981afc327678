// shape.c - the small ops around the layers: add, scale, join, pad, enlarge, reorder
//
// Where: everywhere between the layers. add closes every shortcut; add_per_channel tells a ResNet block the time;
//        concat_channels brings the U-Net's skip connections back in; image_to_tokens lets pixels enter a transformer.
// Elsewhere: torch's +, *, cat, nn.functional.pad, nn.functional.interpolate(mode="nearest") and permute.
// Read next: stages/unet.c uses all of them.
//
// None of them computes much: they take as long as memory takes. So the openmp variants only deal the reading and
// writing to the threads, and only from PARALLEL_FROM numbers on, since waking the threads takes some microseconds.

#include "ops/shape.h"

#include <string.h>

enum { PARALLEL_FROM = 1 << 15 };

// ---- out[i] = a[i] + b[i] -------------------------------------------------------------------------------------------

void add_naive(float *out, const float *a, const float *b, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = a[i] + b[i];
}

void add_openmp(float *out, const float *a, const float *b, size_t n) {
#pragma omp parallel for simd if (parallel : n > PARALLEL_FROM)
    for (size_t i = 0; i < n; i++) out[i] = a[i] + b[i];
}

// ---- out[b,c,y,x] = in[b,c,y,x] + per_channel[b,c] ------------------------------------------------------------------
//
//     in, out [B, C, H, W]    per_channel [B, C]

void add_per_channel_naive(float *out, const float *in, const float *per_channel, PlanesShape s) {
    size_t HW = s.H * s.W;
    for (size_t bc = 0; bc < s.B * s.C; bc++) {
        for (size_t i = 0; i < HW; i++) out[bc * HW + i] = in[bc * HW + i] + per_channel[bc];
    }
}

void add_per_channel_openmp(float *out, const float *in, const float *per_channel, PlanesShape s) {
    size_t HW = s.H * s.W;
#pragma omp parallel for if (s.B * s.C * HW > PARALLEL_FROM)
    for (size_t bc = 0; bc < s.B * s.C; bc++) {
#pragma omp simd
        for (size_t i = 0; i < HW; i++) out[bc * HW + i] = in[bc * HW + i] + per_channel[bc];
    }
}

// ---- out[i] = in[i] scale + shift -----------------------------------------------------------------------------------

void scale_shift_naive(float *out, const float *in, float scale, float shift, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = in[i] * scale + shift;
}

void scale_shift_openmp(float *out, const float *in, float scale, float shift, size_t n) {
#pragma omp parallel for simd if (parallel : n > PARALLEL_FROM)
    for (size_t i = 0; i < n; i++) out[i] = in[i] * scale + shift;
}

// ---- out[b] = the channels of a[b], then those of b[b] --------------------------------------------------------------
//
//     a [B, Ca, H, W]    b [B, Cb, H, W]    out [B, Ca + Cb, H, W]
//
// One picture's channels lie together, so this is two copies a picture, and no loop of ours beats memcpy.

void concat_channels_naive(float *out, const float *a, const float *b, ConcatShape s) {
    size_t na = s.Ca * s.H * s.W, nb = s.Cb * s.H * s.W;
    for (size_t i = 0; i < s.B; i++) {
        memcpy(out + i * (na + nb), a + i * na, na * sizeof(float));
        memcpy(out + i * (na + nb) + na, b + i * nb, nb * sizeof(float));
    }
}

// ---- a column of zeros at the right, a row of zeros at the bottom ---------------------------------------------------
//
//     in [B, C, H, W]    out [B, C, H + 1, W + 1]
//
// The VAE's encoder halves pictures with a 3x3 window of stride 2 that hangs over on these two sides only.

void pad_right_bottom_naive(float *out, const float *in, PlanesShape s) {
    size_t Hout = s.H + 1, Wout = s.W + 1;
    for (size_t bc = 0; bc < s.B * s.C; bc++) {
        for (size_t y = 0; y < Hout; y++) {
            for (size_t x = 0; x < Wout; x++) {
                out[(bc * Hout + y) * Wout + x] = y < s.H && x < s.W ? in[(bc * s.H + y) * s.W + x] : 0;
            }
        }
    }
}

// ---- each pixel takes the nearest old one's colour ------------------------------------------------------------------
//
//     out[b,c,y,x] = in[b, c, floor(y H / Hout), floor(x W / Wout)]
//
//     in [B, C, H, W]    out [B, C, Hout, Wout]
//
// Twice the size makes four of each pixel. Where a picture of odd size was halved on the way down, the way up asks for
// that size again, one less than twice.

void upsample_nearest_naive(float *out, const float *in, UpsampleShape s) {
    for (size_t bc = 0; bc < s.B * s.C; bc++) {
        for (size_t y = 0; y < s.Hout; y++) {
            for (size_t x = 0; x < s.Wout; x++) {
                size_t yin = y * s.H / s.Hout, xin = x * s.W / s.Wout;
                out[(bc * s.Hout + y) * s.Wout + x] = in[(bc * s.H + yin) * s.W + xin];
            }
        }
    }
}

// openmp: a plane is one thread's work, and a row that repeats the one above is copied instead of worked out. A division
// for each pixel takes longer than all the rest, so twice the width, which nearly all pictures are enlarged to, does
// without.

static void widen_row(float *to, const float *from, UpsampleShape s) {
    if (s.Wout == 2 * s.W) {
        for (size_t x = 0; x < s.W; x++) to[2 * x] = to[2 * x + 1] = from[x];
    } else {
        for (size_t x = 0; x < s.Wout; x++) to[x] = from[x * s.W / s.Wout];
    }
}

void upsample_nearest_openmp(float *out, const float *in, UpsampleShape s) {
#pragma omp parallel for if (s.B * s.C * s.Hout * s.Wout > PARALLEL_FROM)
    for (size_t bc = 0; bc < s.B * s.C; bc++) {
        for (size_t y = 0; y < s.Hout; y++) {
            size_t yin = y * s.H / s.Hout;
            float *to = out + (bc * s.Hout + y) * s.Wout;
            if (y > 0 && (y - 1) * s.H / s.Hout == yin) {
                memcpy(to, to - s.Wout, s.Wout * sizeof(float));
            } else {
                widen_row(to, in + (bc * s.H + yin) * s.W, s);
            }
        }
    }
}

// ---- from planes of pixels to a row of channels for each pixel, and back --------------------------------------------
//
//     tokens[b, y W + x, c] = image[b, c, y, x]
//
//     image [B, C, H, W]    tokens [B, H W, C]
//
// A convolution wants planes, a transformer wants a vector for each token. Both ways are a transposed matrix, [C, HW]
// to [HW, C] or back, for each picture.

void image_to_tokens_naive(float *out, const float *in, PlanesShape s) {
    size_t HW = s.H * s.W;
    for (size_t b = 0; b < s.B; b++) {
        for (size_t i = 0; i < HW; i++) {
            for (size_t c = 0; c < s.C; c++) out[(b * HW + i) * s.C + c] = in[(b * s.C + c) * HW + i];
        }
    }
}

void tokens_to_image_naive(float *out, const float *in, PlanesShape s) {
    size_t HW = s.H * s.W;
    for (size_t b = 0; b < s.B; b++) {
        for (size_t c = 0; c < s.C; c++) {
            for (size_t i = 0; i < HW; i++) out[(b * s.C + c) * HW + i] = in[(b * HW + i) * s.C + c];
        }
    }
}

// openmp: memory comes in lines of 16 floats. The plain loops read (or write) one float of each line and by the time
// they want the next, the line has left the cache. Going in squares of 16 x 16 uses up every line while it is there. A
// square is copied aside line by line first: in a picture of 64 x 64, its 16 lines lie 16 KB apart, and since a cache
// finds a line's place by the last digits of its address, all would want the same few places.

enum { LINE = 16 };

// from: [rows, columns], a square of which begins there -> to: its place in [columns, rows]
static void transpose_square(float *to, const float *from, size_t rows, size_t columns) {
    float square[LINE][LINE];
    for (size_t row = 0; row < LINE; row++) {
        for (size_t column = 0; column < LINE; column++) square[row][column] = from[row * columns + column];
    }
    for (size_t column = 0; column < LINE; column++) {
        for (size_t row = 0; row < LINE; row++) to[column * rows + row] = square[row][column];
    }
}

// in: pictures of [rows, columns] -> out: pictures of [columns, rows]
static void transpose_openmp(float *out, const float *in, size_t pictures, size_t rows, size_t columns) {
#pragma omp parallel for collapse(2) if (pictures * rows * columns > PARALLEL_FROM)
    for (size_t b = 0; b < pictures; b++) {
        for (size_t column0 = 0; column0 < columns; column0 += LINE) {
            const float *from = in + b * rows * columns + column0;
            float *to = out + (b * columns + column0) * rows;
            size_t width = columns - column0 < LINE ? columns - column0 : LINE;
            size_t row0 = 0;
            for (; width == LINE && row0 + LINE <= rows; row0 += LINE) {
                transpose_square(to + row0, from + row0 * columns, rows, columns);
            }
            for (size_t row = row0; row < rows; row++) {  // what is left of squares at the edges
                for (size_t column = 0; column < width; column++)
                    to[column * rows + row] = from[row * columns + column];
            }
        }
    }
}

void image_to_tokens_openmp(float *out, const float *in, PlanesShape s) {
    transpose_openmp(out, in, s.B, s.C, s.H * s.W);
}

void tokens_to_image_openmp(float *out, const float *in, PlanesShape s) {
    transpose_openmp(out, in, s.B, s.H * s.W, s.C);
}
