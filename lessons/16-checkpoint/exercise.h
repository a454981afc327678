// exercise.h - lesson 16: the functions to be written, as their check calls them

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Where a tensor's numbers are. A .safetensors file is
//
//     [ 8 bytes: N, the lowest byte first ][ N bytes: the table, as JSON ][ the numbers, back to back ]
//
// and the table says of each tensor "data_offsets": [begin, end], in bytes, counted from where the numbers begin.
//
//     file   [size]  all of it, in memory
//     place          the first of the tensor's bytes, counted from the beginning of the file
//
// A file may be cut off, and it may lie. False, and nothing is written, where it has no 8 bytes, where the table goes
// beyond its end, where end is before begin, or beyond the end of the file; N, begin and end may be any numbers at all.
bool tensor_place(const uint8_t *file, size_t size, uint64_t begin, uint64_t end, uint64_t *place);

// Half precision, in which most checkpoints are kept: two bytes a number, the lower one first. Of the 16 bits the highest is
// the sign, then come 5 bits of exponent e, then 10 bits m:
//
//     e = 1..30   sign (1 + m / 1024) 2^(e - 15)
//     e = 0       sign      m / 1024  2^-14           the smallest, and 0
//
// (e = 31 are infinities and NaN, of which a checkpoint has none.)
//
//     bytes [2 n]    out [n]
void read_halves(const uint8_t *bytes, float *out, size_t n);

// A LoRA, merged into the weight of a convolution (of a linear layer, which is one with k = 1):
//
//     W' = W + lora_weight * alpha / r * up down
//
// down is a convolution to r channels, up one of a single pixel: for output channel o, input channel i and place (y, x) in
// the window, (up down)[o, i, y, x] is the sum of up[o, j] * down[j, i, y, x] over the r channels j.
//
//     weight [O, I, k, k]   W, changed in place      up [O, r, 1, 1]      down [r, I, k, k]
void lora_merge(float *weight, const float *up, const float *down, size_t O, size_t I, size_t k, size_t r, float alpha,
                float lora_weight);
