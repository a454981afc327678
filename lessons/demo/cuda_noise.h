// cuda_noise.h - the noise that the same seed is on a GPU, without one
//
// A GPU has thousands of threads that would all wait for one Mersenne Twister, so CUDA has another kind of generator:
// Philox4x32-10, a function of a key and a counter (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
// Number i is what it makes of the key `seed` and the counter i; nobody has to know number i - 1.
// Elsewhere: torch.randn(n, device="cuda", generator=torch.Generator("cuda").manual_seed(seed)), the first draw; for as many
// numbers as the GPU has threads at most, which are some hundred thousand.

#pragma once

#include <stddef.h>
#include <stdint.h>

void cuda_noise(uint64_t seed, float *out, size_t n);
