// image.c - see image.h
//
// Where: image to image fits its picture to the run's size with this; the viewer and sheets make thumbnails.
// Elsewhere: Pillow's Image.resize with BILINEAR.

#include "io/image.h"

#include "base/check.h"

#include <math.h>
#include <stdlib.h>

Image image_new(size_t width, size_t height) {
    size_t bytes;
    CHECK(!__builtin_mul_overflow(width, height, &bytes) && !__builtin_mul_overflow(bytes, 3, &bytes),
          "%zu x %zu pixels overflow", width, height);
    Image image = {width, height, calloc(bytes ? bytes : 1, 1)};
    CHECK(image.pixels, "out of memory for %zu x %zu pixels", width, height);
    return image;
}

void image_free(Image *image) {
    free(image->pixels);
    *image = (Image){0};
}

// One axis of a picture from size `from` to size `to`:
//
//     in [outer, from, inner]    out [outer, to, inner]
//
// New pixel o has its centre at c = (o + 0.5) * from / to on the old axis. Old pixels count by their distance d:
//
//     weight = max(0, 1 - |d| / s),  s = max(1, from / to),  divided by the sum of weights
//
// Going up, s = 1 and that is bilinear interpolation; going down, the triangle widens with the step between new pixels,
// so that every old pixel counts and nothing fine turns into a coarse pattern (aliasing). At the edges it is cut.

static void resize_axis(uint8_t *out, const uint8_t *in, size_t outer, size_t from, size_t to, size_t inner) {
    double step = (double)from / to, s = fmax(1, step);
    double *weights = malloc(((size_t)(2 * s) + 3) * sizeof *weights);
    CHECK(weights, "out of memory");
    for (size_t o = 0; o < to; o++) {
        double centre = (o + 0.5) * step;
        size_t first = (size_t)fmax(0, floor(centre - s + 0.5)), end = (size_t)fmin(from, floor(centre + s + 0.5));
        double sum = 0;
        for (size_t i = first; i < end; i++) {
            weights[i - first] = fmax(0, 1 - fabs(i + 0.5 - centre) / s);
            sum += weights[i - first];
        }
        for (size_t y = 0; y < outer; y++) {
            for (size_t x = 0; x < inner; x++) {
                double pixel = 0;
                for (size_t i = first; i < end; i++) pixel += weights[i - first] * in[(y * from + i) * inner + x];
                out[(y * to + o) * inner + x] = (uint8_t)(pixel / sum + 0.5);
            }
        }
    }
    free(weights);
}

// Across, then down, rounded to bytes between, as Pillow does.
Image image_resize(const Image *image, size_t width, size_t height) {
    CHECK(image->width && image->height && width && height, "%zu x %zu to %zu x %zu", image->width, image->height,
          width, height);
    Image wide = image_new(width, image->height), out = image_new(width, height);
    resize_axis(wide.pixels, image->pixels, image->height, image->width, width, 3);
    resize_axis(out.pixels, wide.pixels, 1, image->height, height, width * 3);
    image_free(&wide);
    return out;
}
