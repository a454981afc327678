// exact_files.c - see exact_data.h: latents that lie in a file, and captions beside them that say what they show
//
// Read next: core/io/weights.h; ../draw/main.c, which writes captions.jsonl.

#include "critters/exact/exact_data.h"

#include "io/file.h"
#include "io/weights.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

// ---- latents ---------------------------------------------------------------------------------------------------------

static bool shape_possible(const char *path, const SafetensorsEntry *entry, Error *error) {
    if (!entry) return error_set(error, "%s: holds no tensor named \"latents\"; name it so", path);
    const size_t *axis = entry->axis;
    if (entry->rank == 4 && axis[0] > 0 && axis[1] == LATENT_CHANNELS && axis[2] > 0 && axis[3] > 0) return true;
    return error_set(error, "%s: \"latents\" has %zu axes of %zu, %zu, ...; give [count, %d, h, w]", path, entry->rank,
                     axis[0], entry->rank > 1 ? axis[1] : 0, LATENT_CHANNELS);
}

static float *copy_of(const char *path, Tensor tensor, Error *error) {
    size_t n = shape_count(tensor.shape);
    float *latents = malloc(n * sizeof *latents);
    if (!latents) {
        error_set(error, "%s: no memory for %zu numbers; close other programs", path, n);
        return NULL;
    }
    memcpy(latents, tensor_f32(tensor), n * sizeof *latents);
    if (all_finite(latents, n)) return latents;
    error_set(error, "%s: some of the latents are not finite; make them anew", path);
    free(latents);
    return NULL;
}

static bool latents_read(ExactData *data, const char *path, Error *error) {
    Weights weights;
    if (!weights_open(&weights, path, error)) return false;
    const SafetensorsEntry *entry = weight_files_find(&weights.files, "latents");
    if (shape_possible(path, entry, error)) {
        Shape shape = shape4(entry->axis[0], entry->axis[1], entry->axis[2], entry->axis[3]);
        Tensor tensor = weights_tensor(&weights, shape, "", "latents");
        if (weights_ok(&weights)) data->latents = copy_of(path, tensor, error);
        data->denoiser.set = (LatentSet){data->latents, shape.axis[0], shape.axis[1], shape.axis[2], shape.axis[3]};
    }
    weights_close(&weights);
    return data->latents;
}

// ---- captions.jsonl --------------------------------------------------------------------------------------------------

// The number of a name; -1 if it is none of them
static int number_of(const json_t *value, const char *const *names, int count) {
    const char *name = json_string_value(value);
    for (int i = 0; name && i < count; i++)
        if (strcmp(names[i], name) == 0) return i;
    return -1;
}

static bool animal_from(const json_t *object, Animal *a) {
    int species = number_of(json_object_get(object, "species"), SPECIES_NAME, SPECIES),
        color = number_of(json_object_get(object, "color"), COLOR_NAME, COLORS),
        eyewear = number_of(json_object_get(object, "eyewear"), EYEWEAR_NAME, EYEWEAR),
        headwear = number_of(json_object_get(object, "headwear"), HEADWEAR_NAME, HEADWEAR),
        headwear_color = number_of(json_object_get(object, "headwear_color"), COLOR_NAME, COLORS_AND_GOLD),
        neckwear = number_of(json_object_get(object, "neckwear"), NECKWEAR_NAME, NECKWEAR),
        mood = number_of(json_object_get(object, "mood"), MOOD_NAME, MOODS);
    if (headwear == HEAD_BARE) headwear_color = 0;  // "none" in the file
    if (species < 0 || color < 0 || eyewear < 0 || headwear < 0 || headwear_color < 0 || neckwear < 0 || mood < 0)
        return false;
    *a = (Animal){species, color, eyewear, headwear, headwear_color, neckwear, mood};
    return true;
}

static bool drawing_from(const json_t *line, Drawing *d) {
    const json_t *animals = json_object_get(line, "animals");
    int kind = number_of(json_object_get(line, "kind"), KIND_NAME, KINDS),
        scene = number_of(json_object_get(line, "scene"), SCENE_NAME, SCENES);
    if (kind < 0 || scene < 0) return false;
    *d = (Drawing){.seed = (uint64_t)json_integer_value(json_object_get(line, "seed")),
                   .kind = kind,
                   .scene = scene,
                   .repeated = json_is_true(json_object_get(line, "repeated"))};
    if (kind == HAND) {
        int color = number_of(json_object_get(line, "color"), COLOR_NAME, COLORS);
        json_int_t fingers = json_integer_value(json_object_get(line, "fingers"));
        if (color < 0 || fingers < 1 || fingers > 10) return false;
        d->hand_color = (ColorName)color, d->fingers = (int)fingers;
        return true;
    }
    size_t count = kind == TWO ? 2 : 1;
    if (json_array_size(animals) != count) return false;
    for (size_t i = 0; i < count; i++)
        if (!animal_from(json_array_get(animals, i), &d->animal[i])) return false;
    return true;
}

// text: a line for each of count drawings
static bool captions_take(Drawing *drawings, size_t count, const char *path, const char *text, size_t bytes,
                          Error *error) {
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        const char *end = memchr(text + at, '\n', bytes - at);
        size_t length = end ? (size_t)(end - text) - at : bytes - at;
        if (length == 0) {
            return error_set(error, "%s: describes %zu drawings beside %zu latents; give a line for each", path, i,
                             count);
        }
        json_t *line = json_loadb(text + at, length, 0, NULL);
        bool ok = json_is_object(line) && drawing_from(line, &drawings[i]);
        json_decref(line);
        if (!ok) {
            return error_set(error,
                             "%s: line %zu describes no drawing of the critters' world; let critters-draw write it",
                             path, i + 1);
        }
        at += length + (end != NULL);
    }
    return at == bytes ||
           error_set(error, "%s: describes more drawings than the %zu latents; give a line for each", path, count);
}

static bool captions_read(ExactData *data, const char *path, Error *error) {
    size_t count = data->denoiser.set.count, bytes;
    char *text = file_read(path, &bytes, error);
    if (!text) return false;
    data->drawings = calloc(count, sizeof *data->drawings);
    bool ok = data->drawings || error_set(error, "%s: no memory for %zu drawings; close other programs", path, count);
    if (ok) ok = captions_take(data->drawings, count, path, text, bytes, error);
    free(text);
    return ok;
}

// ---- files -----------------------------------------------------------------------------------------------------------

static bool finish(ExactData *data, bool ok) {
    if (!ok) {
        exact_data_free(data);
        return false;
    }
    data->denoiser.match = data->drawings ? exact_data_match : NULL;
    data->denoiser.matcher = data;
    return true;
}

bool exact_data_read(ExactData *data, const char *folder, Error *error) {
    *data = (ExactData){0};
    char *latents = path_join(folder, "latents.safetensors"), *captions = path_join(folder, "captions.jsonl");
    bool ok = latents_read(data, latents, error);
    if (ok && path_exists(captions)) ok = captions_read(data, captions, error);
    free(latents);
    free(captions);
    return finish(data, ok);
}

bool exact_data_read_file(ExactData *data, const char *path, Drawing *drawings, size_t count, Error *error) {
    *data = (ExactData){.drawings = drawings};
    bool ok = latents_read(data, path, error);
    if (ok && data->denoiser.set.count != count) {
        ok = error_set(error, "%s: holds %zu latents of %zu drawings; make it anew", path, data->denoiser.set.count,
                       count);
    }
    return finish(data, ok);
}

bool exact_data_write_file(const ExactData *data, const char *path, Error *error) {
    const LatentSet *set = &data->denoiser.set;
    NamedTensor latents = {"latents",
                           tensor_over(data->latents, shape4(set->count, set->channels, set->height, set->width))};
    return safetensors_write(path, &latents, 1, NULL, 0, error);
}
