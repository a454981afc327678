// points.c - see points.h

#include "demo/points.h"

#include "base/rng.h"
#include "demo/demo.h"
#include "demo/paint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t HIPPO_SEED = 6;
static const float REACH = 7.2f;  // of a picture, from the middle to its edge

// ---- the data -------------------------------------------------------------------------------------------------------

static double uniform(Rng *rng) { return (double)rng_u32(rng) * 0x1p-32; }

static void find_grey(bool grey[PIXELS]) {
    enum { ANIMAL = 0xf << THING_ANIMAL, DARKEST = 102, BRIGHTEST = 230 };
    Image hippo = paint("a pygmy hippo", HIPPO_SEED), mask = paint_mask("a pygmy hippo", HIPPO_SEED, ANIMAL);
    for (size_t i = 0; i < PIXELS; i++) {
        const uint8_t *pixel = hippo.pixels + 3 * i;
        int light = (pixel[0] + pixel[1] + pixel[2]) / 3;
        grey[i] = mask.pixels[3 * i] && light > DARKEST && light < BRIGHTEST && 5 * pixel[0] < 6 * pixel[1];
    }
    image_free(&hippo), image_free(&mask);
}

static void standardise(float *points, size_t count) {
    double mean[POINT] = {0}, squares = 0;
    for (size_t i = 0; i < count * POINT; i++) mean[i % POINT] += points[i] / (double)count;
    for (size_t i = 0; i < count * POINT; i++) {
        points[i] -= (float)mean[i % POINT];
        squares += (double)points[i] * points[i];
    }
    float scale = (float)(POINTS_DEVIATION / sqrt(squares / (double)(count * POINT)));
    for (size_t i = 0; i < count * POINT; i++) points[i] *= scale;
}

float *points_of_hippo(size_t count, uint64_t seed) {
    bool *grey = malloc(PIXELS * sizeof *grey);
    demo_needs(grey, &(Error){0});
    find_grey(grey);
    float *points = demo_floats(count * POINT);
    Rng rng;
    rng_seed(&rng, seed);
    for (size_t i = 0; i < count;) {
        double x = uniform(&rng) * SIDE, y = uniform(&rng) * SIDE;
        if (!grey[(size_t)y * SIDE + (size_t)x]) continue;
        points[POINT * i] = (float)x, points[POINT * i + 1] = (float)y;
        i++;
    }
    free(grey);
    standardise(points, count);
    return points;
}

// ---- pictures -------------------------------------------------------------------------------------------------------

Image points_picture(size_t side) {
    Image image = image_new(side, side);
    demo_needs(image.pixels, &(Error){0});
    memset(image.pixels, 255, 3 * side * side);
    return image;
}

static void dot(Image *image, float x, float y, const uint8_t color[3], float strength) {
    long column = lroundf((x / REACH + 1) / 2 * (float)image->width - 0.5f),
         row = lroundf((y / REACH + 1) / 2 * (float)image->height - 0.5f);
    if (column < 0 || row < 0 || column >= (long)image->width || row >= (long)image->height) return;
    uint8_t *pixel = image->pixels + 3 * ((size_t)row * image->width + (size_t)column);
    for (size_t c = 0; c < 3; c++) pixel[c] = (uint8_t)(pixel[c] + strength * (float)(color[c] - pixel[c]));
}

void points_show(Image *image, const float *points, size_t count, const uint8_t color[3]) {
    for (size_t i = 0; i < count; i++) dot(image, points[POINT * i], points[POINT * i + 1], color, 0.6f);
}

void points_arrow(Image *image, const float from[POINT], const float to[POINT], const uint8_t color[3]) {
    enum { PIECES = 60 };
    for (int p = 0; p <= PIECES; p++) {
        float along = (float)p / PIECES;
        dot(image, from[0] + along * (to[0] - from[0]), from[1] + along * (to[1] - from[1]), color, 1);
    }
    float pixel = 2 * REACH / (float)image->width;
    for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++) dot(image, from[0] + (float)dx * pixel, from[1] + (float)dy * pixel, color, 1);
}
