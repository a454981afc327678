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
    float *read;              // what the run read: the prompt's row last
    Tensor text;  // what is asked with, [rows, length, width] over `read`; may be changed, or be another of any length
} Network;

// prompt, guidance_scale and size from the settings. Ends the program where that can't be.
Network *network_open(const Model *model, const Settings *settings);
void network_close(Network *network);

// What the prompt's row says at a token's place: network->text.shape.axis[2] numbers, which may be changed
float *network_word(Network *network, size_t place);

// Takes what another's prompt says at the places first .. last.
void network_take_words(Network *network, Network *from, size_t first, size_t last);

// The U-Net's answers to [4, h, w] at a timestep, one for each row of the text: [rows, 4, h, w], the empty (or negative)
// prompt's first
void network_answers(Network *network, const float *model_input, float timestep, float *answers);

// The same, guided: one answer. network: a Network. model_input [4, h, w] at a timestep -> noise_pred [4, h, w]
void network_ask(void *network, const float *model_input, float timestep, float *noise_pred, size_t n);

// Draws with the run's steps, which have to be DDIM's: from its noise to latents [4, h, w]. ask: network_ask, or
// something around it that is given `asked`.
typedef void NetworkAsk(void *asked, const float *model_input, float timestep, float *noise_pred, size_t n);
void network_draw(const Network *network, NetworkAsk *ask, void *asked, float *latents);
