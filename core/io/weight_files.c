// weight_files.c - see weight_files.h. Read next: weights.c, which asks for single tensors.

#include "io/weight_files.h"

#include "base/check.h"
#include "io/file.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- pickles --------------------------------------------------------------------------------------------------------

bool weight_file_is_pickle(const char *path, Error *error) {
    static const char *const ENDINGS[] = {".ckpt", ".bin", ".pt", ".pth", ".pkl"};
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof ENDINGS / sizeof *ENDINGS; i++) {
        size_t tail = strlen(ENDINGS[i]);
        if (length <= tail || strcmp(path + length - tail, ENDINGS[i]) != 0) continue;
        error_set(
            error,
            "%s: is a pickle, a program for Python that can do anything to this computer when it is opened, and "
            "weights need none; look for a .safetensors of the same model, or convert it where that does no harm, "
            "with torch.load(..., weights_only=True) and safetensors.torch.save_file",
            path);
        return true;
    }
    return false;
}

// ---- files ----------------------------------------------------------------------------------------------------------

static bool add_file(WeightFiles *weights, const char *path, Error *error) {
    SafetensorsFile *file = safetensors_open(path, error);
    if (!file) return false;
    weights->files = realloc(weights->files, (weights->count + 1) * sizeof *weights->files);
    CHECK(weights->files, "out of memory");
    weights->files[weights->count++] = file;
    return true;
}

bool weight_files_open(WeightFiles *weights, const char *path, Error *error) {
    *weights = (WeightFiles){.path = strdup(path)};
    CHECK(weights->path, "out of memory");
    if (!weight_file_is_pickle(path, error) && add_file(weights, path, error)) return true;
    weight_files_close(weights);
    return false;
}

void weight_files_close(WeightFiles *weights) {
    for (size_t i = 0; i < weights->count; i++) safetensors_close(weights->files[i]);
    free(weights->files);
    free(weights->path);
    *weights = (WeightFiles){0};
}

const SafetensorsEntry *weight_files_find(const WeightFiles *weights, const char *name) {
    const SafetensorsEntry *entry = NULL;
    for (size_t i = 0; i < weights->count && !entry; i++) entry = safetensors_find(weights->files[i], name);
    return entry;
}

// ---- parts ----------------------------------------------------------------------------------------------------------

// {"weight_map": {"tensor": "file", ...}}: the object under weight_map, and *index, which owns it.
static json_t *read_map(const char *path, json_t **index, Error *error) {
    size_t size;
    char *text = file_read(path, &size, error);
    if (!text) return NULL;
    json_error_t why;
    *index = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    free(text);
    json_t *map = json_object_get(*index, "weight_map");
    if (json_object_size(map) > 0) return map;
    error_set(error, "%s: holds no weight_map that says which file has which tensor; get the file again", path);
    json_decref(*index);
    return NULL;
}

// Opens each file that the map names once. opened: file name -> its place in weights->files
static bool open_parts(WeightFiles *weights, const char *folder, json_t *map, json_t *opened, Error *error) {
    const char *tensor;
    json_t *value;
    json_object_foreach(map, tensor, value) {
        const char *name = json_string_value(value);
        if (!name || strchr(name, '/') || name[0] == '\0') {
            return error_set(error, "%s: weight %s is in \"%s\", which is no name of a file beside it; get it again",
                             weights->path, tensor, name ? name : "");
        }
        if (!json_object_get(opened, name)) {
            char *path = path_join(folder, name);
            bool ok = !weight_file_is_pickle(path, error) && add_file(weights, path, error);
            free(path);
            if (!ok) return false;
            json_object_set_new(opened, name, json_integer((json_int_t)weights->count - 1));
        }
        size_t place = (size_t)json_integer_value(json_object_get(opened, name));
        if (!safetensors_find(weights->files[place], tensor)) {
            return error_set(error, "%s: says that weight %s is in %s, and it isn't; get both again", weights->path,
                             tensor, name);
        }
    }
    return true;
}

static bool open_index(WeightFiles *weights, const char *folder, const char *path, Error *error) {
    *weights = (WeightFiles){.path = strdup(path)};
    CHECK(weights->path, "out of memory");
    json_t *index = NULL, *map = read_map(path, &index, error), *opened = json_object();
    bool ok = map && open_parts(weights, folder, map, opened, error);
    json_decref(opened);
    if (map) json_decref(index);
    if (!ok) weight_files_close(weights);
    return ok;
}

// ---- a folder -------------------------------------------------------------------------------------------------------

// folder/STEM + ending, malloc'ed; NULL if there is no such file.
static char *existing(const char *folder, const char *stem, const char *ending) {
    char *path;
    CHECK(asprintf(&path, "%s/%s%s", folder, stem, ending) >= 0, "out of memory");
    if (path_exists(path)) return path;
    free(path);
    return NULL;
}

static bool none_there(const char *folder, const char *stem, Error *error) {
    static const char *const PICKLES[] = {".bin", ".fp16.bin"};
    for (size_t i = 0; i < sizeof PICKLES / sizeof *PICKLES; i++) {
        // transformers calls its pickles otherwise than its safetensors
        const char *pickled = strcmp(stem, "model") == 0 ? "pytorch_model" : stem;
        char *path = existing(folder, pickled, PICKLES[i]);
        bool pickle = path && weight_file_is_pickle(path, error);
        free(path);
        if (pickle) return false;
    }
    return error_set(error,
                     "%s/%s.safetensors: can't be opened: there is no such file, nor one in parts "
                     "(.safetensors.index.json) or in half precision (.fp16.safetensors); name a whole model",
                     folder, stem);
}

bool weight_files_open_folder(WeightFiles *weights, const char *folder, const char *stem, Error *error) {
    static const struct {
        const char *ending;
        bool is_index;
    } FORMS[] = {{".safetensors", false},
                 {".safetensors.index.json", true},
                 {".fp16.safetensors", false},
                 {".safetensors.index.fp16.json", true}};
    *weights = (WeightFiles){0};
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
        char *path = existing(folder, stem, FORMS[i].ending);
        if (!path) continue;
        bool ok =
            FORMS[i].is_index ? open_index(weights, folder, path, error) : weight_files_open(weights, path, error);
        free(path);
        return ok;
    }
    return none_there(folder, stem, error);
}
