// demo.c - lesson 03: a network learns the noise on points of the plane, and draws a hippo
//
// learning.png: the data, and what is drawn after some steps of training. arrows.png: where points under noise are sent, above
// by the network, below by the exact denoiser. loss.png: the loss, and the least there can be.
// Read next: demo/learning.c, all of it in a few pages; exercise.h.

#include "demo/demo.h"
#include "demo/chart.h"
#include "demo/learning.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

enum { POINTS = 6000, TRAINING = 5000, DDIM_STEPS = 50, SIDE_OF_SHEET = 150 };

static const uint8_t BLUE[] = {20, 20, 90}, PALE[] = {206, 206, 214};

// ---- how good is it? ------------------------------------------------------------------------------------------------

// The mean distance from a point to the nearest of the data, in percent of the data's deviation
static double off_by(const float *points, size_t count, const float *data) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        float least = INFINITY;
        for (size_t k = 0; k < POINTS; k++) {
            float dx = points[POINT * i] - data[POINT * k], dy = points[POINT * i + 1] - data[POINT * k + 1];
            least = fminf(least, dx * dx + dy * dy);
        }
        sum += sqrt(least);
    }
    return 100 * sum / (double)count / POINTS_DEVIATION;
}

enum { SAMPLES = 4000, ERRORS = 800 };

// What the loss is on average over all timesteps
static double mean_error(AskNoise *ask, void *denoiser, const Scheduler *scheduler, const float *data) {
    enum { LEVELS = 20 };
    double sum = 0;
    for (size_t i = 0; i < LEVELS; i++) {
        size_t t = (2 * i + 1) * TIMESTEPS / (2 * LEVELS);
        sum += (double)noise_error(ask, denoiser, scheduler, data, ERRORS, t, i);
    }
    return sum / LEVELS;
}

// ---- pictures -------------------------------------------------------------------------------------------------------

static void show_points(Sheet *sheet, size_t cell, const float *points, size_t count) {
    Image image = points_picture(sheet->side);
    points_show(&image, points, count, BLUE);
    sheet_place(sheet, cell % sheet->columns, cell / sheet->columns, &image);
    image_free(&image);
}

typedef struct Level {
    size_t t;
    float length;  // of an arrow, as a share of the way
} Level;

// From places on a grid towards the point that is taken to lie under the noise there
static void show_arrows(Sheet *sheet, size_t column, size_t row, AskNoise *ask, void *denoiser,
                        const float *alphas_cumprod, Level level, const float *data) {
    enum { GRID = 13 };
    float a = alphas_cumprod[level.t];
    Image image = points_picture(sheet->side);
    points_show(&image, data, POINTS, PALE);
    for (size_t i = 0; i < GRID * GRID; i++) {
        float from[POINT] = {(float)(i % GRID) - GRID / 2, (float)(i / GRID) - GRID / 2};
        float x_t[POINT], noise[POINT], to[POINT];
        for (size_t c = 0; c < POINT; c++) x_t[c] = sqrtf(a) * from[c];
        ask(denoiser, x_t, &level.t, 1, noise);
        for (size_t c = 0; c < POINT; c++) {
            float x0 = (x_t[c] - sqrtf(1 - a) * noise[c]) / sqrtf(a);
            to[c] = from[c] + level.length * (x0 - from[c]);
        }
        points_arrow(&image, from, to, BLUE);
    }
    sheet_place(sheet, column, row, &image);
    image_free(&image);
}

static void show_loss(const float *losses, double floor, const char *path) {
    enum { WINDOW = 20, DOTS = 60 };
    double step[DOTS], loss[DOTS];
    for (size_t i = 0; i < DOTS; i++) {
        size_t end = (size_t)(WINDOW * pow((double)TRAINING / WINDOW, (double)i / (DOTS - 1)));
        step[i] = (double)end, loss[i] = 0;
        for (size_t k = end - WINDOW; k < end; k++) loss[i] += (double)losses[k] / WINDOW;
    }
    Plot chart = chart_new(480, 200, WINDOW, TRAINING, 0.5, 1.1, "training steps", "loss");
    plot_line(&chart, (double[]){WINDOW, TRAINING}, (double[]){floor, floor}, 2, true, (PlotColor){200, 60, 60});
    plot_words(&chart, WINDOW, 0.97 * floor, "the exact denoiser", false, (PlotColor){200, 60, 60});
    plot_line(&chart, step, loss, DOTS, true, (PlotColor){20, 20, 90});
    chart_write(&chart, path);
}

// ---- learning -------------------------------------------------------------------------------------------------------

static void train(Learner *learner, const float *data, float *losses, const char *path) {
    static const size_t SHOWN[] = {50, 200, 600, 2000, TRAINING};
    const float learning_rate = 4e-3f;
    Sheet sheet = sheet_new(3, 2, SIDE_OF_SHEET);
    size_t shown = 0;
    show_points(&sheet, 0, data, SAMPLES);
    printf("%zu parameters, %d points a step\n", learner->mlp->parameter_count, BATCH);
    printf("steps   loss   points drawn are off by\n");
    double sum = 0;
    for (size_t step = 1; step <= TRAINING; step++) {
        float slower = 0.5f + 0.5f * cosf(3.14159265f * (float)step / TRAINING);
        losses[step - 1] = learner_step(learner, data, POINTS, learning_rate * slower);
        sum += (double)losses[step - 1];
        if (step != SHOWN[shown]) continue;
        size_t since = step - (shown ? SHOWN[shown - 1] : 0);
        float *drawn = points_sample(learner_ask, learner, learner->scheduler, DDIM_STEPS, SAMPLES, 7);
        printf("%5zu  %.3f  %22.1f%%\n", step, sum / (double)since, off_by(drawn, SAMPLES, data));
        shown++, sum = 0;
        show_points(&sheet, shown, drawn, SAMPLES);
        free(drawn);
    }
    sheet_write(&sheet, path);
}

int main(int argc, char **argv) {
    omp_set_num_threads(1);  // matrices this small aren't worth sharing
    float *data = points_of_hippo(POINTS, 1), *losses = demo_floats(TRAINING);
    Learner *learner = learner_new(1);
    train(learner, data, losses, demo_path(argc, argv, "learning.png").text);

    const Scheduler *scheduler = learner->scheduler;
    ExactPoints exact = {data, POINTS, scheduler->alphas_cumprod};
    float *fresh = points_of_hippo(SAMPLES, 2);
    enum { FEW = 200 };
    float *returned = points_sample(exact_points_ask, &exact, learner->scheduler, DDIM_STEPS, FEW, 7);
    printf("exact denoiser  %20.1f%%\n", off_by(returned, FEW, data));
    printf("fresh data      %20.1f%%\n", off_by(fresh, SAMPLES, data));

    double floor = mean_error(exact_points_ask, &exact, scheduler, data);
    printf("\nmean squared error       network  exact denoiser\n");
    static const size_t LEVELS[] = {950, 750, 550, 350, 150, 50};
    for (size_t i = 0; i < sizeof LEVELS / sizeof *LEVELS; i++) {
        float network = noise_error(learner_ask, learner, scheduler, data, ERRORS, LEVELS[i], 9),
              least = noise_error(exact_points_ask, &exact, scheduler, data, ERRORS, LEVELS[i], 9);
        printf("t = %3zu  %24.3f  %14.3f\n", LEVELS[i], (double)network, (double)least);
    }
    printf("all t, the loss  %16.3f  %14.3f\n", mean_error(learner_ask, learner, scheduler, data), floor);
    show_loss(losses, floor, demo_path(argc, argv, "loss.png").text);

    static const Level SHOWN[] = {{750, 0.25f}, {450, 0.6f}, {200, 1}};
    Sheet sheet = sheet_new(3, 2, SIDE_OF_SHEET);
    for (size_t i = 0; i < 3; i++) {
        show_arrows(&sheet, i, 0, learner_ask, learner, scheduler->alphas_cumprod, SHOWN[i], data);
        show_arrows(&sheet, i, 1, exact_points_ask, &exact, scheduler->alphas_cumprod, SHOWN[i], data);
    }
    sheet_write(&sheet, demo_path(argc, argv, "arrows.png").text);
    free(data), free(losses), free(fresh), free(returned);
    learner_free(learner);
    return 0;
}
