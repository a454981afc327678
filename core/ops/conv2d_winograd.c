// conv2d_winograd.c - a 3x3 convolution with a quarter of the multiplications
//
// Where: nearly all convolutions of the U-Net and the VAE are 3x3 with stride 1; conv2d=winograd takes them.
// Elsewhere: oneDNN, cuDNN and NNPACK have it, for small tiles. Paper: Lavin & Gray 2015 (arXiv 1509.09308), section 4.
// Read next: winograd.c, for the transforms; gemm.h, for the products between them; conv2d.c for the definition.
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

#include "base/least.h"
#include "ops/gemm.h"
#include "ops/winograd.h"

enum {
    BLOCK_CHANNELS = 56,    // output channels at a time: four times what gemm keeps in registers
    SLICE_CHANNELS = 256,   // input channels: U of both takes 2 MB, and is in the cache yet when it is multiplied
    SLICE_PANELS = 4,       // of V, in one thread's product
    CHUNK_BYTES = 4 << 20,  // of V, and not fewer panels than
    CHUNK_PANELS_LEAST = 6,
};

// How much is done at a time, and how far apart the 36 matrices of U, V and M lie. Where that is a multiple of 4 KiB, as
// sizes of layers like to be, all 36 numbers of a tile would fall on the same few places of the cache and push each other
// out; so it is one cache line more.
typedef struct Plan {
    WinogradTiles tiles;
    size_t panels;   // of tiles, at a time
    size_t v, u, m;  // numbers from one position to the next
} Plan;

static Plan plan_of(Conv2dShape s) {
    Plan plan = {.tiles = winograd_tiles(s)};
    plan.panels = CHUNK_BYTES / (WINOGRAD_POSITIONS * s.Cin * PANEL * sizeof(float));
    if (plan.panels < CHUNK_PANELS_LEAST) plan.panels = CHUNK_PANELS_LEAST;
    plan.panels = least(plan.panels, panel_count(plan.tiles.count));
    plan.v = plan.panels * s.Cin * PANEL + WINOGRAD_LANES;
    plan.u = least(BLOCK_CHANNELS, s.Cout) * SLICE_CHANNELS + WINOGRAD_LANES;
    plan.m = least(BLOCK_CHANNELS, s.Cout) * plan.panels * PANEL + WINOGRAD_LANES;
    return plan;
}

// Whether the products, counted in steps of one panel, are fewer than without transforms; in bf16 two of those are done at
// a time. A window's transform takes about as long as TRANSFORM such steps. Few input channels aren't worth it: each is
// transformed, and hardly used.
static bool winograd_pays(DType weight_type, Conv2dShape s) {
    enum { TRANSFORM = 10, CHANNELS = 16 };
    if (s.K != 3 || s.stride != 1 || s.padding != 1 || s.Cin < CHANNELS) return false;
    size_t direct = 9 * s.B * panel_count(s.Hout * s.Wout);
    return WINOGRAD_POSITIONS * panel_count(winograd_tiles(s).count) + TRANSFORM <
           (weight_type == BF16 ? direct / 2 : direct);
}

static size_t scratch_size_as(DType weight_type, Conv2dShape s) {
    if (!winograd_pays(weight_type, s)) return conv2d_packed_as_scratch_size(weight_type, s);
    Plan plan = plan_of(s);
    return WINOGRAD_POSITIONS * (plan.v + plan.u + plan.m) * sizeof(float);
}

// A convolution under way: a chunk of tiles, and where U, V and M of it stand.
typedef struct Chunk {
    Conv2dShape s;
    Plan plan;
    WinogradTransforms transforms;
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
    size_t groups = k->panels * (PANEL / WINOGRAD_LANES);
#pragma omp for collapse(2)
    for (size_t c = 0; c < k->s.Cin; c++) {
        for (size_t group = 0; group < groups; group++) {
            float *v = k->v + (group / 2 * k->s.Cin + c) * PANEL + group % 2 * WINOGRAD_LANES;
            k->transforms.make_v(v, k->plan.v, k->in, c, k->first + group * WINOGRAD_LANES, k->plan.tiles, k->s);
        }
    }
}

// U [rows, channels] of the output channels from o0 and the input channels from c0 on
static void make_block_u(const Chunk *k, size_t o0, size_t rows, size_t c0, size_t channels) {
#pragma omp for collapse(2)
    for (size_t o = 0; o < rows; o++) {
        for (size_t c = 0; c < channels; c += WINOGRAD_LANES) {
            size_t window = (o0 + o) * k->s.Cin + c0 + c;
            k->transforms.make_u(k->u + o * SLICE_CHANNELS + c, k->plan.u,
                                 k->weight + window * 9 * dtype_size(k->weight_type), k->weight_type,
                                 least(WINOGRAD_LANES, channels - c));
        }
    }
}

// M [rows, tiles] += U [rows, channels] V [channels, tiles], 36 times
static void multiply_block(const Chunk *k, size_t rows, size_t c0, size_t channels) {
#pragma omp for collapse(2) schedule(dynamic)
    for (size_t position = 0; position < WINOGRAD_POSITIONS; position++) {
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
    size_t groups = k->panels * (PANEL / WINOGRAD_LANES), columns = k->panels * PANEL;
#pragma omp for collapse(2)
    for (size_t o = 0; o < rows; o++) {
        for (size_t group = 0; group < groups; group++) {
            k->transforms.finish_m(k->out, k->m + o * columns + group * WINOGRAD_LANES, k->plan.m,
                                   k->bias ? k->bias[o0 + o] : 0, o0 + o, k->first + group * WINOGRAD_LANES,
                                   k->plan.tiles, k->s);
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
    Chunk chunk = {s, plan_of(s), winograd_transforms(), in, weight, weight_type, bias, out, .v = scratch};
    chunk.u = chunk.v + WINOGRAD_POSITIONS * chunk.plan.v;
    chunk.m = chunk.u + WINOGRAD_POSITIONS * chunk.plan.u;
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
