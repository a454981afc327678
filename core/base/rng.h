// rng.h - randomness that gives the same picture as everyone else's seed
//
// Elsewhere: torch.Generator("cpu").manual_seed(seed) and torch.randn. The Mersenne Twister MT19937 (Matsumoto &
// Nishimura 1998) seeded with the low 32 bits, and torch's way to a normal distribution (Box-Muller on blocks of 16).

#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct Rng {  // plain data: copying the struct copies the generator
    uint32_t state[624];
    size_t next;           // which of state comes next; 624: make new ones first
    double cached_normal;  // the second half of a Box-Muller pair, kept between draws of fewer than 16 (as torch does)
    int has_cached_normal;
} Rng;

void rng_seed(Rng *rng, uint64_t seed);
uint32_t rng_u32(Rng *rng);
void rng_normal(Rng *rng, float *out, size_t n);  // what torch.randn(n, generator=g) writes
