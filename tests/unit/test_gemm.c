// test_gemm.c - the matrix product and its packing, for each kind of machine that this one can stand in for

#include "test.h"

#include "base/machine.h"
#include "base/rng.h"
#include "base/tensor.h"
#include "ops/bf16_pairs.h"
#include "ops/gemm_kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBERS = 1 << 16, STRIDE = 45 };

static float numbers[NUMBERS];

static void draw_numbers(void) {
    Rng rng;
    rng_seed(&rng, 3);
    rng_normal(&rng, numbers, NUMBERS);
}

// out [M, STRIDE], of which N columns are written; by the definition, in double
static void multiply_plainly(float *out, const Gemm *g) {
    const float *rows = g->rows, *panels = g->panels;
    for (size_t i = 0; i < g->M; i++) {
        for (size_t j = 0; j < g->N; j++) {
            double sum = g->add ? out[i * g->out_stride + j] : 0;
            if (g->row_bias) sum += g->row_bias[i];
            if (g->column_bias) sum += g->column_bias[j];
            for (size_t k = 0; k < g->K; k++) {
                sum += (double)rows[i * g->row_stride + k * g->k_stride] *
                       panels[j / PANEL * g->panel_stride + k * PANEL + j % PANEL];
            }
            out[i * g->out_stride + j] = (float)sum;
        }
    }
}

// What lies beyond N in a row of out must stay as it was, so whole rows are compared.
static void expect_right(const char *what, void (*multiply)(const Gemm *), Gemm g) {
    size_t n = g.M * g.out_stride;
    float *right = malloc(n * sizeof *right), *out = malloc(n * sizeof *out);
    memcpy(right, numbers, n * sizeof *right);
    memcpy(out, numbers, n * sizeof *out);
    multiply_plainly(right, &g);
    g.out = out;
    multiply(&g);
    double error = relative_l2(out, right, n);
    EXPECT(error < 1e-6, "%s, %zu x %zu x %zu: %g", what, g.M, g.N, g.K, error);
    free(right);
    free(out);
}

static void expect_right_everywhere(const char *what, void (*multiply)(const Gemm *), size_t most_columns) {
    static const size_t K[] = {1, 2, 17, 40};
    for (size_t M = 1; M < 32; M += 1 + M / 16) {
        for (size_t N = 1; N <= most_columns; N += N < 30 ? 5 : 1) {
            for (size_t k = 0; k < 4; k++) {
                Gemm g = {.out_stride = STRIDE,
                          .rows = numbers,
                          .row_stride = 53,
                          .k_stride = 1,
                          .panels = numbers + 7,
                          .panel_stride = K[k] * PANEL,
                          .M = M,
                          .N = N,
                          .K = K[k]};
                expect_right(what, multiply, g);
                g.row_stride = 1;  // in columns
                g.k_stride = 53;
                g.row_bias = numbers + 100;
                g.column_bias = numbers + 200;
                expect_right(what, multiply, g);
                g.add = true;
                expect_right(what, multiply, g);
            }
        }
    }
}

static void test_panels(void) {
    draw_numbers();
    expect_right_everywhere("plain", gemm_panel_plain, PANEL);
#ifdef __x86_64__
    if (machine_has_avx2()) expect_right_everywhere("avx2", gemm_panel_avx2, PANEL);
    if (machine_has_avx512()) expect_right_everywhere("avx512", gemm_panel_avx512, PANEL);
#endif
}

// Floats that are bf16 already, so that nothing is rounded, against the same as pairs: only the sums' order differs.
static void expect_pairs_right(const char *what, GemmPanel *multiply, size_t M, size_t N, size_t K) {
    enum { WIDTH = 54 };
    static float rows[40 * WIDTH], panel[WIDTH * PANEL], pairs[WIDTH / 2 * PANEL];
    static uint32_t row_pairs[40 * WIDTH / 2];
    for (size_t i = 0; i < 40 * WIDTH; i++) rows[i] = bf16_to_f32(f32_to_bf16(numbers[i]));
    for (size_t i = 0; i < WIDTH * PANEL; i++) panel[i] = bf16_to_f32(f32_to_bf16(numbers[i + 5000]));
    pairs_along(row_pairs, rows, 40 * WIDTH / 2);
    for (size_t k = 0; k < WIDTH; k += 2) {
        pairs_across((uint32_t *)pairs + k / 2 * PANEL, panel + k * PANEL, panel + (k + 1) * PANEL, PANEL);
    }
    float right[40 * STRIDE], out[40 * STRIDE];
    memcpy(right, numbers, sizeof right);
    memcpy(out, numbers, sizeof out);
    Gemm g = {.out_stride = STRIDE,
              .rows = rows,
              .row_stride = WIDTH,
              .k_stride = 1,
              .panels = panel,
              .M = M,
              .N = N,
              .K = 2 * K,
              .row_bias = numbers + 3,
              .column_bias = numbers + 77,
              .add = true};
    multiply_plainly(right, &g);
    g.out = out;
    g.bf16 = true;
    g.rows = row_pairs;
    g.row_stride = WIDTH / 2;
    g.panels = pairs;
    g.K = K;
    multiply(&g);
    double error = relative_l2(out, right, 40 * STRIDE);
    EXPECT(error < 1e-6, "%s, %zu x %zu x %zu: %g", what, M, N, K, error);
}

static void test_bf16_panels(void) {
    draw_numbers();
    for (size_t M = 1; M <= 40; M += M < 15 ? 1 : 9) {
        for (size_t N = 1; N <= PANEL; N += N < 30 ? 5 : 1) {
            for (size_t K = 1; K <= 27; K += 13) {
                expect_pairs_right("plain", gemm_panel_bf16_plain, M, N, K);
#ifdef __x86_64__
                if (machine_has_avx2()) expect_pairs_right("avx2", gemm_panel_bf16_avx2, M, N, K);
                if (machine_has_avx512_bf16()) expect_pairs_right("avx512", gemm_panel_bf16_avx512, M, N, K);
#endif
            }
        }
    }
}

static void test_pairs(void) {
    float in[] = {1, -2, 3.1415927f, INFINITY, NAN, 0, 1e-40f};
    uint32_t along[3], rows[4];
    pairs_along(along, in, 3);
    EXPECT(along[0] == 0xc0003f80u && along[1] == 0x7f804049u, "%x %x", along[0], along[1]);
    EXPECT(isnan(bf16_to_f32((uint16_t)along[2])) && along[2] >> 16 == 0, "%x", along[2]);
    float down[6] = {1, 2, 3, 4, 5, 6};  // 3 rows of 2
    pair_rows_inplace(down, 3, 2);
    memcpy(rows, down, sizeof rows);
    EXPECT(rows[0] == 0x40403f80u && rows[1] == 0x40804000u, "1 over 3 is %x, 2 over 4 %x", rows[0], rows[1]);
    EXPECT(rows[2] == 0x40a0u && rows[3] == 0x40c0u, "5 over nothing is %x, 6 %x", rows[2], rows[3]);
}

static void multiply_whole(const Gemm *g) { gemm(*g); }

// Several panels, and sums that are longer than one pass.
static void test_gemm(void) {
    draw_numbers();
    expect_right_everywhere("gemm", multiply_whole, STRIDE);
    Gemm g = {.out_stride = STRIDE,
              .rows = numbers,
              .row_stride = 1301,
              .k_stride = 1,
              .panels = numbers + 5,
              .panel_stride = 650 * PANEL,
              .M = 20,
              .N = STRIDE,
              .K = 650,
              .row_bias = numbers + 9,
              .column_bias = numbers + 99};
    expect_right("two passes", multiply_whole, g);
    g.add = true;
    expect_right("two passes, added", multiply_whole, g);
}

static void expect_packed(PackTransposed *pack, size_t K, size_t N) {
    float *panel = malloc(K * PANEL * sizeof *panel);
    pack(panel, numbers, 77, K, N);
    for (size_t k = 0; k < K; k++) {
        for (size_t j = 0; j < PANEL; j++) {
            float right = j < N ? numbers[j * 77 + k] : 0;
            EXPECT(panel[k * PANEL + j] == right, "K %zu, N %zu: %g at %zu %zu, not %g", K, N, panel[k * PANEL + j], k,
                   j, right);
        }
    }
    free(panel);
}

static void test_packing(void) {
    draw_numbers();
    for (size_t K = 1; K < 70; K += 3) {
        for (size_t N = 1; N <= PANEL; N += N < 15 || N > 17 ? 3 : 1) {
            expect_packed(pack_transposed_plain, K, N);
#ifdef __x86_64__
            if (machine_has_avx512()) expect_packed(pack_transposed_avx512, K, N);
#endif
        }
    }
}

int main(void) {
    TEST(test_panels);
    TEST(test_bf16_panels);
    TEST(test_pairs);
    TEST(test_gemm);
    TEST(test_packing);
    return test_summary();
}
