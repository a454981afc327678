// linear.c - the fully connected layer: every output number is a weighted sum of all input numbers
//
// Where: the queries, keys, values and feed-forward layers of every transformer (text encoder and U-Net), and
//        what turns the timestep into a vector for each ResNet block.
// Elsewhere: torch.nn.Linear.
// Read next: attention.c, which is fed by three of these; conv2d.c, which is this over a window of neighbours.

#include "ops/linear.h"

#include "base/convert.h"
#include "base/least.h"
#include "ops/bf16_pairs.h"
#include "ops/gemm.h"

#include <cblas.h>
#include <string.h>

// ---- Linear ---------------------------------------------------------------------------------------------------------
//
//     out[n,o] = bias[o] + sum over c of  in[n,c] * weight[o,c]          as matrices: out = in weight^T + bias
//
//     in [N, Cin]    weight [Cout, Cin]    bias [Cout]    out [N, Cout]
//
// With `add` the sum goes on top of what out holds: where a layer ends in a shortcut (x += ...), its result needn't be
// written anywhere else first.

void linear_naive(float *out, const float *in, const void *weight, const float *bias, LinearShape s, void *scratch) {
    (void)scratch;
    const float *w = weight;
    for (size_t n = 0; n < s.N; n++) {
        for (size_t o = 0; o < s.Cout; o++) {
            double sum = (bias ? bias[o] : 0) + (s.add ? out[n * s.Cout + o] : 0);
            for (size_t c = 0; c < s.Cin; c++) sum += (double)in[n * s.Cin + c] * w[o * s.Cin + c];
            out[n * s.Cout + o] = (float)sum;
        }
    }
}

// openmp: the output numbers are dealt to the threads, weight row by weight row, so that a row is read from memory once
// and then stands in the cache for all N inputs. "simd reduction" allows the sum to be taken as several partial sums,
// one a vector lane: addition of floats isn't associative, so without leave the compiler must keep to one.

void linear_openmp(float *out, const float *in, const void *weight, const float *bias, LinearShape s, void *scratch) {
    (void)scratch;
    const float *w = weight;
#pragma omp parallel for collapse(2)
    for (size_t o = 0; o < s.Cout; o++) {
        for (size_t n = 0; n < s.N; n++) {
            float sum = 0;
#pragma omp simd reduction(+ : sum)
            for (size_t c = 0; c < s.Cin; c++) sum += in[n * s.Cin + c] * w[o * s.Cin + c];
            out[n * s.Cout + o] = sum + (bias ? bias[o] : 0) + (s.add ? out[n * s.Cout + o] : 0);
        }
    }
}

// blas: one sgemm. It works on blocks of rows and columns at once, so a number that has come into a register is used
// for many sums: 2 N Cin Cout operations on (N + Cout) Cin numbers can run at the speed of the arithmetic, not of the
// memory. The output starts as the bias and the product is added to it.

void linear_blas(float *out, const float *in, const void *weight, const float *bias, LinearShape s, void *scratch) {
    (void)scratch;
    for (size_t n = 0; n < s.N; n++) {
        float *row = out + n * s.Cout;
        for (size_t o = 0; o < s.Cout; o++) row[o] = (s.add ? row[o] : 0) + (bias ? bias[o] : 0);
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)s.N, (int)s.Cout, (int)s.Cin, 1, in, (int)s.Cin, weight,
                (int)s.Cin, 1, out, (int)s.Cout);
}

// packed: the same, by gemm. The weight's rows become columns in panels of 32, as many as the cache holds at a time; then
// every thread takes a block of input rows, small enough for its own cache, through some of the panels. With few rows the
// packing would cost more than the product, which then is bound by reading the weight anyway.

enum {
    CHUNK_BYTES = 4 << 20,
    BLOCK_BYTES = 256 << 10,
    BLOCKS_LEAST = 8,       // so that there is something for every thread, as long as
    BLOCK_ROWS_LEAST = 28,  // they have twice what gemm keeps in registers
    SLICE_PANELS = 4,       // in one thread's product
    FEW_ROWS = 6,
};

// The product in units (gemm.h): floats, or pairs of bf16.
typedef struct Units {
    size_t N, Cin, Cout;
    bool bf16, add;
    size_t in_stride;  // from one row of in to the next
} Units;

// gemm reads 14 rows side by side. If they lie a multiple of 4 KiB apart, they all fall on the same few places of the
// cache and push each other out; so rows of such a length are copied to where they are a cache line further apart.
static size_t stride_apart(size_t Cin) { return Cin % 1024 == 0 ? Cin + 16 : Cin; }

static size_t chunk_panels(size_t Cin, size_t Cout) {
    size_t panels = CHUNK_BYTES / (Cin * PANEL * sizeof(float));
    return least(panels > 0 ? panels : 1, panel_count(Cout));
}

// Rows of in that fit a core's own cache, dealt evenly.
static size_t block_rows(Units u) {
    size_t rows = least(BLOCK_BYTES / (u.Cin * sizeof(float)), (u.N + BLOCKS_LEAST - 1) / BLOCKS_LEAST);
    if (rows < BLOCK_ROWS_LEAST) rows = BLOCK_ROWS_LEAST;
    size_t blocks = (u.N + rows - 1) / rows;
    return (u.N + blocks - 1) / blocks;
}

// The output channels o .. o + count. All threads come here; each loop is dealt to them.
static void multiply_chunk(float *out, const float *in, const float *weight, const float *bias, Units u, size_t o,
                           size_t count, float *panels) {
    size_t rows = block_rows(u);
#pragma omp for
    for (size_t done = 0; done < count; done += PANEL) {
        pack_transposed(panels + done * u.Cin, weight + (o + done) * u.Cin, u.Cin, u.Cin, least(PANEL, count - done));
    }
#pragma omp for collapse(2) schedule(dynamic)
    for (size_t n = 0; n < u.N; n += rows) {
        for (size_t done = 0; done < count; done += SLICE_PANELS * PANEL) {
            gemm((Gemm){.out = out + n * u.Cout + o + done,
                        .out_stride = u.Cout,
                        .bf16 = u.bf16,
                        .rows = in + n * u.in_stride,
                        .row_stride = u.in_stride,
                        .k_stride = 1,
                        .panels = panels + done * u.Cin,
                        .panel_stride = u.Cin * PANEL,
                        .M = least(rows, u.N - n),
                        .N = least(SLICE_PANELS * PANEL, count - done),
                        .K = u.Cin,
                        .column_bias = bias ? bias + o + done : NULL,
                        .add = u.add});
        }
    }
}

static void multiply(float *out, const float *in, const float *weight, const float *bias, Units u, float *panels) {
    size_t chunk = chunk_panels(u.Cin, u.Cout) * PANEL;
#pragma omp parallel
    for (size_t o = 0; o < u.Cout; o += chunk) {
        multiply_chunk(out, in, weight, bias, u, o, least(chunk, u.Cout - o), panels);
    }
}

// Numbers that the copied rows take, and the panels behind them.
static size_t copied_size(const LinearShape *s, size_t Cin) { return s->N * stride_apart(Cin); }
static size_t panels_room(const LinearShape *s, size_t Cin) { return chunk_panels(Cin, s->Cout) * Cin * PANEL; }

size_t linear_packed_scratch_size(const void *linear_shape) {
    const LinearShape *s = linear_shape;
    if (s->N < FEW_ROWS) return 0;
    size_t copied = stride_apart(s->Cin) != s->Cin ? copied_size(s, s->Cin) : 0;
    return (copied + panels_room(s, s->Cin)) * sizeof(float);
}

void linear_packed(float *out, const float *in, const void *weight, const float *bias, LinearShape s, void *scratch) {
    if (s.N < FEW_ROWS) {
        linear_openmp(out, in, weight, bias, s, scratch);
        return;
    }
    Units u = {s.N, s.Cin, s.Cout, false, s.add, stride_apart(s.Cin)};
    float *copied = scratch;
    if (u.in_stride == s.Cin) {
        multiply(out, in, weight, bias, u, scratch);
        return;
    }
#pragma omp parallel for
    for (size_t n = 0; n < s.N; n++) memcpy(copied + n * u.in_stride, in + n * s.Cin, s.Cin * sizeof(float));
    multiply(out, copied, weight, bias, u, copied + copied_size(&s, s.Cin));
}

// bf16: the same with numbers of half the size, two of which are multiplied at a time. Inputs are rounded as weights
// were when they were loaded, to the 8 bits that a bf16 has; sums are in f32, and so is everything between the layers.
// What can't be paired, an odd number of channels, is multiplied as floats.

size_t linear_bf16_scratch_size(const void *linear_shape) {
    const LinearShape *s = linear_shape;
    if (s->Cin % 2 == 1) return s->Cin * s->Cout * sizeof(float) + linear_packed_scratch_size(s);
    return (copied_size(s, s->Cin / 2) + panels_room(s, s->Cin / 2)) * sizeof(float);
}

void linear_bf16(float *out, const float *in, const void *weight, const float *bias, LinearShape s, void *scratch) {
    if (s.Cin % 2 == 1) {
        convert_to_f32(scratch, weight, BF16, s.Cin * s.Cout);
        linear_packed(out, in, scratch, bias, s, (float *)scratch + s.Cin * s.Cout);
        return;
    }
    Units u = {s.N, s.Cin / 2, s.Cout, true, s.add, stride_apart(s.Cin / 2)};
    uint32_t *pairs = scratch;
#pragma omp parallel for
    for (size_t n = 0; n < s.N; n++) pairs_along(pairs + n * u.in_stride, in + n * s.Cin, u.Cin);
    multiply(out, scratch, weight, bias, u, (float *)scratch + copied_size(&s, u.Cin));
}
