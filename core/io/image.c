// image.c - see image.h
//
// Where: image to image fits its picture to the run's size with this; small previews are enlarged with it.
// Elsewhere: Pillow's Image.resize with LANCZOS, which diffusers' VaeImageProcessor.resize calls.

#include "io/image.h"

#include "base/check.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { LANCZOS_LOBES = 3 };  // on each side

Image image_new(size_t width, size_t height) {
    size_t bytes;
    if (__builtin_mul_overflow(width, height, &bytes) || __builtin_mul_overflow(bytes, 3, &bytes)) return (Image){0};
    uint8_t *pixels = calloc(bytes ? bytes : 1, 1);
    return pixels ? (Image){width, height, pixels} : (Image){0};
}

void image_free(Image *image) {
    free(image->pixels);
    *image = (Image){0};
}

Image image_difference(const Image *image, const Image *other, int stronger) {
    CHECK(image->width == other->width && image->height == other->height, "pictures of two sizes");
    Image difference = image_new(image->width, image->height);
    for (size_t i = 0; difference.pixels && i < 3 * image->width * image->height; i++) {
        int value = 128 + stronger * ((int)image->pixels[i] - (int)other->pixels[i]);
        difference.pixels[i] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
    return difference;
}

void image_place(Image *sheet, const Image *image, size_t left, size_t top) {
    for (size_t y = 0; y < image->height; y++) {
        memcpy(sheet->pixels + ((top + y) * sheet->width + left) * 3, image->pixels + y * image->width * 3,
               image->width * 3);
    }
}

// Between pixels, a picture is taken to have no waves shorter than two pixels. There is one such picture through given
// pixels, and sinc(x) = sin(pi x) / (pi x) is what each pixel adds to it at distance x. It never ends, so Lanczos lets
// it fade out under the first lobe of a wider one:
//
//     lanczos(x) = sinc(x) sinc(x / 3) for |x| < 3, else 0
//
// It is below 0 between 1 and 2: edges stay sharp, and beside them a little too bright or too dark.
static double lanczos(double x) {
    if (x == 0) return 1;
    if (fabs(x) >= LANCZOS_LOBES) return 0;
    double a = M_PI * x, b = a / LANCZOS_LOBES;
    return sin(a) / a * (sin(b) / b);
}

// One axis of a picture from size `from` to size `to`:
//
//     in [outer, from, inner]    out [outer, to, inner]
//
// New pixel o has its centre at c = (o + 0.5) * from / to on the old axis. Old pixels count by their distance d:
//
//     weight = lanczos(d / s),  s = max(1, from / to),  divided by the sum of weights
//
// Going up, s = 1; going down, the kernel widens with the step between new pixels, so that every old pixel counts and
// nothing fine turns into a coarse pattern (aliasing). At the edges it is cut. False without memory.

static bool resize_axis(uint8_t *out, const uint8_t *in, size_t outer, size_t from, size_t to, size_t inner) {
    double step = (double)from / to, s = fmax(1, step), reach = LANCZOS_LOBES * s;
    double *weights = malloc(((size_t)(2 * reach) + 3) * sizeof *weights);
    if (!weights) return false;
    for (size_t o = 0; o < to; o++) {
        double centre = (o + 0.5) * step;
        size_t first = (size_t)fmax(0, floor(centre - reach + 0.5));
        size_t end = (size_t)fmin(from, floor(centre + reach + 0.5));
        double sum = 0;
        for (size_t i = first; i < end; i++) {
            weights[i - first] = lanczos((i + 0.5 - centre) / s);
            sum += weights[i - first];
        }
        for (size_t y = 0; y < outer; y++) {
            for (size_t x = 0; x < inner; x++) {
                double pixel = 0;
                for (size_t i = first; i < end; i++) pixel += weights[i - first] * in[(y * from + i) * inner + x];
                out[(y * to + o) * inner + x] = (uint8_t)(fmin(fmax(pixel / sum, 0), 255) + 0.5);
            }
        }
    }
    free(weights);
    return true;
}

// Across, then down, rounded to bytes between; where the height shrinks by more than twice what the width does, down
// first, since that leaves less to do. The order shows (rounding, clamping), so it is Pillow 13's; before it was always
// across first.
Image image_resize(const Image *image, size_t width, size_t height) {
    CHECK(image->width && image->height && width && height, "%zu x %zu to %zu x %zu", image->width, image->height,
          width, height);
    double narrower = (double)image->width - (double)width, lower = (double)image->height - (double)height;
    bool down_first = lower > 0 && lower > 2 * narrower;
    Image between = down_first ? image_new(image->width, height) : image_new(width, image->height);
    Image out = image_new(width, height);
    bool ok = between.pixels && out.pixels;
    if (ok && down_first) {
        ok = resize_axis(between.pixels, image->pixels, 1, image->height, height, image->width * 3) &&
             resize_axis(out.pixels, between.pixels, height, image->width, width, 3);
    } else if (ok) {
        ok = resize_axis(between.pixels, image->pixels, image->height, image->width, width, 3) &&
             resize_axis(out.pixels, between.pixels, 1, image->height, height, width * 3);
    }
    image_free(&between);
    if (!ok) image_free(&out);
    return out;
}
