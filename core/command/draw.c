// draw.c - `sculpt "PROMPT"`: a picture out of noise
//
// The loop of sculpt.h with all that a person at a terminal wants around it: what it will cost, how far it is, what it
// looked like on the way. Read next: sculpt.h, then pipeline.c, where a step is taken.

#include "command/commands.h"

#include "base/clock.h"
#include "command/exact.h"
#include "command/filmstrip.h"
#include "command/interrupt.h"
#include "command/progress.h"
#include "command/report.h"
#include "command/starting_point.h"
#include "io/memory.h"
#include "run/recipe.h"
#include "run/recorder.h"
#include "run/trace.h"
#include "sculpt.h"

#include <errno.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

// Everything that a drawing owns; whatever has been opened, drawing_close closes.
typedef struct Drawing {
    const Options *options;
    double start, first_step;  // when the command began, and how many seconds later the first step did
    Model *model;
    Settings settings;
    Image init, mask;
    ExactData *exact;  // what is asked in the U-Net's place, if anything
    RunCost cost;
    size_t decodes;   // pictures that the run decodes, the last one and those of the filmstrip
    size_t previews;  // those of the filmstrip, where a preview VAE decodes them
    Run *run;
    Recipe recipe;
    Filmstrip strip;
    Trace *trace;
    Recorder recorder;  // of attention, if it is traced
    Progress progress;
} Drawing;

// ---- before the run -------------------------------------------------------------------------------------------------

// Finds out now, and not after a run of minutes, that a file can't be put there.
static bool output_possible(const char *path, Error *error) {
    struct stat status;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        return error_set(error, "%s: is a folder; name a file", path);
    }
    const char *slash = strrchr(path, '/');
    char *folder = !slash ? strdup(".") : slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
    bool possible = access(folder, W_OK | X_OK) == 0;
    if (!possible)
        error_set(error, "%s: nothing can be written in %s: %s; name another folder", path, folder, strerror(errno));
    free(folder);
    return possible;
}

// 32 bits, since torch's generator uses no more of its seed.
static uint64_t random_seed(void) {
    uint32_t seed = 0;
    while (getrandom(&seed, sizeof seed, 0) != sizeof seed) continue;
    return seed;
}

// What was asked for, laid over the model's defaults.
static bool settings_make(Drawing *d, Error *error) {
    const Options *o = d->options;
    Settings *s = &d->settings;
    *s = settings_asked(d->model, o);
    s->prompt = o->text;
    s->negative_prompt = o->negative_prompt;
    s->guidance_rescale = o->guidance_rescale;
    s->prompt_weights = o->prompt_weights;
    s->clip_skip = o->clip_skip;
    s->strength = o->strength;
    s->seed = o->has_seed ? o->seed : random_seed();
    if (o->init) {
        if (!png_read(o->init, &d->init, error)) return false;
        s->init = &d->init;
    }
    if (o->mask) {
        if (!png_read(o->mask, &d->mask, error)) return false;
        s->mask = &d->mask;
    }
    if (o->exact) {
        d->exact = exact_open(o, d->model, error);
        if (!d->exact) return false;
        s->exact = exact_denoiser(d->exact);
    }
    if (!o->latents) return true;
    s->width = o->width;
    s->height = o->height;
    return latents_read(o->latents, d->model, s, error);
}

// From the start, and so that its memory is planned
static void attention_watch(Drawing *d) {
    recorder_open(&d->recorder, d->model, &d->settings, d->options->trace_attention == TRACE_ATTENTION_HEADS);
    d->settings.attention_observer = d->recorder.observer;
    d->settings.listener = &d->recorder;
}

static bool drawing_open(Drawing *d, Error *error) {
    const Options *o = d->options;
    if (!output_possible(o->output, error) || (o->trace && !output_possible(o->trace, error))) return false;
    char *folder = model_folder(o);
    if (o->threads) omp_set_num_threads(o->threads);  // for loading; a run has its own
    ModelOptions options = model_options_asked(o);
    d->model = model_open_with(folder, &options, error);
    free(folder);
    if (!d->model || !settings_make(d, error)) return false;
    if (o->trace_attention != TRACE_NO_ATTENTION) attention_watch(d);
    if (!run_cost(d->model, &d->settings, &d->cost, error)) return false;
    size_t shown = o->steps_dir ? filmstrip_pictures(d->cost.timestep_count) : 0;
    d->decodes = 1 + (filmstrip_decodes(d->model, &d->cost) ? shown : 0);
    d->previews = d->model->preview_vae ? shown : 0;
    report_cost(d->model, &d->settings, &d->cost, d->decodes, d->previews);
    return true;
}

// ---- the run --------------------------------------------------------------------------------------------------------

static bool trace_start(Drawing *d, Error *error) {
    d->trace = trace_begin(d->run, error);
    return d->trace && trace_set_metadata(d->trace, d->recipe.rows, d->recipe.count, error) &&
           recorder_take_text(&d->recorder, &d->trace->text_attention, error);
}

// Every whole step keeps as many maps as this one, the first. Sooner refused than killed by the system.
static bool maps_fit(const Drawing *d, const AttentionMaps *maps, Error *error) {
    size_t steps = d->cost.timestep_count - d->cost.shallow_steps, free_bytes = memory_available("");
    if (attention_maps_bytes(maps) <= free_bytes / steps) return true;
    return error_set(
        error,
        "trace-attention: maps of %zu steps take %.2f GB and %.2f GB are free; take fewer steps, a smaller "
        "picture or the mean",
        steps, (double)attention_maps_bytes(maps) * (double)steps / 1e9, (double)free_bytes / 1e9);
}

static bool step_trace(Drawing *d, Error *error) {
    TraceStep step;
    bool first = d->trace->step_count == 0, ok = trace_step_copy(&step, run_last_step(d->run), error);
    ok = ok && recorder_take(&d->recorder, &step.attention, error) && (!first || maps_fit(d, &step.attention, error)) &&
         trace_take_step(d->trace, &step, error);
    trace_step_free(&step);
    return ok;
}

static bool steps_take(Drawing *d, Error *error) {
    StepResult result;
    progress_begin(&d->progress, run_step_count(d->run));
    d->first_step = seconds_now() - d->start;
    while ((result = run_step(d->run, error)) == STEP_DONE_ONE) {
        if (d->options->steps_dir && !filmstrip_add(&d->strip, d->run, &d->settings, &d->recipe, error)) return false;
        if (d->trace && !step_trace(d, error)) return false;
        progress_step(&d->progress, run_steps_done(d->run));
    }
    return result == STEP_NONE_LEFT;
}

// The trace wants the picture as it was before it was rounded to bytes.
static bool picture_decode(Drawing *d, Image *image, Error *error) {
    progress_say(&d->progress, "decoding the latents");
    if (!d->options->trace) return run_finish(d->run, image, error);

    float *pixels = malloc(3 * d->settings.width * d->settings.height * sizeof *pixels);
    if (!pixels) return error_set(error, "trace: not enough memory for the picture; ask for a smaller one");
    bool ok = run_decode(d->run, run_latents(d->run), image, pixels, error);
    if (ok) {
        ok = trace_set_image(d->trace, pixels, image->height, image->width, error) &&
             trace_write(d->trace, d->options->trace, error);
        if (!ok) image_free(image);
    }
    free(pixels);
    return ok;
}

// Everything between the opened model and the written picture.
static bool drawing_run(Drawing *d, Interrupt *interrupt, Error *error) {
    const Options *o = d->options;
    d->run = run_begin(d->model, &d->settings, error);
    if (!d->run) return false;
    interrupt_set_run(interrupt, d->run);

    report_lost_words(d->run);
    recipe_make(&d->recipe, d->run, &d->settings);
    if (o->init) recipe_add(&d->recipe, "init", o->init);
    if (o->mask) recipe_add(&d->recipe, "mask", o->mask);
    if (o->latents) recipe_add(&d->recipe, "latents", o->latents);
    if (o->exact_folder) recipe_add(&d->recipe, "exact_data", o->exact_folder);
    if (o->trace && !trace_start(d, error)) return false;
    if (o->steps_dir &&
        !filmstrip_open(&d->strip, o->steps_dir, run_step_count(d->run), filmstrip_decodes(d->model, &d->cost), error))
        return false;

    Image image;
    bool ok = steps_take(d, error) && picture_decode(d, &image, error);
    progress_end(&d->progress);
    if (!ok) return false;
    if (o->steps_dir) ok = filmstrip_write(&d->strip, &d->recipe, error);
    if (ok) ok = png_write(o->output, &image, d->recipe.rows, d->recipe.count, error);
    image_free(&image);
    if (ok) {
        report_times(d->run, d->first_step, d->decodes, d->previews);
        fprintf(stderr, "written: %s\n", o->output);
    }
    return ok;
}

static void drawing_close(Drawing *d) {
    trace_free(d->trace);
    recorder_close(&d->recorder);
    filmstrip_close(&d->strip);
    recipe_free(&d->recipe);
    run_free(d->run);
    image_free(&d->init);
    image_free(&d->mask);
    free((void *)d->settings.latents);
    exact_close(d->exact);
    model_close(d->model);
}

int command_draw(const Options *options) {
    Error error = {0};
    Interrupt interrupt;
    if (!interrupt_open(&interrupt, &error)) return report_failure(&error);

    Drawing drawing = {.options = options, .start = seconds_now()};
    bool ok = drawing_open(&drawing, &error) && drawing_run(&drawing, &interrupt, &error);
    if (!ok && interrupt_happened(&interrupt)) {
        error = (Error){0};
        error_set(&error, "interrupted: stopped after step %zu of %zu; --seed %llu begins the same picture again",
                  run_steps_done(drawing.run), run_step_count(drawing.run), (unsigned long long)drawing.settings.seed);
    }
    interrupt_close(&interrupt);
    drawing_close(&drawing);
    return ok ? EXIT_SUCCESS : report_failure(&error);
}
