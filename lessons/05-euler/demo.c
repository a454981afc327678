// demo.c - lesson 05: how near to the end of the road do how many strides come, with every scheduler?
//
// First on a road whose end is known by formula: orders.png, error over U-Net calls, both logarithmic. Then on the U-Net's own
// road, where the end is what 1000 steps of Euler reach. strides.png: pictures of few and many steps.
// Read next: exercise.h.

#include "demo/demo.h"
#include "demo/chart.h"
#include "demo/measure.h"
#include "schedulers/road.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// So that all of them go from sigma 14.6 to 0, in strides that are alike
static bool takes_trailing(const SchedulerKind *kind) {
    for (const char *const *key = kind->settings; *key; key++) {
        if (strcmp(*key, "timestep_spacing") == 0) return true;
    }
    return false;
}

// Those that draw fresh noise on the way end elsewhere each time.
static bool always_the_same(const SchedulerKind *kind) { return !kind->stochastic || kind == &ddim_kind; }

// ---- a road whose end is known (core/schedulers/road.h) -------------------------------------------------------------

// All schedulers stop at timestep ARRIVAL, whatever the number of steps, so there they are compared, before the last stride.
enum { COUNTS = 6, ARRIVAL = 199 };

static const size_t STEP_COUNTS[COUNTS] = {5, 10, 20, 50, 100, 200};

static Scheduler *scheduler_for(const SchedulerKind *kind, size_t steps) {
    Error error = {0};
    SchedulerConfig config = kind->defaults;
    config.beta_start = 0.00085f, config.beta_end = 0.012f, config.beta_schedule = BETAS_SCALED_LINEAR;
    config.clip_sample = false;
    if (takes_trailing(kind)) config.timestep_spacing = SPACING_TRAILING;
    Scheduler *s = scheduler_new(kind, &config, &error);
    demo_needs(s && kind->set_timesteps(s, steps, &error), &error);
    return s;
}

// How far off the road so many steps are at ARRIVAL; *calls: of the denoiser, so far
static double miss(const SchedulerKind *kind, size_t steps, double *calls) {
    Scheduler *s = scheduler_for(kind, steps);
    double off = road_miss(s, ARRIVAL, calls);
    scheduler_free(s);
    return off;
}

static const PlotColor COLORS_OF_LINES[] = {{0, 0, 0},     {220, 40, 40},  {40, 90, 220},
                                            {30, 150, 60}, {240, 150, 0},  {150, 60, 190},
                                            {0, 170, 190}, {140, 100, 60}, {240, 100, 180}};
static const char *const NAMES_OF_COLORS[] = {"black",  "red",  "blue",  "green", "orange",
                                              "purple", "teal", "brown", "pink"};

static void show_orders(const char *path) {
    Plot chart = chart_new(420, 280, 4, 1500, 1e-7, 1, "calls of the denoiser", "off by");
    printf("off by, steps:   5        10        20        50       100       200   order\n");
    for (size_t i = 0, line = 0; i < scheduler_kind_count(); i++) {
        const SchedulerKind *kind = scheduler_kind_at(i);
        if (!always_the_same(kind)) continue;
        double calls[COUNTS], off[COUNTS];
        printf("%-9s", kind->name);
        for (size_t j = 0; j < COUNTS; j++) {
            off[j] = miss(kind, STEP_COUNTS[j], &calls[j]);
            printf("  %8.5f", off[j]);
        }
        printf("   %4.1f  %s\n", log(off[COUNTS - 3] / off[COUNTS - 1]) / log(4), NAMES_OF_COLORS[line]);
        plot_line(&chart, calls, off, COUNTS, true, COLORS_OF_LINES[line]);
        // Euler's line hides DDIM's, which is the same one
        const char *name = kind == &euler_kind ? "euler, ddim" : kind == &ddim_kind ? "" : kind->name;
        plot_words(&chart, calls[COUNTS - 1], off[COUNTS - 1], name, false, COLORS_OF_LINES[line++]);
    }
    chart_write(&chart, path);
}

// ---- the U-Net's road -----------------------------------------------------------------------------------------------

typedef struct Where {
    Model *model;
    size_t n;
} Where;

// Small pictures, without guidance: the road is another one, the schedulers are the same, and a step takes milliseconds.
static float *walk(Where *where, const SchedulerKind *kind, size_t steps, const char *conv2d) {
    static const char *const TRAILING[] = {"timestep_spacing=trailing"};
    Settings settings = demo_settings(where->model);
    settings.width = settings.height = 64, settings.guidance_scale = 1;
    settings.scheduler = kind->name, settings.num_inference_steps = steps;
    settings.scheduler_overrides = TRAILING, settings.scheduler_override_count = takes_trailing(kind);
    if (conv2d) settings.kernels[0] = conv2d, settings.kernel_count = 1;
    Run *run = demo_run(where->model, &settings);
    while (demo_step(run)) continue;
    const StepRecord *last = run_last_step(run);
    where->n = last->channels * last->height * last->width;
    float *guess = demo_copy(last->pred_original_sample, where->n);
    run_free(run);
    return guess;
}

static double walk_off(Where *where, const SchedulerKind *kind, size_t steps, const float *end) {
    float *guess = walk(where, kind, steps, NULL);
    double off = 100 * distance_between(guess, end, where->n);
    free(guess);
    return off;
}

static void print_walks(Where *where) {
    float *end = walk(where, &euler_kind, 1000, NULL);
    printf("\noff by, steps:     5      10      20      40\n");
    for (size_t i = 0; i < scheduler_kind_count(); i++) {
        const SchedulerKind *kind = scheduler_kind_at(i);
        printf("%-12s", kind->name);
        for (size_t steps = 5; steps <= 40; steps *= 2) printf("  %5.0f%%", walk_off(where, kind, steps, end));
        printf("  %s\n", always_the_same(kind) ? "" : "fresh noise");
    }
    free(end);
}

static void print_kernels(Where *where) {
    float *blas = walk(where, &euler_kind, 5, NULL), *naive = walk(where, &euler_kind, 5, "conv2d=naive");
    double off = distance_between(naive, blas, where->n);
    printf("\neuler, 5 steps, other kernels: off by less than 0.01%%: %s\n", off < 1e-4 ? "yes" : "no");
    free(blas), free(naive);
}

// ---- pictures -------------------------------------------------------------------------------------------------------

static void show_strides(const Model *model, const char *path) {
    static const size_t STEPS[] = {2, 3, 5, 10, 20, 50};
    static const char *const SCHEDULERS[] = {"euler", "dpmpp_2m"};
    Sheet sheet = sheet_new(6, 2, 64);
    for (size_t row = 0; row < 2; row++) {
        for (size_t i = 0; i < 6; i++) {
            Settings settings = demo_settings(model);
            settings.guidance_scale = 4;
            settings.scheduler = SCHEDULERS[row], settings.num_inference_steps = STEPS[i];
            Image image = demo_draw(model, &settings);
            sheet_place(&sheet, i, row, &image);
            image_free(&image);
        }
    }
    sheet_write(&sheet, path);
}

int main(int argc, char **argv) {
    Model *model = demo_model();
    show_orders(demo_path(argc, argv, "orders.png").text);
    Where where = {model, 0};
    print_walks(&where);
    print_kernels(&where);
    show_strides(model, demo_path(argc, argv, "strides.png").text);
    model_close(model);
    return 0;
}
