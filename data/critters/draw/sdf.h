// sdf.h - forms as signed distances: how far is this point from the form's edge, negative inside
//
// Where: canvas.c asks for the distance of every pixel and turns it into ink. All lengths are in the units of the frame
// that the form is drawn in (scenes: pixels; animals: pixels at scale 1, the head's middle at 0,0). y points down.
// A form is what core/ would call a shape, if that word weren't a tensor's sizes there.
// Elsewhere: Inigo Quilez, "2D distance functions".
// Read next: canvas.c.

#ifndef DRAW_SDF_H
#define DRAW_SDF_H

#include <math.h>
#include <stdbool.h>

typedef enum { ELLIPSE, HALF_ELLIPSE, BOX, CAPSULE, TRIANGLE, ARC } FormKind;

// mirror: the form stands on both sides of x = 0 (animals are symmetric, so half of them is enough to write down).
typedef struct {
    FormKind kind;
    bool mirror;
    float x, y, u, v, s, t, round;
} Form;

// Several forms melted into one, with one outline around them all; blend is how far the melting reaches.
enum { BLOB_PARTS = 14 };
typedef struct {
    Form part[BLOB_PARTS];
    int count;
    float blend;
} Blob;

static inline Form ellipse(float x, float y, float rx, float ry) {
    return (Form){.kind = ELLIPSE, .x = x, .y = y, .u = rx, .v = ry};
}
static inline Form circle(float x, float y, float r) { return ellipse(x, y, r, r); }

// The lower half of an ellipse, or with ry < 0 its upper half: an open mouth, a dome.
static inline Form half_ellipse(float x, float y, float rx, float ry) {
    return (Form){.kind = HALF_ELLIPSE, .x = x, .y = y, .u = rx, .v = ry};
}
// width and height are the whole box's, corners included
static inline Form box(float x, float y, float width, float height, float round) {
    return (Form){.kind = BOX, .x = x, .y = y, .u = width / 2 - round, .v = height / 2 - round, .round = round};
}
// a stick from (x,y) to (u,v), as thick as 2 r1 at one end and 2 r2 at the other
static inline Form capsule(float x, float y, float u, float v, float r1, float r2) {
    return (Form){.kind = CAPSULE, .x = x, .y = y, .u = u, .v = v, .s = r1, .t = r2};
}
// corners lie round further out than given
static inline Form triangle(float x, float y, float u, float v, float s, float t, float round) {
    return (Form){.kind = TRIANGLE, .x = x, .y = y, .u = u, .v = v, .s = s, .t = t, .round = round};
}
// a bent stroke: on a circle of radius r, from -half to +half (as a sine) around straight down, or, with up, up
static inline Form arc(float x, float y, float r, float half_sine, bool up, float thick) {
    return (Form){.kind = ARC, .x = x, .y = y, .u = r, .v = half_sine, .s = up ? -1 : 1, .round = thick / 2};
}
static inline Form mirrored(Form s) {
    s.mirror = true;
    return s;
}

static inline float length2(float x, float y) { return sqrtf(x * x + y * y); }
static inline float clamp(float v, float low, float high) { return v < low ? low : v > high ? high : v; }

// Not the true distance, but right at the edge and in its slope there, which is all that a pixel-wide edge needs:
//     d = k0 (k0 - 1) / k1,  k0 = |p / r|,  k1 = |p / r^2|
static inline float ellipse_distance(float x, float y, float rx, float ry) {
    float k0 = length2(x / rx, y / ry), k1 = length2(x / (rx * rx), y / (ry * ry));
    return k1 < 1e-6f ? -fminf(rx, ry) : k0 * (k0 - 1) / k1;
}

static inline float segment_distance(float x, float y, float u, float v, float *along) {
    float h = clamp((x * u + y * v) / (u * u + v * v + 1e-9f), 0, 1);
    *along = h;
    return length2(x - u * h, y - v * h);
}

static inline float triangle_distance(const Form *s, float x, float y) {
    float px[3] = {s->x, s->u, s->s}, py[3] = {s->y, s->v, s->t};
    float turn = (px[1] - px[0]) * (py[2] - py[0]) - (py[1] - py[0]) * (px[2] - px[0]) > 0 ? 1 : -1;
    float nearest = 1e9f, along;
    bool inside = true;
    for (int i = 0; i < 3; i++) {
        int j = (i + 1) % 3;
        float ex = px[j] - px[i], ey = py[j] - py[i], wx = x - px[i], wy = y - py[i];
        nearest = fminf(nearest, segment_distance(wx, wy, ex, ey, &along));
        if ((ex * wy - ey * wx) * turn < 0) inside = false;
    }
    return inside ? -nearest : nearest;
}

static inline float arc_distance(const Form *s, float x, float y) {
    float px = fabsf(x - s->x), py = (y - s->y) * s->s;
    float sine = s->v, cosine = sqrtf(1 - sine * sine);
    if (cosine * px > sine * py) return length2(px - sine * s->u, py - cosine * s->u);
    return fabsf(length2(px, py) - s->u);
}

static inline float form_distance(const Form *s, float x, float y) {
    float along;
    if (s->mirror) x = fabsf(x);
    switch (s->kind) {
    case ELLIPSE: return ellipse_distance(x - s->x, y - s->y, s->u, s->v);
    case HALF_ELLIPSE: {
        float side = s->v < 0 ? -1 : 1;
        return fmaxf(ellipse_distance(x - s->x, y - s->y, s->u, s->v * side), (s->y - y) * side);
    }
    case BOX: {
        float dx = fabsf(x - s->x) - s->u, dy = fabsf(y - s->y) - s->v;
        return length2(fmaxf(dx, 0), fmaxf(dy, 0)) + fminf(fmaxf(dx, dy), 0) - s->round;
    }
    case CAPSULE: {
        float d = segment_distance(x - s->x, y - s->y, s->u - s->x, s->v - s->y, &along);
        return d - s->s - (s->t - s->s) * along;
    }
    case TRIANGLE: return triangle_distance(s, x, y) - s->round;
    case ARC: return arc_distance(s, x, y) - s->round;
    }
    return 1e9f;
}

// Melts a into b within k: the polynomial smooth minimum.
static inline float smooth_min(float a, float b, float k) {
    if (k <= 0) return fminf(a, b);
    float h = fmaxf(k - fabsf(a - b), 0) / k;
    return fminf(a, b) - h * h * k / 4;
}

static inline float blob_distance(const Blob *b, float x, float y) {
    float d = form_distance(&b->part[0], x, y);
    for (int i = 1; i < b->count; i++) d = smooth_min(d, form_distance(&b->part[i], x, y), b->blend);
    return d;
}

#endif
