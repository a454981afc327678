// canvas.h - the sheet of paper: 128 x 128 pixels, and for each the thing that is seen there
//
// Where: between the forms (sdf.h) and whoever draws (scenes.c, species.c, face.c, wear.c, hand.c).
// Read next: canvas.c.

#ifndef DRAW_CANVAS_H
#define DRAW_CANVAS_H

#include "sdf.h"

#include <stdint.h>

enum { SIDE = 128, PIXELS = SIDE * SIDE };

typedef struct {
    float r, g, b;
} Rgb;  // 0..255, as they go into the file

// What can own a pixel. An animal has four; fingers count from 1.
enum { THING_SCENE, THING_ANIMAL = 1, THING_ANIMAL_2 = 5, THING_HAND = 9, THING_FINGER = 10, THINGS = 20 };
enum { PART_BODY, PART_EYEWEAR, PART_HEADWEAR, PART_NECKWEAR };

// From a drawing's own units to pixels: scaled, turned, then moved to (x, y).
typedef struct {
    float x, y, scale, cosine, sine;
} Frame;

typedef struct {
    float rgb[PIXELS * 3];
    float clip[PIXELS];  // 0..1, only looked at while clipping
    uint8_t thing[PIXELS];
    bool clipping;
    uint8_t drawing;  // the thing that is being drawn
    Frame frame;
    float pen;  // width of an outline, in pixels whatever the scale
} Canvas;

Rgb rgb_mix(Rgb a, Rgb b, float t);
Frame frame_turned(float x, float y, float scale, float degrees);
Frame frame_inside(Frame outer, float x, float y, float degrees);  // a frame within a frame, at (x, y) of it
void turn_sine_cosine(float degrees, float *sine, float *cosine);

void canvas_begin(Canvas *c);
void canvas_gradient(Canvas *c, Rgb top, Rgb bottom);

// fill: the inside. line: the pen along the edge. ink: both.
void canvas_fill(Canvas *c, Form s, Rgb color);
void canvas_glaze(Canvas *c, Form s, Rgb color, float opacity);
void canvas_ink(Canvas *c, Form s, Rgb color, Rgb ink);
void canvas_fill_blob(Canvas *c, const Blob *b, Rgb color);
void canvas_line_blob(Canvas *c, const Blob *b, Rgb ink);
void canvas_ink_blob(Canvas *c, const Blob *b, Rgb color, Rgb ink);

void canvas_clip(Canvas *c, const Blob *b);  // until unclip, only what is inside b takes paint
void canvas_unclip(Canvas *c);
// changes no colour: pixels of `from` inside s become thing's
void canvas_claim(Canvas *c, Form s, int from, int thing);

void canvas_bytes(const Canvas *c, uint8_t *rgb);

#endif
