// iou.h - how well does a map point at a thing? Intersection over union, with equal areas
//
// Where: under words_grade.c. A map says "here more, there less" and a mask "here, not there". To compare them a map is
// cut off somewhere, and where is half of the result. Here as many of its pixels count as the mask has, the largest
// ones: no threshold can be tuned, and a map is graded for where it points alone.
// Elsewhere: the Jaccard index.

#pragma once

#include <stddef.h>
#include <stdint.h>

// map [height, width] of finite numbers, stretched to [side, side] (bilinear, as attention_mean does); mask [side,
// side] of 0 and 1. 0 (apart) to 1 (the same pixels); 0 for an empty mask. Pixels that are equal where the map is cut
// count by their share, so that a map that is the same everywhere gets chance_iou. NAN without memory.
float map_iou(const float *map, size_t height, size_t width, const uint8_t *mask, size_t side);

// What a map of random pixels gets with a mask of this many of all pixels, a = area / pixels: of its area pixels a
// share of a lies in the mask, so the union is (2 - a) areas large, and that is a / (2 - a).
float chance_iou(size_t area, size_t pixels);
