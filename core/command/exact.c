// exact.c - see exact.h

#include "command/exact.h"

#include "base/clock.h"
#include "critters/exact/exact_data.h"
#include "io/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

// "~/.cache/sculpt/exact-4000.safetensors", malloc'ed, in a folder that is made if need be; NULL where there is no home
static char *cache_path(size_t count) {
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char name[64];
    snprintf(name, sizeof name, "exact-%zu.safetensors", count);
    bool given = cache && *cache == '/';
    if (!given && (!home || *home != '/')) return NULL;
    char *above = given ? path_join(cache, "") : path_join(home, ".cache"), *folder = path_join(above, "sculpt");
    mkdir(above, 0755);  // what can't be made can't be written to, and that is seen to later
    mkdir(folder, 0755);
    char *path = path_join(folder, name);
    free(above);
    free(folder);
    return path;
}

// Whether drawing i is encoded as it stands among the latents. Kernels and formats of weights differ by far less than
// other VAEs, or other drawings.
static bool still_so(const ExactData *data, const Model *model, size_t i, Error *error) {
    const LatentSet *set = &data->denoiser.set;
    size_t n = set->channels * set->height * set->width;
    const float *stands = data->latents + i * n;
    double difference = 0, size = 0;
    float *now = malloc(n * sizeof *now);
    bool ok = now && drawing_encode(model, &data->drawings[i], now, error);
    for (size_t j = 0; ok && j < n; j++) {
        difference += (stands[j] - now[j]) * (stands[j] - now[j]);
        size += now[j] * now[j];
    }
    free(now);
    return ok && sqrt(difference) < 0.05 * sqrt(size);
}

// False where the file isn't there, isn't sound or is of another VAE: then it is made anew.
static bool cached(ExactData *data, const char *path, const Model *model, size_t count) {
    Error unheard = {0};
    size_t side = (size_t)128 / vae_factor(model->vae), probes[] = {0, count / 2, count - 1};
    if (!path || !path_exists(path)) return false;
    Drawing *drawings = drawings_of_training(count);
    if (!drawings || !exact_data_read_file(data, path, drawings, count, &unheard)) return false;
    bool ok = data->denoiser.set.height == side && data->denoiser.set.width == side;
    for (size_t i = 0; i < 3; i++) ok = ok && still_so(data, model, probes[i], &unheard);
    if (!ok) exact_data_free(data);
    return ok;
}

static bool drawings_open(ExactData *data, const Model *model, size_t count, Error *error) {
    char *path = cache_path(count);
    bool ok = cached(data, path, model, count);
    if (!ok) {
        double start = seconds_now();
        fprintf(stderr, "exact: painting and encoding %zu drawings, once\n", count);
        Drawing *drawings = drawings_of_training(count);
        ok = drawings ? exact_data_encode(data, model, drawings, count, error)
                      : error_set(error, "exact: no memory for %zu drawings; ask for fewer", count);
        Error unheard = {0};
        bool kept = ok && path && exact_data_write_file(data, path, &unheard);
        if (ok) fprintf(stderr, "exact: %.1f s; kept in %s\n", seconds_now() - start, kept ? path : "no file");
    }
    free(path);
    return ok;
}

ExactData *exact_open(const Options *options, const Model *model, Error *error) {
    ExactData *data = calloc(1, sizeof *data);
    bool ok = data || error_set(error, "exact: no memory; close other programs");
    if (ok) {
        ok = options->exact_folder ? exact_data_read(data, options->exact_folder, error)
                                   : drawings_open(data, model, options->exact_count, error);
    }
    if (!ok) {
        free(data);
        return NULL;
    }
    data->denoiser.window = options->window;
    data->denoiser.reach = options->reach;
    return data;
}

const ExactDenoiser *exact_denoiser(const ExactData *data) { return &data->denoiser; }

void exact_close(ExactData *data) {
    if (data) exact_data_free(data);
    free(data);
}
