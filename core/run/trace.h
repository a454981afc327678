// trace.h - everything that happened in a run, as one safetensors file
//
//     Trace *trace = trace_begin(run, &error);
//     while ((result = run_step(run, &error)) == STEP_DONE_ONE) trace_step(trace, run, &error);
//     if (result != STEP_NONE_LEFT) return puts(error.message);
//     run_decode(run, run_latents(run), &image, pixels, &error);
//     trace_finish(trace, run, pixels, "run.safetensors", metadata, metadata_count, &error);
//     trace_free(trace);
//
// For N steps: input_ids [2, L] (I64), text_embeddings [2, L, D], timesteps [N]; for each k from 0 latents.k,
// noise_pred_uncond.k, noise_pred_text.k, noise_pred.k (the U-Net's own output after guidance), pred_original_sample.k,
// each [4, h, w]; latents.N; image [3, H, W] in 0..1. With guidance off the first two have one row, the prompt's, and
// the two halves of the noise are absent. The file's metadata is run_metadata's, or a recipe's rows.

#pragma once

#include "sculpt.h"

typedef struct Trace Trace;

// Takes down tokens and embeddings as they are at the beginning. NULL without memory.
Trace *trace_begin(const Run *run, Error *error);
// Takes down the step that was just done; call it after each.
bool trace_step(Trace *trace, const Run *run, Error *error);
// Writes the file. pixels: [3, H, W] in 0..1, from run_decode.
bool trace_finish(Trace *trace, const Run *run, const float *pixels, const char *path, const Metadata *metadata,
                  size_t metadata_count, Error *error);
void trace_free(Trace *trace);
