// wear.c - what goes on eyes, heads and necks
//
// Where: the last to be painted on an animal. Each thing owns its pixels, so that --masks can tell it from the fur.
// Read next: caption.c, which has the words for them.

#include "studio.h"

static const Rgb SHINE = {255, 255, 255}, LENS = {30, 32, 46}, LENS_LOW = {70, 84, 120};

// ---- eyes --------------------------------------------------------------------------------------------------------

static void draw_sunglasses(const Sitter *s) {
    Canvas *c = s->canvas;
    const Face *f = s->face;
    float x = fmaxf(f->eye_x, 14.5f), y = f->eye_y + 0.5f;
    Rgb rim = s->animal->color == BLACK ? (Rgb){236, 236, 244} : (Rgb){16, 16, 24};
    Blob lenses = {.part = {mirrored(box(x + 0.5f, y + 1, 26, 21, 8)), box(0, y - 5, 2 * x, 6, 2),
                            mirrored(capsule(x + 11, y - 5, f->head_width, y - 5, 2.5f, 2))},
                   .count = 3,
                   .blend = 1};
    canvas_fill_blob(c, &lenses, LENS);
    canvas_clip(c, &lenses);
    canvas_fill(c, mirrored(ellipse(x + 0.5f, y + 11, 11, 7)), LENS_LOW);
    canvas_unclip(c);
    float pen = c->pen;
    c->pen = 1.8f;
    canvas_line_blob(c, &lenses, rim);
    c->pen = pen;
    for (int side = -1; side <= 1; side += 2)
        canvas_fill(c, capsule(side * x - 7, y + 4, side * x, y - 4.5f, 2.1f, 2.1f), SHINE);
}

static void draw_round_glasses(const Sitter *s) {
    Canvas *c = s->canvas;
    const Face *f = s->face;
    float x = fmaxf(f->eye_x, 14.5f), y = f->eye_y, r = fmaxf(f->eye_r + 4.5f, 12.5f);
    Rgb frame = s->animal->color == RED ? (Rgb){28, 52, 140} : (Rgb){206, 36, 58};
    float pen = c->pen;
    c->pen = 4.2f * c->frame.scale;
    Blob rings = {.part = {mirrored(circle(x, y, r))}, .count = 1};
    canvas_glaze(c, mirrored(circle(x, y, r)), SHINE, 0.32f);
    canvas_line_blob(c, &rings, frame);
    c->pen = pen;
    canvas_fill(c, mirrored(capsule(x + r, y - 2, f->head_width + 2, y - 5, 2, 2)), frame);
    if (x > r + 1) canvas_fill(c, box(0, y - 2, 2 * (x - r) + 2, 4, 2), frame);
}

static void draw_eye_patch(const Sitter *s) {
    Canvas *c = s->canvas;
    const Face *f = s->face;
    float x = f->eye_x, y = f->eye_y, w = f->head_width;
    bool dark = s->animal->color == BLACK;
    Rgb rim = dark ? (Rgb){236, 236, 244} : (Rgb){16, 16, 24};
    canvas_fill(c, capsule(x, y - 4, -w * 0.62f, y - 17, 2.2f, 2.2f), dark ? rim : LENS);
    canvas_fill(c, capsule(x, y - 4, w - 1, y - 9, 2.2f, 2.2f), dark ? rim : LENS);
    Blob patch = {.part = {half_ellipse(x, y - 5, 13, 18), box(x, y - 6, 27, 6, 2.5f)}, .count = 2, .blend = 3};
    canvas_ink_blob(c, &patch, LENS, rim);
}

void draw_eyewear(const Sitter *s) {
    sitter_draws(s, s->head, PART_EYEWEAR);
    switch (s->animal->eyewear) {
    case SUNGLASSES: draw_sunglasses(s); break;
    case ROUND_GLASSES: draw_round_glasses(s); break;
    case EYE_PATCH: draw_eye_patch(s); break;
    default: break;
    }
}

// ---- heads: the frame's origin is where the hat stands, its units those of the hat ----------------------------------

static void draw_top_hat(Canvas *c, const Palette *t, Rgb band) {
    Blob hat = {.part = {box(0, -11, 34, 30, 4), box(0, 2, 54, 8, 4)}, .count = 2, .blend = 1};
    canvas_fill_blob(c, &hat, t->fur);
    canvas_fill(c, box(0, -5.5f, 33, 7, 0), band);
    canvas_line_blob(c, &hat, t->ink);
}

static void draw_crown(Canvas *c, const Palette *t) {
    Blob crown = {
        .part = {box(0, 0, 46, 12, 3), mirrored(triangle(8, 2, 24, -16, 22, 2, 1)), triangle(-11, 2, 0, -20, 11, 2, 1)},
        .count = 3,
        .blend = 1};
    canvas_ink_blob(c, &crown, t->fur, t->ink);
    canvas_ink(c, mirrored(circle(24, -18, 3.2f)), t->pale, t->ink);
    canvas_ink(c, circle(0, -22, 3.6f), t->pale, t->ink);
    canvas_fill(c, circle(0, -2, 4), (Rgb){222, 40, 70});
    canvas_fill(c, mirrored(circle(14, 0, 3)), (Rgb){60, 130, 230});
}

static void draw_party_hat(Canvas *c, const Palette *t, Rgb band) {
    Blob cone = {.part = {triangle(-17, 3, 17, 3, 0, -27, 2)}, .count = 1};
    canvas_fill_blob(c, &cone, t->fur);
    canvas_clip(c, &cone);
    canvas_fill(c, capsule(-22, 2, 20, -8, 3, 3), band);
    canvas_fill(c, capsule(-16, -11, 14, -20, 3, 3), band);
    canvas_unclip(c);
    canvas_line_blob(c, &cone, t->ink);
    canvas_ink(c, circle(0, -28, 6), (Rgb){255, 222, 80}, (Rgb){160, 104, 12});
}

static void draw_beanie(Canvas *c, const Palette *t, Rgb band) {
    canvas_ink(c, circle(0, -21, 7.5f), band, t->ink);
    canvas_ink(c, half_ellipse(0, 2, 28, -22), t->fur, t->ink);
    canvas_ink(c, box(0, 3, 62, 12, 6), band, t->ink);
}

static void draw_flower(Canvas *c, const Palette *t) {
    Blob petals = {.blend = 1};
    for (int i = 0; i < 5; i++) {
        float sine, cosine;
        turn_sine_cosine(-144.0f + 72 * i, &sine, &cosine);
        petals.part[petals.count++] = circle(9.5f * sine, -9.5f * cosine, 7.5f);
    }
    canvas_ink_blob(c, &petals, t->fur, t->ink);
    canvas_fill(c, circle(0, 0, 6), (Rgb){255, 214, 60});
}

void draw_headwear(const Sitter *s) {
    const Animal *a = s->animal;
    const Palette *t = &PALETTE[a->headwear_color];
    Rgb band = a->headwear_color == WHITE ? (Rgb){222, 60, 76} : (Rgb){255, 250, 240};
    Frame stand = frame_inside(s->head, 0, s->face->hat_y, 0);
    stand.scale *= s->face->hat_size;
    sitter_draws(s, stand, PART_HEADWEAR);
    switch (a->headwear) {
    case TOP_HAT: draw_top_hat(s->canvas, t, band); break;
    case CROWN: draw_crown(s->canvas, t); break;
    case PARTY_HAT: draw_party_hat(s->canvas, t, band); break;
    case BEANIE: draw_beanie(s->canvas, t, band); break;
    case FLOWER:
        s->canvas->frame = s->animal->species == FROG ? frame_inside(stand, 0, -7, 0) : frame_inside(stand, 23, -3, 0);
        draw_flower(s->canvas, t);
        break;
    default: break;
    }
}

// ---- necks -------------------------------------------------------------------------------------------------------

static void draw_bow_tie(Canvas *c) {
    Rgb red = {226, 44, 66}, ink = {110, 12, 30};
    canvas_ink(c, mirrored(triangle(2, 38, 19, 29, 19, 47, 3)), red, ink);
    canvas_ink(c, box(0, 38, 11, 12, 4), (Rgb){255, 120, 130}, ink);
}

static void draw_scarf(Canvas *c) {
    Rgb yellow = {255, 214, 64}, stripe = {30, 150, 160}, ink = {126, 84, 10};
    Blob tail = {.part = {box(14, 47, 15, 30, 4)}, .count = 1}, wrap = {.part = {box(0, 34, 60, 15, 7)}, .count = 1};
    canvas_fill_blob(c, &tail, yellow);
    canvas_clip(c, &tail);
    canvas_fill(c, box(14, 53, 20, 6, 0), stripe);
    canvas_unclip(c);
    canvas_line_blob(c, &tail, ink);
    canvas_fill_blob(c, &wrap, yellow);
    canvas_clip(c, &wrap);
    canvas_fill(c, mirrored(box(18, 34, 7, 20, 0)), stripe);
    canvas_fill(c, box(0, 34, 7, 20, 0), stripe);
    canvas_unclip(c);
    canvas_line_blob(c, &wrap, ink);
}

void draw_neckwear(const Sitter *s) {
    Species species = s->animal->species;
    sitter_draws(s, frame_inside(s->body, 0, species == LION ? 6 : species == HIPPO ? 5 : 0, 0), PART_NECKWEAR);
    if (s->animal->neckwear == BOW_TIE) draw_bow_tie(s->canvas);
    if (s->animal->neckwear == SCARF) draw_scarf(s->canvas);
}
