// exhibit.h - the tensors of a trace, in the order in which a run makes them
//
// input_ids, text_embeddings, timesteps, latents 0; of each step k noise_pred_uncond k, noise_pred_text k, noise_pred k,
// pred_original_sample k, latents k + 1; image. Each is made of what stands before it, so the first that is wrong is
// where the fault is. Read next: honest.h, what they should be.

#pragma once

#include "run/trace.h"

typedef enum Matter {
    INPUT_IDS,
    TEXT_EMBEDDINGS,
    TIMESTEPS,
    LATENTS,
    NOISE_PRED_UNCOND,
    NOISE_PRED_TEXT,
    NOISE_PRED,
    PRED_ORIGINAL_SAMPLE,
    IMAGE,
    MATTER_COUNT
} Matter;

typedef struct Exhibit {
    Matter matter;
    size_t k;  // 0 for those that there is only one of
} Exhibit;

enum { EXHIBIT_MAX = 100 };

// Of a trace with guidance, 1 to 15 steps and a picture
size_t exhibit_count(size_t steps);
Exhibit exhibit_at(size_t index, size_t steps);  // index < exhibit_count
size_t exhibit_index(Exhibit exhibit, size_t steps);

// "latents 3" (as typed: "latents.3" and "x0 3" do, too). False if there is no such one in a run of so many steps.
bool exhibit_read(const char *words, size_t steps, Exhibit *exhibit);

typedef struct ExhibitName {
    char text[40];
} ExhibitName;
ExhibitName exhibit_name(Exhibit exhibit);

// Its numbers, malloc'ed; *n: how many. Ids become numbers like any others.
float *exhibit_values(const Trace *trace, Exhibit exhibit, size_t *n);

// Whether it is [4, h, w]
bool exhibit_is_latents(Exhibit exhibit);
