// filmstrip.c - see filmstrip.h

#include "command/filmstrip.h"

#include "io/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Decoding 128 x 128 pixels with a small VAE takes a few GFLOP, well under a second; the 512 x 512 of Stable Diffusion
// takes 2500, as much as several steps.
static const uint64_t DECODE_FLOPS_LIMIT = 20000000000;

bool filmstrip_decodes(const Model *model, const RunCost *cost) {
    return !model->preview_vae && cost->decode.flops <= DECODE_FLOPS_LIMIT;
}

static size_t column_count(size_t step_count) {
    return step_count < FILMSTRIP_COLUMNS ? step_count : FILMSTRIP_COLUMNS;
}

size_t filmstrip_pictures(size_t step_count) { return step_count + column_count(step_count); }

static char *step_path(const Filmstrip *strip, size_t k) {
    char name[32];
    snprintf(name, sizeof name, "step-%03zu.png", k);
    return path_join(strip->folder, name);
}

// What an earlier run has left in the same folder would look like this run's.
static void remove_old(const Filmstrip *strip) {
    bool there = true;
    for (size_t k = 0; there; k++) {
        char *path = step_path(strip, k);
        there = unlink(path) == 0;
        free(path);
    }
    char *path = path_join(strip->folder, "strip.png");
    unlink(path);
    free(path);
}

bool filmstrip_open(Filmstrip *strip, const char *folder, size_t step_count, bool decodes, Error *error) {
    *strip = (Filmstrip){
        .folder = folder, .step_count = step_count, .decodes = decodes, .columns = column_count(step_count)};
    struct stat status;
    if (mkdir(folder, 0777) == 0) return true;
    if (errno != EEXIST)
        return error_set(error, "%s: can't be made: %s; name a folder inside one that is there", folder,
                         strerror(errno));
    if (stat(folder, &status) != 0 || !S_ISDIR(status.st_mode))
        return error_set(error, "%s: is no folder; name one, or a place where there is nothing yet", folder);
    remove_old(strip);
    return true;
}

// Latents as a picture of the run's size.
static bool latents_show(const Filmstrip *strip, Run *run, const Settings *settings, const float *latents, Image *image,
                         Error *error) {
    if (strip->decodes) return run_decode(run, latents, image, NULL, error);
    Image small;
    if (!run_preview(run, latents, &small, error)) return false;
    if (small.width == settings->width && small.height == settings->height) {
        *image = small;
        return true;
    }
    *image = image_resize(&small, settings->width, settings->height);
    image_free(&small);
    return image->pixels || error_set(error, "%s: no memory for a picture; close other programs", strip->folder);
}

// The strip's column that shows step k; FILMSTRIP_COLUMNS for none.
static size_t column_of(const Filmstrip *strip, size_t k) {
    for (size_t i = 0; i < strip->columns; i++) {
        size_t shown = strip->columns > 1 ? i * (strip->step_count - 1) / (strip->columns - 1) : 0;
        if (shown == k) return i;
    }
    return FILMSTRIP_COLUMNS;
}

bool filmstrip_add(Filmstrip *strip, Run *run, const Settings *settings, const Recipe *recipe, Error *error) {
    const StepRecord *step = run_last_step(run);
    Image image;
    if (!latents_show(strip, run, settings, step->pred_original_sample, &image, error)) return false;

    char *path = step_path(strip, step->k);
    bool ok = png_write(path, &image, recipe->rows, recipe->count, error);
    free(path);

    size_t column = column_of(strip, step->k);
    if (column == FILMSTRIP_COLUMNS) {
        image_free(&image);
        return ok;
    }
    strip->predicted[column] = image;
    return ok && latents_show(strip, run, settings, step->latents, &strip->noisy[column], error);
}

bool filmstrip_write(const Filmstrip *strip, const Recipe *recipe, Error *error) {
    enum { GAP = 4 };  // pixels of white between and around the pictures
    size_t width = strip->noisy[0].width + GAP, height = strip->noisy[0].height + GAP;
    Image sheet = image_new(strip->columns * width + GAP, 2 * height + GAP);
    if (!sheet.pixels) return error_set(error, "%s: no memory for strip.png; close other programs", strip->folder);
    memset(sheet.pixels, 255, sheet.width * sheet.height * 3);
    for (size_t i = 0; i < strip->columns; i++) {
        image_place(&sheet, &strip->noisy[i], GAP + i * width, GAP);
        image_place(&sheet, &strip->predicted[i], GAP + i * width, GAP + height);
    }
    char *path = path_join(strip->folder, "strip.png");
    bool ok = png_write(path, &sheet, recipe->rows, recipe->count, error);
    free(path);
    image_free(&sheet);
    return ok;
}

void filmstrip_close(Filmstrip *strip) {
    for (size_t i = 0; i < strip->columns; i++) {
        image_free(&strip->noisy[i]);
        image_free(&strip->predicted[i]);
    }
}
