// random.h - small numbers of chance, the same on every machine
//
// Where: everything that a drawing decides comes from one of these, begun from the drawing's seed.
// Elsewhere: splitmix64 (Steele, Lea & Flood 2014). Only integers decide; a float is always 24 bits of one, so nothing
// depends on a machine's rounding. (core/base/rng.h has another kind: torch's, whose numbers a picture's noise is.)

#ifndef DRAW_RANDOM_H
#define DRAW_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint64_t state;
} Random;

// The finaliser of splitmix64: neighbouring numbers in, unrelated numbers out.
static inline uint64_t mix64(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

// stream keeps the choices of one seed apart: what is drawn, how it stands, and what is said of it.
static inline Random random_begin(uint64_t seed, uint64_t stream) {
    return (Random){mix64(mix64(seed + 0x9e3779b97f4a7c15u) + stream * 0xd1342543de82ef95u)};
}

static inline uint64_t random_next(Random *r) { return mix64(r->state += 0x9e3779b97f4a7c15u); }
static inline int random_below(Random *r, int n) { return (int)((random_next(r) >> 32) * (uint64_t)n >> 32); }
static inline bool random_percent(Random *r, int percent) { return random_below(r, 100) < percent; }

static inline float random_range(Random *r, float low, float high) {
    return low + (high - low) * (float)(random_next(r) >> 40) / 16777216.0f;
}

#endif
