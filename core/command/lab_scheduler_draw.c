// lab_scheduler_draw.c - the default prompt, drawn with a learner's scheduler and the model's own, in few steps and in more
//
// Both begin with the same noise and ask the same network. Whichever is nearer to what many steps reach does more with
// each of them.

#include "command/lab.h"

#include "base/difference.h"
#include "run/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELL = 128, COUNTS = 3, MANY = 50, QUICK_MANY = 10 };
static const size_t STEP_COUNTS[COUNTS] = {5, 10, 20}, QUICK_COUNTS[COUNTS] = {2, 3, 4};

typedef struct Gallery {
    Lab *lab;
    Model *model;
    Settings settings;
    LabSheet sheet;
    float *goal;  // [n], the latents that many steps end in
    size_t n;
} Gallery;

// A whole run. latents: [n], malloc'ed, the last ones; image NULL: not wanted. A scheduler's fault is told by NULL.
static float *draw(Gallery *g, const char *scheduler, size_t steps, Image *image, Error *error) {
    static const double SECONDS = 600;  // of processor time for a step
    Settings settings = g->settings;
    settings.num_inference_steps = steps;
    settings.scheduler = scheduler;
    Run *run = run_begin(g->model, &settings, error);
    if (!run) return NULL;
    StepResult result;
    do {
        child_clock(SECONDS);
        result = run_step(run, error);
    } while (result == STEP_DONE_ONE);
    child_clock(0);
    size_t height, width;
    run_latent_size(run, &height, &width);
    g->n = LATENT_CHANNELS * height * width;
    float *latents = NULL;
    if (result == STEP_NONE_LEFT && (!image || run_finish(run, image, error)) &&
        (latents = malloc(g->n * sizeof *latents)))
        memcpy(latents, run_latents(run), g->n * sizeof *latents);
    run_free(run);
    return latents;
}

static bool add_picture(Gallery *g, const char *scheduler, size_t steps, size_t column, size_t row, Error *error) {
    Image image = {0};
    float *latents = draw(g, scheduler, steps, &image, error);
    if (!latents) {
        printf("  %7s  %s\n", "-", error->message);
        return false;
    }
    printf("  %7.0f%%", 100 * distance_between(latents, g->goal, g->n));
    lab_sheet_place(&g->sheet, column, row, &image);
    image_free(&image);
    free(latents);
    return true;
}

static bool fill(Gallery *g, const char *own, Error *error) {
    const Options *o = g->lab->options;
    const size_t *counts = o->quick ? QUICK_COUNTS : STEP_COUNTS, many = o->quick ? QUICK_MANY : MANY;
    g->goal = draw(g, NULL, many, NULL, error);
    if (!g->goal || !lab_sheet_new(&g->sheet, COUNTS, 2, CELL, CELL, error)) return false;
    lab_sheet_name_row(&g->sheet, 0, "yours");
    lab_sheet_name_row(&g->sheet, 1, own);
    printf("\n  how far from %zu steps of %s: yours, and %s\n", many, own, own);
    bool ok = true;
    for (size_t i = 0; ok && i < COUNTS; i++) {
        char words[32];
        size_t steps = o->num_inference_steps && i + 1 == COUNTS ? o->num_inference_steps : counts[i];
        snprintf(words, sizeof words, "%zu steps", steps);
        lab_sheet_name_column(&g->sheet, i, words);
        printf("  %-10s", words);
        ok = add_picture(g, g->lab->choice, steps, i, 0, error) && add_picture(g, NULL, steps, i, 1, error);
        if (ok) printf("\n");
    }
    LabPath path = lab_path(g->lab, "");
    if (!lab_sheet_write(&g->sheet, path.text, ok ? error : NULL)) return false;
    printf("  %s: the pictures\n", path.text);
    return ok;
}

void lab_draw_with_scheduler(void *subject) {
    Lab *lab = subject;
    Error *error = &lab->report->error;
    Gallery g = {.lab = lab};
    snprintf(lab->report->where, sizeof lab->report->where, "while it drew the prompt");
    if (!lab_load_scheduler(lab) || !lab_open_model(lab, &g.model, &g.settings, error)) return;
    Scheduler *own = model_scheduler(g.model->path, g.model->single_file, NULL, NULL, 0, error);
    if (own) fill(&g, own->kind->name, error);
    scheduler_free(own);
    free(g.goal);
    model_close(g.model);
}
