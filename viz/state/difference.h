// difference.h - where two pictures differ, as a picture
//
// Each pixel's distance, the root of the mean square over red, green and blue (0..1), with the sign of their sum: positive
// where the first is lighter, negative where it is darker. It is kept as long as the two are the same.

#pragma once

#include "ui/draw.h"

extern const float DIFFERENCE_RANGE;  // as far as its colours reach

typedef struct PictureDifference {
    Picture picture;  // in the theme's colours of differences
    uint64_t of, to;  // the two pictures
    bool dark;        // the theme
    float rms;        // over the whole picture, 0..255
} PictureDifference;

// False, and nothing is changed, if the two aren't of one size (the one is decoded, the other not yet).
bool difference_of(PictureDifference *difference, const Picture *of, const Picture *to, const Theme *theme);
void difference_free(PictureDifference *difference);
