// paint.c - see paint.h

#include "demo/paint.h"

#include "critters/draw/studio.h"
#include "critters/grade/caption_read.h"
#include "demo/demo.h"

#include <stdlib.h>
#include <string.h>

static Canvas *painted(const char *caption, uint64_t seed) {
    Error error = {0};
    CaptionReading reading;
    demo_needs(caption_read(caption, seed, &reading, &error), &error);
    Canvas *canvas = calloc(1, sizeof *canvas);
    demo_needs(canvas, &error);
    drawing_draw(&reading.drawing, canvas);
    return canvas;
}

static Image sheet_of_paper(void) {
    Image image = image_new(SIDE, SIDE);
    demo_needs(image.pixels, &(Error){0});
    return image;
}

Image paint(const char *caption, uint64_t seed) {
    Canvas *canvas = painted(caption, seed);
    Image image = sheet_of_paper();
    canvas_bytes(canvas, image.pixels);
    free(canvas);
    return image;
}

Image paint_mask(const char *caption, uint64_t seed, uint32_t things) {
    Canvas *canvas = painted(caption, seed);
    Image image = sheet_of_paper();
    uint8_t shown[PIXELS];
    things_mask(canvas, things, shown);
    for (size_t i = 0; i < PIXELS; i++) memset(image.pixels + 3 * i, shown[i] ? 255 : 0, 3);
    free(canvas);
    return image;
}
