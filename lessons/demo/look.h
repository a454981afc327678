// look.h - what is in a picture, by measures simple enough to be trusted: colours, places
//
// Nobody has to believe a count by eye, nor a network that reads pictures. Each of these can be tried on the painter's
// drawings, of which it is known what is in them.
// Read next: fingers.h, and measure.h, for how much a count says.

#pragma once

#include "critters/draw/world.h"
#include "io/image.h"

// Of the columns left .. right - 1, the share of pixels, 0 to 1, that have the painter's colour, about.
double color_share(const Image *image, size_t left, size_t right, ColorName color);

// The place whose mean drawing has corners most like these
Scene scene_seen(const Image *image);
