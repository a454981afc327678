// lab_draw.c - the default prompt, drawn with a learner's kernel and without it, step by step beside each other
//
// Both runs begin with the same noise. A right kernel's stays where the other is, but for rounding; a wrong one's drifts
// off, and where it begins to says what the kernel has forgotten. Pictures on the way are decoded by the kernels that come
// with Sculpt, so that they show what happened to the latents alone; the last ones each by its own.
// Read next: core/pipeline.c; lessons/lab/README.md, what to look for.

#include "command/lab.h"

#include "base/difference.h"
#include "command/commands.h"
#include "command/filmstrip.h"
#include "run/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 10, QUICK_STEPS = 4, STRONGER = 4, CELL = 96, COLUMNS = 8 };

typedef struct Duel {
    Lab *lab;
    Model *model;
    Settings settings;
    Run *yours, *usual;
    bool decodes;  // pictures on the way through the VAE
    LabSheet strip;
} Duel;

// ---- both runs ------------------------------------------------------------------------------------------------------

static bool duel_open(Duel *d, Error *error) {
    const Options *o = d->lab->options;
    if (!lab_load_kernel(d->lab) || !lab_open_model(d->lab, &d->model, &d->settings, error)) return false;
    if (!o->num_inference_steps) d->settings.num_inference_steps = o->quick ? QUICK_STEPS : STEPS;
    RunCost cost;
    if (!run_cost(d->model, &d->settings, &cost, error)) return false;
    d->decodes = filmstrip_decodes(d->model, &cost);
    d->usual = run_begin(d->model, &d->settings, error);
    if (!d->usual) return false;
    if (d->settings.kernel_count == OP_COUNT) d->settings.kernel_count--;  // of as many, one is for this op, too
    d->settings.kernels[d->settings.kernel_count++] = d->lab->choice;
    d->yours = run_begin(d->model, &d->settings, error);
    return d->yours != NULL;
}

static void duel_close(Duel *d) {
    run_free(d->yours);
    run_free(d->usual);
    model_close(d->model);
}

// Whether anything in the run is computed by this op.
static bool is_used(const Model *model, const Settings *settings, Op op) {
    RunCost cost;
    if (!run_cost(model, settings, &cost, NULL)) return true;
    return cost.text.ops[op].bytes + cost.step.ops[op].bytes + cost.decode.ops[op].bytes > 0;
}

// ---- the strip ------------------------------------------------------------------------------------------------------

static bool show(Duel *d, const float *latents, Image *image, Error *error) {
    return d->decodes ? run_decode(d->usual, latents, image, NULL, error)
                      : run_preview(d->usual, latents, image, error);
}

// A column of the strip: what each run takes for the picture after this step, and what differs.
static bool add_column(Duel *d, size_t column, double off, Error *error) {
    Image yours = {0}, usual = {0}, difference = {0};
    bool ok = show(d, run_last_step(d->yours)->pred_original_sample, &yours, error) &&
              show(d, run_last_step(d->usual)->pred_original_sample, &usual, error);
    if (ok) {
        char words[24];
        snprintf(words, sizeof words, "%zu: %.1e", run_steps_done(d->usual), off);
        difference = image_difference(&yours, &usual, STRONGER);
        lab_sheet_name_column(&d->strip, column, words);
        lab_sheet_place(&d->strip, column, 0, &yours);
        lab_sheet_place(&d->strip, column, 1, &usual);
        if (difference.pixels) lab_sheet_place(&d->strip, column, 2, &difference);
    }
    image_free(&yours), image_free(&usual), image_free(&difference);
    return ok;
}

// Steps both; false where there is no further one. A step that fails ends the drawing, not the strip.
static bool step_both(Duel *d, bool *ok, Error *error) {
    static const double SECONDS = 600;  // of processor time for a step
    child_clock(SECONDS);
    StepResult yours = run_step(d->yours, error), usual = run_step(d->usual, error);
    child_clock(0);
    *ok = (yours == STEP_DONE_ONE || yours == STEP_NONE_LEFT) && (usual == STEP_DONE_ONE || usual == STEP_NONE_LEFT);
    return *ok && yours == STEP_DONE_ONE;
}

static bool walk(Duel *d, Error *error) {
    size_t steps = run_step_count(d->usual), columns = steps < COLUMNS ? steps : COLUMNS, column = 0, height, width;
    run_latent_size(d->usual, &height, &width);
    bool ok = lab_sheet_new(&d->strip, columns, 3, CELL, CELL, error);
    if (!ok) return false;
    static const char *const ROWS[] = {"yours", "usual", "x 4"};
    for (size_t i = 0; i < 3; i++) lab_sheet_name_row(&d->strip, i, ROWS[i]);

    printf("\n  after step  the latents are apart by\n");
    while (step_both(d, &ok, error)) {
        size_t k = run_steps_done(d->usual);
        double off = distance_between(run_latents(d->yours), run_latents(d->usual), LATENT_CHANNELS * height * width);
        printf("  %10zu  %.2e\n", k, off);
        if (k - 1 == column * (steps - 1) / (columns > 1 ? columns - 1 : 1) && !add_column(d, column++, off, error))
            ok = false;
        if (!ok) break;
    }
    if (!ok) printf("  %10zu  the run ends: %s\n", run_steps_done(d->usual), error->message);
    LabPath path = lab_path(d->lab, "steps");
    if (!lab_sheet_write(&d->strip, path.text, ok ? error : NULL)) return false;
    printf("  %s: the predicted pictures: with yours, without, and %d times what differs\n", path.text, STRONGER);
    return ok;
}

// ---- the picture ----------------------------------------------------------------------------------------------------

static bool pictures_beside(Duel *d, Error *error) {
    static const char *const NAMES[] = {"with yours", "without", "4 times what differs"};
    Image images[3] = {0};
    LabSheet sheet;
    LabPath path = lab_path(d->lab, "");
    bool ok = run_finish(d->yours, &images[0], error) && run_finish(d->usual, &images[1], error) &&
              lab_sheet_new(&sheet, 3, 1, images[0].width, images[0].height, error);
    if (ok) {
        images[2] = image_difference(&images[0], &images[1], STRONGER);
        size_t n = 3 * images[0].width * images[0].height, differ = 0;
        for (size_t i = 0; i < n; i++) differ += images[0].pixels[i] != images[1].pixels[i];
        for (size_t i = 0; i < 3; i++) {
            lab_sheet_name_column(&sheet, i, NAMES[i]);
            if (images[i].pixels) lab_sheet_place(&sheet, i, 0, &images[i]);
        }
        ok = lab_sheet_write(&sheet, path.text, error);
        if (ok) printf("  %s: the picture with yours, without, and %d times what differs\n", path.text, STRONGER);
        if (ok) printf("  %.2g%% of its colour values aren't what they were\n", 100 * (double)differ / (double)n);
    }
    for (size_t i = 0; i < 3; i++) image_free(&images[i]);
    return ok;
}

void lab_draw_with_kernel(void *subject) {
    Lab *lab = subject;
    Error *error = &lab->report->error;
    Duel duel = {.lab = lab};
    snprintf(lab->report->where, sizeof lab->report->where, "while it drew the prompt");
    if (duel_open(&duel, error)) {
        if (!is_used(duel.model, &duel.settings, lab->op))
            printf("\n  %s has no part in drawing with this model, so there is no picture.\n", op_name(lab->op));
        else if (walk(&duel, error))
            pictures_beside(&duel, error);
        else
            *error = (Error){0};  // it was told, and is the kernel's doing
    }
    duel_close(&duel);
}
