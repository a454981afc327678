// trace_file.c - a trace written as a safetensors file, and read again; see trace.h for what is in it
//
// What is written here, Python reads, and what is read here may be anybody's: every tensor is looked at before its
// numbers are taken. That the header agrees with the file, safetensors_read.c has seen to.

#include "run/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- writing --------------------------------------------------------------------------------------------------------

typedef struct Listing {
    NamedTensor *tensors;  // names malloc'ed; numbers the trace's
    size_t count;
    bool out_of_memory;
} Listing;

static size_t tensor_count(const Trace *trace) {
    enum { ONCE = 5, A_STEP = 5 };
    size_t count = ONCE + A_STEP * trace->step_count + trace->text_attention.count;
    for (size_t k = 0; k < trace->step_count; k++) count += trace->steps[k].attention.count;
    return count;
}

// Adds a tensor; one without numbers is absent, and left out. The name is printf-style.
static void list(Listing *listing, Tensor tensor, const char *name, ...) __attribute__((format(printf, 3, 4)));
static void list(Listing *listing, Tensor tensor, const char *name, ...) {
    if (!tensor.data || listing->out_of_memory) return;
    char *full_name;
    va_list arguments;
    va_start(arguments, name);
    listing->out_of_memory = vasprintf(&full_name, name, arguments) < 0;
    va_end(arguments);
    if (!listing->out_of_memory) listing->tensors[listing->count++] = (NamedTensor){full_name, tensor};
}

static void list_step(Listing *listing, const Trace *trace, size_t k) {
    const TraceStep *step = &trace->steps[k];
    Shape shape = shape3(trace->channels, trace->height, trace->width);
    list(listing, tensor_over(step->noise_pred_uncond, shape), "noise_pred_uncond.%zu", k);
    list(listing, tensor_over(step->noise_pred_text, shape), "noise_pred_text.%zu", k);
    list(listing, tensor_over(step->latents, shape), "latents.%zu", k);
    list(listing, tensor_over(step->noise_pred, shape), "noise_pred.%zu", k);
    list(listing, tensor_over(step->pred_original_sample, shape), "pred_original_sample.%zu", k);
    for (size_t i = 0; i < step->attention.count; i++) {
        const LayerMaps *l = &step->attention.layers[i];
        Shape maps =
            l->heads == 1 ? shape3(l->keys, l->height, l->width) : shape4(l->heads, l->keys, l->height, l->width);
        list(listing, tensor_over(l->maps, maps), "attention.%zu.%s", k, l->place);
    }
}

static void list_all(Listing *listing, const Trace *trace, float *timesteps) {
    size_t N = trace->step_count;
    list(listing, tensor_over_ids(trace->input_ids, shape2(trace->rows, trace->length)), "input_ids");
    list(listing, tensor_over(trace->text_embeddings, shape3(trace->rows, trace->length, trace->text_width)),
         "text_embeddings");
    for (size_t i = 0; i < trace->text_attention.count; i++) {
        const TextLayerMaps *l = &trace->text_attention.layers[i];
        list(listing, tensor_over(l->maps, shape3(l->heads, l->length, l->length)), "text_attention.%s", l->place);
    }
    for (size_t k = 0; k < N; k++) list_step(listing, trace, k);
    list(listing, tensor_over(timesteps, shape1(N)), "timesteps");
    list(listing, tensor_over(trace->steps[N - 1].prev_sample, shape3(trace->channels, trace->height, trace->width)),
         "latents.%zu", N);
    list(listing, tensor_over(trace->image, shape3(3, trace->image_height, trace->image_width)), "image");
}

bool trace_write(const Trace *trace, const char *path, Error *error) {
    if (trace->step_count == 0) return error_set(error, "%s: the trace holds no step; take one first", path);
    Listing listing = {.tensors = malloc(tensor_count(trace) * sizeof *listing.tensors)};
    float *timesteps = malloc(trace->step_count * sizeof *timesteps);
    listing.out_of_memory = !listing.tensors || !timesteps;
    if (!listing.out_of_memory) {
        for (size_t k = 0; k < trace->step_count; k++) timesteps[k] = trace->steps[k].timestep;
        list_all(&listing, trace, timesteps);
    }
    bool ok = !listing.out_of_memory || error_set(error, "%s: no memory for its names; close other programs", path);
    ok = ok && safetensors_write(path, listing.tensors, listing.count, trace->metadata, trace->metadata_count, error);
    for (size_t i = 0; i < listing.count; i++) free((char *)listing.tensors[i].name);
    free(listing.tensors);
    free(timesteps);
    return ok;
}

// ---- reading: one tensor --------------------------------------------------------------------------------------------

typedef struct Reader {
    const char *path;
    SafetensorsFile *file;
    Error *error;
} Reader;

// "FILE: tensor NAME: why; what to do"
__attribute__((format(printf, 3, 4))) static bool refuse(const Reader *reader, const char *name, const char *format,
                                                         ...) {
    char why[640];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    return error_set(reader->error, "%s: tensor %.100s: %s; trace the run anew", reader->path, name, why);
}

// Whether an entry has this type and so many axes, none of them of size 0
static bool check_axes(const Reader *reader, const SafetensorsEntry *entry, DType dtype, size_t rank) {
    if (!entry->supported || entry->dtype != dtype) {
        return refuse(reader, entry->name, "its numbers are %s, not %s", entry->dtype_name, dtype_name(dtype));
    }
    if (entry->rank != rank) return refuse(reader, entry->name, "it has %zu axes, not %zu", entry->rank, rank);
    for (size_t i = 0; i < rank; i++) {
        if (entry->axis[i] == 0) return refuse(reader, entry->name, "it is empty");
    }
    return true;
}

static bool check_shape(const Reader *reader, const SafetensorsEntry *entry, DType dtype, Shape wanted) {
    if (!check_axes(reader, entry, dtype, wanted.rank)) return false;
    Shape shape = {wanted.rank, {1, 1, 1, 1}};
    memcpy(shape.axis, entry->axis, wanted.rank * sizeof *shape.axis);
    if (shape_equal(shape, wanted)) return true;
    return refuse(reader, entry->name, "its shape is %s, and beside the others it must be %s", shape_text(shape).text,
                  shape_text(wanted).text);
}

// The entry of this name, which must be there
static const SafetensorsEntry *find(const Reader *reader, const char *name) {
    const SafetensorsEntry *entry = safetensors_find(reader->file, name);
    if (!entry) refuse(reader, name, "it is missing");
    return entry;
}

// An entry's numbers, malloc'ed. In the file they may lie anywhere, so they are copied by bytes.
static void *copy_numbers(const Reader *reader, const SafetensorsEntry *entry) {
    void *numbers = malloc(entry->bytes + 1);
    if (numbers)
        memcpy(numbers, entry->data, entry->bytes);
    else
        error_set(reader->error, "%s: no memory for its %zu bytes of %.100s; close other programs", reader->path,
                  entry->bytes, entry->name);
    return numbers;
}

// Latents or noise of step k -> *numbers, malloc'ed. Where it may be absent: true, and NULL.
static bool read_latents(const Reader *reader, const Trace *trace, const char *what, size_t k, bool may_be_absent,
                         float **numbers) {
    char name[64];
    snprintf(name, sizeof name, "%s.%zu", what, k);
    *numbers = NULL;
    if (may_be_absent && !safetensors_find(reader->file, name)) return true;
    const SafetensorsEntry *entry = find(reader, name);
    if (!entry || !check_shape(reader, entry, F32, shape3(trace->channels, trace->height, trace->width))) return false;
    *numbers = copy_numbers(reader, entry);
    return *numbers;
}

// ---- reading: what there is once ------------------------------------------------------------------------------------

// The sizes are what latents.0 and the text's embeddings say; all others must fit them.
static bool read_sizes(const Reader *reader, Trace *trace) {
    const SafetensorsEntry *latents = find(reader, "latents.0"), *text = find(reader, "text_embeddings");
    if (!latents || !check_axes(reader, latents, F32, 3) || !text || !check_axes(reader, text, F32, 3)) return false;
    trace->channels = latents->axis[0];
    trace->height = latents->axis[1];
    trace->width = latents->axis[2];
    trace->rows = text->axis[0];
    trace->length = text->axis[1];
    trace->text_width = text->axis[2];
    if (trace->rows <= 2) return true;
    return refuse(reader, "text_embeddings", "it has %zu rows, and a run has one or two prompts", trace->rows);
}

static bool read_prompts(const Reader *reader, Trace *trace) {
    const SafetensorsEntry *ids = find(reader, "input_ids");
    if (!ids || !check_shape(reader, ids, I64, shape2(trace->rows, trace->length))) return false;
    trace->input_ids = copy_numbers(reader, ids);
    trace->text_embeddings = copy_numbers(reader, find(reader, "text_embeddings"));
    return trace->input_ids && trace->text_embeddings;
}

static bool read_image(const Reader *reader, Trace *trace) {
    const SafetensorsEntry *entry = safetensors_find(reader->file, "image");
    if (!entry) return true;
    if (!check_axes(reader, entry, F32, 3)) return false;
    if (entry->axis[0] != 3) return refuse(reader, "image", "it has %zu colours, not 3", entry->axis[0]);
    trace->image_height = entry->axis[1];
    trace->image_width = entry->axis[2];
    trace->image = copy_numbers(reader, entry);
    return trace->image;
}

static bool read_metadata(const Reader *reader, Trace *trace) {
    size_t count;
    const Metadata *metadata = safetensors_all_metadata(reader->file, &count);
    return trace_set_metadata(trace, metadata, count, reader->error);
}

// ---- reading: steps -------------------------------------------------------------------------------------------------

static bool read_step(const Reader *reader, const Trace *trace, size_t k, TraceStep *step) {
    bool ok = read_latents(reader, trace, "latents", k, false, &step->latents) &&
              read_latents(reader, trace, "noise_pred_uncond", k, true, &step->noise_pred_uncond) &&
              read_latents(reader, trace, "noise_pred_text", k, !step->noise_pred_uncond, &step->noise_pred_text) &&
              read_latents(reader, trace, "noise_pred", k, false, &step->noise_pred) &&
              read_latents(reader, trace, "pred_original_sample", k, false, &step->pred_original_sample) &&
              read_latents(reader, trace, "latents", k + 1, false, &step->prev_sample);
    if (ok && step->noise_pred_text && !step->noise_pred_uncond) {
        char name[64];
        snprintf(name, sizeof name, "noise_pred_text.%zu", k);
        return refuse(reader, name, "it is there without noise_pred_uncond.%zu", k);
    }
    return ok;
}

static bool read_steps(const Reader *reader, Trace *trace) {
    const SafetensorsEntry *timesteps = find(reader, "timesteps");
    if (!timesteps || !check_axes(reader, timesteps, F32, 1)) return false;
    for (size_t k = 0; k < timesteps->axis[0]; k++) {
        TraceStep step = {0};
        memcpy(&step.timestep, (const char *)timesteps->data + k * sizeof step.timestep, sizeof step.timestep);
        bool ok = read_step(reader, trace, k, &step) && trace_take_step(trace, &step, reader->error);
        trace_step_free(&step);
        if (!ok) return false;
    }
    return true;
}

// ---- reading: attention ---------------------------------------------------------------------------------------------

// What stands behind a beginning, "attention.3." of "attention.3.mid_block.attentions.0"; NULL if it begins otherwise
// or there is nothing behind it
static const char *behind(const char *name, const char *beginning) {
    size_t length = strlen(beginning);
    return strncmp(name, beginning, length) == 0 && name[length] ? name + length : NULL;
}

static bool no_memory_for(const Reader *reader, const SafetensorsEntry *entry) {
    return error_set(reader->error, "%s: no memory for %.100s; close other programs", reader->path, entry->name);
}

// "attention.k.LAYER", [keys, h, w] or [heads, keys, h, w]
static bool read_maps(const Reader *reader, Trace *trace, const SafetensorsEntry *entry) {
    size_t k = (size_t)strtoull(entry->name + strlen("attention."), NULL, 10);
    char beginning[64];
    snprintf(beginning, sizeof beginning, "attention.%zu.", k);  // as it must be spelled
    const char *place = behind(entry->name, beginning);
    if (!place) return refuse(reader, entry->name, "it isn't named attention.STEP.LAYER");
    if (k >= trace->step_count) return refuse(reader, entry->name, "there are only %zu steps", trace->step_count);
    size_t apart = entry->rank == 4;
    if (!check_axes(reader, entry, F32, 3 + apart)) return false;
    const size_t *axis = entry->axis + apart;
    if (axis[0] != trace->length) {
        return refuse(reader, entry->name, "it has maps of %zu tokens, and the prompt has %zu", axis[0], trace->length);
    }
    float *maps =
        attention_maps_add(&trace->steps[k].attention, place, apart ? entry->axis[0] : 1, axis[0], axis[1], axis[2]);
    if (!maps) return no_memory_for(reader, entry);
    memcpy(maps, entry->data, entry->bytes);
    return true;
}

// "text_attention.LAYER", [heads, length, length]
static bool read_text_maps(const Reader *reader, Trace *trace, const SafetensorsEntry *entry, const char *place) {
    if (!check_axes(reader, entry, F32, 3) ||
        !check_shape(reader, entry, F32, shape3(entry->axis[0], trace->length, trace->length))) {
        return false;
    }
    float *maps = text_attention_add(&trace->text_attention, place, entry->axis[0], trace->length);
    if (!maps) return no_memory_for(reader, entry);
    memcpy(maps, entry->data, entry->bytes);
    return true;
}

// In the file's order, which is that of the layers
static bool read_attention(const Reader *reader, Trace *trace) {
    for (size_t i = 0; i < safetensors_count(reader->file); i++) {
        const SafetensorsEntry *entry = safetensors_at(reader->file, i);
        const char *text_place = behind(entry->name, "text_attention.");
        if (behind(entry->name, "attention.") && !read_maps(reader, trace, entry)) return false;
        if (text_place && !read_text_maps(reader, trace, entry, text_place)) return false;
    }
    return true;
}

// ---- reading: the file ----------------------------------------------------------------------------------------------

static bool read_all(const Reader *reader, Trace *trace) {
    if (!safetensors_find(reader->file, "timesteps")) {
        return error_set(reader->error,
                         "%s: is a safetensors file but no trace: it has no 'timesteps'; give one that --trace wrote",
                         reader->path);
    }
    return read_sizes(reader, trace) && read_prompts(reader, trace) && read_steps(reader, trace) &&
           read_attention(reader, trace) && read_image(reader, trace) && read_metadata(reader, trace);
}

Trace *trace_open(const char *path, Error *error) {
    Reader reader = {path, safetensors_open(path, error), error};
    if (!reader.file) return NULL;
    Trace *trace = calloc(1, sizeof *trace);
    bool ok = trace ? read_all(&reader, trace) : error_set(error, "%s: no memory for it; close other programs", path);
    safetensors_close(reader.file);
    if (ok) return trace;
    trace_free(trace);
    return NULL;
}
