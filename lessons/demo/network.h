// network.h - the U-Net with a prompt in its ear, as a sampling loop sees it: latents in, noise out
//
// For checks and demos in which somebody else's loop draws: no Run, no scheduler. With guidance it is asked twice, and
// what comes out is guided already.
// Elsewhere: the inside of StableDiffusionPipeline's loop. Read next: core/run/ask.c, the same within a run.

#pragma once

#include "sculpt.h"

typedef struct Network {
    Run *run;  // never stepped: it has read the prompts, and decodes
    Context ctx;
    float guidance_scale;
    size_t height, width, n;  // of latents [4, height, width]
    Tensor text;              // [rows, length, width], what it reads: the run's; another of any length may be put here
} Network;

// prompt, guidance_scale and size from the settings. Ends the program where that can't be.
Network *network_open(const Model *model, const Settings *settings);
void network_close(Network *network);

// network: a Network. model_input [4, h, w] at a timestep -> noise_pred [4, h, w]
void network_ask(void *network, const float *model_input, float timestep, float *noise_pred, size_t n);

// Draws with the run's steps, which have to be DDIM's: from its noise to latents [4, h, w]. ask: network_ask, or
// something around it that is given `asked`.
typedef void NetworkAsk(void *asked, const float *model_input, float timestep, float *noise_pred, size_t n);
void network_draw(const Network *network, NetworkAsk *ask, void *asked, float *latents);
