// trace.c - see trace.h
//
// Where: beside the steps, for those who look afterwards: lessons, tests, the viewer. Steps are kept in memory (a
// 512x512 step takes 0.4 MB, and its attention 8). Read next: trace_file.c.

#include "run/trace.h"

#include <stdlib.h>
#include <string.h>

static bool no_memory(Error *error) { return error_set(error, "trace: no memory for it; trace fewer steps"); }

// from [n] -> *to, malloc'ed; NULL remains NULL
static bool copy_floats(float **to, const float *from, size_t n, Error *error) {
    *to = NULL;
    if (!from) return true;
    *to = malloc(n * sizeof **to + 1);
    if (!*to) return no_memory(error);
    memcpy(*to, from, n * sizeof **to);
    return true;
}

// ---- the beginning --------------------------------------------------------------------------------------------------

static bool copy_prompts(Trace *trace, const Run *run, Error *error) {
    const float *embeddings = run_text_embeddings(run, &trace->rows, &trace->length, &trace->text_width);
    size_t rows = trace->rows, length = trace->length;
    trace->input_ids = malloc(rows * length * sizeof *trace->input_ids);
    if (!trace->input_ids) return no_memory(error);
    for (size_t row = 0; row < rows; row++) {
        const TokenIds *tokens = run_tokens(run, rows == 2 ? (int)row : 1);
        memcpy(trace->input_ids + row * length, tokens->ids, length * sizeof *trace->input_ids);
    }
    return copy_floats(&trace->text_embeddings, embeddings, rows * length * trace->text_width, error);
}

Trace *trace_begin(const Run *run, Error *error) {
    Trace *trace = calloc(1, sizeof *trace);
    if (!trace) {
        no_memory(error);
        return NULL;
    }
    size_t count;
    const Metadata *metadata = run_metadata(run, &count);
    trace->channels = LATENT_CHANNELS;
    run_latent_size(run, &trace->height, &trace->width);
    if (copy_prompts(trace, run, error) && trace_set_metadata(trace, metadata, count, error)) return trace;
    trace_free(trace);
    return NULL;
}

static void metadata_free(Metadata *metadata, size_t count) {
    for (size_t i = 0; i < count; i++) {
        free((char *)metadata[i].key);
        free((char *)metadata[i].value);
    }
    free(metadata);
}

bool trace_set_metadata(Trace *trace, const Metadata *metadata, size_t count, Error *error) {
    Metadata *copy = calloc(count + 1, sizeof *copy);  // + 1: calloc(0) may answer NULL
    bool ok = copy;
    for (size_t i = 0; ok && i < count; i++) {
        copy[i] = (Metadata){strdup(metadata[i].key), strdup(metadata[i].value)};
        ok = copy[i].key && copy[i].value;
    }
    if (!ok) {
        if (copy) metadata_free(copy, count);
        return no_memory(error);
    }
    metadata_free(trace->metadata, trace->metadata_count);
    trace->metadata = copy;
    trace->metadata_count = count;
    return true;
}

const char *trace_metadata(const Trace *trace, const char *key) {
    for (size_t i = 0; i < trace->metadata_count; i++) {
        if (strcmp(trace->metadata[i].key, key) == 0) return trace->metadata[i].value;
    }
    return NULL;
}

// ---- steps ----------------------------------------------------------------------------------------------------------

bool trace_step_copy(TraceStep *step, const StepRecord *record, Error *error) {
    size_t n = record->channels * record->height * record->width;
    *step = (TraceStep){.timestep = record->timestep, .seconds = record->seconds};
    if (copy_floats(&step->latents, record->latents, n, error) &&
        copy_floats(&step->noise_pred_uncond, record->noise_pred_uncond, n, error) &&
        copy_floats(&step->noise_pred_text, record->noise_pred_text, n, error) &&
        copy_floats(&step->noise_pred, record->noise_pred, n, error) &&
        copy_floats(&step->pred_original_sample, record->pred_original_sample, n, error) &&
        copy_floats(&step->prev_sample, record->prev_sample, n, error)) {
        return true;
    }
    trace_step_free(step);
    return false;
}

StepRecord trace_record(const Trace *trace, size_t k) {
    const TraceStep *step = &trace->steps[k];
    return (StepRecord){.k = k,
                        .timestep = step->timestep,
                        .latents = step->latents,
                        .noise_pred_uncond = step->noise_pred_uncond,
                        .noise_pred_text = step->noise_pred_text,
                        .noise_pred = step->noise_pred,
                        .pred_original_sample = step->pred_original_sample,
                        .prev_sample = step->prev_sample,
                        .channels = trace->channels,
                        .height = trace->height,
                        .width = trace->width,
                        .seconds = step->seconds};
}

bool trace_take_step(Trace *trace, TraceStep *step, Error *error) {
    if (trace->step_count == trace->step_capacity) {
        size_t capacity = trace->step_capacity ? 2 * trace->step_capacity : 32;
        TraceStep *grown = realloc(trace->steps, capacity * sizeof *grown);
        if (!grown) return no_memory(error);
        trace->steps = grown;
        trace->step_capacity = capacity;
    }
    trace->steps[trace->step_count++] = *step;
    *step = (TraceStep){0};
    return true;
}

bool trace_step(Trace *trace, const Run *run, Error *error) {
    TraceStep step;
    if (!trace_step_copy(&step, run_last_step(run), error)) return false;
    bool ok = trace_take_step(trace, &step, error);
    trace_step_free(&step);
    return ok;
}

void trace_step_free(TraceStep *step) {
    free(step->latents);
    free(step->noise_pred_uncond);
    free(step->noise_pred_text);
    free(step->noise_pred);
    free(step->pred_original_sample);
    free(step->prev_sample);
    attention_maps_free(&step->attention);
    *step = (TraceStep){0};
}

// ---- the end --------------------------------------------------------------------------------------------------------

bool trace_set_image(Trace *trace, const float *pixels, size_t height, size_t width, Error *error) {
    float *image;
    if (!copy_floats(&image, pixels, 3 * height * width, error)) return false;
    free(trace->image);
    trace->image = image;
    trace->image_height = height;
    trace->image_width = width;
    return true;
}

void trace_free(Trace *trace) {
    if (!trace) return;
    for (size_t k = 0; k < trace->step_count; k++) trace_step_free(&trace->steps[k]);
    free(trace->steps);
    free(trace->input_ids);
    free(trace->text_embeddings);
    text_attention_free(&trace->text_attention);
    free(trace->image);
    metadata_free(trace->metadata, trace->metadata_count);
    free(trace);
}
