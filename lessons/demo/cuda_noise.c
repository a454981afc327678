// cuda_noise.c - see cuda_noise.h

#include "demo/cuda_noise.h"

#include <math.h>

// Ten rounds of two multiplications, whose halves are exchanged and mixed with the key
static void philox(uint32_t counter[4], uint64_t seed) {
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)counter[0] * 0xd2511f53, b = (uint64_t)counter[2] * 0xcd9e8d57;
        uint32_t next[4] = {(uint32_t)(b >> 32) ^ counter[1] ^ key[0], (uint32_t)b,
                            (uint32_t)(a >> 32) ^ counter[3] ^ key[1], (uint32_t)a};
        for (int i = 0; i < 4; i++) counter[i] = next[i];
        key[0] += 0x9e3779b9, key[1] += 0xbb67ae85;
    }
}

// Two uniform numbers, in (0, 1] and (0, 2 pi], make a normal one (Box & Muller 1958). Thread i has subsequence i, and
// takes the first number of its first four.
void cuda_noise(uint64_t seed, float *out, size_t n) {
    for (size_t i = 0; i < n; i++) {
        uint32_t counter[4] = {0, 0, (uint32_t)i, (uint32_t)((uint64_t)i >> 32)};
        philox(counter, seed);
        double u = ((double)counter[0] + 0.5) * 0x1p-32, angle = ((double)counter[1] + 0.5) * 0x1p-32 * 2 * M_PI;
        out[i] = (float)(sqrt(-2 * log(u)) * sin(angle));
    }
}
