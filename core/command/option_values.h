// option_values.h - what is given with an option, from its text
//
// name is the option's, for messages. Text that isn't const is cut where it has several parts. Errors: what was given, what
// may be given instead.
// Read next: options.c, option_apply.

#pragma once

#include "command/options.h"

bool value_whole(const char *name, const char *text, uint64_t min, uint64_t max, uint64_t *value, Error *error);
bool value_size(const char *name, const char *text, size_t min, size_t max, size_t *value, Error *error);
bool value_number(const char *name, const char *text, float min, float max, float *value, Error *error);

bool value_interval(const char *name, char *text, float *low, float *high, Error *error);      // LO,HI: sigmas, rising
bool value_latent(const char *name, char *text, size_t *height, size_t *width, Error *error);  // HxW, latents: "64x48"
bool value_window(const char *name, char *text, Options *o, Error *error);                     // N or N,REACH
bool value_exact_data(const char *name, const char *text, Options *o,
                      Error *error);  // a number of drawings, or a folder

bool value_file_name(const char *name, const char *text, const char *ending, Error *error);  // one that ends so

// FILE or FILE:WEIGHT, cut at the colon
bool value_lora(const char *name, char *text, LoraFile *lora, Error *error);

bool value_rng(const char *text, Error *error);                                   // torch
bool value_weights(const char *text, DType *type, Error *error);                  // f16, f32
bool value_precision(const char *text, DType *type, Error *error);                // bf16, f32
bool value_attention(const char *text, TraceAttention *attention, Error *error);  // nothing, or heads
