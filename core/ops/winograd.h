// winograd.h - the transforms of F(4x4, 3x3), for conv2d_winograd.c
//
// U, V and M are 36 matrices each, one for each position of a transformed tile. `step` is always how many numbers lie
// between a position and the next.

#pragma once

#include "ops/conv2d.h"

enum {
    WINOGRAD_POSITIONS = 36,  // 6 x 6: what a tile sees
    WINOGRAD_LANES = 16,      // tiles, or input channels, that are transformed side by side
};

// All tiles of all pictures, counted through row by row: 4 x 4 pixels of the output each.
typedef struct WinogradTiles {
    size_t down, across, each, count;  // in a picture: each = down across; in all pictures: count
} WinogradTiles;

WinogradTiles winograd_tiles(Conv2dShape s);

typedef struct WinogradTransforms {
    // Channel c of the tiles first .. first + WINOGRAD_LANES of in [B, Cin, H, W] -> v, side by side; those beyond the
    // last are 0.
    void (*make_v)(float *v, size_t step, const float *in, size_t c, size_t first, WinogradTiles tiles, Conv2dShape s);
    // Windows of `count` input channels, at most WINOGRAD_LANES, weight [count, 3, 3] of type F32 or BF16 -> u, side by
    // side.
    void (*make_u)(float *u, size_t step, const void *weight, DType type, size_t count);
    // m, as v -> channel o of out [B, Cout, H, W], plus the bias.
    void (*finish_m)(float *out, const float *m, size_t step, float bias, size_t o, size_t first, WinogradTiles tiles,
                     Conv2dShape s);
} WinogradTransforms;

// The fastest of this machine.
WinogradTransforms winograd_transforms(void);
