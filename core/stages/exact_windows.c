// exact_windows.c - the exact denoiser through windows: what a network can say that sees only what is near
//
// A place of the answer is made by itself, from the window of N x N latents around it:
//
//     answer at p = mean over training pictures i and shifts s of  x0_i at p + s,
//     each weighted by softmax of  -|window of x_t around p - sqrt(a) window of x0_i around p + s|^2 / (2 (1 - a))
//
// With shift 0 alone, reach 0, every place knows where it is and learns from what drawings have just there: the local
// score machine of Kamb & Ganguli (arXiv 2412.20292). With all shifts each place learns from all places, as does a
// convolution, whose weights are the same everywhere: their equivariant local score machine. In between are networks
// that know about where they are.
//
// What about the border? A convolution pads with zeros, and by these zeros, which no noise lies on, sees how far away it
// is. So a window that looks over the border is only like those that look over it just as far: along that axis it isn't
// shifted. And what lies beyond is zero in both, so it adds nothing to the distance.
//
// How it is computed: training pictures, LANES of them side by side, are laid over x_t, shifted, and all windows of these
// pairs are compared at once. The squared difference is taken once a place, and summed over windows along rows, then along
// columns: 2 N additions a window, not N^2. Nobody keeps the distances: each place keeps its smallest distance so far and
// the sums with respect to it, and shrinks these when a smaller one comes (as attention_flash.c does).
// Read next: attention.c. This is attention: x_t's windows ask, those of the training set are keys, their middles values.

#include "stages/exact_denoiser.h"

#include "base/machine.h"
#include "ops/exp.h"
#include "ops/wide.h"

#include <float.h>
#include <math.h>

// LANES: pictures that are compared at once, as many as the widest registers hold. Groups of so many are dealt into
// slices, each one thread's work, and these are put together in their order: however many threads there are, the sums
// are the same.
enum { LANES = 8, SLICES = 16 };

// A number of each of them. Of arrays of these, the compiler makes arithmetic with whole registers.
typedef float Lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(sizeof(float))));

typedef struct Slice {
    Lanes *least;    // [height, width]: the smallest squared distance so far
    Lanes *sum;      // [height, width]: of e^((least - distance) / (2 (1 - a)))
    Lanes *mean;     // [channels, height, width]: of the same times the windows' middles
    Lanes *latents;  // [channels, height, width]: the pictures that are being compared
    // Of one shift; rows and columns as of x_t, with zeros all round as far as a window reaches over
    Lanes *squares;  // [height + N - 1, width + N - 1]
    Lanes *across;   // [height + N - 1, width]: sums over N of a row
    Lanes *row;      // [width]: distances, then weights
    Lanes *shrink;   // [width]: what the sums so far are multiplied by
} Slice;

typedef struct Windows {
    const float *x;
    const LatentSet *set;
    LatentChoice choice;
    float signal, sharpness;  // sqrt(a), 1 / (2 (1 - a))
    size_t N, reach;
} Windows;

typedef struct Span {
    size_t begin, end;
} Span;

static size_t slice_places(const LatentSet *set, size_t N) {
    size_t h = set->height, w = set->width;
    return (2 + 2 * set->channels) * h * w + (h + N - 1) * (w + N - 1) + (h + N - 1) * w + 2 * w;
}

size_t exact_windows_scratch_size(const LatentSet *set, size_t window) {
    return SLICES * slice_places(set, window) * sizeof(Lanes);
}

static Slice slice_begin(const LatentSet *set, size_t N, Lanes *memory) {
    size_t h = set->height, w = set->width, area = h * w;
    Slice slice = {.least = memory, .sum = memory + area, .mean = memory + 2 * area};
    slice.latents = slice.mean + set->channels * area;
    slice.squares = slice.latents + set->channels * area;
    slice.across = slice.squares + (h + N - 1) * (w + N - 1);
    slice.row = slice.across + (h + N - 1) * w;
    slice.shrink = slice.row + w;
    for (size_t i = 0; i < slice_places(set, N); i++) memory[i] = (Lanes){0} + (i < area ? FLT_MAX : 0);
    return slice;
}

// The places along an axis whose windows see the border alike in both pictures
INLINE Span alike(size_t side, size_t N, long shift) {
    size_t half = N / 2, begin = half + (shift < 0 ? (size_t)-shift : 0), end = half + (shift > 0 ? (size_t)shift : 0);
    if (shift == 0) return (Span){0, side};
    return begin + end < side ? (Span){begin, side - end} : (Span){0, 0};
}

// Those that some of their windows see
INLINE Span seen(Span places, size_t side, size_t N) {
    size_t half = N / 2;
    return (Span){places.begin > half ? places.begin - half : 0, places.end + half < side ? places.end + half : side};
}

// ---- LANES training pictures, laid over x_t --------------------------------------------------------------------------

// Pictures `first` and on, side by side. Where there are none left, numbers so large that they weigh nothing.
static void take_latents(const Windows *ws, Slice *slice, size_t first) {
    size_t n = ws->set->channels * ws->set->height * ws->set->width;
    for (size_t lane = 0; lane < LANES; lane++) {
        size_t i = first + lane;
        const float *latent = i < ws->choice.count ? chosen_latent(ws->set, ws->choice, i) : NULL;
        for (size_t j = 0; j < n; j++) slice->latents[j][lane] = latent ? latent[j] : 1e15f;
    }
}

// The squared difference at every place that is seen, summed over channels
INLINE void take_squares(const Windows *ws, Slice *slice, long dy, long dx, Span ys, Span xs) {
    size_t h = ws->set->height, w = ws->set->width, half = ws->N / 2, stride = w + ws->N - 1;
    for (size_t y = ys.begin; y < ys.end; y++) {
        for (size_t x = xs.begin; x < xs.end; x++) {
            size_t place = y * w + x, there = (size_t)((long)y + dy) * w + (size_t)((long)x + dx);
            Lanes sum = {0};
            for (size_t c = 0; c < ws->set->channels; c++) {
                Lanes difference = ws->x[c * h * w + place] - ws->signal * slice->latents[c * h * w + there];
                sum += difference * difference;
            }
            slice->squares[(y + half) * stride + half + x] = sum;
        }
    }
}

// out [n]: each the sum of N numbers from its own place on, `stride` places apart
INLINE void sum_along(Lanes *out, const Lanes *in, size_t n, size_t N, size_t stride) {
    for (size_t x = 0; x < n; x++) {
        Lanes sum = in[x];
        for (size_t o = 1; o < N; o++) sum += in[x + o * stride];
        out[x] = sum;
    }
}

// Takes the distances of n places, from `place` on, into their softmax; the windows' middles lie from `there` on.
INLINE void take_row(const Windows *ws, Slice *slice, size_t place, size_t there, size_t n) {
    size_t area = ws->set->height * ws->set->width * LANES;
    float *row = (float *)slice->row, *least = (float *)(slice->least + place), *sum = (float *)(slice->sum + place),
          *mean = (float *)(slice->mean + place), *shrink = (float *)slice->shrink, sharpness = ws->sharpness;
    const float *middles = (const float *)(slice->latents + there);
    int nearer = 0, near = 0;
#pragma omp simd reduction(| : nearer, near)
    for (size_t i = 0; i < n * LANES; i++) {
        nearer |= row[i] < least[i];
        near |= (row[i] - least[i]) * sharpness < 87;  // beyond, e^x is no float any more
    }
    if (!near) return;
    if (nearer) {
#pragma omp simd
        for (size_t i = 0; i < n * LANES; i++) {
            float before = least[i];
            least[i] = row[i] < before ? row[i] : before;
            shrink[i] = exp_inline((least[i] - before) * sharpness);
            sum[i] *= shrink[i];
        }
        for (size_t c = 0; c < ws->set->channels; c++) {
#pragma omp simd
            for (size_t i = 0; i < n * LANES; i++) mean[c * area + i] *= shrink[i];
        }
    }
#pragma omp simd
    for (size_t i = 0; i < n * LANES; i++) {
        row[i] = exp_inline((least[i] - row[i]) * sharpness);
        sum[i] += row[i];
    }
    for (size_t c = 0; c < ws->set->channels; c++) {
#pragma omp simd
        for (size_t i = 0; i < n * LANES; i++) mean[c * area + i] += row[i] * middles[c * area + i];
    }
}

INLINE void compare(const Windows *ws, Slice *slice, long dy, long dx) {
    size_t h = ws->set->height, w = ws->set->width, N = ws->N, half = N / 2, stride = w + N - 1;
    Span ys = alike(h, N, dy), xs = alike(w, N, dx);
    if (ys.begin == ys.end || xs.begin == xs.end) return;
    size_t n = xs.end - xs.begin;
    Span rows = seen(ys, h, N);
    take_squares(ws, slice, dy, dx, rows, seen(xs, w, N));
    for (size_t y = rows.begin + half; y < rows.end + half;
         y++) {  // those over the border are zeros, and their sums too
        sum_along(slice->across + y * w + xs.begin, slice->squares + y * stride + xs.begin, n, N, 1);
    }
    for (size_t y = ys.begin; y < ys.end; y++) {
        size_t there = (size_t)((long)y + dy) * w + (size_t)((long)xs.begin + dx);
        sum_along(slice->row, slice->across + y * w + xs.begin, n, N, w);
        take_row(ws, slice, y * w + xs.begin, there, n);
    }
}

// ---- all of them ----------------------------------------------------------------------------------------------------

INLINE size_t least_size(size_t a, size_t b) { return a < b ? a : b; }

INLINE void compare_all_shifts(const Windows *ws, Slice *slice) {
    long far_y = (long)least_size(ws->reach, ws->set->height - 1),
         far_x = (long)least_size(ws->reach, ws->set->width - 1);
    for (long dy = -far_y; dy <= far_y; dy++)
        for (long dx = -far_x; dx <= far_x; dx++) compare(ws, slice, dy, dx);
}

typedef void CompareAllShifts(const Windows *ws, Slice *slice);
static void compare_all_shifts_plain(const Windows *ws, Slice *slice) { compare_all_shifts(ws, slice); }
AVX2 static void compare_all_shifts_avx2(const Windows *ws, Slice *slice) { compare_all_shifts(ws, slice); }
AVX512 static void compare_all_shifts_avx512(const Windows *ws, Slice *slice) { compare_all_shifts(ws, slice); }

// The slices' sums of each lane, each with respect to its own smallest distance, become one mean.
static void join(const Windows *ws, const Slice slices[SLICES], float *x0) {
    size_t area = ws->set->height * ws->set->width, channels = ws->set->channels;
#pragma omp parallel for
    for (size_t p = 0; p < area; p++) {
        double weights[SLICES * LANES], sum = 0;
        float least = FLT_MAX;
        for (size_t k = 0; k < SLICES * LANES; k++) {
            least = fminf(least, slices[k / LANES].least[p][k % LANES]);
        }
        for (size_t k = 0; k < SLICES * LANES; k++) {
            const Slice *slice = &slices[k / LANES];
            weights[k] = exp(((double)least - slice->least[p][k % LANES]) * ws->sharpness);
            sum += weights[k] * slice->sum[p][k % LANES];
        }
        for (size_t c = 0; c < channels; c++) {
            double mean = 0;
            for (size_t k = 0; k < SLICES * LANES; k++) {
                mean += weights[k] * slices[k / LANES].mean[c * area + p][k % LANES];
            }
            x0[c * area + p] = (float)(mean / sum);
        }
    }
}

void exact_denoise_windows(float *x0, const float *x, double a, const LatentSet *set, LatentChoice choice,
                           size_t window, size_t reach, void *scratch, const atomic_bool *stop) {
    Windows ws = {x, set, choice, (float)sqrt(a), (float)(1 / (2 * (1 - a))), window, reach};
    Slice slices[SLICES];
    CompareAllShifts *compare_all = machine_has_avx512() ? compare_all_shifts_avx512
                                    : machine_has_avx2() ? compare_all_shifts_avx2
                                                         : compare_all_shifts_plain;
#pragma omp parallel for schedule(dynamic)
    for (size_t k = 0; k < SLICES; k++) {
        slices[k] = slice_begin(set, window, (Lanes *)scratch + k * slice_places(set, window));
        for (size_t first = k * LANES; first < choice.count; first += SLICES * LANES) {
            if (stop && atomic_load(stop)) break;
            take_latents(&ws, &slices[k], first);
            compare_all(&ws, &slices[k]);
        }
    }
    join(&ws, slices, x0);
}

size_t exact_windows_flops(const LatentSet *set, size_t count, size_t window, size_t reach) {
    size_t pairs = 0;
    long far_y = (long)least_size(reach, set->height - 1), far_x = (long)least_size(reach, set->width - 1);
    for (long dy = -far_y; dy <= far_y; dy++) {
        for (long dx = -far_x; dx <= far_x; dx++) {
            Span ys = alike(set->height, window, dy), xs = alike(set->width, window, dx);
            pairs += count * (ys.end - ys.begin) * (xs.end - xs.begin);
        }
    }
    // A pair of windows: squares over the channels, sums along rows and columns, a softmax's share (e^x counted as one)
    return pairs * (3 * set->channels + 2 * (window - 1) + 3 + 2 * set->channels);
}
