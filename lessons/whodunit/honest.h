// honest.h - what a tensor should be: made again, without the fault, from what stands before it in the trace
//
// Everything is core's own: tokenizer, text encoder, U-Net, schedulers, decoder. What is made of an exhibit that is wrong
// itself follows from it all the same: a picture of the wrong latents is right, as a picture of these.
// Read next: look.c, which compares.

#pragma once

#include "exhibit.h"

typedef struct Honest Honest;

// order: what was asked for; it has to live as long. Ends the program where that can't run.
Honest *honest_open(const Model *model, const Settings *order);
void honest_close(Honest *honest);  // NULL is fine

// From the exhibit's own inputs, as they are in the trace; malloc'ed, as many numbers as exhibit_values gives.
//
//     input_ids               the prompts              noise_pred            both answers, and guidance_scale
//     text_embeddings         input_ids                pred_original_sample  latents k, noise_pred k, and those before
//     timesteps, latents 0    seed and settings        latents k + 1         the same
//     noise_pred_uncond, noise_pred_text               image                 the last latents
//                             latents k, timestep, text_embeddings
float *honest_values(Honest *honest, const Trace *trace, Exhibit exhibit);

// A whole run as it was ordered, which takes as long as any run; the same at every call.
const Trace *honest_trace(Honest *honest);

const Tokenizer *honest_tokenizer(const Honest *honest);

// A quick picture of any latents, a pixel each (run_preview); or the decoder's.
Image honest_preview(Honest *honest, const float *latents);
Image honest_decode(Honest *honest, const float *latents);
