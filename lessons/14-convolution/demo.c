// demo.c - lesson 14: one convolution, the same multiplications in other orders: what each fetches, and how long it takes
//
// orders.png: where each order reads and writes. bars.png: how many times as fast as naive each kernel is.
// Numbers behind a ~ are measured, and other ones on another machine.
// Read next: exercise.h.

#include "demo/demo.h"
#include "demo/chart.h"

#include "base/rng.h"
#include "ops/conv2d.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct Layer3x3 {
    const char *name;
    Conv2dShape s;
    size_t slow_channels;  // output channels that the slow kernels are given: their time is the same for each
} Layer3x3;

static const Layer3x3 LAYERS[] = {
    {"critters' U-Net, 16 x 16 latents", {2, 80, 16, 16, 80, 3, 1, 1, 16, 16}, 80},
    {"Stable Diffusion 1.5, 64 x 64", {2, 320, 64, 64, 320, 3, 1, 1, 64, 64}, 4},
};

static size_t count_in(Conv2dShape s) { return s.B * s.Cin * s.H * s.W; }
static size_t count_weight(Conv2dShape s) { return s.Cout * s.Cin * s.K * s.K; }
static size_t count_out(Conv2dShape s) { return s.B * s.Cout * s.Hout * s.Wout; }
static double flops(Conv2dShape s) { return 2.0 * (double)count_out(s) * (double)(s.Cin * s.K * s.K); }

// ---- orders, walked without computing anything ----------------------------------------------------------------------
//
// Each multiplication's numbers are fetched as the loops would: those that stay in registers, once. A cache of 32 KB, as
// next to every core (64 sets of 8 lines of 64 bytes, the longest unused goes first), counts what it hasn't got.

typedef enum Area { IN, WEIGHT, OUT, PANEL_OF_WINDOWS, AREAS } Area;

enum { SETS = 64, WAYS = 8, LINE = 64, SIDE = 150, BAND = 36, SHOWN = 1200, SHOWN_FROM = 200000 };

typedef struct Walk {
    Conv2dShape s;
    size_t begin[AREAS], length[AREAS];  // in bytes; in numbers
    size_t cache[SETS][WAYS];            // lines, the last used first
    uint64_t products, fetches, misses;
    Image picture;  // across, SHOWN multiplications; down, a band for each area
} Walk;

static void draw_fetch(Walk *w, Area area, size_t index) {
    static const PlotColor COLORS[AREAS] = {{40, 90, 200}, {210, 40, 40}, {30, 140, 60}, {230, 150, 20}};
    if (w->products < SHOWN_FROM || w->products >= SHOWN_FROM + SHOWN) return;
    size_t x = (w->products - SHOWN_FROM) * SIDE / SHOWN, y = area * (BAND + 2) + index * (BAND - 1) / w->length[area];
    PlotColor c = COLORS[area];
    for (size_t row = y; row < y + 2; row++)
        memcpy(w->picture.pixels + 3 * (row * SIDE + x), (uint8_t[]){c.red, c.green, c.blue}, 3);
}

static void fetch(Walk *w, Area area, size_t index) {
    size_t line = (w->begin[area] + index * sizeof(float)) / LINE, *ways = w->cache[line % SETS], at = 0;
    while (at < WAYS - 1 && ways[at] != line) at++;
    w->misses += ways[at] != line;
    memmove(ways + 1, ways, at * sizeof *ways);
    ways[0] = line;
    w->fetches++;
    draw_fetch(w, area, index);
}

// Where the window position looks, counted in numbers of in; false: outside, which is 0 and isn't fetched.
static bool looks_at(const Walk *w, size_t c, size_t position, size_t pixel, size_t *index) {
    size_t y = pixel / w->s.Wout + position / w->s.K - w->s.padding,
           x = pixel % w->s.Wout + position % w->s.K - w->s.padding;
    *index = (c * w->s.H + y) * w->s.W + x;
    return y < w->s.H && x < w->s.W;
}

static size_t pixels_of(const Walk *w) { return w->s.Hout * w->s.Wout; }
static size_t window_of(const Walk *w) { return w->s.K * w->s.K; }
static size_t depth_of(const Walk *w) { return w->s.Cin * window_of(w); }

static void walk_channels_innermost(Walk *w) {
    for (size_t pixel = 0; pixel < pixels_of(w); pixel++) {
        for (size_t k = 0, index; k < depth_of(w); k++) {
            if (!looks_at(w, k / window_of(w), k % window_of(w), pixel, &index)) continue;
            fetch(w, IN, index);
            for (size_t o = 0; o < w->s.Cout; o++, w->products++) {
                fetch(w, WEIGHT, o * depth_of(w) + k);
                fetch(w, OUT, o * pixels_of(w) + pixel);
            }
        }
    }
}

static void walk_naive(Walk *w) {
    for (size_t o = 0; o < w->s.Cout; o++) {
        for (size_t pixel = 0; pixel < pixels_of(w); pixel++) {
            for (size_t k = 0, index; k < depth_of(w); k++) {
                if (!looks_at(w, k / window_of(w), k % window_of(w), pixel, &index)) continue;
                fetch(w, WEIGHT, o * depth_of(w) + k);
                fetch(w, IN, index);
                w->products++;
            }
            fetch(w, OUT, o * pixels_of(w) + pixel);
        }
    }
}

static void walk_planes(Walk *w) {
    for (size_t o = 0; o < w->s.Cout; o++) {
        for (size_t k = 0, index; k < depth_of(w); k++) {
            fetch(w, WEIGHT, o * depth_of(w) + k);
            for (size_t pixel = 0; pixel < pixels_of(w); pixel++) {
                if (!looks_at(w, k / window_of(w), k % window_of(w), pixel, &index)) continue;
                fetch(w, IN, index);
                fetch(w, OUT, o * pixels_of(w) + pixel);
                w->products++;
            }
        }
    }
}

// The windows of some pixels are written side by side, and some channels at a time are multiplied with them, whose sums
// stay in registers.
static void walk_tiles(Walk *w, size_t channels, size_t pixels) {
    for (size_t first = 0; first < pixels_of(w); first += pixels) {
        for (size_t k = 0, index; k < depth_of(w); k++) {
            for (size_t i = 0; i < pixels; i++) {
                if (looks_at(w, k / window_of(w), k % window_of(w), first + i, &index)) fetch(w, IN, index);
                fetch(w, PANEL_OF_WINDOWS, k * pixels + i);
            }
        }
        for (size_t o = 0; o < w->s.Cout; o += channels) {
            size_t rows = w->s.Cout - o < channels ? w->s.Cout - o : channels;
            for (size_t k = 0; k < depth_of(w); k++, w->products += rows * pixels) {
                for (size_t r = 0; r < rows; r++) fetch(w, WEIGHT, (o + r) * depth_of(w) + k);
                for (size_t i = 0; i < pixels; i++) fetch(w, PANEL_OF_WINDOWS, k * pixels + i);
            }
            for (size_t r = 0; r < rows * pixels; r++)
                fetch(w, OUT, (o + r / pixels) * pixels_of(w) + first + r % pixels);
        }
    }
}

static void walk_small_tiles(Walk *w) { walk_tiles(w, 6, 8); }
static void walk_large_tiles(Walk *w) { walk_tiles(w, 14, 32); }

static Walk *walk_new(Conv2dShape s) {
    Walk *w = calloc(1, sizeof *w);
    demo_needs(w, &(Error){0});
    w->s = s;
    w->length[IN] = count_in(s), w->length[WEIGHT] = count_weight(s), w->length[OUT] = count_out(s);
    w->length[PANEL_OF_WINDOWS] = 32 * s.Cin * s.K * s.K;
    for (size_t p = 0, end = LINE; p < AREAS; p++) w->begin[p] = end, end += w->length[p] * sizeof(float);
    w->picture = image_new(SIDE, SIDE);
    demo_needs(w->picture.pixels, &(Error){0});
    memset(w->picture.pixels, 255, 3 * SIDE * SIDE);
    for (size_t p = 0; p < AREAS; p++) memset(w->picture.pixels + 3 * p * (BAND + 2) * SIDE, 232, 3 * BAND * SIDE);
    return w;
}

static void show_orders(const char *path) {
    static const struct {
        const char *name;
        void (*walk)(Walk *w);
    } ORDERS[] = {{"output channels innermost", walk_channels_innermost},
                  {"naive: a window at a time", walk_naive},
                  {"openmp: a plane at a time", walk_planes},
                  {"tiles: 6 channels x 8 pixels", walk_small_tiles},
                  {"tiles: 14 channels x 32", walk_large_tiles}};
    const size_t count = sizeof ORDERS / sizeof *ORDERS;
    Conv2dShape s = LAYERS[0].s;
    s.B = 1;
    double least = 4e-6 * (double)(count_in(s) + count_weight(s) + count_out(s));
    printf("%s, one picture: %.1f million multiplications, %.2f MB of numbers\n", LAYERS[0].name, flops(s) / 2e6,
           least);
    printf("order                         fetches a multiplication   MB into the nearest cache\n");
    Sheet sheet = sheet_new(count, 1, SIDE);
    for (size_t i = 0; i < count; i++) {
        Walk *w = walk_new(s);
        ORDERS[i].walk(w);
        printf("%-28s  %24.2f  %26.1f\n", ORDERS[i].name, (double)w->fetches / (double)w->products,
               (double)w->misses * LINE / 1e6);
        sheet_place(&sheet, i, 0, &w->picture);
        image_free(&w->picture), free(w);
    }
    sheet_write(&sheet, path);
}

// ---- and with the clock ---------------------------------------------------------------------------------------------

// The worst order of the same seven loops: from each product to the next it is a whole window in weight, and a whole plane
// in out.
static void conv2d_channels_innermost(float *out, const float *in, const void *weight, const float *bias, Conv2dShape s,
                                      void *scratch) {
    (void)scratch;
    size_t plane = s.Hout * s.Wout, depth = s.Cin * s.K * s.K;
    for (size_t i = 0; i < count_out(s); i++) out[i] = bias[i / plane % s.Cout];
    for (size_t i = 0; i < s.B * plane; i++) {
        size_t b = i / plane, pixel = i % plane;
        for (size_t k = 0; k < depth; k++) {
            size_t c = k / (s.K * s.K), y = pixel / s.Wout + k / s.K % s.K - s.padding;
            size_t x = pixel % s.Wout + k % s.K - s.padding;
            if (y >= s.H || x >= s.W) continue;
            float seen = in[((b * s.Cin + c) * s.H + y) * s.W + x];
            for (size_t o = 0; o < s.Cout; o++)
                out[(b * s.Cout + o) * plane + pixel] += seen * ((const float *)weight)[o * depth + k];
        }
    }
}

typedef struct Contestant {
    const char *name;
    Conv2dKernel *kernel;
    size_t (*scratch_size)(const void *shape);
    bool slow;
} Contestant;

static const Contestant CONTESTANTS[] = {
    {"output channels innermost", conv2d_channels_innermost, NULL, true},
    {"naive", conv2d_naive, NULL, true},
    {"openmp", conv2d_openmp, NULL, true},
    {"blas", conv2d_blas, conv2d_blas_scratch_size, false},
    {"packed", conv2d_packed, conv2d_packed_scratch_size, false},
    {"winograd", conv2d_winograd, conv2d_winograd_scratch_size, false},
};
enum { COUNT = sizeof CONTESTANTS / sizeof *CONTESTANTS, TURNS = 5, LAYER_COUNT = sizeof LAYERS / sizeof *LAYERS };

// Seconds of processor time that the whole layer takes, as far as this call tells
static double seconds_of(const Contestant *c, const Layer3x3 *layer, float *out, const float *numbers, void *scratch) {
    Conv2dShape s = layer->s;
    if (c->slow) s.Cout = layer->slow_channels;
    clock_t start = clock();
    c->kernel(out, numbers, numbers + count_in(s), numbers, s, scratch);
    return (double)(clock() - start) / CLOCKS_PER_SEC * (double)layer->s.Cout / (double)s.Cout;
}

// Of the first picture's channels that both have made, the largest
static double off_by(const float *out, const float *right, const Layer3x3 *layer) {
    double off = 0, largest = 0;
    for (size_t i = 0; i < layer->slow_channels * layer->s.Hout * layer->s.Wout; i++) {
        off = fmax(off, fabs((double)out[i] - right[i])), largest = fmax(largest, fabs((double)right[i]));
    }
    return off / largest;
}

// They take turns, so that a busy moment of the machine strikes all of them; the quickest turn counts.
static void race(const Layer3x3 *layer, double seconds[COUNT]) {
    Conv2dShape s = layer->s;
    size_t n = count_in(s) + count_weight(s), bytes = 1;
    float *numbers = demo_floats(n), *out = demo_floats(count_out(s)), *right = demo_floats(count_out(s));
    Rng rng;
    rng_seed(&rng, 1), rng_normal(&rng, numbers, n);
    for (size_t i = 0; i < COUNT; i++) {
        const Contestant *c = &CONTESTANTS[i];
        if (c->scratch_size && c->scratch_size(&s) > bytes) bytes = c->scratch_size(&s);
    }
    float *scratch = demo_floats(bytes / sizeof *scratch + 1);
    bool all = layer->slow_channels == s.Cout;  // in a part of the channels the worst order would hop less far
    double off[COUNT] = {0};
    seconds_of(&CONTESTANTS[1], layer, right, numbers, scratch);
    for (size_t turn = 0; turn < TURNS; turn++) {
        for (size_t i = all ? 0 : 1; i < COUNT; i++) {
            double now = seconds_of(&CONTESTANTS[i], layer, out, numbers, scratch);
            if (turn == 0 || now < seconds[i]) seconds[i] = now;
            off[i] = off_by(out, right, layer);
        }
    }
    printf("\n%s, [%zu, %zu, %zu, %zu]: %.2f GFLOP, %.1f FLOP for each byte if none is moved twice\n", layer->name, s.B,
           s.Cin, s.H, s.W, flops(s) / 1e9, flops(s) / 4 / (double)(count_in(s) + count_weight(s) + count_out(s)));
    printf("                               a core's time     GFLOP/s   times naive   off by\n");
    for (size_t i = all ? 0 : 1; i < COUNT; i++) {
        printf("%-28s ~ %10.2f ms  ~ %7.2f  ~ %8.2f  ~ %.0e\n", CONTESTANTS[i].name, 1e3 * seconds[i],
               flops(s) / seconds[i] / 1e9, seconds[1] / seconds[i], off[i]);
    }
    free(numbers), free(out), free(right), free(scratch);
}

static void show_race(const char *path) {
    enum { WIDTH = 560, ROW = 30, THICK = 5, NAMES = 400 };
    const PlotColor colors[] = {{40, 90, 200}, {210, 40, 40}}, BLACK = {0, 0, 0};
    Plot chart = chart_new(WIDTH, COUNT * ROW + 28, 0.1, 3000, 2, 9, "times as fast as naive", "");
    for (size_t i = 0; i < COUNT; i++) image_words(&chart.image, NAMES, (long)i * ROW + 8, CONTESTANTS[i].name, BLACK);
    Context ctx = {.threads = 1};
    int threads_before = context_enter(&ctx);
    for (size_t l = 0; l < LAYER_COUNT; l++) {
        double seconds[COUNT] = {0};
        race(&LAYERS[l], seconds);
        for (size_t i = 0; i < COUNT; i++) {
            if (seconds[i] > 0) plot_bar(&chart, i * ROW + 6 + 9 * l, THICK, seconds[1] / seconds[i], colors[l]);
        }
    }
    context_leave(threads_before);
    chart_write(&chart, path);
}

// ---- what Winograd saves --------------------------------------------------------------------------------------------

// Multiplications of one channel's plane with one window, by tiles of `out` x `out` pixels that see 2 more each way
static double products_by_tiles(Conv2dShape s, size_t out) {
    size_t down = (s.Hout + out - 1) / out, across = (s.Wout + out - 1) / out;
    return (double)(down * across * (out + 2) * (out + 2));
}

static void show_winograd(void) {
    static const size_t SIDES[] = {64, 16, 9, 8, 5};
    printf("\npixels      multiplications a channel: all   F(2x2, 3x3)            F(4x4, 3x3)\n");
    for (size_t i = 0; i < sizeof SIDES / sizeof *SIDES; i++) {
        Conv2dShape s = {.K = 3, .Hout = SIDES[i], .Wout = SIDES[i]};
        double all = 9 * (double)(s.Hout * s.Wout), two = products_by_tiles(s, 2), four = products_by_tiles(s, 4);
        printf("%2zu x %2zu  %33.0f  %12.0f: %.2f less  %9.0f: %.2f less\n", SIDES[i], SIDES[i], all, two, all / two,
               four, all / four);
    }
}

int main(int argc, char **argv) {
    show_orders(demo_path(argc, argv, "orders.png").text);
    show_race(demo_path(argc, argv, "bars.png").text);
    show_winograd();
    return 0;
}
