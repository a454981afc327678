// demo.c - lesson 15: how large the matrix of scores is, what there is of it at a time, and whether that changes anything
//
// matrix.png: a real one, of the critters' U-Net, and the tile of it that streaming keeps. memory.png: how both grow.
// Numbers behind a ~ are measured, and other ones on another machine.
// Read next: exercise.h.

#include "demo/demo.h"
#include "demo/chart.h"
#include "demo/measure.h"

#include "base/rng.h"
#include "ops/attention.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double mega(size_t bytes) { return (double)bytes / 1e6; }

// ---- how large ------------------------------------------------------------------------------------------------------

// The U-Net of Stable Diffusion 1.5 at its largest: both halves of guidance, 8 heads of 40
static AttentionShape sd15(size_t tokens) { return (AttentionShape){2, 8, tokens, tokens, 40, false}; }

static size_t matrix_bytes(AttentionShape s) { return s.B * s.heads * s.Tq * s.Tk * sizeof(float); }

static void show_sizes(const char *path) {
    static const size_t SIDES[] = {256, 512, 768, 1024, 2048, 4096};
    enum { COUNT = sizeof SIDES / sizeof *SIDES };
    double side[COUNT], matrix[COUNT], tile[COUNT], stream[COUNT];
    printf("Stable Diffusion 1.5's first layer; in MB\n");
    printf("      pixels  tokens     matrix  q, k, v, out  scratch: blas  flash   GFLOP\n");
    for (size_t i = 0; i < COUNT; i++) {
        AttentionShape s = sd15(SIDES[i] / 8 * (SIDES[i] / 8));
        side[i] = (double)SIDES[i], matrix[i] = mega(matrix_bytes(s));
        tile[i] = mega(attention_blas_scratch_size(&s)), stream[i] = mega(attention_flash_scratch_size(&s));
        size_t tensors = 4 * s.B * s.Tq * s.heads * s.d * sizeof(float);
        printf("%4zu x %4zu  %6zu  %9.0f  %12.1f  %13.1f  %5.1f  %6.0f\n", SIDES[i], SIDES[i], s.Tq, matrix[i],
               mega(tensors), tile[i], stream[i], 4e-9 * (double)(s.B * s.heads * s.Tq * s.Tk * s.d));
    }
    const PlotColor red = {210, 40, 40}, orange = {200, 120, 0}, blue = {40, 90, 200};
    Plot chart = chart_new(420, 240, 200, 6000, 0.5, 1e7, "pixels a side", "MB");
    plot_line(&chart, side, matrix, COUNT, true, red), plot_words(&chart, 300, matrix[2], "the matrix", false, red);
    plot_line(&chart, side, tile, COUNT, true, orange),
        plot_words(&chart, 1024, 50 * tile[3], "blas: some rows", false, orange);
    plot_line(&chart, side, stream, COUNT, true, blue),
        plot_words(&chart, 300, 6 * stream[4], "flash: streaming", false, blue);
    chart_write(&chart, path);
}

// ---- a real one -----------------------------------------------------------------------------------------------------

static const char LAYER[] = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1";

typedef struct Seen {
    size_t tokens;
    float *matrix;  // [tokens, tokens], of the prompt's row, first head
} Seen;

static bool wants(void *listener, const char *place) {
    (void)listener;
    return strcmp(place, LAYER) == 0;
}

static void keep(void *listener, const char *place, Tensor probabilities) {
    (void)place;
    Seen *seen = listener;
    seen->tokens = probabilities.shape.axis[2];
    free(seen->matrix);
    seen->matrix = demo_copy(tensor_f32(tensor_last_rows(probabilities, 1)), seen->tokens * seen->tokens);
}

// Rows and columns outside first .. first + count stay white. The brightness is the share's root: small ones show, too.
static Image picture_of(const Seen *seen, size_t row, size_t rows, size_t column, size_t columns) {
    Image image = image_new(seen->tokens, seen->tokens);
    demo_needs(image.pixels, &(Error){0});
    memset(image.pixels, 255, 3 * seen->tokens * seen->tokens);
    for (size_t i = row; i < row + rows; i++) {
        for (size_t j = column; j < column + columns; j++) {
            float share = sqrtf(fminf(1, 16 * seen->matrix[i * seen->tokens + j]));
            memset(image.pixels + 3 * (i * seen->tokens + j), (int)(200 * share), 3);
        }
    }
    return image;
}

static void show_matrix(const char *path) {
    enum { QUERIES = 32, KEYS_AT_A_TIME = 126 };  // of attention_flash.c
    Model *model = demo_model();
    Settings settings = demo_settings(model);
    Seen seen = {0};
    settings.num_inference_steps = 10;
    settings.attention_observer = (AttentionObserver){wants, keep}, settings.listener = &seen;
    Run *run = demo_run(model, &settings);
    for (size_t k = 0; k < 8; k++) demo_step(run);
    demo_needs(seen.matrix, &(Error){0});

    size_t n = seen.tokens;
    Sheet sheet = sheet_new(2, 1, n);
    Image all = picture_of(&seen, 0, n, 0, n), tile = picture_of(&seen, 96, QUERIES, KEYS_AT_A_TIME, KEYS_AT_A_TIME);
    sheet_place(&sheet, 0, 0, &all), sheet_place(&sheet, 1, 0, &tile);
    sheet_write(&sheet, path);
    printf("\nThe critters' first layer: %zu x %zu, of which %d x %d at a time\n", n, n, QUERIES, KEYS_AT_A_TIME);
    image_free(&all), image_free(&tile), free(seen.matrix), run_free(run), model_close(model);
}

// ---- the same result ------------------------------------------------------------------------------------------------

// As the equation is written: all scores, then all shares, then all outputs
static void attention_whole(float *out, const float *q, const float *k, const float *v, AttentionShape s,
                            void *scratch) {
    float *matrix = scratch;
    int Tq = (int)s.Tq, Tk = (int)s.Tk, d = (int)s.d;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, Tq, Tk, d, 1 / sqrtf((float)d), q, d, k, d, 0, matrix, Tk);
    for (size_t i = 0; i < s.Tq; i++) {
        float *row = matrix + i * s.Tk, largest = row[0], sum = 0;
        for (size_t j = 1; j < s.Tk; j++) largest = fmaxf(largest, row[j]);
        for (size_t j = 0; j < s.Tk; j++) sum += row[j] = expf(row[j] - largest);
        for (size_t j = 0; j < s.Tk; j++) row[j] /= sum;
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, Tq, d, Tk, 1, matrix, Tk, v, d, 0, out, d);
}

static size_t attention_whole_scratch_size(const void *shape) { return matrix_bytes(*(const AttentionShape *)shape); }

static void compare(void) {
    static const struct {
        const char *name;
        AttentionKernel *kernel;
        size_t (*scratch_size)(const void *shape);
        size_t queries;  // that the slow one is asked: its time is the same for each
    } WAYS[] = {{"naive, a row at a time", attention_naive, attention_naive_scratch_size, 256},
                {"the whole matrix", attention_whole, attention_whole_scratch_size, 4096},
                {"openmp, a row at a time", attention_openmp, attention_openmp_scratch_size, 4096},
                {"blas, some rows at a time", attention_blas, attention_blas_scratch_size, 4096},
                {"flash, streaming", attention_flash, attention_flash_scratch_size, 4096}};
    enum { COUNT = sizeof WAYS / sizeof *WAYS, TOKENS = 4096, WIDTH = 40, N = TOKENS * WIDTH, TURNS = 3 };
    Rng rng;
    rng_seed(&rng, 1);
    float *qkv = demo_floats(3 * N), *out = demo_floats(N), *right = demo_floats(N);
    rng_normal(&rng, qkv, 3 * N);
    double seconds[COUNT], off[COUNT];
    Context ctx = {.threads = 1};
    int threads_before = context_enter(&ctx);
    for (size_t turn = 0; turn < TURNS; turn++) {
        for (size_t i = 0; i < COUNT; i++) {
            AttentionShape s = {1, 1, WAYS[i].queries, TOKENS, WIDTH, false};
            float *scratch = demo_floats(WAYS[i].scratch_size(&s) / sizeof *scratch + 1);
            clock_t start = clock();
            WAYS[i].kernel(out, qkv, qkv + N, qkv + 2 * N, s, scratch);
            double now = (double)(clock() - start) / CLOCKS_PER_SEC * TOKENS / (double)s.Tq;
            seconds[i] = turn == 0 ? now : fmin(seconds[i], now);
            if (turn == 0 && i == 0) memcpy(right, out, N * sizeof *out);
            off[i] = distance_between(out, right, WAYS[0].queries * WIDTH);
            free(scratch);
        }
    }
    context_leave(threads_before);
    printf("\nOne head, %d tokens of %d             memory    a core's time   off by\n", TOKENS, WIDTH);
    for (size_t i = 0; i < COUNT; i++) {
        AttentionShape s = {1, 1, TOKENS, TOKENS, WIDTH, false};
        printf("%-28s  %9.3f MB     ~ %7.1f ms  ~ %.0e\n", WAYS[i].name, mega(WAYS[i].scratch_size(&s)),
               1e3 * seconds[i], off[i]);
    }
    free(qkv), free(out), free(right);
}

// ---- how often the largest grows ------------------------------------------------------------------------------------

static void count_growth(void) {
    static const size_t BLOCKS[] = {1, 16, 126};
    enum { TOKENS = 4096, QUERIES = 2000 };
    float *scores = demo_floats(TOKENS);
    double grows[3] = {0};
    Rng rng;
    rng_seed(&rng, 2);
    for (size_t query = 0; query < QUERIES; query++) {
        rng_normal(&rng, scores, TOKENS);
        for (size_t b = 0; b < 3; b++) {
            float largest = -INFINITY;
            for (size_t first = 0; first < TOKENS; first += BLOCKS[b]) {
                float before = largest;
                for (size_t j = first; j < first + BLOCKS[b] && j < TOKENS; j++) largest = fmaxf(largest, scores[j]);
                grows[b] += largest > before;
            }
        }
    }
    printf("\n%d random scores, in blocks of        1     16    126\n", TOKENS);
    printf("blocks                            %5d  %5d  %5d\n", TOKENS, TOKENS / 16, (TOKENS + 125) / 126);
    printf("in which the largest grows        %5.1f  %5.1f  %5.1f\n", grows[0] / QUERIES, grows[1] / QUERIES,
           grows[2] / QUERIES);
    free(scores);
}

int main(int argc, char **argv) {
    show_sizes(demo_path(argc, argv, "memory.png").text);
    show_matrix(demo_path(argc, argv, "matrix.png").text);
    compare();
    count_growth();
    return 0;
}
