// lab_measure.c - how fast a kernel is, beside the others and beside what the machine can do
//
// All take turns, and so do the two loops that measure the machine (peak.c): a busy moment strikes all of them, and what
// counts is the fastest turn of each.
// Read next: core/command/bench_ops.c, the same on other shapes; ops/registry.c, what the others do differently.

#include "command/lab.h"

#include "base/check.h"
#include "base/text.h"
#include "command/bench.h"
#include "command/peak.h"
#include "io/plot.h"
#include "io/random_numbers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_KERNELS = 17 };

typedef struct Race {
    const Kernel *kernels[MOST_KERNELS];
    OpRecord fastest[MOST_KERNELS];
    size_t count;             // yours is the last
    double flops, bandwidth;  // of the machine, a second
} Race;

// An op that multiplies much is as fast as the arithmetic, and its rate is told in FLOP; any other waits for memory.
static bool is_arithmetic(Op op) { return op == OP_CONV2D || op == OP_LINEAR || op == OP_ATTENTION; }

static double rate_of(const OpRecord *record) {
    return (double)(is_arithmetic(record->op) ? record->flops : record->bytes) / record->seconds;
}

// ---- taking turns ---------------------------------------------------------------------------------------------------

static Tensor random_input(void *maker, const char *name, Shape shape, float mean, float deviation) {
    (void)maker, (void)mean;
    float *values = malloc(shape_count(shape) * sizeof *values);
    CHECK(values, "no memory for %s, %s", name, shape_text(shape).text);
    random_numbers(values, F32, shape_count(shape), deviation, 1);
    return tensor_over(values, shape);  // until the child ends
}

static void enter_race(Race *race, const Kernel *yours) {
    for (size_t i = 0; i < kernel_count() && race->count + 1 < MOST_KERNELS; i++) {
        const Kernel *kernel = kernel_at(i);
        if (kernel->op == yours->op && (!kernel->runs_here || kernel->runs_here()))
            race->kernels[race->count++] = kernel;
    }
    race->kernels[race->count++] = yours;
}

static void take_turns(Race *race, Context *ctx, const OpCase *c, const OpInputs *in, const Options *o) {
    static const double SECONDS = 60;  // of processor time for a turn
    for (size_t rep = 0; rep < (o->quick ? 1 : DEFAULT_REPS); rep++) {
        for (size_t i = 0; i < race->count; i++) {
            ctx->kernels[c->op] = race->kernels[i];
            child_clock(SECONDS);
            OpRecord record = bench_fastest(ctx, c, in);
            if (rep == 0 || record.seconds < race->fastest[i].seconds) race->fastest[i] = record;
        }
        child_clock(0);
        race->flops = fmax(race->flops, peak_flops(o->threads));
        race->bandwidth = fmax(race->bandwidth, peak_bandwidth(o->threads));
    }
}

static size_t arena_for(const Race *race, const OpCase *c, const OpInputs *in) {
    size_t most = 0;
    for (size_t i = 0; i < race->count; i++) {
        Context plan;
        context_open_planning(&plan, NULL);
        plan.kernels[c->op] = race->kernels[i];
        op_case_run(&plan, c, in);
        if (plan.arena.high_water > most) most = plan.arena.high_water;
        context_close(&plan);
    }
    return most;
}

// ---- bars -----------------------------------------------------------------------------------------------------------

static void print_bar(const char *name, double rate, double longest, const char *unit, const char *note) {
    enum { WIDTH = 50 };
    char bar[WIDTH + 1] = "";
    size_t length = (size_t)(WIDTH * rate / longest + 0.5);
    memset(bar, '#', length);
    bar[length] = '\0';
    printf("  %-9s %-50s %s%s%s\n", name, bar, number_text(rate).text, unit, note);
}

static const char *name_of(const Race *race, size_t i) {
    return i + 1 == race->count ? "yours" : race->kernels[i]->variant;
}

static void print_race(const Race *race, const OpCase *c) {
    bool arithmetic = is_arithmetic(c->op);
    const char *unit = arithmetic ? "FLOP/s" : "B/s";
    double peak = arithmetic ? race->flops : race->bandwidth, longest = peak;
    for (size_t i = 0; i < race->count; i++) longest = fmax(longest, rate_of(&race->fastest[i]));
    const OpRecord *yours = &race->fastest[race->count - 1];
    printf("\n  %s: %sFLOP, %sB\n", op_case_text(c).text, number_text((double)yours->flops).text,
           number_text((double)yours->bytes).text);
    for (size_t i = 0; i < race->count; i++) {
        bool usual = race->kernels[i] == kernel_default(c->op, F32);
        print_bar(name_of(race, i), rate_of(&race->fastest[i]), longest, unit, usual ? "  (runs by default)" : "");
    }
    print_bar("machine", peak, longest, unit,
              arithmetic ? "  (multiply-adds in registers)"
                         : "  (a[i] = b[i] + s c[i] on 100 MB; less stays in caches)");
    if (arithmetic && longest > peak)
        printf("  Who is above the machine leaves multiplications out: those of the definition are counted.\n");
}

// ---- the roofline ---------------------------------------------------------------------------------------------------
//
// Across: how much there is to compute for each byte that must be moved. Up: FLOP a second. To the left the roof is
// slanted, there memory decides; to the right it is flat, there arithmetic does. Only who finds numbers in a cache, or leaves
// multiplications of the definition out, is above it.

static const PlotColor BLACK = {0, 0, 0}, BLUE = {40, 90, 220}, RED = {220, 40, 40};
static const double LEFT = 0.01, RIGHT = 1e4;  // FLOP a byte

static void plot_roof(Plot *plot, const Race *race) {
    char words[80];
    double ridge = race->flops / race->bandwidth;
    plot_line(plot, (double[]){LEFT, ridge, RIGHT}, (double[]){LEFT * race->bandwidth, race->flops, race->flops}, 3,
              false, BLACK);
    snprintf(words, sizeof words, "%sFLOP/s", number_text(race->flops).text);
    plot_words(plot, RIGHT, 1.3 * race->flops, words, true, BLACK);
    snprintf(words, sizeof words, "%sB/s", number_text(race->bandwidth).text);
    plot_words(plot, LEFT, 3 * LEFT * race->bandwidth, words, false, BLACK);
}

static void plot_kernels(Plot *plot, const Race *race) {
    for (size_t i = 0; i < race->count; i++) {
        const OpRecord *record = &race->fastest[i];
        PlotColor color = i + 1 == race->count ? RED : BLUE;
        double x = (double)record->flops / (double)record->bytes, y = (double)record->flops / record->seconds;
        plot_line(plot, &x, &y, 1, true, color);
        plot_words(plot, x, y, name_of(race, i), i % 2 == 1, color);  // neighbours' names on both sides
    }
}

static bool draw_roofline(const Lab *lab, const Race *race, Error *error) {
    Plot plot;
    if (!plot_new(&plot, 560, 360, LEFT, RIGHT, 1e8, 4 * race->flops))
        return error_set(error, "roofline: no memory for a picture; close other programs");
    plot_roof(&plot, race);
    plot_kernels(&plot, race);
    char words[80];
    snprintf(words, sizeof words, "%s: FLOP a second", op_name(lab->op));
    plot_axes(&plot, "FLOP a byte", words);
    LabPath path = lab_path(lab, "roofline");
    bool ok = png_write(path.text, &plot.image, NULL, 0, error);
    image_free(&plot.image);
    if (ok) printf("  %s: the same under the machine's roof\n", path.text);
    return ok;
}

void lab_measure_kernel(void *subject) {
    Lab *lab = subject;
    Error *error = &lab->report->error;
    const Kernel *yours = lab_load_kernel(lab);
    if (!yours) return;
    OpCase c = op_case_usual(lab->op);
    snprintf(lab->report->where, sizeof lab->report->where, "while it was timed: %s", op_case_text(&c).text);

    static int64_t ids[1 << 10];
    OpInputs in = op_case_inputs(&c, random_input, NULL, ids);
    Race race = {0};
    enter_race(&race, yours);
    Context ctx;
    Profile profile = {0};
    if (!context_open(&ctx, arena_for(&race, &c, &in), lab->options->threads, error)) return;
    ctx.profile = &profile;
    int threads_before = context_enter(&ctx);
    take_turns(&race, &ctx, &c, &in, lab->options);
    context_leave(threads_before);
    context_close(&ctx);
    print_race(&race, &c);
    if (race.fastest[0].flops > 0) draw_roofline(lab, &race, error);
}
