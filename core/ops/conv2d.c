// conv2d.c - convolution: look at every pixel through the same small window
//
// Where: nearly all of the U-Net's ResNet blocks and of the VAE. Most of a picture's arithmetic happens in this file.
// Elsewhere: torch.nn.Conv2d (which, like everybody, computes a cross-correlation: the window isn't flipped).
// Read next: linear.c is the same without neighbours; norm.c is what stands before each convolution.

#include "ops/conv2d.h"

#include "base/convert.h"
#include "base/least.h"
#include "ops/bf16_pairs.h"
#include "ops/gemm.h"

#include <cblas.h>
#include <stdbool.h>
#include <string.h>

// ---- Convolution ----------------------------------------------------------------------------------------------------
//
// Each output channel o has its own K x K window over all input channels:
//
//     out[b,o,y,x] = bias[o] + sum over c, ky, kx of  weight[o,c,ky,kx] * in[b, c, y stride + ky - padding,
//                                                                                  x stride + kx - padding]
//
//     in [B, Cin, H, W]    weight [Cout, Cin, K, K]    bias [Cout]    out [B, Cout, Hout, Wout]
//
// What lies outside the picture counts as 0. With K 3, stride 1 and padding 1 the picture keeps its size; stride 2
// halves it; K 1 only mixes channels.

void conv2d_naive(float *out, const float *in, const void *weight, const float *bias, Conv2dShape s, void *scratch) {
    (void)scratch;
    const float *w = weight;
    for (size_t b = 0; b < s.B; b++) {
        for (size_t o = 0; o < s.Cout; o++) {
            for (size_t y = 0; y < s.Hout; y++) {
                for (size_t x = 0; x < s.Wout; x++) {
                    double sum = bias ? bias[o] : 0;
                    for (size_t c = 0; c < s.Cin; c++) {
                        for (size_t ky = 0; ky < s.K; ky++) {
                            for (size_t kx = 0; kx < s.K; kx++) {
                                // Above the top and left of the edge these wrap to huge numbers: outside as well.
                                size_t yin = y * s.stride + ky - s.padding, xin = x * s.stride + kx - s.padding;
                                if (yin >= s.H || xin >= s.W) continue;
                                sum += (double)w[((o * s.Cin + c) * s.K + ky) * s.K + kx] *
                                       in[((b * s.Cin + c) * s.H + yin) * s.W + xin];
                            }
                        }
                    }
                    out[((b * s.Cout + o) * s.Hout + y) * s.Wout + x] = (float)sum;
                }
            }
        }
    }
}

// ---- openmp ---------------------------------------------------------------------------------------------------------
//
// The same sums in another order: one weight at a time is multiplied with a whole picture, and the product is added to
// the output plane. Where the window hangs over the edge is settled once a weight, not once a pixel, so the innermost
// loop has no question in it and the compiler turns it into vector instructions. A plane is one thread's work.
//
// (It could be compiled for wider vectors too, by GCC's target_clones. We don't: those names exist only for x86, and
// the one binary for every machine is worth more here, as blas picks its own instructions at run time anyway.)

// The output positions at which window position k lies inside the picture: first <= position < end.
typedef struct Span {
    size_t first, end;
} Span;

static Span span_inside(size_t k, size_t size_in, size_t size_out, size_t stride, size_t padding) {
    Span span = {0, 0};
    if (k < padding) span.first = (padding - k + stride - 1) / stride;
    if (k < size_in + padding) span.end = (size_in + padding - k + stride - 1) / stride;
    if (span.end > size_out) span.end = size_out;
    if (span.first > span.end) span.first = span.end;
    return span;
}

static void add_weighted_plane(float *out, const float *in, float weight, size_t ky, size_t kx, Conv2dShape s) {
    Span rows = span_inside(ky, s.H, s.Hout, s.stride, s.padding);
    Span columns = span_inside(kx, s.W, s.Wout, s.stride, s.padding);
    if (columns.first == columns.end) return;
    for (size_t y = rows.first; y < rows.end; y++) {
        const float *from = in + (y * s.stride + ky - s.padding) * s.W + (columns.first * s.stride + kx - s.padding);
        float *to = out + y * s.Wout + columns.first;
        size_t n = columns.end - columns.first;
        if (s.stride == 1) {
#pragma omp simd
            for (size_t i = 0; i < n; i++) to[i] += weight * from[i];
        } else {
            for (size_t i = 0; i < n; i++) to[i] += weight * from[i * s.stride];
        }
    }
}

void conv2d_openmp(float *out, const float *in, const void *weight, const float *bias, Conv2dShape s, void *scratch) {
    (void)scratch;
    const float *w = weight;
#pragma omp parallel for collapse(2)
    for (size_t b = 0; b < s.B; b++) {
        for (size_t o = 0; o < s.Cout; o++) {
            float *plane = out + (b * s.Cout + o) * s.Hout * s.Wout;
            for (size_t i = 0; i < s.Hout * s.Wout; i++) plane[i] = bias ? bias[o] : 0;
            for (size_t c = 0; c < s.Cin; c++) {
                const float *plane_in = in + (b * s.Cin + c) * s.H * s.W;
                for (size_t ky = 0; ky < s.K; ky++) {
                    for (size_t kx = 0; kx < s.K; kx++) {
                        add_weighted_plane(plane, plane_in, w[((o * s.Cin + c) * s.K + ky) * s.K + kx], ky, kx, s);
                    }
                }
            }
        }
    }
}

// ---- blas -----------------------------------------------------------------------------------------------------------
//
// A convolution is a matrix product in disguise. Write, for every output pixel, the Cin K K numbers its window sees
// into a column ("im2col"), and all output channels at all pixels are
//
//     out [Cout, pixels] = weight [Cout, Cin K K] x columns [Cin K K, pixels]
//
// which is what BLAS libraries have been tuned for since 1990: they keep blocks of both matrices in the caches and
// use each number many times once it is there. The columns hold every pixel K K times, so we never write them all: a
// tile of output rows at a time, small enough for the cache and long enough to be a good product. A 1x1 window sees
// one pixel: the picture itself is the column matrix, and nothing is copied.
// Papers: Chellapilla, Puri & Simard 2006 (im2col); Goto & van de Geijn 2008 (what happens inside sgemm).

enum {
    TILE_COLUMNS = 512,        // enough columns that reading the weights again for each tile costs little
    TILE_BYTES_AIM = 1 << 20,  // with few channels, more columns than that: as many as a core's cache holds
    TILE_BYTES_MOST = 8 << 20,
    PARALLEL_FROM = 1 << 15,  // numbers to copy before waking the other threads pays
};

static bool is_picture_the_columns(Conv2dShape s) { return s.K == 1 && s.stride == 1 && s.padding == 0; }

static size_t tile_rows(Conv2dShape s) {
    size_t column_bytes = s.Cin * s.K * s.K * sizeof(float);
    size_t columns = TILE_BYTES_AIM / column_bytes;
    if (columns < TILE_COLUMNS) columns = TILE_COLUMNS;
    if (columns > TILE_BYTES_MOST / column_bytes) columns = TILE_BYTES_MOST / column_bytes;
    size_t rows = columns / s.Wout;
    if (rows > s.Hout) return s.Hout;
    return rows > 0 ? rows : 1;
}

size_t conv2d_blas_scratch_size(const void *conv2d_shape) {
    const Conv2dShape *s = conv2d_shape;
    return is_picture_the_columns(*s) ? 0 : s->Cin * s->K * s->K * tile_rows(*s) * s->Wout * sizeof(float);
}

// in [Cin, H, W] -> columns [Cin K K, rows Wout] for the output rows y0 .. y0 + rows - 1. A matrix row is one window
// position (c, ky, kx): the picture, shifted.
static void im2col(float *columns, const float *in, size_t y0, size_t rows, Conv2dShape s) {
    size_t window = s.K * s.K, n = rows * s.Wout;
#pragma omp parallel for if (s.Cin * window * n > PARALLEL_FROM)
    for (size_t position = 0; position < s.Cin * window; position++) {
        size_t c = position / window, ky = position % window / s.K, kx = position % s.K;
        Span inside = span_inside(kx, s.W, s.Wout, s.stride, s.padding);
        for (size_t y = y0; y < y0 + rows; y++) {
            float *to = columns + position * n + (y - y0) * s.Wout;
            size_t yin = y * s.stride + ky - s.padding;  // huge when above the top
            if (yin >= s.H || inside.first == inside.end) {
                memset(to, 0, s.Wout * sizeof(float));
                continue;
            }
            const float *from = in + (c * s.H + yin) * s.W + (inside.first * s.stride + kx - s.padding);
            size_t count = inside.end - inside.first;
            for (size_t x = 0; x < inside.first; x++) to[x] = 0;
            if (s.stride == 1) {
                memcpy(to + inside.first, from, count * sizeof(float));
            } else {
                for (size_t i = 0; i < count; i++) to[inside.first + i] = from[i * s.stride];
            }
            for (size_t x = inside.end; x < s.Wout; x++) to[x] = 0;
        }
    }
}

void conv2d_blas(float *out, const float *in, const void *weight, const float *bias, Conv2dShape s, void *scratch) {
    bool copy = !is_picture_the_columns(s);
    size_t step = copy ? tile_rows(s) : s.Hout, plane = s.Hout * s.Wout, depth = s.Cin * s.K * s.K;
    for (size_t b = 0; b < s.B; b++) {
        const float *picture = in + b * s.Cin * s.H * s.W;
        for (size_t y0 = 0; y0 < s.Hout; y0 += step) {
            size_t rows = s.Hout - y0 < step ? s.Hout - y0 : step, n = rows * s.Wout;
            if (copy) im2col(scratch, picture, y0, rows, s);

            float *tile = out + b * s.Cout * plane + y0 * s.Wout;  // [Cout, n], its rows a plane apart
#pragma omp parallel for if (s.Cout * n > PARALLEL_FROM)
            for (size_t o = 0; o < s.Cout; o++) {
                for (size_t i = 0; i < n; i++) tile[o * plane + i] = bias ? bias[o] : 0;
            }
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)s.Cout, (int)n, (int)depth, 1, weight,
                        (int)depth, copy ? scratch : picture, (int)n, 1, tile, (int)plane);  // adds to the bias
        }
    }
}

// ---- packed ---------------------------------------------------------------------------------------------------------
//
// The same product, with the columns written straight into the panels that gemm wants: 32 pixels each, with all that
// their windows see. (sgemm would copy our columns into panels of its own.) A slice is a few panels of one picture. A
// chunk of slices, small enough to stay in the cache, is packed by all threads together; then blocks of output channels
// are dealt to them.

enum {
    CHUNK_BYTES = 4 << 20,
    BLOCK_ROWS_MOST = 56,   // of the weight, in one thread's product: four times what gemm keeps in registers, or
    BLOCK_ROWS_LEAST = 28,  // twice, so that there are
    BLOCKS = 8,             // blocks, and something to do for every thread
    SLICE_PANELS = 4,       // and panels
};

static size_t depth_of(Conv2dShape s) { return s.Cin * s.K * s.K; }

static size_t block_rows(size_t Cout) {
    size_t rows = Cout / BLOCKS;
    return rows < BLOCK_ROWS_LEAST ? BLOCK_ROWS_LEAST : least(rows, BLOCK_ROWS_MOST);
}

// Pictures cut into slices, which are counted through.
typedef struct Slices {
    size_t panels, size;        // of a slice, at most: panels, and numbers in them
    size_t each, all, at_once;  // slices in a picture, in all of them, in a chunk
} Slices;

static Slices slices_of(Conv2dShape s) {
    Slices slices = {.panels = least(SLICE_PANELS, panel_count(s.Hout * s.Wout))};
    slices.size = slices.panels * PANEL * depth_of(s);
    slices.each = (s.Hout * s.Wout + slices.panels * PANEL - 1) / (slices.panels * PANEL);
    slices.all = s.B * slices.each;
    size_t fit = CHUNK_BYTES / (slices.size * sizeof(float));
    slices.at_once = least(fit > 0 ? fit : 1, slices.all);
    return slices;
}

static bool is_paired(DType weight_type, Conv2dShape s) { return weight_type == BF16 && depth_of(s) % 2 == 0; }

size_t conv2d_packed_as_scratch_size(DType weight_type, Conv2dShape s) {
    Slices slices = slices_of(s);
    bool unpaired = weight_type == BF16 && !is_paired(weight_type, s);
    return (slices.at_once * slices.size + (unpaired ? s.Cout * depth_of(s) : 0)) * sizeof(float);
}

size_t conv2d_packed_scratch_size(const void *conv2d_shape) {
    return conv2d_packed_as_scratch_size(F32, *(const Conv2dShape *)conv2d_shape);
}

// What one window position sees from output pixels x .. x + n of a row: those at which it is inside, and 0 elsewhere.
// row: what it would see from pixel 0.
static inline void see_row(float *to, const float *row, Span inside, size_t x, size_t n, size_t stride) {
    size_t first = inside.first > x ? least(inside.first - x, n) : 0,
           end = inside.end > x ? least(inside.end - x, n) : 0;
    for (size_t i = 0; i < first; i++) to[i] = 0;
    if (stride == 1 && end - first == PANEL) {
        memcpy(to, row + x, PANEL * sizeof *to);
    } else {
        for (size_t i = first; i < end; i++) to[i] = row[(x + i) * stride];
    }
    for (size_t i = end > first ? end : first; i < n; i++) to[i] = 0;
}

// The same for `count` output pixels from `pixel` on, which may lie in several rows; ky, kx: the window position.
static void see_pixels(float *to, const float *plane, size_t pixel, size_t count, size_t ky, size_t kx, Conv2dShape s) {
    Span inside = span_inside(kx, s.W, s.Wout, s.stride, s.padding), nowhere = {0, 0};
    for (size_t done = 0; done < count;) {
        size_t y = (pixel + done) / s.Wout, x = (pixel + done) % s.Wout, n = least(count - done, s.Wout - x);
        size_t yin = y * s.stride + ky - s.padding;  // huge when above the top
        see_row(to + done, plane + yin * s.W + kx - s.padding, yin < s.H ? inside : nowhere, x, n, s.stride);
        done += n;
    }
    for (size_t i = count; i < PANEL; i++) to[i] = 0;
}

// Channel c of the panel's pixels -> its K K rows of panel [Cin K K, PANEL]
static void pack_channel(float *panel, const float *picture, size_t c, size_t pixel, size_t count, Conv2dShape s) {
    for (size_t position = 0; position < s.K * s.K; position++) {
        see_pixels(panel + (c * s.K * s.K + position) * PANEL, picture + c * s.H * s.W, pixel, count, position / s.K,
                   position % s.K, s);
    }
}

// A chunk under way. Paired: weight is BF16, and so are the panels, which are packed as floats and then take half of
// their room.
typedef struct Chunk {
    Conv2dShape s;
    Slices slices;
    size_t first, count;  // slices
    const float *in;
    const void *weight;
    bool paired;
    const float *bias;
    float *out, *panels;
} Chunk;

// Panel `index` of the chunk: its picture, its first pixel, and how many it has (none beyond the picture's end).
typedef struct PanelPixels {
    size_t b, pixel, count;
} PanelPixels;

static PanelPixels panel_pixels(const Chunk *k, size_t index) {
    size_t slice = k->first + index / k->slices.panels, pixels = k->s.Hout * k->s.Wout;
    size_t pixel = (slice % k->slices.each * k->slices.panels + index % k->slices.panels) * PANEL;
    return (PanelPixels){slice / k->slices.each, pixel, pixel < pixels ? least(PANEL, pixels - pixel) : 0};
}

// All threads come to each of these; the work is dealt to them.

static void pack_panels(const Chunk *k) {
    size_t depth = depth_of(k->s), panels = k->count * k->slices.panels;
#pragma omp for collapse(2)
    for (size_t index = 0; index < panels; index++) {
        for (size_t c = 0; c < k->s.Cin; c++) {
            PanelPixels p = panel_pixels(k, index);
            if (p.count == 0) continue;
            pack_channel(k->panels + index * PANEL * depth, k->in + p.b * k->s.Cin * k->s.H * k->s.W, c, p.pixel,
                         p.count, k->s);
        }
    }
    if (!k->paired) return;
#pragma omp for
    for (size_t index = 0; index < panels; index++) {
        if (panel_pixels(k, index).count > 0) pair_rows_inplace(k->panels + index * PANEL * depth, depth, PANEL);
    }
}

static void multiply_panels(const Chunk *k) {
    size_t depth = depth_of(k->s), plane = k->s.Hout * k->s.Wout, units = k->paired ? depth / 2 : depth;
    size_t rows = block_rows(k->s.Cout);
#pragma omp for collapse(2) schedule(dynamic)
    for (size_t o = 0; o < k->s.Cout; o += rows) {
        for (size_t slice = 0; slice < k->count; slice++) {
            PanelPixels p = panel_pixels(k, slice * k->slices.panels);
            gemm((Gemm){.out = k->out + (p.b * k->s.Cout + o) * plane + p.pixel,
                        .out_stride = plane,
                        .bf16 = k->paired,
                        .rows = (const float *)k->weight + o * units,
                        .row_stride = units,
                        .k_stride = 1,
                        .panels = k->panels + slice * k->slices.size,
                        .panel_stride = depth * PANEL,
                        .M = least(rows, k->s.Cout - o),
                        .N = least(k->slices.panels * PANEL, plane - p.pixel),
                        .K = units,
                        .row_bias = k->bias ? k->bias + o : NULL});
        }
    }
}

// An odd number of weights a channel can't be paired; those are multiplied as floats.
void conv2d_packed_as(DType weight_type, float *out, const float *in, const void *weight, const float *bias,
                      Conv2dShape s, void *scratch) {
    Chunk chunk = {
        s,          slices_of(s),     .in = in, .weight = weight, .paired = is_paired(weight_type, s), .bias = bias,
        .out = out, .panels = scratch};
    if (weight_type == BF16 && !chunk.paired) {
        convert_to_f32(scratch, weight, BF16, s.Cout * depth_of(s));
        chunk.weight = scratch;
        chunk.panels += s.Cout * depth_of(s);
    }
    for (; chunk.first < chunk.slices.all; chunk.first += chunk.count) {
        chunk.count = least(chunk.slices.at_once, chunk.slices.all - chunk.first);
#pragma omp parallel
        {
            pack_panels(&chunk);
            multiply_panels(&chunk);
        }
    }
}

void conv2d_packed(float *out, const float *in, const void *weight, const float *bias, Conv2dShape s, void *scratch) {
    conv2d_packed_as(F32, out, in, weight, bias, s, scratch);
}
