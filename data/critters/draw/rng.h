// rng.h - small numbers of chance, the same on every machine
//
// Where: everything that a drawing decides comes from one of these, begun from the drawing's seed.
// Elsewhere: splitmix64 (Steele, Lea & Flood 2014). Only integers decide; a float is always 24 bits of one, so nothing
// depends on a machine's rounding.

#ifndef DRAW_RNG_H
#define DRAW_RNG_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint64_t state;
} Rng;

// The finaliser of splitmix64: neighbouring numbers in, unrelated numbers out.
static inline uint64_t mix64(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

// stream keeps the choices of one seed apart: what is drawn, how it stands, and what is said of it.
static inline Rng rng_begin(uint64_t seed, uint64_t stream) {
    return (Rng){mix64(mix64(seed + 0x9e3779b97f4a7c15u) + stream * 0xd1342543de82ef95u)};
}

static inline uint64_t rng_next(Rng *r) { return mix64(r->state += 0x9e3779b97f4a7c15u); }
static inline int rng_below(Rng *r, int n) { return (int)((rng_next(r) >> 32) * (uint64_t)n >> 32); }
static inline bool rng_percent(Rng *r, int percent) { return rng_below(r, 100) < percent; }

static inline float rng_range(Rng *r, float low, float high) {
    return low + (high - low) * (float)(rng_next(r) >> 40) / 16777216.0f;
}

#endif
