// canvas.c - forms onto paper: a pixel's distance from an edge decides how much paint it takes
//
// Where: under everything that draws. A distance d in pixels becomes coverage clamp(1/2 - d, 0, 1): an edge is one
// pixel wide, as if the pixel's area had been measured, with no supersampling.
// Read next: scenes.c (the simplest to draw), then species.c.

#include "canvas.h"

#include <string.h>

Rgb rgb_mix(Rgb a, Rgb b, float t) {
    return (Rgb){a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
}

// Sine and cosine by their series, for angles up to half a turn: libm's last digit differs from machine to machine, and
// a drawing must not.
void turn_sine_cosine(float degrees, float *sine, float *cosine) {
    double a = degrees * 3.14159265358979 / 180, term = 1, s = 0, c = 0;
    for (int n = 0; n < 24; n++) {
        double sign = n & 2 ? -1 : 1;
        if (n & 1)
            s += sign * term;
        else
            c += sign * term;
        term *= a / (n + 1);
    }
    *sine = (float)s;
    *cosine = (float)c;
}

Frame frame_turned(float x, float y, float scale, float degrees) {
    Frame f = {.x = x, .y = y, .scale = scale};
    turn_sine_cosine(degrees, &f.sine, &f.cosine);
    return f;
}

Frame frame_inside(Frame f, float x, float y, float degrees) {
    Frame inner = frame_turned(0, 0, f.scale, degrees);
    float cosine = f.cosine * inner.cosine - f.sine * inner.sine, sine = f.sine * inner.cosine + f.cosine * inner.sine;
    return (Frame){f.x + f.scale * (f.cosine * x - f.sine * y), f.y + f.scale * (f.sine * x + f.cosine * y), f.scale,
                   cosine, sine};
}

void canvas_begin(Canvas *c) {
    memset(c, 0, sizeof *c);
    c->frame = frame_turned(0, 0, 1, 0);
    c->pen = 3;
}

void canvas_gradient(Canvas *c, Rgb top, Rgb bottom) {
    for (int y = 0; y < SIDE; y++) {
        Rgb here = rgb_mix(top, bottom, (float)y / (SIDE - 1));
        for (int x = 0; x < SIDE; x++) memcpy(&c->rgb[(y * SIDE + x) * 3], &here, sizeof here);
    }
}

// ---- which pixels can a form touch? ------------------------------------------------------------------------------

typedef struct {
    int x0, y0, x1, y1;
} Area;  // pixels, x1 and y1 not included

// A circle around the form, in its own units.
static void form_bounds(const Form *s, float *x, float *y, float *r) {
    *x = s->x, *y = s->y, *r = 0;
    switch (s->kind) {
    case ELLIPSE:
    case HALF_ELLIPSE: *r = fmaxf(s->u, fabsf(s->v)); break;
    case BOX: *r = length2(s->u, s->v) + s->round; break;
    case CAPSULE:
        *x = (s->x + s->u) / 2, *y = (s->y + s->v) / 2;
        *r = length2(s->u - *x, s->v - *y) + fmaxf(s->s, s->t);
        break;
    case TRIANGLE: *r = fmaxf(length2(s->u - s->x, s->v - s->y), length2(s->s - s->x, s->t - s->y)) + s->round; break;
    case ARC: *r = s->u + s->round; break;
    }
    if (s->mirror) *r += fabsf(*x), *x = 0;
}

static Area blob_area(const Canvas *c, const Blob *b) {
    Area a = {SIDE, SIDE, 0, 0};
    const Frame *f = &c->frame;
    for (int i = 0; i < b->count; i++) {
        float x, y, r;
        form_bounds(&b->part[i], &x, &y, &r);
        float px = f->x + f->scale * (f->cosine * x - f->sine * y),
              py = f->y + f->scale * (f->sine * x + f->cosine * y);
        float reach = (r + b->blend / 4) * f->scale + c->pen + 1;
        a.x0 = (int)fminf(a.x0, clamp(px - reach, 0, SIDE)), a.x1 = (int)fmaxf(a.x1, clamp(px + reach + 1, 0, SIDE));
        a.y0 = (int)fminf(a.y0, clamp(py - reach, 0, SIDE)), a.y1 = (int)fmaxf(a.y1, clamp(py + reach + 1, 0, SIDE));
    }
    return a;
}

// ---- paint -------------------------------------------------------------------------------------------------------

// Distance from the middle of pixel (x, y) to the blob's edge, in pixels.
static float pixel_distance(const Canvas *c, const Blob *b, int x, int y) {
    const Frame *f = &c->frame;
    float dx = (x + 0.5f - f->x) / f->scale, dy = (y + 0.5f - f->y) / f->scale;
    return blob_distance(b, f->cosine * dx + f->sine * dy, f->cosine * dy - f->sine * dx) * f->scale;
}

// More than half covered: the pixel now shows this thing.
static void pixel_blend(Canvas *c, int pixel, Rgb color, float coverage) {
    if (c->clipping) coverage *= c->clip[pixel];
    if (coverage <= 0) return;
    float *p = &c->rgb[pixel * 3];
    p[0] += (color.r - p[0]) * coverage;
    p[1] += (color.g - p[1]) * coverage;
    p[2] += (color.b - p[2]) * coverage;
    if (coverage > 0.5f) c->thing[pixel] = c->drawing;
}

static void paint(Canvas *c, const Blob *b, Rgb color, float opacity, bool edge_only) {
    Area a = blob_area(c, b);
    for (int y = a.y0; y < a.y1; y++) {
        for (int x = a.x0; x < a.x1; x++) {
            float d = pixel_distance(c, b, x, y);
            if (edge_only) d = fabsf(d) - c->pen / 2;
            pixel_blend(c, y * SIDE + x, color, clamp(0.5f - d, 0, 1) * opacity);
        }
    }
}

static Blob blob_of(Form s) { return (Blob){.part = {s}, .count = 1}; }

void canvas_fill_blob(Canvas *c, const Blob *b, Rgb color) { paint(c, b, color, 1, false); }
void canvas_line_blob(Canvas *c, const Blob *b, Rgb ink) { paint(c, b, ink, 1, true); }

void canvas_ink_blob(Canvas *c, const Blob *b, Rgb color, Rgb ink) {
    canvas_fill_blob(c, b, color);
    canvas_line_blob(c, b, ink);
}

void canvas_glaze(Canvas *c, Form s, Rgb color, float opacity) {
    Blob b = blob_of(s);
    paint(c, &b, color, opacity, false);
}

void canvas_fill(Canvas *c, Form s, Rgb color) { canvas_glaze(c, s, color, 1); }

void canvas_ink(Canvas *c, Form s, Rgb color, Rgb ink) {
    Blob b = blob_of(s);
    canvas_ink_blob(c, &b, color, ink);
}

void canvas_clip(Canvas *c, const Blob *b) {
    memset(c->clip, 0, sizeof c->clip);
    Area a = blob_area(c, b);
    for (int y = a.y0; y < a.y1; y++)
        for (int x = a.x0; x < a.x1; x++) c->clip[y * SIDE + x] = clamp(0.5f - pixel_distance(c, b, x, y), 0, 1);
    c->clipping = true;
}

void canvas_unclip(Canvas *c) { c->clipping = false; }

void canvas_claim(Canvas *c, Form s, int from, int thing) {
    Blob b = blob_of(s);
    Area a = blob_area(c, &b);
    for (int y = a.y0; y < a.y1; y++)
        for (int x = a.x0; x < a.x1; x++)
            if (c->thing[y * SIDE + x] == from && pixel_distance(c, &b, x, y) < c->pen / 2)
                c->thing[y * SIDE + x] = (uint8_t)thing;
}

void canvas_bytes(const Canvas *c, uint8_t *rgb) {
    for (int i = 0; i < PIXELS * 3; i++) rgb[i] = (uint8_t)(clamp(c->rgb[i], 0, 255) + 0.5f);
}
