// conv2d_winograd.c - a 3x3 convolution with a quarter of the multiplications
//
// Where: nearly all convolutions of the U-Net and the VAE are 3x3 with stride 1; conv2d=winograd takes them.
// Elsewhere: oneDNN, cuDNN and NNPACK have it, for small tiles. Paper: Lavin & Gray 2015 (arXiv 1509.09308), section 4.
// Read next: gemm.h, for the products in the middle; conv2d.c for the definition.
//
// Two numbers next to each other, of a window of three, take six multiplications; neighbouring windows share what they
// see, and Winograd (1980) found the way to use it: take sums and differences first, then multiply, then sum again.
// F(4x4, 3x3) makes 4 x 4 pixels at once from the 6 x 6 that their windows see:
//
//     Y = A' [ (G g G') . (B' d B) ] A          .  is multiplying number by number, ' is transposing
//
//     d [6, 6]  what is seen, of one channel          g [3, 3]  the window            Y [4, 4]  what comes out
//
// 36 multiplications in place of 4 4 9 = 144. Summed over the input channels, each of the 36 positions is a matrix
// product of its own over channels and tiles, and a large one:
//
//     U[xi] [Cout, Cin] = window transformed          xi = 0 .. 35
//     V[xi] [Cin, tiles] = picture transformed
//     M[xi] [Cout, tiles] = U[xi] V[xi]               by gemm, at the speed of the arithmetic
//     out = A' M A, a tile of 4 x 4 pixels at a time
//
// Nothing comes for free. The transforms cost time, which pays when a transformed number is used often: V's for all
// output channels, U's for all tiles. And they cost digits: A, B and G add and subtract numbers up to 8 times as large
// as the result (measured: 1e-6 to 4e-6 of the largest output, where the sums alone lose 2e-7). Larger tiles would save
// more and lose more.
//
// U is four times the size of the weights. Making it when it is needed, a block of output channels at a time that stays
// in the cache, takes less time than fetching it from memory would, where there are few tiles; so nothing is kept.

#include "ops/conv2d.h"

#include "base/convert.h"
#include "base/machine.h"
#include "ops/gemm.h"
#include "ops/wide.h"

#include <string.h>

enum {
    OUT = 4,               // pixels a side that a tile makes
    SEEN = 6,              // and sees
    POSITIONS = 36,        // SEEN SEEN
    LANES = 16,            // tiles, or input channels, that are transformed side by side
    BLOCK_CHANNELS = 56,   // output channels at a time: four times what gemm keeps in registers
    SLICE_CHANNELS = 256,  // input channels: U of both takes 2 MB, and is in the cache yet when it is multiplied
    SLICE_PANELS = 4,      // of V, in one thread's product
    CHUNK_BYTES = 4 << 20,
    CHUNK_PANELS_LEAST = 6,
};

// One number for each of LANES tiles or channels.
typedef float Lanes[LANES];

// ---- the three transforms -------------------------------------------------------------------------------------------
//
// Each is a small matrix from the left and its transpose from the right: first down the columns, then along the rows.
// `step` is how far the numbers of a column or row lie apart. The loops over lanes become vector instructions.

// B' d: 6 numbers -> 6
INLINE void transform_seen(Lanes *out, const Lanes *in, size_t step) {
#pragma omp simd
    for (size_t l = 0; l < LANES; l++) {
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
    for (size_t l = 0; l < LANES; l++) {
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
    for (size_t l = 0; l < LANES; l++) {
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
// All tiles of all pictures are counted through, row by row. LANES of them that follow each other make a group; a run is
// the part of a group that lies in one row of tiles, so that its pixels lie in one row of the picture.

typedef struct Tiles {
    size_t down, across, each, count;  // in a picture: each = down across; in all pictures: count
} Tiles;

static Tiles tiles_of(Conv2dShape s) {
    size_t down = (s.Hout + OUT - 1) / OUT, across = (s.Wout + OUT - 1) / OUT;
    return (Tiles){down, across, down * across, s.B * down * across};
}

typedef struct TileRun {
    size_t b, y, x;      // the picture, and the first pixel that the run makes
    size_t lane, count;  // its place in the group
} TileRun;

// The run that starts at lane `lane` of the group whose first tile is `first`.
static TileRun tile_run(Tiles tiles, size_t first, size_t lane) {
    size_t tile = first + lane, in_picture = tile % tiles.each, column = in_picture % tiles.across;
    size_t count = tiles.across - column;
    if (count > LANES - lane) count = LANES - lane;
    if (count > tiles.count - tile) count = tiles.count - tile;
    return (TileRun){tile / tiles.each, in_picture / tiles.across * OUT, column * OUT, lane, count};
}

// What a run sees of one row of the picture, W pixels wide: line[i] is pixel x - 1 + i, and 0 where there is none. The
// runs of large pictures are whole groups, and only their ends can be outside.
INLINE void see_line(float *line, const float *row, size_t x, size_t count, size_t W) {
    if (count == LANES && x + OUT * LANES <= W) {
        line[0] = x > 0 ? row[x - 1] : 0;
        memcpy(line + 1, row + x, OUT * LANES * sizeof *line);
        line[OUT * LANES + 1] = x + OUT * LANES < W ? row[x + OUT * LANES] : 0;
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
INLINE void see_tiles(Lanes *seen, const float *in, size_t c, size_t first, Tiles tiles, Conv2dShape s) {
    float line[OUT * LANES + SEEN];
    size_t lane = 0;
    while (lane < LANES && first + lane < tiles.count) {
        TileRun run = tile_run(tiles, first, lane);
        const float *plane = in + (run.b * s.Cin + c) * s.H * s.W;
        for (size_t i = 0; i < SEEN; i++) {
            size_t y = run.y + i - 1;  // huge when above the top
            if (y < s.H)
                see_line(line, plane + y * s.W, run.x, run.count, s.W);
            else
                memset(line, 0, sizeof line);
            if (run.count == LANES)
                deal_row(seen + SEEN * i, line, 0, LANES);
            else
                deal_row(seen + SEEN * i, line, lane, run.count);
        }
        lane += run.count;
    }
    for (; lane < LANES; lane++) {
        for (size_t position = 0; position < POSITIONS; position++) seen[position][lane] = 0;
    }
}

// made [OUT OUT] -> channel o of out [B, Cout, Hout, Wout], plus the bias; what hangs over the edge is left out.
INLINE void put_tiles(float *out, const Lanes *made, float bias, size_t o, size_t first, Tiles tiles, Conv2dShape s) {
    for (size_t lane = 0; lane < LANES && first + lane < tiles.count;) {
        TileRun run = tile_run(tiles, first, lane);
        float *plane = out + (run.b * s.Cout + o) * s.Hout * s.Wout;
        for (size_t i = 0; i < OUT && run.y + i < s.Hout; i++) {
            float *row = plane + (run.y + i) * s.Wout + run.x;
            size_t width = s.Wout - run.x;
            if (run.count == LANES && width >= OUT * LANES) {
                for (size_t t = 0; t < LANES; t++) {
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

// Channel c of the tiles first .. first + LANES -> V; v: position 0, with `step` numbers from one position to the next.
INLINE void make_v(float *v, size_t step, const float *in, size_t c, size_t first, Tiles tiles, Conv2dShape s) {
    Lanes seen[POSITIONS], half[POSITIONS];
    see_tiles(seen, in, c, first, tiles, s);
    for (size_t j = 0; j < SEEN; j++) transform_seen(half + j, seen + j, SEEN);
    for (size_t i = 0; i < SEEN; i++) transform_seen(seen + SEEN * i, half + SEEN * i, 1);
    for (size_t position = 0; position < POSITIONS; position++) {
        memcpy(v + position * step, seen[position], sizeof(Lanes));
    }
}

// The windows of LANES channels from bf16: a float's upper half
INLINE void widen(float *out, const uint16_t *in) {
    for (size_t i = 0; i < 9 * LANES; i++) {
        uint32_t bits = (uint32_t)in[i] << 16;
        memcpy(&out[i], &bits, sizeof bits);
    }
}

// Up to LANES windows of input channels, weight [count, 3, 3] -> U, in the same way. type: F32 or BF16.
INLINE void make_u(float *u, size_t step, const void *weight, DType type, size_t count) {
    float copy[9 * LANES];
    const float *numbers = weight;
    Lanes windows[9], half[18], whole[POSITIONS];
    if (count < LANES) {
        memset(copy, 0, sizeof copy);
        convert_piece(copy, F32, weight, type, 9 * count, false);
        numbers = copy;
    } else if (type == BF16) {
        widen(copy, weight);
        numbers = copy;
    }
    for (size_t line = 0; line < 9; line++) __builtin_prefetch((const char *)weight + 4096 + 64 * line);
    for (size_t k = 0; k < 9; k++) {
        for (size_t l = 0; l < LANES; l++) windows[k][l] = numbers[9 * l + k];
    }
    for (size_t j = 0; j < 3; j++) transform_window(half + j, 3, windows + j, 3);
    for (size_t i = 0; i < SEEN; i++) transform_window(whole + SEEN * i, 1, half + 3 * i, 1);
    for (size_t position = 0; position < POSITIONS; position++) {
        if (count == LANES)
            memcpy(u + position * step, whole[position], sizeof(Lanes));
        else
            memcpy(u + position * step, whole[position], count * sizeof(float));
    }
}

// M of output channel o for the tiles first .. first + LANES -> out; m as v above.
INLINE void finish_m(float *out, const float *m, size_t step, float bias, size_t o, size_t first, Tiles tiles,
                     Conv2dShape s) {
    Lanes product[POSITIONS], half[OUT * SEEN], made[OUT * OUT];
    for (size_t position = 0; position < POSITIONS; position++) {
        memcpy(product[position], m + position * step, sizeof(Lanes));
    }
    for (size_t j = 0; j < SEEN; j++) transform_product(half + j, SEEN, product + j, SEEN);
    for (size_t i = 0; i < OUT; i++) transform_product(made + OUT * i, 1, half + SEEN * i, 1);
    put_tiles(out, made, bias, o, first, tiles, s);
}

// The three of them, compiled once for any machine and once for 16 numbers at a time.
typedef struct Transforms {
    void (*make_v)(float *v, size_t step, const float *in, size_t c, size_t first, Tiles tiles, Conv2dShape s);
    void (*make_u)(float *u, size_t step, const void *weight, DType type, size_t count);
    void (*finish_m)(float *out, const float *m, size_t step, float bias, size_t o, size_t first, Tiles tiles,
                     Conv2dShape s);
} Transforms;

AVX512 static void make_v_avx512(float *v, size_t step, const float *in, size_t c, size_t first, Tiles tiles,
                                 Conv2dShape s) {
    make_v(v, step, in, c, first, tiles, s);
}

AVX512 static void make_u_avx512(float *u, size_t step, const void *weight, DType type, size_t count) {
    make_u(u, step, weight, type, count);
}

AVX512 static void finish_m_avx512(float *out, const float *m, size_t step, float bias, size_t o, size_t first,
                                   Tiles tiles, Conv2dShape s) {
    finish_m(out, m, step, bias, o, first, tiles, s);
}

static void make_v_plain(float *v, size_t step, const float *in, size_t c, size_t first, Tiles tiles, Conv2dShape s) {
    make_v(v, step, in, c, first, tiles, s);
}

static void make_u_plain(float *u, size_t step, const void *weight, DType type, size_t count) {
    make_u(u, step, weight, type, count);
}

static void finish_m_plain(float *out, const float *m, size_t step, float bias, size_t o, size_t first, Tiles tiles,
                           Conv2dShape s) {
    finish_m(out, m, step, bias, o, first, tiles, s);
}

static Transforms transforms_here(void) {
    if (machine_has_avx512()) return (Transforms){make_v_avx512, make_u_avx512, finish_m_avx512};
    return (Transforms){make_v_plain, make_u_plain, finish_m_plain};
}

// ---- all of it ------------------------------------------------------------------------------------------------------

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

// How much is done at a time, and how far apart the 36 matrices of U, V and M lie. Where that is a multiple of 4 KiB, as
// sizes of layers like to be, all 36 numbers of a tile would fall on the same few places of the cache and push each other
// out; so it is one cache line more.
typedef struct Plan {
    Tiles tiles;
    size_t panels;   // of tiles, at a time
    size_t v, u, m;  // numbers from one position to the next
} Plan;

static Plan plan_of(Conv2dShape s) {
    Plan plan = {.tiles = tiles_of(s)};
    plan.panels = CHUNK_BYTES / (POSITIONS * s.Cin * PANEL * sizeof(float));
    if (plan.panels < CHUNK_PANELS_LEAST) plan.panels = CHUNK_PANELS_LEAST;
    plan.panels = least(plan.panels, panel_count(plan.tiles.count));
    plan.v = plan.panels * s.Cin * PANEL + LANES;
    plan.u = least(BLOCK_CHANNELS, s.Cout) * SLICE_CHANNELS + LANES;
    plan.m = least(BLOCK_CHANNELS, s.Cout) * plan.panels * PANEL + LANES;
    return plan;
}

// Whether the products, counted in steps of one panel, are fewer than without transforms; in bf16 two of those are done at
// a time. A window's transform takes about as long as TRANSFORM such steps. Few input channels aren't worth it: each is
// transformed, and hardly used.
static bool winograd_pays(DType weight_type, Conv2dShape s) {
    enum { TRANSFORM = 10, CHANNELS = 16 };
    if (s.K != 3 || s.stride != 1 || s.padding != 1 || s.Cin < CHANNELS) return false;
    size_t direct = 9 * s.B * panel_count(s.Hout * s.Wout);
    return POSITIONS * panel_count(tiles_of(s).count) + TRANSFORM < (weight_type == BF16 ? direct / 2 : direct);
}

static size_t scratch_size_as(DType weight_type, Conv2dShape s) {
    if (!winograd_pays(weight_type, s)) return conv2d_packed_as_scratch_size(weight_type, s);
    Plan plan = plan_of(s);
    return POSITIONS * (plan.v + plan.u + plan.m) * sizeof(float);
}

// A convolution under way: a chunk of tiles, and where U, V and M of it stand.
typedef struct Chunk {
    Conv2dShape s;
    Plan plan;
    Transforms transforms;
    const float *in;
    const char *weight;
    DType weight_type;
    const float *bias;
    float *out;
    size_t first, panels;  // the chunk's first tile, and how many panels of them there are
    float *u, *v, *m;
} Chunk;

// All threads come to each of these four. The work is dealt to them, and none goes on before all have done their part.

static void make_chunk_v(const Chunk *k) {
    size_t groups = k->panels * (PANEL / LANES);
#pragma omp for collapse(2)
    for (size_t c = 0; c < k->s.Cin; c++) {
        for (size_t group = 0; group < groups; group++) {
            float *v = k->v + (group / 2 * k->s.Cin + c) * PANEL + group % 2 * LANES;
            k->transforms.make_v(v, k->plan.v, k->in, c, k->first + group * LANES, k->plan.tiles, k->s);
        }
    }
}

// U [rows, channels] of the output channels from o0 and the input channels from c0 on
static void make_block_u(const Chunk *k, size_t o0, size_t rows, size_t c0, size_t channels) {
#pragma omp for collapse(2)
    for (size_t o = 0; o < rows; o++) {
        for (size_t c = 0; c < channels; c += LANES) {
            size_t window = (o0 + o) * k->s.Cin + c0 + c;
            k->transforms.make_u(k->u + o * SLICE_CHANNELS + c, k->plan.u,
                                 k->weight + window * 9 * dtype_size(k->weight_type), k->weight_type,
                                 least(LANES, channels - c));
        }
    }
}

// M [rows, tiles] += U [rows, channels] V [channels, tiles], 36 times
static void multiply_block(const Chunk *k, size_t rows, size_t c0, size_t channels) {
#pragma omp for collapse(2) schedule(dynamic)
    for (size_t position = 0; position < POSITIONS; position++) {
        for (size_t panel = 0; panel < k->panels; panel += SLICE_PANELS) {
            gemm((Gemm){.out = k->m + position * k->plan.m + panel * PANEL,
                        .out_stride = k->panels * PANEL,
                        .rows = k->u + position * k->plan.u,
                        .row_stride = SLICE_CHANNELS,
                        .k_stride = 1,
                        .panels = k->v + position * k->plan.v + (panel * k->s.Cin + c0) * PANEL,
                        .panel_stride = k->s.Cin * PANEL,
                        .M = rows,
                        .N = least(SLICE_PANELS, k->panels - panel) * PANEL,
                        .K = channels,
                        .add = c0 > 0});
        }
    }
}

static void finish_block(const Chunk *k, size_t o0, size_t rows) {
    size_t groups = k->panels * (PANEL / LANES), columns = k->panels * PANEL;
#pragma omp for collapse(2)
    for (size_t o = 0; o < rows; o++) {
        for (size_t group = 0; group < groups; group++) {
            k->transforms.finish_m(k->out, k->m + o * columns + group * LANES, k->plan.m, k->bias ? k->bias[o0 + o] : 0,
                                   o0 + o, k->first + group * LANES, k->plan.tiles, k->s);
        }
    }
}

static void convolve_chunk(const Chunk *k) {
    make_chunk_v(k);
    for (size_t o0 = 0; o0 < k->s.Cout; o0 += BLOCK_CHANNELS) {
        size_t rows = least(BLOCK_CHANNELS, k->s.Cout - o0);
        for (size_t c0 = 0; c0 < k->s.Cin; c0 += SLICE_CHANNELS) {
            size_t channels = least(SLICE_CHANNELS, k->s.Cin - c0);
            make_block_u(k, o0, rows, c0, channels);
            multiply_block(k, rows, c0, channels);
        }
        finish_block(k, o0, rows);
    }
}

static void convolve_as(DType weight_type, float *out, const float *in, const void *weight, const float *bias,
                        Conv2dShape s, void *scratch) {
    if (!winograd_pays(weight_type, s)) {
        conv2d_packed_as(weight_type, out, in, weight, bias, s, scratch);
        return;
    }
    Chunk chunk = {s, plan_of(s), transforms_here(), in, weight, weight_type, bias, out, .v = scratch};
    chunk.u = chunk.v + POSITIONS * chunk.plan.v;
    chunk.m = chunk.u + POSITIONS * chunk.plan.u;
    size_t all = panel_count(chunk.plan.tiles.count);
    for (size_t panel = 0; panel < all; panel += chunk.plan.panels) {
        chunk.first = panel * PANEL;
        chunk.panels = least(chunk.plan.panels, all - panel);
#pragma omp parallel
        convolve_chunk(&chunk);
    }
}

size_t conv2d_winograd_scratch_size(const void *conv2d_shape) {
    return scratch_size_as(F32, *(const Conv2dShape *)conv2d_shape);
}

void conv2d_winograd(float *out, const float *in, const void *weight, const float *bias, Conv2dShape s, void *scratch) {
    convolve_as(F32, out, in, weight, bias, s, scratch);
}

// bf16: a quarter of the multiplications in f32 is less than all of them in bf16, at twice the speed; and what the
// transforms lose would be too much for 8 bits. So these weights are transformed into floats, and the other convolutions
// multiplied in bf16.

size_t conv2d_bf16_scratch_size(const void *conv2d_shape) {
    return scratch_size_as(BF16, *(const Conv2dShape *)conv2d_shape);
}

void conv2d_bf16(float *out, const float *in, const void *weight, const float *bias, Conv2dShape s, void *scratch) {
    convolve_as(BF16, out, in, weight, bias, s, scratch);
}
