// image.h - a picture as bytes, and other sizes of it

#pragma once

#include <stddef.h>
#include <stdint.h>

enum { LARGEST_SIDE = 16384 };  // pixels: of pictures that are read, and of those that are drawn

typedef struct Image {
    size_t width, height;
    uint8_t *pixels;  // [height, width, 3], red green blue, rows from the top, malloc'ed; image_free gives it back
} Image;

Image image_new(size_t width, size_t height);  // black; without memory 0 x 0, pixels NULL
void image_free(Image *image);                 // leaves an image of 0 x 0; twice is fine

// What differs between two pictures of one size: grey where they are alike, and `stronger` times as far from it as they are
// from each other. Without memory 0 x 0, pixels NULL.
Image image_difference(const Image *image, const Image *other, int stronger);

// Copies image into sheet, its upper left corner at (left, top); it lies within.
void image_place(Image *sheet, const Image *image, size_t left, size_t top);

// Another size of the picture, each axis on its own, by Lanczos's kernel of three lobes: sharp going up, and going down
// averaged over the area that a new pixel covers. Pillow's Image.resize((width, height), Image.LANCZOS), equal to it
// within 1 of 255. Sizes must be at least 1 (a CHECK). Without memory 0 x 0, pixels NULL.
Image image_resize(const Image *image, size_t width, size_t height);
