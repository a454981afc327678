// paint.h - drawings to begin with: the critters' painter, asked in words
//
// The same caption and seed are the same drawing, and with another caption the same sheet: where things stand is the
// seed's. Read next: data/critters/draw/world.h for the words, data/critters/grade/caption_read.h for how they are read.

#pragma once

#include "critters/draw/canvas.h"
#include "io/image.h"

// SIDE x SIDE pixels, 128. A caption that can't be painted ends the program (demo_needs).
Image paint(const char *caption, uint64_t seed);

// White where the drawing shows one of these things, black elsewhere: bits 1 << THING_..., an animal's parts apart
// (THING_ANIMAL + PART_HEADWEAR).
Image paint_mask(const char *caption, uint64_t seed, uint32_t things);
