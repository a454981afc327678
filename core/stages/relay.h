// relay.h - a chain of layers in which each gives back its input
//
// A scope keeps one result and frees its temporaries, but in a chain h1 = f(x), h2 = g(h1), h3 = k(h2) every result is
// the next one's input, and only the newest should stay: at the end of a VAE's decoder each of them holds 134 or 268
// MB. A relay opens one scope for each hand-over, all at the start, one in the other; from the innermost outwards each
// is closed as soon as the runner after it has arrived, and takes its own runner's memory with it.
//
//     Relay relay = relay_open(&ctx->arena, 3);     // three layers will follow
//     relay_pass(&relay); h = f(ctx, h);
//     relay_pass(&relay); h = g(ctx, h);            // f's result is still there
//     relay_pass(&relay); h = k(ctx, h);            // f's is gone, g's is still there
//     relay_close(&relay);                          // only k's is left, as the result of the block around
//
// Read next: vae.c, which is made of them.

#pragma once

#include "base/arena.h"

enum { RELAY_MAX = 160 };

typedef struct Relay {
    Arena *arena;
    Scope scopes[RELAY_MAX];  // scopes[0] is the outermost
    size_t layers, passed;
} Relay;

Relay relay_open(Arena *arena, size_t layers);  // 1 to RELAY_MAX layers
void relay_pass(Relay *relay);                  // before each layer
void relay_close(Relay *relay);                 // after the last; CHECKs that there were as many as said
