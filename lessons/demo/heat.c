// heat.c - see heat.h

#include "demo/heat.h"

#include "demo/demo.h"
#include "run/attention.h"

#include <math.h>
#include <stdlib.h>

Image heat(const Image *picture, const float *map, size_t height, size_t width) {
    static const float GLOW[] = {255, 190, 30};
    Image image = image_new(picture->width, picture->height);
    demo_needs(image.pixels, &(Error){0});
    size_t n = image.width * image.height;
    float *stretched = demo_floats(n), largest = 0;
    map_add_stretched(stretched, image.height, image.width, map, height, width, 1);
    for (size_t i = 0; i < n; i++) largest = fmaxf(largest, stretched[i]);
    for (size_t i = 0; i < n; i++) {
        const uint8_t *p = picture->pixels + 3 * i;
        float grey = 0.4f * (0.3f * p[0] + 0.6f * p[1] + 0.1f * p[2]), share = largest > 0 ? stretched[i] / largest : 0;
        for (size_t c = 0; c < 3; c++) image.pixels[3 * i + c] = (uint8_t)(grey + share * (GLOW[c] - grey));
    }
    free(stretched);
    return image;
}
