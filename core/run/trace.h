// trace.h - everything that happened in a run: in memory, and as one safetensors file
//
//     Trace *trace = trace_begin(run, &error);
//     while ((result = run_step(run, &error)) == STEP_DONE_ONE) trace_step(trace, run, &error);
//     if (result != STEP_NONE_LEFT) return puts(error.message);
//     run_decode(run, run_latents(run), &image, pixels, &error);
//     trace_set_image(trace, pixels, height, width, &error);
//     trace_write(trace, "run.safetensors", &error);
//     trace_free(trace);
//
//     Trace *trace = trace_open("run.safetensors", &error);      // and all of it is there again
//
// In the file, for N steps: input_ids [2, L] (I64), text_embeddings [2, L, D], timesteps [N]; for each k from 0
// latents.k, noise_pred_uncond.k, noise_pred_text.k, noise_pred.k (the U-Net's own output after guidance),
// pred_original_sample.k, each [4, h, w]; latents.N; image [3, H, W] in 0..1. With guidance off the first two have one
// row, the prompt's; in a step without it the two halves of the noise are absent. If attention was traced,
// attention.k.LAYER [tokens, h, w], or [heads, tokens, h, w] where heads were kept apart, and text_attention.LAYER
// [heads, L, L]. The settings stand in the file's metadata. trace_file.c writes and reads it.
//
// A Trace belongs to its owner, who may look at everything and changes it only through what stands here.

#pragma once

#include "run/attention.h"
#include "sculpt.h"

// What happened in a step; [channels, height, width] each, malloc'ed.
typedef struct TraceStep {
    float timestep;
    double seconds;                              // 0 in a step that was read from a file
    float *latents;                              // what it started from
    float *noise_pred_uncond, *noise_pred_text;  // both NULL in a step without guidance
    float *noise_pred, *pred_original_sample;
    float *prev_sample;  // what the next step starts from, if nobody changes the run between them
    AttentionMaps attention;
} TraceStep;

typedef struct Trace {
    size_t channels, height, width;  // of latents
    size_t rows, length,
        text_width;          // rows: 2, the negative prompt's and the prompt's; 1, the prompt's, without guidance
    int64_t *input_ids;      // [rows, length]
    float *text_embeddings;  // [rows, length, text_width]
    TextAttention text_attention;
    TraceStep *steps;
    size_t step_count, step_capacity;
    float *image;  // [3, image_height, image_width] in 0..1, not rounded; NULL while there is none
    size_t image_height, image_width;
    Metadata *metadata;  // keys and values malloc'ed
    size_t metadata_count;
} Trace;

// ---- taking down ----------------------------------------------------------------------------------------------------

// All of these fail without memory only; then the trace is as it was.

// Tokens, embeddings and settings (run_metadata) as they are at the beginning
Trace *trace_begin(const Run *run, Error *error);
// The step that was just done; to be called after each.
bool trace_step(Trace *trace, const Run *run, Error *error);
// The same in two halves, for who puts something between them or keeps steps of his own. trace_step_copy copies all
// numbers; attention is left empty.
bool trace_step_copy(TraceStep *step, const StepRecord *record, Error *error);
// A step that is in the trace as the record that it was made of, k counted from 0; it points into the trace.
StepRecord trace_record(const Trace *trace, size_t k);
// The step is the trace's from now on, and what was handed in is emptied. Its numbers must be of the trace's sizes.
bool trace_take_step(Trace *trace, TraceStep *step, Error *error);
// pixels [3, height, width] in 0..1, as run_decode gives them; copied
bool trace_set_image(Trace *trace, const float *pixels, size_t height, size_t width, Error *error);
// In place of what was there; copied
bool trace_set_metadata(Trace *trace, const Metadata *metadata, size_t count, Error *error);

void trace_step_free(TraceStep *step);  // leaves it empty
void trace_free(Trace *trace);          // NULL is fine

// ---- looking at it --------------------------------------------------------------------------------------------------

const char *trace_metadata(const Trace *trace, const char *key);  // NULL if absent

// ---- as a file ------------------------------------------------------------------------------------------------------

// Errors: a trace without a step; what can go wrong with a file (safetensors_write).
bool trace_write(const Trace *trace, const char *path, Error *error);
// NULL, and an error that names file and tensor, for a file that is no trace or whose tensors don't fit each other.
// Numbers may be anything, NaN included. Tensors that no trace has are passed over.
Trace *trace_open(const char *path, Error *error);
