// points.h - a data set that can be seen at once: points in the plane, where a hippo is
//
// For lesson 03. A point is two numbers, so a picture of "all the data" is a picture.

#pragma once

#include "io/image.h"

#include <stdint.h>

enum { POINT = 2 };             // numbers: x to the right, y down
enum { POINTS_DEVIATION = 3 };  // of the data

// count points, anywhere on the painter's hippo where it is grey: not on outlines, eyes, cheeks and mouth. Their mean is 0.
// Their deviation is POINTS_DEVIATION and not 1: so more of the timesteps are about what is small.
float *points_of_hippo(size_t count, uint64_t seed);

// White; a point darkens the pixel that it lies on. points_show adds to an image.
Image points_picture(size_t side);
void points_show(Image *image, const float *points, size_t count, const uint8_t color[3]);
// A line from one point to another, with a dot where it begins
void points_arrow(Image *image, const float from[POINT], const float to[POINT], const uint8_t color[3]);
