// exercise.c - lesson 16: find a tensor in a file, read half precision, merge a LoRA
//
// exercise.h says what goes in and comes out. `make check N=16` says how far you are. About twenty lines in all.

#include "exercise.h"

#include <math.h>

bool tensor_place(const uint8_t *file, size_t size, uint64_t begin, uint64_t end, uint64_t *place) {
    return false;  // Here.
}

void read_halves(const uint8_t *bytes, float *out, size_t n) {
    // Here.
}

void lora_merge(float *weight, const float *up, const float *down, size_t O, size_t I, size_t k, size_t r, float alpha,
                float lora_weight) {
    // Here.
}
