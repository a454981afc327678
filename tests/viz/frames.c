// frames.c - see frames.h

#include "viz/frames.h"

#include <stdlib.h>

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

Image frame_golden(const Image *frame) {
    enum { STEP = 4 };
    Image golden = image_new(frame->width / 2, frame->height / 2);
    for (size_t y = 0; y < golden.height; y++) {
        for (size_t i = 0; i < golden.width * 3; i++) {
            const uint8_t *above = frame->pixels + 2 * y * frame->width * 3 + i / 3 * 6 + i % 3;
            const uint8_t *below = above + frame->width * 3;
            int sum = above[0] + above[3] + below[0] + below[3];
            int value = (sum + 2 * STEP) / (4 * STEP) * STEP;
            golden.pixels[y * golden.width * 3 + i] = (uint8_t)(value > 255 ? 255 : value);
        }
    }
    return golden;
}

static int pixel_difference(const Image *a, const Image *b, size_t x, size_t y, int *sum) {
    int largest = 0;
    for (size_t c = 0; c < 3; c++) {
        int difference = abs(a->pixels[(y * a->width + x) * 3 + c] - b->pixels[(y * b->width + x) * 3 + c]);
        *sum += difference;
        if (difference > largest) largest = difference;
    }
    return largest;
}

FrameDifference frame_compare(const Image *golden, const Image *other) {
    FrameDifference found = {.same_size = golden->width == other->width && golden->height == other->height};
    if (!found.same_size) return found;
    size_t off = 0;
    for (size_t top = 0; top < golden->height; top += FRAME_TILE) {
        for (size_t left = 0; left < golden->width; left += FRAME_TILE) {
            size_t bottom = smaller(top + FRAME_TILE, golden->height),
                   right = smaller(left + FRAME_TILE, golden->width);
            int sum = 0;
            for (size_t y = top; y < bottom; y++) {
                for (size_t x = left; x < right; x++)
                    off += pixel_difference(golden, other, x, y, &sum) > FRAME_PIXEL_OFF;
            }
            double mean = sum / (3.0 * FRAME_TILE * FRAME_TILE);
            if (mean <= found.worst) continue;
            found.worst = mean;
            found.x = left;
            found.y = top;
        }
    }
    found.off = (double)off / (double)(golden->width * golden->height);
    return found;
}

bool frame_alike(const FrameDifference *difference) {
    return difference->same_size && difference->off <= FRAME_OFF_MOST && difference->worst <= FRAME_TILE_MOST;
}

Image frame_difference_picture(const Image *golden, const Image *other) {
    enum { BRIGHTER = 4 };
    Image picture = image_new(smaller(golden->width, other->width), smaller(golden->height, other->height));
    for (size_t y = 0; y < picture.height; y++) {
        for (size_t x = 0; x < picture.width; x++) {
            int sum = 0, bright = BRIGHTER * pixel_difference(golden, other, x, y, &sum);
            for (size_t c = 0; c < 3; c++)
                picture.pixels[(y * picture.width + x) * 3 + c] = (uint8_t)(bright > 255 ? 255 : bright);
        }
    }
    return picture;
}
