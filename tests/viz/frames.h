// frames.h - what is kept of a frame of the window, and how much another may differ from it
//
// Text, lines and boxes are the same everywhere; pictures are what a network computed, and another processor rounds
// differently. So colours may be a little off everywhere, but nowhere much: a letter that has changed is a small part of
// a frame, and all of its tile.

#pragma once

#include "io/image.h"

#include <stdbool.h>

// A golden frame: half as wide and high, each pixel the mean of four, in steps of 4 of 255. A fifth of the bytes, and one
// still sees what is on it. Without memory pixels is NULL.
Image frame_golden(const Image *frame);

typedef struct FrameDifference {
    bool same_size;
    double off;    // the part of pixels of which a colour differs by more than FRAME_PIXEL_OFF
    double worst;  // the largest mean difference of a tile, in 255ths
    size_t x, y;   // where that tile begins, in pixels of the golden frame
} FrameDifference;

enum { FRAME_TILE = 8, FRAME_PIXEL_OFF = 4 };
#define FRAME_OFF_MOST 0.001
#define FRAME_TILE_MOST 4.0

FrameDifference frame_compare(const Image *golden, const Image *other);
bool frame_alike(const FrameDifference *difference);
// Where they differ, brighter; of the size of the smaller one
Image frame_difference_picture(const Image *golden, const Image *other);
