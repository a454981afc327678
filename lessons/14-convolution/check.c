// check.c - lesson 14: is it a convolution, and is it fast? First on small random ones, then on two layers with the clock
//
// The right numbers are those of conv2d_naive (core/ops/conv2d.c). The mistakes are written as what they compute. Speed is
// processor time on one core, in turns with blas, so that a busy machine slows down both.
// Read next: check/check.h.

#include "exercise.h"

#include "check/check.h"

#include "base/check.h"
#include "ops/context.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CASES = 12 };

typedef struct Question {
    Conv2dShape s;
    const float *in, *weight, *bias;
} Question;

// ---- right, and wrong in many ways ----------------------------------------------------------------------------------

static void right_conv(const void *question, float *out) {
    const Question *q = question;
    conv2d_naive(out, q->in, q->weight, q->bias, q->s, NULL);
}

// One product of the sum: window position ky, kx of input channel c, at output pixel y, x
typedef struct Product {
    const Question *q;
    size_t b, o, c, ky, kx, y, x;
} Product;

// In what a pixel is looked for, rows and columns may be negative: outside, 0.
static float seen(Product p, size_t b, long y, long x) {
    const Conv2dShape *s = &p.q->s;
    if (y < 0 || x < 0 || y >= (long)s->H || x >= (long)s->W) return 0;
    return p.q->in[((b * s->Cin + p.c) * s->H + (size_t)y) * s->W + (size_t)x];
}

static long row_of(Product p) { return (long)(p.y * p.q->s.stride + p.ky) - (long)p.q->s.padding; }
static long column_of(Product p) { return (long)(p.x * p.q->s.stride + p.kx) - (long)p.q->s.padding; }
static float pixel_of(Product p) { return seen(p, p.b, row_of(p), column_of(p)); }

static float weight_at(Product p, size_t ky, size_t kx) {
    const Conv2dShape *s = &p.q->s;
    return p.q->weight[((p.o * s->Cin + p.c) * s->K + ky) * s->K + kx];
}
static float weight_of(Product p) { return weight_at(p, p.ky, p.kx); }

typedef float Term(Product p);

// bias: how often it is added
static void sum_up(const Question *q, Term *term, float bias, float *out) {
    Conv2dShape s = q->s;
    Product p = {.q = q};
    for (p.b = 0; p.b < s.B; p.b++)
        for (p.o = 0; p.o < s.Cout; p.o++)
            for (p.y = 0; p.y < s.Hout; p.y++)
                for (p.x = 0; p.x < s.Wout; p.x++) {
                    float sum = bias * q->bias[p.o];
                    for (p.c = 0; p.c < s.Cin; p.c++)
                        for (p.ky = 0; p.ky < s.K; p.ky++)
                            for (p.kx = 0; p.kx < s.K; p.kx++) sum += term(p);
                    *out++ = sum;
                }
}

static float term(Product p) { return weight_of(p) * pixel_of(p); }
static float flipped(Product p) { return weight_at(p, p.q->s.K - 1 - p.ky, p.q->s.K - 1 - p.kx) * pixel_of(p); }
static float turned(Product p) { return weight_at(p, p.kx, p.ky) * pixel_of(p); }
static float one_picture(Product p) { return weight_of(p) * seen(p, 0, row_of(p), column_of(p)); }
static float last_channel(Product p) { return p.c + 1 == p.q->s.Cin ? term(p) : 0; }
static float last_position(Product p) { return p.ky + 1 == p.q->s.K && p.kx + 1 == p.q->s.K ? term(p) : 0; }

static float weight_transposed(Product p) {
    size_t window = p.q->s.K * p.q->s.K, place = p.ky * p.q->s.K + p.kx;
    return p.q->weight[(p.c * p.q->s.Cout + p.o) * window + place] * pixel_of(p);
}

static float channels_last(Product p) {
    size_t window = p.q->s.K * p.q->s.K, place = p.ky * p.q->s.K + p.kx;
    return p.q->weight[(p.o * window + place) * p.q->s.Cin + p.c] * pixel_of(p);
}

// Rows as long as the picture is high
static float rows_H_long(Product p) {
    Conv2dShape s = p.q->s;
    long y = row_of(p), x = column_of(p);
    if (y < 0 || x < 0 || y >= (long)s.H || x >= (long)s.W) return 0;
    size_t index = p.b * s.Cin * s.H * s.W + (p.c * s.H + (size_t)y) * s.H + (size_t)x;
    return index < s.B * s.Cin * s.H * s.W ? weight_of(p) * p.q->in[index] : 0;
}

static float seen_from(Product p, long y, long x) { return weight_of(p) * seen(p, p.b, y, x); }
static long padding_of(Product p) { return (long)p.q->s.padding; }
static float no_padding(Product p) { return seen_from(p, row_of(p) + padding_of(p), column_of(p) + padding_of(p)); }
static float padded_twice(Product p) { return seen_from(p, row_of(p) - padding_of(p), column_of(p) - padding_of(p)); }
static float padded_rows(Product p) { return seen_from(p, row_of(p), column_of(p) + padding_of(p)); }
static float padding_added(Product p) {
    return seen_from(p, row_of(p) + 2 * padding_of(p), column_of(p) + 2 * padding_of(p));
}
static float repeated(Product p) {
    long y = row_of(p), x = column_of(p), H = (long)p.q->s.H, W = (long)p.q->s.W;
    y = y < 0 ? 0 : y >= H ? H - 1 : y, x = x < 0 ? 0 : x >= W ? W - 1 : x;
    return seen_from(p, y, x);
}
static float stride_1(Product p) {
    return seen_from(p, row_of(p) - (long)(p.y * (p.q->s.stride - 1)),
                     column_of(p) - (long)(p.x * (p.q->s.stride - 1)));
}
static float stride_rows(Product p) {
    return seen_from(p, row_of(p), column_of(p) - (long)(p.x * (p.q->s.stride - 1)));
}
static float stride_window(Product p) {
    long more = (long)p.q->s.stride - 1;
    return seen_from(p, row_of(p) + more * (long)p.ky, column_of(p) + more * (long)p.kx);
}

static void is_flipped(const void *q, float *out) { sum_up(q, flipped, 1, out); }
static void is_turned(const void *q, float *out) { sum_up(q, turned, 1, out); }
static void sees_first_picture(const void *q, float *out) { sum_up(q, one_picture, 1, out); }
static void keeps_last_channel(const void *q, float *out) { sum_up(q, last_channel, 1, out); }
static void keeps_last_position(const void *q, float *out) { sum_up(q, last_position, 1, out); }
static void transposes_weight(const void *q, float *out) { sum_up(q, weight_transposed, 1, out); }
static void takes_channels_last(const void *q, float *out) { sum_up(q, channels_last, 1, out); }
static void takes_rows_for_H(const void *q, float *out) { sum_up(q, rows_H_long, 1, out); }
static void pads_nothing(const void *q, float *out) { sum_up(q, no_padding, 1, out); }
static void pads_twice(const void *q, float *out) { sum_up(q, padded_twice, 1, out); }
static void pads_rows(const void *q, float *out) { sum_up(q, padded_rows, 1, out); }
static void adds_padding(const void *q, float *out) { sum_up(q, padding_added, 1, out); }
static void repeats_edge(const void *q, float *out) { sum_up(q, repeated, 1, out); }
static void takes_stride_1(const void *q, float *out) { sum_up(q, stride_1, 1, out); }
static void strides_down_only(const void *q, float *out) { sum_up(q, stride_rows, 1, out); }
static void strides_in_window(const void *q, float *out) { sum_up(q, stride_window, 1, out); }
static void forgets_bias(const void *q, float *out) { sum_up(q, term, 0, out); }

static void adds_bias_always(const void *question, float *out) {
    const Question *q = question;
    sum_up(q, term, (float)(q->s.Cin * q->s.K * q->s.K), out);
}

static void adds_bias_a_channel(const void *question, float *out) {
    const Question *q = question;
    sum_up(q, term, (float)q->s.Cin, out);
}

static void bias_by_column(const void *question, float *out) {
    const Question *q = question;
    sum_up(q, term, 0, out);
    for (size_t i = 0; i < q->s.B * q->s.Cout * q->s.Hout * q->s.Wout; i++)
        out[i] += q->bias[i % q->s.Wout % q->s.Cout];
}

static void writes_columns(const void *question, float *out) {
    const Question *q = question;
    size_t plane = q->s.Hout * q->s.Wout, n = q->s.B * q->s.Cout * plane;
    float *right = malloc(n * sizeof *right);
    CHECK(right, "no memory");
    right_conv(q, right);
    for (size_t i = 0; i < n; i++) {
        size_t pixel = i % plane;
        out[i / plane * plane + pixel % q->s.Wout * q->s.Hout + pixel / q->s.Wout] = right[i];
    }
    free(right);
}

static const CheckMistake MISTAKES[] = {
    {"You turned the window upside down and around. That is what mathematicians call a convolution; here, and in "
     "torch, "
     "weight[ky, kx] meets the pixel at y + ky, x + kx.",
     is_flipped},
    {"ky and kx are swapped: the window's rows go down the picture.", is_turned},
    {"weight is [Cout, Cin, K, K]: o comes first, then c. You have these two swapped.", transposes_weight},
    {"You read weight as [Cout, K, K, Cin]; it is [Cout, Cin, K, K]: all of a channel's window first, then the next's.",
     takes_channels_last},
    {"A row of in is W numbers long, and you took H.", takes_rows_for_H},
    {"All pictures see the first one: in has B of them, Cin H W numbers apart.", sees_first_picture},
    {"Only the last input channel is in the sum: it begins once an output, not once a channel.", keeps_last_channel},
    {"Only the last place of the window is in the sum: it begins once an output.", keeps_last_position},
    {"The padding is missing: window place ky looks at row y + ky - padding.", pads_nothing},
    {"The padding was subtracted twice: the window hangs over the edge by two.", pads_twice},
    {"The padding is there for rows and not for columns: x + kx - padding.", pads_rows},
    {"The padding was added: it is subtracted, the window begins above and left of the pixel.", adds_padding},
    {"You repeated the edge: what lies outside the picture is 0.", repeats_edge},
    {"The stride is ignored: with stride 2, the next window is two pixels further: y * stride + ky.", takes_stride_1},
    {"The stride counts for rows and not for columns: x * stride + kx.", strides_down_only},
    {"The stride got into the window: y * stride + ky, not (y + ky) * stride. That would be a dilation.",
     strides_in_window},
    {"The bias is missing: each sum begins with bias[o].", forgets_bias},
    {"The bias was added with every product: once a sum is enough.", adds_bias_always},
    {"The bias was added with every input channel: once a sum is enough.", adds_bias_a_channel},
    {"The bias goes by channels, not by pixels: bias[o] for all of an output plane.", bias_by_column},
    {"Rows and columns of out are swapped: out[b, o, y, x], and x runs fastest.", writes_columns},
    {NULL, NULL},
};

// ---- small ones -----------------------------------------------------------------------------------------------------

static float *ask(Check *check, Question *q) {
    Conv2dShape s = q->s;
    q->in = check_normal(check, "in", shape4(s.B, s.Cin, s.H, s.W));
    q->weight = check_normal(check, "weight", shape4(s.Cout, s.Cin, s.K, s.K));
    q->bias = check_normal(check, "bias", shape1(s.Cout));
    float *out = check_output(check, "out", shape4(s.B, s.Cout, s.Hout, s.Wout));
    float *scratch = check_output(check, "scratch", shape2(s.Cin * s.K * s.K, WINDOWS));
    conv2d_fast(out, q->in, q->weight, q->bias, s, scratch);
    return out;
}

static Conv2dShape with_output(Conv2dShape s) {
    s.Hout = (s.H + 2 * s.padding - s.K) / s.stride + 1, s.Wout = (s.W + 2 * s.padding - s.K) / s.stride + 1;
    return s;
}

static void check_small(Check *check, size_t K, size_t stride, size_t padding) {
    for (size_t i = 0; i < CASES; i++) {
        Conv2dShape s = {.B = check_pick(check, 2, 3), .K = K, .stride = stride, .padding = padding};
        s.Cin = check_pick(check, 2, 9), s.Cout = check_pick(check, 10, 15);
        s.H = check_pick(check, 5, 9), s.W = s.H + check_pick(check, 1, 4);
        Question q = {.s = with_output(s)};
        check_case(check, "[%zu, %zu, %zu, %zu] to %zu channels, window %zu x %zu, stride %zu, padding %zu", s.B, s.Cin,
                   s.H, s.W, s.Cout, K, K, stride, padding);
        float *out = ask(check, &q);
        check_values(check, out, &q, right_conv, MISTAKES);
    }
}

static void check_1x1(Check *check) { check_small(check, 1, 1, 0); }
static void check_inside(Check *check) { check_small(check, 3, 1, 0); }
static void check_edges(Check *check) { check_small(check, 3, 1, 1); }

static void check_stride(Check *check) {
    check_small(check, 3, 2, 1);
    check_small(check, 3, 2, 0);
    check_small(check, 1, 2, 0);
}

// One pixel, one channel, one row: where a tile isn't filled
static void check_corners(Check *check) {
    static const size_t SIZES[][4] = {{1, 1, 1, 1}, {1, 1, 13, 3}, {5, 1, 1, 4}, {3, 17, 1, 1}, {1, 2, 9, 33}};
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++) {
        Conv2dShape s = {1, SIZES[i][0], SIZES[i][1], SIZES[i][2], SIZES[i][3], .K = 3, .stride = 1, .padding = 1};
        Question q = {.s = with_output(s)};
        check_case(check, "%zu channels of %zu x %zu pixels to %zu", s.Cin, s.H, s.W, s.Cout);
        float *out = ask(check, &q);
        check_values(check, out, &q, right_conv, MISTAKES);
    }
}

// ---- and fast -------------------------------------------------------------------------------------------------------

enum { TURNS = 12, BLAS_CALLS = 4, NAIVE_PART = 16 };

typedef struct Race {
    Question q;
    float *out, *scratch, *blas_scratch;
} Race;

// Of this thread: the process's clock goes in ticks of some milliseconds while the check's limit of time is on.
static double processor_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double run_yours(const Race *r) {
    double start = processor_seconds();
    conv2d_fast(r->out, r->q.in, r->q.weight, r->q.bias, r->q.s, r->scratch);
    return processor_seconds() - start;
}

static double run_blas(const Race *r) {
    double start = processor_seconds();
    conv2d_blas(r->out, r->q.in, r->q.weight, r->q.bias, r->q.s, r->blas_scratch);
    return processor_seconds() - start;
}

// It needs the same time for each output channel, so a few are enough.
static double run_naive(const Race *r) {
    Conv2dShape s = r->q.s;
    s.Cout /= NAIVE_PART;
    double start = processor_seconds();
    conv2d_naive(r->out, r->q.in, r->q.weight, r->q.bias, s, NULL);
    return NAIVE_PART * (processor_seconds() - start);
}

static const char *what_is_slow(double times_naive) {
    if (times_naive < 0.5)
        return "The innermost loop hops through memory, against the rows: let it go along x, where neighbours lie side "
               "by "
               "side.";
    if (times_naive < 3)
        return "Each product waits for the sum before it, and fetches two numbers. Let the innermost loop go along x, "
               "a "
               "weight for all of it, so that eight sums grow at once.";
    return "What is left are the fetches: keep the sums of several channels and pixels at once, and each number that "
           "is "
           "fetched is used several times.";
}

static void check_speed(Check *check, Conv2dShape s) {
    Race r = {.q.s = with_output(s)};
    Context ctx = {.threads = 1};
    context_enter(&ctx);
    check_case(check, "[%zu, %zu, %zu, %zu] to %zu channels, window %zu x %zu, with the clock", s.B, s.Cin, s.H, s.W,
               s.Cout, s.K, s.K);
    check_seconds(check, 30);
    r.out = ask(check, &r.q);
    check_values(check, r.out, &r.q, right_conv, MISTAKES);
    r.scratch = check_input(check, "scratch", shape2(s.Cin * s.K * s.K, WINDOWS));
    r.blas_scratch = malloc(conv2d_blas_scratch_size(&r.q.s) + 1);
    CHECK(r.blas_scratch, "no memory");

    double yours = INFINITY, blas = INFINITY, naive = INFINITY, percent = 0;
    for (size_t turn = 0; turn < TURNS; turn++) {
        yours = fmin(yours, run_yours(&r));
        for (size_t i = 0; i < BLAS_CALLS; i++) blas = fmin(blas, run_blas(&r));
        naive = fmin(naive, run_naive(&r));
        percent = 100 * blas / yours;
        if (turn > 1 && (percent > 1.5 * GOAL_PERCENT || percent < GOAL_PERCENT / 2.0)) break;
    }
    if (percent >= GOAL_PERCENT) printf("         %.0f%% of blas, %.0f times naive\n", percent, naive / yours);
    if (percent < GOAL_PERCENT)
        check_wrong(check,
                    "Right, and %.1f%% of blas: the goal is %d%%. It is %.1f times as fast as the seven loops. %s",
                    percent, GOAL_PERCENT, naive / yours, what_is_slow(naive / yours));
    free(r.blas_scratch);
}

static void check_speed_3x3(Check *check) {
    check_speed(check,
                (Conv2dShape){.B = 1, .Cin = 64, .H = 32, .W = 32, .Cout = 64, .K = 3, .stride = 1, .padding = 1});
}

static void check_speed_1x1(Check *check) {
    check_speed(check, (Conv2dShape){.B = 1, .Cin = 128, .H = 32, .W = 32, .Cout = 128, .K = 1, .stride = 1});
}

int main(void) {
    static const CheckPart PARTS[] = {
        {"1x1: channels mixed", check_1x1},
        {"3x3, inside the picture", check_inside},
        {"3x3, over the edge", check_edges},
        {"with stride 2", check_stride},
        {"pictures of one row, one pixel", check_corners},
        {"3x3, as fast as it should be", check_speed_3x3},
        {"1x1, as fast as it should be", check_speed_1x1},
    };
    return check_run("14-convolution", PARTS, sizeof PARTS / sizeof *PARTS, NULL);
}
