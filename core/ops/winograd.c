// winograd.c - pixels, weights and products into the form in which a quarter of the multiplications is enough, and back
//
// Where: around the matrix products of conv2d_winograd.c, which tells what for. Paper: Lavin & Gray 2015
// (arXiv 1509.09308), section 4.1 and appendix, has the matrices A, B and G.

#include "ops/winograd.h"

#include "base/bits.h"
#include "base/convert.h"
#include "base/machine.h"
#include "ops/wide.h"

#include <string.h>

enum {
    OUT = 4,   // pixels a side that a tile makes
    SEEN = 6,  // and sees
};

// One number for each of WINOGRAD_LANES tiles or channels.
typedef float Lanes[WINOGRAD_LANES];

// ---- the three transforms -------------------------------------------------------------------------------------------
//
// Each is a small matrix from the left and its transpose from the right: first down the columns, then along the rows.
// `step` is how far the numbers of a column or row lie apart. The loops over lanes become vector instructions.

// B' d: 6 numbers -> 6
INLINE void transform_seen(Lanes *out, const Lanes *in, size_t step) {
#pragma omp simd
    for (size_t l = 0; l < WINOGRAD_LANES; l++) {
        float d0 = in[0][l], d1 = in[step][l], d2 = in[2 * step][l], d3 = in[3 * step][l], d4 = in[4 * step][l],
              d5 = in[5 * step][l];
        float even = d4 - 4 * d2, odd = d3 - 4 * d1, even2 = d4 - d2, odd2 = 2 * (d3 - d1);
        out[0][l] = 4 * d0 - 5 * d2 + d4;
        out[step][l] = even + odd;
        out[2 * step][l] = even - odd;
        out[3 * step][l] = even2 + odd2;
        out[4 * step][l] = even2 - odd2;
        out[5 * step][l] = 4 * d1 - 5 * d3 + d5;
    }
}

// G g: 3 numbers -> 6
INLINE void transform_window(Lanes *out, size_t out_step, const Lanes *in, size_t in_step) {
#pragma omp simd
    for (size_t l = 0; l < WINOGRAD_LANES; l++) {
        float g0 = in[0][l], g1 = in[in_step][l], g2 = in[2 * in_step][l];
        float outer = g0 + g2, outer4 = g0 + 4 * g2;
        out[0][l] = g0 * (1.0f / 4);
        out[out_step][l] = (outer + g1) * (-1.0f / 6);
        out[2 * out_step][l] = (outer - g1) * (-1.0f / 6);
        out[3 * out_step][l] = (outer4 + 2 * g1) * (1.0f / 24);
        out[4 * out_step][l] = (outer4 - 2 * g1) * (1.0f / 24);
        out[5 * out_step][l] = g2;
    }
}

// A' m: 6 numbers -> 4
INLINE void transform_product(Lanes *out, size_t out_step, const Lanes *in, size_t in_step) {
#pragma omp simd
    for (size_t l = 0; l < WINOGRAD_LANES; l++) {
        float m0 = in[0][l], m1 = in[in_step][l], m2 = in[2 * in_step][l], m3 = in[3 * in_step][l],
              m4 = in[4 * in_step][l], m5 = in[5 * in_step][l];
        float sum1 = m1 + m2, difference1 = m1 - m2, sum2 = m3 + m4, difference2 = m3 - m4;
        out[0][l] = m0 + sum1 + sum2;
        out[out_step][l] = difference1 + 2 * difference2;
        out[2 * out_step][l] = sum1 + 4 * sum2;
        out[3 * out_step][l] = difference1 + 8 * difference2 + m5;
    }
}

// ---- tiles ----------------------------------------------------------------------------------------------------------
//
// WINOGRAD_LANES tiles that follow each other make a group; a run is the part of a group that lies in one row of tiles, so
// that its pixels lie in one row of the picture.

WinogradTiles winograd_tiles(Conv2dShape s) {
    size_t down = (s.Hout + OUT - 1) / OUT, across = (s.Wout + OUT - 1) / OUT;
    return (WinogradTiles){down, across, down * across, s.B * down * across};
}

typedef struct TileRun {
    size_t b, y, x;      // the picture, and the first pixel that the run makes
    size_t lane, count;  // its place in the group
} TileRun;

// The run that starts at lane `lane` of the group whose first tile is `first`.
static TileRun tile_run(WinogradTiles tiles, size_t first, size_t lane) {
    size_t tile = first + lane, in_picture = tile % tiles.each, column = in_picture % tiles.across;
    size_t count = tiles.across - column;
    if (count > WINOGRAD_LANES - lane) count = WINOGRAD_LANES - lane;
    if (count > tiles.count - tile) count = tiles.count - tile;
    return (TileRun){tile / tiles.each, in_picture / tiles.across * OUT, column * OUT, lane, count};
}

// What a run sees of one row of the picture, W pixels wide: line[i] is pixel x - 1 + i, and 0 where there is none. The
// runs of large pictures are whole groups, and only their ends can be outside.
INLINE void see_line(float *line, const float *row, size_t x, size_t count, size_t W) {
    if (count == WINOGRAD_LANES && x + OUT * WINOGRAD_LANES <= W) {
        line[0] = x > 0 ? row[x - 1] : 0;
        memcpy(line + 1, row + x, OUT * WINOGRAD_LANES * sizeof *line);
        line[OUT * WINOGRAD_LANES + 1] = x + OUT * WINOGRAD_LANES < W ? row[x + OUT * WINOGRAD_LANES] : 0;
        return;
    }
    for (size_t i = 0; i < OUT * count + SEEN - OUT; i++) line[i] = x + i - 1 < W ? row[x + i - 1] : 0;
}

// One row of what a run's tiles see: line [4 count + 2] -> seen[0..5], in lanes `lane` and after.
INLINE void deal_row(Lanes *seen, const float *line, size_t lane, size_t count) {
    for (size_t j = 0; j < SEEN; j++) {
        for (size_t t = 0; t < count; t++) seen[j][lane + t] = line[OUT * t + j];
    }
}

// What a group's tiles see of channel c: in [B, Cin, H, W] -> seen [SEEN SEEN]
INLINE void see_tiles(Lanes *seen, const float *in, size_t c, size_t first, WinogradTiles tiles, Conv2dShape s) {
    float line[OUT * WINOGRAD_LANES + SEEN];
    size_t lane = 0;
    while (lane < WINOGRAD_LANES && first + lane < tiles.count) {
        TileRun run = tile_run(tiles, first, lane);
        const float *plane = in + (run.b * s.Cin + c) * s.H * s.W;
        for (size_t i = 0; i < SEEN; i++) {
            size_t y = run.y + i - 1;  // huge when above the top
            if (y < s.H)
                see_line(line, plane + y * s.W, run.x, run.count, s.W);
            else
                memset(line, 0, sizeof line);
            if (run.count == WINOGRAD_LANES)
                deal_row(seen + SEEN * i, line, 0, WINOGRAD_LANES);
            else
                deal_row(seen + SEEN * i, line, lane, run.count);
        }
        lane += run.count;
    }
    for (; lane < WINOGRAD_LANES; lane++) {
        for (size_t position = 0; position < WINOGRAD_POSITIONS; position++) seen[position][lane] = 0;
    }
}

// made [OUT OUT] -> channel o of out [B, Cout, Hout, Wout], plus the bias; what hangs over the edge is left out.
INLINE void put_tiles(float *out, const Lanes *made, float bias, size_t o, size_t first, WinogradTiles tiles,
                      Conv2dShape s) {
    for (size_t lane = 0; lane < WINOGRAD_LANES && first + lane < tiles.count;) {
        TileRun run = tile_run(tiles, first, lane);
        float *plane = out + (run.b * s.Cout + o) * s.Hout * s.Wout;
        for (size_t i = 0; i < OUT && run.y + i < s.Hout; i++) {
            float *row = plane + (run.y + i) * s.Wout + run.x;
            size_t width = s.Wout - run.x;
            if (run.count == WINOGRAD_LANES && width >= OUT * WINOGRAD_LANES) {
                for (size_t t = 0; t < WINOGRAD_LANES; t++) {
                    for (size_t j = 0; j < OUT; j++) row[OUT * t + j] = made[OUT * i + j][t] + bias;
                }
            } else {
                for (size_t x = 0; x < OUT * run.count && x < width; x++) {
                    row[x] = made[OUT * i + x % OUT][lane + x / OUT] + bias;
                }
            }
        }
        lane += run.count;
    }
}

// ---- the three steps ------------------------------------------------------------------------------------------------

// Channel c of the tiles first .. first + WINOGRAD_LANES -> V; v: position 0, with `step` numbers from one position to the next.
INLINE void make_v(float *v, size_t step, const float *in, size_t c, size_t first, WinogradTiles tiles, Conv2dShape s) {
    Lanes seen[WINOGRAD_POSITIONS], half[WINOGRAD_POSITIONS];
    see_tiles(seen, in, c, first, tiles, s);
    for (size_t j = 0; j < SEEN; j++) transform_seen(half + j, seen + j, SEEN);
    for (size_t i = 0; i < SEEN; i++) transform_seen(seen + SEEN * i, half + SEEN * i, 1);
    for (size_t position = 0; position < WINOGRAD_POSITIONS; position++) {
        memcpy(v + position * step, seen[position], sizeof(Lanes));
    }
}

// The windows of WINOGRAD_LANES channels from bf16: a float's upper half
INLINE void widen(float *out, const uint16_t *in) {
    for (size_t i = 0; i < 9 * WINOGRAD_LANES; i++) out[i] = float_of_bits((uint32_t)in[i] << 16);
}

// Up to WINOGRAD_LANES windows of input channels, weight [count, 3, 3] -> U, in the same way. type: F32 or BF16.
INLINE void make_u(float *u, size_t step, const void *weight, DType type, size_t count) {
    float copy[9 * WINOGRAD_LANES];
    const float *numbers = weight;
    Lanes windows[9], half[18], whole[WINOGRAD_POSITIONS];
    if (count < WINOGRAD_LANES) {
        memset(copy, 0, sizeof copy);
        convert_piece(copy, F32, weight, type, 9 * count, false);
        numbers = copy;
    } else if (type == BF16) {
        widen(copy, weight);
        numbers = copy;
    }
    // Weights come from memory, which takes long to answer: asked for now, they are here some windows later.
    for (size_t line = 0; line < 9; line++) __builtin_prefetch((const char *)weight + 4096 + 64 * line);
    for (size_t k = 0; k < 9; k++) {
        for (size_t l = 0; l < WINOGRAD_LANES; l++) windows[k][l] = numbers[9 * l + k];
    }
    for (size_t j = 0; j < 3; j++) transform_window(half + j, 3, windows + j, 3);
    for (size_t i = 0; i < SEEN; i++) transform_window(whole + SEEN * i, 1, half + 3 * i, 1);
    for (size_t position = 0; position < WINOGRAD_POSITIONS; position++) {
        if (count == WINOGRAD_LANES)
            memcpy(u + position * step, whole[position], sizeof(Lanes));
        else
            memcpy(u + position * step, whole[position], count * sizeof(float));
    }
}

// M of output channel o for the tiles first .. first + WINOGRAD_LANES -> out; m as v above.
INLINE void finish_m(float *out, const float *m, size_t step, float bias, size_t o, size_t first, WinogradTiles tiles,
                     Conv2dShape s) {
    Lanes product[WINOGRAD_POSITIONS], half[OUT * SEEN], made[OUT * OUT];
    for (size_t position = 0; position < WINOGRAD_POSITIONS; position++) {
        memcpy(product[position], m + position * step, sizeof(Lanes));
    }
    for (size_t j = 0; j < SEEN; j++) transform_product(half + j, SEEN, product + j, SEEN);
    for (size_t i = 0; i < OUT; i++) transform_product(made + OUT * i, 1, half + SEEN * i, 1);
    put_tiles(out, made, bias, o, first, tiles, s);
}

// Each is compiled once for any machine and once for 16 numbers at a time.

AVX512 static void make_v_avx512(float *v, size_t step, const float *in, size_t c, size_t first, WinogradTiles tiles,
                                 Conv2dShape s) {
    make_v(v, step, in, c, first, tiles, s);
}

AVX512 static void make_u_avx512(float *u, size_t step, const void *weight, DType type, size_t count) {
    make_u(u, step, weight, type, count);
}

AVX512 static void finish_m_avx512(float *out, const float *m, size_t step, float bias, size_t o, size_t first,
                                   WinogradTiles tiles, Conv2dShape s) {
    finish_m(out, m, step, bias, o, first, tiles, s);
}

static void make_v_plain(float *v, size_t step, const float *in, size_t c, size_t first, WinogradTiles tiles,
                         Conv2dShape s) {
    make_v(v, step, in, c, first, tiles, s);
}

static void make_u_plain(float *u, size_t step, const void *weight, DType type, size_t count) {
    make_u(u, step, weight, type, count);
}

static void finish_m_plain(float *out, const float *m, size_t step, float bias, size_t o, size_t first,
                           WinogradTiles tiles, Conv2dShape s) {
    finish_m(out, m, step, bias, o, first, tiles, s);
}

WinogradTransforms winograd_transforms(void) {
    if (machine_has_avx512()) return (WinogradTransforms){make_v_avx512, make_u_avx512, finish_m_avx512};
    return (WinogradTransforms){make_v_plain, make_u_plain, finish_m_plain};
}
