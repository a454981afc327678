// heat.h - a map over a picture: grey where it says nothing, glowing where it says most
#pragma once

#include "io/image.h"

// map [height, width] of numbers from 0 on, stretched over the picture (bilinear); its largest glows fully.
Image heat(const Image *picture, const float *map, size_t height, size_t width);
