// trace.c - see trace.h
//
// Where: beside the steps, for those who look afterwards: lessons, tests, the viewer. Steps are kept in memory until
// the end (a 512x512 step takes 0.3 MB), since how many there were is only known then.

#include "run/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct Trace {
    NamedTensor *tensors;  // names and numbers malloc'ed
    size_t count, capacity;
    float *timesteps;  // [steps]
    size_t steps, step_capacity;
};

static bool no_memory(Error *error) { return error_set(error, "trace: no memory for it; trace fewer steps"); }

// Copies bytes under a name, "latents.3" where number is 3 and "image" where it is negative.
static bool keep(Trace *trace, const char *name, long number, Tensor tensor, Error *error) {
    if (trace->count == trace->capacity) {
        size_t capacity = trace->capacity ? 2 * trace->capacity : 64;
        NamedTensor *grown = realloc(trace->tensors, capacity * sizeof *grown);
        if (!grown) return no_memory(error);
        trace->tensors = grown;
        trace->capacity = capacity;
    }
    size_t bytes = shape_count(tensor.shape) * dtype_size(tensor.dtype);
    char *full_name = NULL;
    void *data = malloc(bytes + 1);
    int length = number < 0 ? asprintf(&full_name, "%s", name) : asprintf(&full_name, "%s.%ld", name, number);
    if (!data || length < 0) {
        free(data);
        if (length >= 0) free(full_name);
        return no_memory(error);
    }
    memcpy(data, tensor.data, bytes);
    tensor.data = data;
    trace->tensors[trace->count++] = (NamedTensor){full_name, tensor};
    return true;
}

// The inputs aren't written to; tensor_over just has no const form.
static bool keep_floats(Trace *trace, const char *name, long number, const float *data, Shape shape, Error *error) {
    return keep(trace, name, number, tensor_over((float *)data, shape), error);
}

Trace *trace_begin(const Run *run, Error *error) {
    Trace *trace = calloc(1, sizeof *trace);
    if (!trace) {
        no_memory(error);
        return NULL;
    }
    size_t rows, length, width;
    const float *embeddings = run_text_embeddings(run, &rows, &length, &width);
    int64_t *ids = malloc(rows * length * sizeof *ids);
    trace->step_capacity = run_step_count(run) + 1;
    trace->timesteps = malloc(trace->step_capacity * sizeof *trace->timesteps);
    bool ok = (ids && trace->timesteps) || no_memory(error);
    for (size_t row = 0; ok && row < rows; row++) {
        memcpy(ids + row * length, run_tokens(run, rows == 2 ? (int)row : 1)->ids, length * sizeof *ids);
    }
    ok = ok && keep(trace, "input_ids", -1, tensor_over_ids(ids, shape2(rows, length)), error) &&
         keep_floats(trace, "text_embeddings", -1, embeddings, shape3(rows, length, width), error);
    free(ids);
    if (ok) return trace;
    trace_free(trace);
    return NULL;
}

bool trace_step(Trace *trace, const Run *run, Error *error) {
    const StepRecord *step = run_last_step(run);
    Shape shape = shape3(step->channels, step->height, step->width);
    long k = (long)trace->steps;
    if (trace->steps == trace->step_capacity) {
        size_t capacity = 2 * trace->step_capacity;
        float *grown = realloc(trace->timesteps, capacity * sizeof *grown);
        if (!grown) return no_memory(error);
        trace->timesteps = grown;
        trace->step_capacity = capacity;
    }
    trace->timesteps[trace->steps++] = step->timestep;
    if (step->noise_pred_uncond) {
        if (!keep_floats(trace, "noise_pred_uncond", k, step->noise_pred_uncond, shape, error)) return false;
        if (!keep_floats(trace, "noise_pred_text", k, step->noise_pred_text, shape, error)) return false;
    }
    return keep_floats(trace, "latents", k, step->latents, shape, error) &&
           keep_floats(trace, "noise_pred", k, step->noise_pred, shape, error) &&
           keep_floats(trace, "pred_original_sample", k, step->pred_original_sample, shape, error);
}

bool trace_finish(Trace *trace, const Run *run, const float *pixels, const char *path, const Metadata *metadata,
                  size_t metadata_count, Error *error) {
    const VaeConfig *vae = vae_config(run_model(run)->vae);
    size_t factor = vae_factor(run_model(run)->vae), height, width;
    run_latent_size(run, &height, &width);
    Shape latents = shape3(vae->latent_channels, height, width), image = shape3(3, height * factor, width * factor);
    return keep_floats(trace, "timesteps", -1, trace->timesteps, shape1(trace->steps), error) &&
           keep_floats(trace, "latents", (long)trace->steps, run_latents(run), latents, error) &&
           keep_floats(trace, "image", -1, pixels, image, error) &&
           safetensors_write(path, trace->tensors, trace->count, metadata, metadata_count, error);
}

void trace_free(Trace *trace) {
    if (!trace) return;
    for (size_t i = 0; i < trace->count; i++) {
        free((char *)trace->tensors[i].name);
        free(trace->tensors[i].tensor.data);
    }
    free(trace->tensors);
    free(trace->timesteps);
    free(trace);
}
