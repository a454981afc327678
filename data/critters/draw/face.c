// face.c - eyes, brows, cheeks and mouths: what an animal feels
//
// Where: over the bare head (species.c), under what it wears (wear.c).
// Read next: wear.c.

#include "studio.h"

static const Rgb WHITE_OF_EYE = {255, 255, 255}, PUPIL = {36, 28, 44}, THROAT = {112, 24, 42}, TONGUE = {250, 112, 124};
static const Rgb BLUSH = {255, 110, 130}, TEAR = {110, 196, 255};

static void draw_eyes(const Sitter *s) {
    Canvas *c = s->canvas;
    const Face *f = s->face;
    float r = f->eye_r * (s->animal->mood == SURPRISED ? 1.12f : 1), look = s->animal->mood == SAD ? 1.5f : 0;
    canvas_fill(c, mirrored(ellipse(f->eye_x, f->eye_y, r + 1.2f, r * 1.08f + 1.2f)), PUPIL);
    canvas_fill(c, mirrored(ellipse(f->eye_x, f->eye_y, r, r * 1.08f)), WHITE_OF_EYE);
    for (int side = -1; side <= 1; side += 2) {
        float x = side * (f->eye_x - 0.8f), y = f->eye_y + look;
        canvas_fill(c, circle(x, y, r * 0.72f), PUPIL);
        canvas_fill(c, circle(x - r * 0.24f, y - r * 0.28f, r * 0.28f), WHITE_OF_EYE);
    }
}

// A frog's eyes are the top of its head, and sunglasses hide brows.
static void draw_brows(const Sitter *s) {
    if (s->animal->species == FROG || s->animal->eyewear == SUNGLASSES) return;
    const Face *f = s->face;
    float y = f->eye_y - f->eye_r - 4.5f, x = f->eye_x;
    Rgb ink = s->animal->color == BLACK ? (Rgb){226, 226, 236} : s->tone->ink;
    if (s->animal->mood == SAD) canvas_fill(s->canvas, mirrored(capsule(x - 6, y - 3, x + 7, y + 2, 1.8f, 1.8f)), ink);
    if (s->animal->mood == SURPRISED) canvas_fill(s->canvas, mirrored(arc(x, y + 3, 8, 0.75f, true, 3.4f)), ink);
}

static bool has_beak(const Sitter *s) { return s->animal->species == OWL || s->animal->species == PENGUIN; }

// A beak is the upper lip of its mouth: open, the mouth shows below it.
static void draw_beak(const Sitter *s) {
    float y = s->face->mouth_y - 9, wide = s->animal->species == OWL ? 6 : 8;
    canvas_ink(s->canvas, triangle(-wide, y, wide, y, 0, y + 8, 3), (Rgb){255, 170, 36}, (Rgb){150, 78, 6});
}

static void draw_mouth(const Sitter *s) {
    Canvas *c = s->canvas;
    float y = s->face->mouth_y, half = s->face->mouth_width / 2;
    if (has_beak(s)) y += s->animal->mood == HAPPY ? 2 : 4;
    Blob mouth = {.count = 1};
    switch (s->animal->mood) {
    case HAPPY: mouth.part[0] = half_ellipse(0, y - 3, half, half < 14 ? half * 0.95f : half * 0.7f); break;
    case SURPRISED: mouth.part[0] = ellipse(0, y + 2, half < 12 ? 6.5f : 8.5f, half < 12 ? 7.5f : 8); break;
    default:
        canvas_fill(c, arc(0, y + 9, half, 0.82f, true, 4),
                    s->animal->color == BLACK ? (Rgb){236, 76, 100} : (Rgb){70, 20, 38});
        return;
    }
    canvas_fill_blob(c, &mouth, THROAT);
    canvas_clip(c, &mouth);
    canvas_fill(c, ellipse(0, y + half * 0.8f, half * 0.62f, half * 0.5f), TONGUE);
    canvas_unclip(c);
    float pen = c->pen;
    c->pen = 1.6f;
    canvas_line_blob(c, &mouth, s->animal->color == BLACK ? s->tone->ink : PUPIL);
    c->pen = pen;
}

void draw_features(const Sitter *s) {
    Canvas *c = s->canvas;
    const Face *f = s->face;
    sitter_draws(s, s->head, PART_BODY);
    canvas_glaze(c, mirrored(ellipse(f->cheek_x, f->cheek_y, 6.5f, 4.5f)), BLUSH,
                 s->animal->color == RED ? 0.25f : 0.5f);
    draw_eyes(s);
    draw_brows(s);
    draw_mouth(s);
    if (has_beak(s)) draw_beak(s);
    if (s->animal->mood == SAD) {
        c->frame = frame_inside(c->frame, 0, s->animal->eyewear ? 8 : 0, 0);  // below the glass
        Blob tear = {
            .part = {circle(f->eye_x + 6, f->eye_y + 14, 4), triangle(f->eye_x + 3.6f, f->eye_y + 12, f->eye_x + 8.4f,
                                                                      f->eye_y + 12, f->eye_x + 6, f->eye_y + 6, 0.3f)},
            .count = 2,
            .blend = 1};
        canvas_fill_blob(c, &tear, TEAR);
    }
}
