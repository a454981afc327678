// lora.c - see lora.h
//
// Read next: lora_names.c for what a layer may be called, lora_scale.c for alpha and rank.

#include "io/lora.h"

#include "base/check.h"
#include "base/convert.h"
#include "io/lora_names.h"
#include "io/lora_scale.h"
#include "io/weight_files.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct OpenFile {
    LoraFile lora;
    SafetensorsFile *file;
    LoraSettings settings;
    bool *used;     // by the file's order of tensors
    size_t layers;  // that were changed
} OpenFile;

struct Loras {
    OpenFile *files;
    size_t count, layers_per_block;
};

// ---- what is no LoRA ------------------------------------------------------------------------------------------------

typedef enum Where { AT_START, INSIDE, AT_END } Where;

// Every kind betrays itself by a word in its keys.
typedef struct OtherKind {
    const char *word;
    Where where;
    const char *what, *advice;
} OtherKind;

#define AS_LORA "get the change as a LoRA"
#define OTHER_MODEL "use it with the model that it was made for"

static const OtherKind OTHER_KINDS[] = {
    {"model.diffusion_model.", AT_START, "is a whole model, no LoRA", "open it with --model"},
    {"lora_te2_", AT_START, "was made for SDXL, with its second text encoder", OTHER_MODEL},
    {"text_encoder_2.", AT_START, "was made for SDXL, with its second text encoder", OTHER_MODEL},
    {"transformer.", AT_START, "was made for a model with a transformer (SD 3, Flux)", OTHER_MODEL},
    {"lora_transformer_", AT_START, "was made for a model with a transformer (SD 3, Flux)", OTHER_MODEL},
    {"base_model.model.", AT_START, "is peft's own, whose alpha stands in another file",
     "save it with diffusers' save_lora_weights"},
    {"hada_", INSIDE, "is a LoHa, and only LoRA is read here", AS_LORA},
    {"lokr_", INSIDE, "is a LoKr, and only LoRA is read here", AS_LORA},
    {"dora_scale", INSIDE, "is a DoRA, and only plain LoRA is read here", AS_LORA},
    {"lora_magnitude_vector", INSIDE, "is a DoRA, and only plain LoRA is read here", AS_LORA},
    {"ia3_", INSIDE, "is an IA3, and only LoRA is read here", AS_LORA},
    {".on_input", AT_END, "is an IA3, and only LoRA is read here", AS_LORA},
    {"oft_", INSIDE, "is an OFT, and only LoRA is read here", AS_LORA},
    {".lora_mid.weight", AT_END, "has convolutions in three parts (Tucker), and only two are read here", AS_LORA},
    {".lora_B.bias", AT_END, "changes biases, too, and only weights are changed here", AS_LORA},
    {".diff", AT_END, "holds whole changes of weights, and only LoRA is read here", AS_LORA},
    {".diff_b", AT_END, "holds whole changes of biases, and only LoRA is read here", AS_LORA},
};

static bool word_found(const OtherKind *kind, const char *key) {
    size_t length = strlen(key), word = strlen(kind->word);
    if (kind->where == INSIDE) return strstr(key, kind->word) != NULL;
    return length >= word && memcmp(kind->where == AT_START ? key : key + length - word, kind->word, word) == 0;
}

static bool check_kind(const OpenFile *open, Error *error) {
    for (size_t k = 0; k < sizeof OTHER_KINDS / sizeof OTHER_KINDS[0]; k++) {
        const OtherKind *kind = &OTHER_KINDS[k];
        for (size_t i = 0; i < safetensors_count(open->file); i++) {
            const char *key = safetensors_at(open->file, i)->name;
            if (!word_found(kind, key)) continue;
            return error_set(error, "%s: %s (it holds %.200s); %s", open->lora.path, kind->what, key, kind->advice);
        }
    }
    if (safetensors_count(open->file) > 0) return true;
    return error_set(error, "%s: holds no tensors; name a LoRA", open->lora.path);
}

// ---- open and close -------------------------------------------------------------------------------------------------

static bool open_one(OpenFile *open, const LoraFile *lora, Error *error) {
    open->lora = *lora;
    if (weight_file_is_pickle(lora->path, error)) return false;
    open->file = safetensors_open(lora->path, error);
    if (!open->file || !check_kind(open, error)) return false;
    open->used = calloc(safetensors_count(open->file), sizeof *open->used);
    CHECK(open->used, "out of memory");
    return lora_settings_open(&open->settings, open->file, lora->path, error);
}

Loras *loras_open(const LoraFile *files, size_t count, Error *error) {
    Loras *loras = calloc(1, sizeof *loras);
    CHECK(loras, "out of memory");
    loras->files = calloc(count + 1, sizeof *loras->files);  // + 1: calloc(0) may answer NULL
    CHECK(loras->files, "out of memory");
    loras->count = count;
    for (size_t i = 0; i < count; i++) {
        if (open_one(&loras->files[i], &files[i], error)) continue;
        loras_close(loras);
        return NULL;
    }
    return loras;
}

void loras_close(Loras *loras) {
    if (!loras) return;
    for (size_t i = 0; i < loras->count; i++) {
        OpenFile *open = &loras->files[i];
        lora_settings_close(&open->settings);
        safetensors_close(open->file);
        free(open->used);
    }
    free(loras->files);
    free(loras);
}

void loras_set_layers_per_block(Loras *loras, size_t layers_per_block) { loras->layers_per_block = layers_per_block; }

size_t loras_layers(const Loras *loras, size_t index) { return loras->files[index].layers; }

// ---- a layer in a file ----------------------------------------------------------------------------------------------

typedef struct Pair {
    const SafetensorsEntry *down, *up, *alpha;  // alpha may be NULL
    LoraNames names;
} Pair;

typedef struct LayerName {
    char text[160];
} LayerName;

// "text_model.encoder.layers.0.mlp.fc1.weight" is encoder.layers.0.mlp.fc1; "" for what is no layer's weight
static LayerName layer_of(const char *name) {
    static const char PREFIX[] = "text_model.", TAIL[] = ".weight";
    LayerName layer = {""};
    if (strncmp(name, PREFIX, strlen(PREFIX)) == 0) name += strlen(PREFIX);
    size_t length = strlen(name), tail = strlen(TAIL);
    if (length <= tail || strcmp(name + length - tail, TAIL) != 0) return layer;
    CHECK(length - tail < sizeof layer.text, "%s is too long", name);
    memcpy(layer.text, name, length - tail);
    return layer;
}

// The layer's two matrices in the first spelling of which the file has either.
static bool find_pair(const OpenFile *open, const char *stage, const char *layer, size_t layers_per_block, Pair *pair) {
    for (size_t i = 0; i < lora_spellings(); i++) {
        if (!lora_names(i, stage, layer, layers_per_block, &pair->names)) continue;
        pair->down = safetensors_find(open->file, pair->names.down);
        pair->up = safetensors_find(open->file, pair->names.up);
        pair->alpha = safetensors_find(open->file, pair->names.alpha);
        if (pair->down || pair->up) return true;
    }
    return false;
}

bool loras_change(const Loras *loras, const char *stage, const char *name) {
    if (!loras) return false;
    Pair pair;
    LayerName layer = layer_of(name);
    for (size_t i = 0; layer.text[0] && i < loras->count; i++) {
        if (find_pair(&loras->files[i], stage, layer.text, loras->layers_per_block, &pair)) return true;
    }
    return false;
}

// ---- shapes ---------------------------------------------------------------------------------------------------------

static bool damaged(const OpenFile *open, const char *key, const char *why, Error *error) {
    return error_set(error, "%s: %.200s %s; the file is damaged, get it again", open->lora.path, key, why);
}

// A convolution of a single pixel, [O, I, 1, 1], is a matrix [O, I]. kohya's scripts take the 2.x models' proj_in and
// proj_out for such convolutions, which are linear layers elsewhere.
static Shape without_pixel(Shape shape) {
    if (shape.rank == 4 && shape.axis[2] == 1 && shape.axis[3] == 1) shape.rank = 2;
    return shape;
}

static bool matrix_shape(const OpenFile *open, const SafetensorsEntry *entry, Shape *shape, Error *error) {
    bool is_matrix = entry->rank == 2 || entry->rank == 4;
    *shape = (Shape){entry->rank, {1, 1, 1, 1}};
    for (size_t i = 0; is_matrix && i < entry->rank; i++) shape->axis[i] = entry->axis[i];
    *shape = without_pixel(*shape);
    return is_matrix || damaged(open, entry->name, "has neither 2 axes nor 4", error);
}

// What up times down changes is a weight [O, I] or [O, I, k, k]; that must be the layer's own shape.
static bool shapes_fit(const OpenFile *open, const Pair *pair, const char *stage, const char *name, Shape shape,
                       Error *error) {
    Shape up, down;
    if (!matrix_shape(open, pair->up, &up, error) || !matrix_shape(open, pair->down, &down, error)) return false;
    if (up.rank != 2 || up.axis[1] != down.axis[0] || up.axis[1] == 0) {
        char why[320];
        snprintf(why, sizeof why, "of shape %s can't be multiplied by a down of shape %s", shape_text(up).text,
                 shape_text(down).text);
        return damaged(open, pair->up->name, why, error);
    }
    Shape changed = down;
    changed.axis[0] = up.axis[0];
    if (shape_equal(changed, without_pixel(shape))) return true;
    return error_set(error, "%s: changes %s.%s of shape %s, and this model's has %s; it was made for another model",
                     open->lora.path, stage, name, shape_text(changed).text, shape_text(shape).text);
}

// ---- W += weight * alpha / r * up down ------------------------------------------------------------------------------

// The numbers as f32, malloc'ed
static float *read_numbers(const OpenFile *open, const SafetensorsEntry *entry, Error *error) {
    if (!entry->supported || entry->dtype == I64) {
        error_set(error, "%s: %.200s is stored as %s; convert it to F32, F16 or BF16", open->lora.path, entry->name,
                  entry->dtype_name);
        return NULL;
    }
    size_t n = entry->bytes / dtype_size(entry->dtype);
    float *numbers = malloc(n * sizeof *numbers + 1);  // + 1: malloc(0) may answer NULL
    if (!numbers) {
        error_set(error, "%s: no memory for %.200s; close other programs", open->lora.path, entry->name);
        return NULL;
    }
    convert_to_f32(numbers, entry->data, entry->dtype, n);
    if (all_finite(numbers, n)) return numbers;
    free(numbers);
    damaged(open, entry->name, "holds what isn't a finite number", error);
    return NULL;
}

static void note_used(OpenFile *open, const SafetensorsEntry *entry) {
    if (entry) open->used[entry - safetensors_at(open->file, 0)] = true;
}

// numbers: [O, K], where K is I or I k k
static bool add_pair(OpenFile *open, const Pair *pair, const char *layer, size_t O, size_t K, float *numbers,
                     Error *error) {
    size_t r = pair->down->axis[0];
    float scale;
    if (!lora_scale(&open->settings, pair->alpha, &pair->names, layer, r, &scale, error)) return false;
    float *up = read_numbers(open, pair->up, error);
    float *down = up ? read_numbers(open, pair->down, error) : NULL;
    if (down) {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)O, (int)K, (int)r, open->lora.weight * scale, up,
                    (int)r, down, (int)K, 1, numbers, (int)K);
        note_used(open, pair->up);
        note_used(open, pair->down);
        note_used(open, pair->alpha);
        open->layers++;
    }
    free(up);
    free(down);
    return down != NULL;
}

bool loras_add(Loras *loras, const char *stage, const char *name, Shape shape, float *numbers, Error *error) {
    LayerName layer = layer_of(name);
    size_t O = shape.axis[0], K = shape_count(shape) / O;
    for (size_t i = 0; i < loras->count; i++) {
        OpenFile *open = &loras->files[i];
        Pair pair;
        if (!find_pair(open, stage, layer.text, loras->layers_per_block, &pair)) continue;
        if (!pair.up) return damaged(open, pair.down->name, "has no up beside it", error);
        if (!pair.down) return damaged(open, pair.up->name, "has no down beside it", error);
        if (!shapes_fit(open, &pair, stage, name, shape, error) ||
            !add_pair(open, &pair, layer.text, O, K, numbers, error)) {
            return false;
        }
    }
    return true;
}

bool loras_all_used(const Loras *loras, Error *error) {
    for (size_t i = 0; i < loras->count; i++) {
        const OpenFile *open = &loras->files[i];
        size_t total = safetensors_count(open->file), unused = 0;
        const char *first = NULL;
        for (size_t k = total; k-- > 0;) {
            if (open->used[k]) continue;
            first = safetensors_at(open->file, k)->name;
            unused++;
        }
        if (unused == 0) continue;
        return error_set(error,
                         "%s: %zu of its %zu tensors belong to no layer of this model, the first is %.200s; it was "
                         "made for another model",
                         open->lora.path, unused, total, first);
    }
    return true;
}
