// starting_point.c - see starting_point.h

#include "command/starting_point.h"

#include "io/weights.h"

#include <stdlib.h>
#include <string.h>

// The shape of the entry "latents", checked against the model and against the size that was asked for.
static bool latents_shape(const char *path, const SafetensorsEntry *entry, const Model *model, Settings *settings,
                          Shape *shape, Error *error) {
    size_t channels = vae_config(model->vae)->latent_channels, factor = vae_factor(model->vae);
    if (!entry) return error_set(error, "%s: holds no tensor named \"latents\"; name it so", path);
    bool batch_of_one = entry->rank == 4 && entry->axis[0] == 1;
    if (!batch_of_one && entry->rank != 3) {
        return error_set(error, "%s: latents of %zu axes; give [%zu, h, w] or [1, %zu, h, w]", path, entry->rank,
                         channels, channels);
    }
    const size_t *axis = entry->axis + batch_of_one;
    size_t width = axis[2] * factor, height = axis[1] * factor;
    if (axis[0] != channels || axis[1] == 0 || axis[2] == 0 || axis[1] > 4096 || axis[2] > 4096) {
        return error_set(error, "%s: latents [%zu, %zu, %zu] don't fit the model; give [%zu, h, w]", path, axis[0],
                         axis[1], axis[2], channels);
    }
    if ((settings->width && settings->width != width) || (settings->height && settings->height != height)) {
        return error_set(error, "%s: these latents make %zu x %zu pixels; leave out --width and --height", path, width,
                         height);
    }
    settings->width = width;
    settings->height = height;
    *shape = batch_of_one ? shape4(1, axis[0], axis[1], axis[2]) : shape3(axis[0], axis[1], axis[2]);
    return true;
}

// The tensor's numbers in memory of their own; NULL, and an error, without it.
static float *numbers_copy(const char *path, Tensor tensor, Error *error) {
    size_t n = shape_count(tensor.shape);
    float *numbers = malloc(n * sizeof *numbers);
    if (!numbers) {
        error_set(error, "%s: no memory for %zu latents; close other programs", path, n);
        return NULL;
    }
    memcpy(numbers, tensor_f32(tensor), n * sizeof *numbers);
    if (all_finite(numbers, n)) return numbers;
    free(numbers);
    error_set(error, "%s: some of the latents are not finite; make them anew", path);
    return NULL;
}

bool latents_read(const char *path, const Model *model, Settings *settings, Error *error) {
    Weights weights;
    if (!weights_open(&weights, path, error)) return false;

    Shape shape;
    if (latents_shape(path, weight_files_find(&weights.files, "latents"), model, settings, &shape, error)) {
        Tensor tensor = weights_tensor(&weights, shape, "", "latents");
        if (weights_ok(&weights)) settings->latents = numbers_copy(path, tensor, error);
    }
    weights_close(&weights);
    return settings->latents;
}
