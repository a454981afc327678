// look.c - see look.h

#include "demo/look.h"

#include "critters/draw/studio.h"
#include "demo/demo.h"
#include "demo/paint.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

static float apart(Rgb a, Rgb b) { return sqrtf(powf(a.r - b.r, 2) + powf(a.g - b.g, 2) + powf(a.b - b.b, 2)); }

static Rgb pixel(const Image *image, size_t x, size_t y) {
    const uint8_t *p = image->pixels + 3 * (y * image->width + x);
    return (Rgb){p[0], p[1], p[2]};
}

// ---- colours --------------------------------------------------------------------------------------------------------

static const float ABOUT = 60;  // of 255: shadows and the VAE's blur are within it, other colours aren't

static bool has_color(const Image *image, size_t x, size_t y, ColorName color) {
    return apart(pixel(image, x, y), PALETTE[color].fur) < ABOUT;
}

double color_share(const Image *image, size_t left, size_t right, ColorName color) {
    size_t found = 0;
    for (size_t y = 0; y < image->height; y++) {
        for (size_t x = left; x < right; x++) found += has_color(image, x, y, color);
    }
    return (double)found / (double)(image->height * (right - left));
}

// ---- places ---------------------------------------------------------------------------------------------------------

enum { CORNERS = 4, CORNER = 24, PAINTED = 8 };

// The mean of a square of pixels
static Rgb patch(const Image *image, size_t left, size_t top, size_t side) {
    Rgb mean = {0};
    for (size_t y = top; y < top + side; y++) {
        for (size_t x = left; x < left + side; x++) {
            Rgb p = pixel(image, x, y);
            mean.r += p.r, mean.g += p.g, mean.b += p.b;
        }
    }
    float n = (float)(side * side);
    return (Rgb){mean.r / n, mean.g / n, mean.b / n};
}

static void corners(const Image *image, Rgb seen[CORNERS]) {
    for (size_t i = 0; i < CORNERS; i++) {
        seen[i] = patch(image, i % 2 ? SIDE - CORNER : 0, i / 2 ? SIDE - CORNER : 0, CORNER);
    }
}

static void mean_corners(Scene scene, Rgb mean[CORNERS]) {
    static const char *const PLACE[SCENES] = {"on the beach",  "at night",    "in the forest", "in the snow",
                                              "in the desert", "in the city", "in space",      "on a plain background"};
    char caption[64];
    snprintf(caption, sizeof caption, "a cat %s", PLACE[scene]);
    for (size_t i = 0; i < CORNERS; i++) mean[i] = (Rgb){0};
    for (size_t seed = 0; seed < PAINTED; seed++) {
        Image image = paint(caption, seed);
        Rgb seen[CORNERS];
        corners(&image, seen);
        for (size_t i = 0; i < CORNERS; i++) {
            mean[i].r += seen[i].r / PAINTED, mean[i].g += seen[i].g / PAINTED, mean[i].b += seen[i].b / PAINTED;
        }
        image_free(&image);
    }
}

Scene scene_seen(const Image *image) {
    static Rgb means[SCENES][CORNERS];
    static bool known;
    for (Scene s = 0; !known && s < SCENES; s++) mean_corners(s, means[s]);
    known = true;

    Rgb seen[CORNERS];
    corners(image, seen);
    Scene best = PLAIN;
    float least = FLT_MAX;
    for (Scene s = 0; s < SCENES; s++) {
        float off = 0;
        for (size_t i = 0; i < CORNERS; i++) off += apart(seen[i], means[s][i]);
        if (off < least) least = off, best = s;
    }
    return best;
}
