// rng.c - see rng.h
//
// Where: the first thing of a run: the latents that the picture is carved out of. After that only in schedulers
//        that add fresh noise, and when the VAE draws from its posterior.
// Elsewhere: aten/src/ATen/core/MT19937RNGEngine.h, DistributionTemplates.h (normal_fill) and DistributionsHelper.h.

#include "base/rng.h"

#include <math.h>

// ---- the Mersenne Twister -------------------------------------------------------------------------------------------
//
// 624 words, of which each round makes 624 new ones by mixing each with its neighbour and the one 397 further on.

enum { WORDS = 624, SHIFT = 397, BLOCK = 16 };

void rng_seed(Rng *rng, uint64_t seed) {
    rng->state[0] = (uint32_t)seed;
    for (uint32_t i = 1; i < WORDS; i++) {
        rng->state[i] = 1812433253u * (rng->state[i - 1] ^ rng->state[i - 1] >> 30) + i;
    }
    rng->next = WORDS;
    rng->has_cached_normal = 0;
    rng->cached_normal = 0;
}

static void make_new_words(uint32_t *state) {
    for (size_t i = 0; i < WORDS; i++) {
        uint32_t mixed = (state[i] & 0x80000000u) | (state[(i + 1) % WORDS] & 0x7fffffffu);
        state[i] = state[(i + SHIFT) % WORDS] ^ mixed >> 1 ^ (mixed & 1 ? 0x9908b0dfu : 0);
    }
}

uint32_t rng_u32(Rng *rng) {
    if (rng->next == WORDS) {
        make_new_words(rng->state);
        rng->next = 0;
    }
    uint32_t y = rng->state[rng->next++];  // tempering: spread what is regular in the words over all bits
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
}

// ---- uniform, then normal -------------------------------------------------------------------------------------------
//
// Box & Muller 1958: from two uniform numbers u1, u2 in [0, 1), two independent normal ones:
//
//     radius = sqrt(-2 log(1 - u1)),  angle = 2 pi u2,  radius cos(angle) and radius sin(angle)
//
// Torch does this in two ways, and a seed only gives the same picture if both are kept. 16 numbers and more: in float,
// by blocks of 16, of which the first 8 are u1 and the last 8 are u2. Fewer: in double, pair by pair, u2 drawn first
// and the second half of the pair kept for the next call.

static float uniform_float(Rng *rng) { return (float)(rng_u32(rng) & 0xffffff) * 0x1p-24f; }

static double uniform_double(Rng *rng) {
    uint64_t high = rng_u32(rng), low = rng_u32(rng);
    return (double)((high << 32 | low) & 0x1fffffffffffffu) * 0x1p-53;
}

static void box_muller_block(float *block) {
    for (size_t i = 0; i < BLOCK / 2; i++) {
        float radius = sqrtf(-2 * logf(1 - block[i])), angle = 2 * (float)M_PI * block[i + BLOCK / 2];
        block[i] = radius * cosf(angle);
        block[i + BLOCK / 2] = radius * sinf(angle);
    }
}

static void fill_uniform(Rng *rng, float *out, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = uniform_float(rng);
}

static void normal_in_blocks(Rng *rng, float *out, size_t n) {
    fill_uniform(rng, out, n);
    for (size_t i = 0; i + BLOCK <= n; i += BLOCK) box_muller_block(out + i);
    if (n % BLOCK != 0) {  // the last 16 are drawn again, over the end of the block before them
        fill_uniform(rng, out + n - BLOCK, BLOCK);
        box_muller_block(out + n - BLOCK);
    }
}

static double normal_double(Rng *rng) {
    if (rng->has_cached_normal) {
        rng->has_cached_normal = 0;
        return rng->cached_normal;
    }
    double u2 = uniform_double(rng), u1 = uniform_double(rng);
    double radius = sqrt(-2 * log1p(-u1)), angle = 2 * M_PI * u2;
    rng->cached_normal = radius * sin(angle);
    rng->has_cached_normal = 1;
    return radius * cos(angle);
}

void rng_normal(Rng *rng, float *out, size_t n) {
    if (n >= BLOCK) {
        normal_in_blocks(rng, out, n);
    } else {
        for (size_t i = 0; i < n; i++) out[i] = (float)normal_double(rng);
    }
}
