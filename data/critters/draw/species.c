// species.c - twelve animals, told apart by what survives a blur: the head's outline, the ears, and large pale patches
//
// Where: under face.c (eyes and mouths) and wear.c. Units: pixels at scale 1, the head's middle at (0, 0), y down.
// Read next: face.c.

#include "studio.h"

// clang-format off
//           eye x   y     r  mouth y  w  hat y size head cheek x y  ears reach
const Face FACE[SPECIES] = {
    [HIPPO]   = {15, -12, 8.5f, 24, 28, -30, 1.00f, 32, 30, 15, 36},
    [CAT]     = {15, -3, 8.5f, 14, 19, -27, 0.95f, 36, 27, 11, 49},
    [DOG]     = {14, -6, 8.0f, 17, 20, -28, 1.00f, 33, 27, 8, 34},
    [BEAR]    = {15, -6, 7.5f, 17, 19, -28, 1.00f, 36, 29, 9, 38},
    [RABBIT]  = {14, -3, 8.5f, 15, 19, -26, 0.95f, 33, 25, 11, 62},
    [PIG]     = {17, -8, 8.0f, 22, 20, -28, 1.00f, 36, 29, 8, 38},
    [FROG]    = {23, -22, 9.5f, 10, 36, -27, 0.86f, 36, 31, 4, 38},
    [FOX]     = {15, -3, 8.0f, 19, 18, -26, 0.95f, 36, 30, 12, 53},
    [OWL]     = {16, -4, 10.5f, 15, 18, -27, 1.00f, 36, 23, 19, 38},
    [PENGUIN] = {13, -4, 8.0f, 15, 18, -29, 1.00f, 34, 21, 11, 34},
    [LION]    = {13, -3, 8.0f, 17, 19, -31, 1.00f, 33, 22, 10, 49},
    [MOUSE]   = {12, -2, 8.0f, 17, 17, -26, 0.90f, 30, 21, 10, 44},
};
// clang-format on

static const Rgb NOSE = {52, 38, 48}, INNER_EAR = {250, 158, 172}, BEAK = {255, 170, 36}, BEAK_INK = {150, 78, 6},
                 CREAM = {255, 248, 232};

// ---- bodies ------------------------------------------------------------------------------------------------------

static void draw_tail(const Sitter *s) {
    Canvas *c = s->canvas;
    const Palette *t = s->tone;
    Blob tail = {.blend = 4};
    switch (s->animal->species) {
    case FOX:
        tail = (Blob){.part = {capsule(14, 56, 36, 48, 6, 11), capsule(36, 48, 42, 26, 11, 5)}, .count = 2, .blend = 6};
        canvas_fill_blob(c, &tail, t->fur);
        canvas_clip(c, &tail);
        canvas_fill(c, circle(42, 24, 13), CREAM);
        canvas_unclip(c);
        canvas_line_blob(c, &tail, t->ink);
        return;
    case CAT:
        tail = (Blob){.part = {capsule(14, 58, 36, 54, 5, 5), capsule(36, 54, 40, 34, 5, 5)}, .count = 2, .blend = 5};
        break;
    case DOG: tail = (Blob){.part = {capsule(18, 56, 38, 40, 6, 4)}, .count = 1}; break;
    case MOUSE:
        tail = (Blob){.part = {capsule(16, 60, 36, 56, 3, 3), capsule(36, 56, 42, 40, 3, 2)}, .count = 2, .blend = 4};
        break;
    case LION:
        canvas_ink(c, capsule(14, 58, 38, 46, 3.5f, 3.5f), t->fur, t->ink);
        canvas_ink(c, ellipse(40, 41, 7, 8), t->deep, t->ink);
        return;
    case RABBIT: tail = (Blob){.part = {circle(25, 54, 9)}, .count = 1}; break;
    default: return;
    }
    canvas_ink_blob(c, &tail, t->fur, t->ink);
}

void draw_body(const Sitter *s) {
    Canvas *c = s->canvas;
    const Palette *t = s->tone;
    Species species = s->animal->species;
    bool bird = species == OWL || species == PENGUIN;
    float wide = species == HIPPO || species == BEAR || species == PIG ? 31
                 : species == MOUSE || species == FOX                  ? 25
                                                                       : 28;
    sitter_draws(s, s->body, PART_BODY);
    canvas_glaze(c, ellipse(0, 67, 36, 6), (Rgb){20, 16, 40}, 0.16f);
    draw_tail(s);

    Rgb feet = bird ? BEAK : t->fur, feet_ink = bird ? BEAK_INK : t->ink;
    canvas_ink(c, mirrored(ellipse(15, 63, 11, 7)), feet, feet_ink);
    Blob trunk = {.part = {ellipse(0, 46, wide, 21), ellipse(0, 26, wide * 0.72f, 16)}, .count = 2, .blend = 14};
    canvas_fill_blob(c, &trunk, t->fur);
    canvas_clip(c, &trunk);
    canvas_fill(c, ellipse(0, 50, wide * 0.66f, 20), species == PENGUIN || species == FOX ? CREAM : t->pale);
    canvas_unclip(c);
    canvas_line_blob(c, &trunk, t->ink);

    if (bird)
        canvas_ink(c, mirrored(capsule(wide - 4, 36, wide + 3, 52, 7, 4)), species == OWL ? t->deep : t->fur, t->ink);
    else
        canvas_ink(c, mirrored(capsule(wide - 6, 38, wide - 11, 52, 6, 6.5f)), t->fur, t->ink);
}

// ---- heads -------------------------------------------------------------------------------------------------------

// Broad and low: a skull that runs into a muzzle wider than itself, tiny round ears, a wet shine on the forehead.
static void draw_hippo(Canvas *c, const Palette *t) {
    canvas_ink(c, mirrored(circle(25, -25, 8.5f)), t->fur, t->ink);
    canvas_fill(c, mirrored(circle(25, -25, 4)), INNER_EAR);
    Blob head = {.part = {ellipse(0, -7, 32, 26), box(0, 17, 82, 38, 18)}, .count = 2, .blend = 10};
    canvas_fill_blob(c, &head, t->fur);
    canvas_clip(c, &head);
    canvas_fill(c, box(0, 23, 76, 38, 18), rgb_mix(t->fur, t->pale, 0.75f));
    canvas_unclip(c);
    canvas_line_blob(c, &head, t->ink);
    canvas_glaze(c, ellipse(-9, -26, 9, 3), (Rgb){255, 255, 255}, 0.55f);
    canvas_fill(c, mirrored(ellipse(13, 10.5f, 5.5f, 4.2f)), rgb_mix(t->deep, t->ink, 0.6f));
}

static void draw_cat(Canvas *c, const Palette *t) {
    Blob head = {
        .part = {ellipse(0, 0, 38, 29), mirrored(triangle(12, -22, 33, -44, 36, -10, 2))}, .count = 2, .blend = 4};
    canvas_fill_blob(c, &head, t->fur);
    canvas_clip(c, &head);
    canvas_fill(c, mirrored(triangle(20, -23, 31, -37, 32, -18, 1)), INNER_EAR);
    canvas_fill(c, box(0, -27, 6, 20, 3), t->deep);
    canvas_fill(c, mirrored(capsule(11, -32, 10, -20, 3, 2.5f)), t->deep);
    canvas_fill(c, mirrored(capsule(42, 2, 31, 4, 3, 2)), t->deep);
    canvas_fill(c, mirrored(capsule(42, 11, 31, 11, 3, 2)), t->deep);
    canvas_fill(c, mirrored(ellipse(6.5f, 12, 10, 8)), t->pale);
    canvas_unclip(c);
    canvas_line_blob(c, &head, t->ink);
    canvas_fill(c, triangle(-3, 5.5f, 3, 5.5f, 0, 8.5f, 1.6f), (Rgb){232, 92, 120});
}

static void draw_dog(Canvas *c, const Palette *t) {
    Blob head = {.part = {ellipse(0, -3, 34, 28), ellipse(0, 12, 26, 18)}, .count = 2, .blend = 8};
    canvas_fill_blob(c, &head, t->fur);
    canvas_clip(c, &head);
    canvas_fill(c, ellipse(0, -26, 7, 22), t->pale);
    canvas_unclip(c);
    canvas_fill(c, ellipse(0, 14, 19, 14), t->pale);
    canvas_line_blob(c, &head, t->ink);
    canvas_ink(c, mirrored(capsule(32, -18, 40, 14, 7.5f, 10.5f)), t->deep, t->ink);
    canvas_fill(c, ellipse(0, 6, 8.5f, 6), NOSE);
    canvas_glaze(c, ellipse(-2.5f, 3.8f, 2.6f, 1.6f), (Rgb){255, 255, 255}, 0.8f);
}

static void draw_bear(Canvas *c, const Palette *t) {
    canvas_ink(c, mirrored(circle(28, -23, 12.5f)), t->fur, t->ink);
    canvas_fill(c, mirrored(circle(28, -22, 6.5f)), t->pale);
    canvas_ink(c, ellipse(0, 0, 38, 30), t->fur, t->ink);
    canvas_fill(c, ellipse(0, 14, 17, 13), t->pale);
    canvas_fill(c, ellipse(0, 7, 6.5f, 4.6f), NOSE);
}

static void draw_rabbit(Canvas *c, const Palette *t) {
    canvas_ink(c, mirrored(capsule(16, -24, 25, -50, 8.5f, 9)), t->fur, t->ink);
    canvas_fill(c, mirrored(capsule(17, -28, 24.5f, -49, 4, 4.5f)), INNER_EAR);
    Blob head = {.part = {ellipse(0, -2, 32, 27), mirrored(circle(21, 11, 15))}, .count = 2, .blend = 6};
    canvas_ink_blob(c, &head, t->fur, t->ink);
    canvas_fill(c, mirrored(ellipse(7, 13, 9.5f, 7.5f)), t->pale);
    canvas_fill(c, ellipse(0, 6.5f, 4.5f, 3.2f), (Rgb){238, 96, 128});
}

// Ears that stand out to the sides, and the disc of a snout with two holes.
static void draw_pig(Canvas *c, const Palette *t) {
    canvas_ink(c, ellipse(0, 1, 38, 30), t->fur, t->ink);
    canvas_ink(c, mirrored(triangle(15, -27, 43, -27, 33, -7, 2.5f)), t->deep, t->ink);
    canvas_ink(c, ellipse(0, 8, 16.5f, 11.5f), t->deep, t->ink);
    canvas_fill(c, mirrored(ellipse(5.8f, 8, 3.1f, 4.6f)), t->ink);
}

static void draw_frog(Canvas *c, const Palette *t) {
    Blob head = {.part = {ellipse(0, 3, 42, 25), mirrored(circle(23, -21, 14.5f))}, .count = 2, .blend = 6};
    canvas_fill_blob(c, &head, t->fur);
    canvas_clip(c, &head);
    canvas_fill(c, ellipse(0, 24, 38, 17), t->pale);
    canvas_unclip(c);
    canvas_line_blob(c, &head, t->ink);
    canvas_fill(c, mirrored(circle(3.5f, 0, 1.8f)), t->ink);
}

// A wide wedge that ends in a nose: cheeks out, chin in, half of the face cream.
static void draw_fox(Canvas *c, const Palette *t) {
    Blob ears = {.part = {mirrored(triangle(10, -20, 31, -48, 36, -10, 2.5f))}, .count = 1};
    canvas_fill_blob(c, &ears, t->fur);
    canvas_clip(c, &ears);
    canvas_fill(c, mirrored(circle(31, -48, 17)), t->ink);
    canvas_unclip(c);
    canvas_line_blob(c, &ears, t->ink);
    Blob head = {.part = {ellipse(0, -5, 34, 23), mirrored(triangle(0, 24, 40, 8, 20, -14, 3)), ellipse(0, 19, 9, 9)},
                 .count = 3,
                 .blend = 7};
    canvas_fill_blob(c, &head, t->fur);
    canvas_clip(c, &head);
    canvas_fill(c, mirrored(ellipse(26, 16, 23, 14)), CREAM);
    canvas_fill(c, ellipse(0, 25, 14, 15), CREAM);
    canvas_unclip(c);
    canvas_line_blob(c, &head, t->ink);
    canvas_fill(c, ellipse(0, 9, 6.5f, 5), NOSE);
}

// Two great pale discs under tufts that point outwards. Its beak comes with its mouth, in face.c.
static void draw_owl(Canvas *c, const Palette *t) {
    Blob head = {
        .part = {ellipse(0, 1, 38, 30), mirrored(triangle(16, -24, 41, -33, 36, -6, 2))}, .count = 2, .blend = 6};
    canvas_fill_blob(c, &head, t->fur);
    canvas_clip(c, &head);
    canvas_fill(c, mirrored(circle(17, -2, 19.5f)), t->pale);
    canvas_fill(c, triangle(-13, -34, 13, -34, 0, -12, 1), t->deep);
    canvas_unclip(c);
    canvas_line_blob(c, &head, t->ink);
}

// A dark hood with a heart-shaped white face.
static void draw_penguin(Canvas *c, const Palette *t) {
    canvas_ink(c, ellipse(0, 0, 36, 31), t->fur, t->ink);
    Blob face = {.part = {mirrored(ellipse(13, -3, 15, 17)), ellipse(0, 13, 24, 14)}, .count = 2, .blend = 4};
    canvas_fill_blob(c, &face, (Rgb){255, 253, 248});
}

static void draw_lion(Canvas *c, const Palette *t) {
    Blob mane = {.part = {circle(0, -1, 38), mirrored(circle(15, -36, 10)), mirrored(circle(34, -21, 10)),
                          mirrored(circle(40, 3, 10)), mirrored(circle(31, 25, 10)), mirrored(circle(12, 36, 10))},
                 .count = 6,
                 .blend = 3};
    canvas_ink_blob(c, &mane, t->deep, t->ink);
    canvas_ink(c, mirrored(circle(23, -24, 7.5f)), t->fur, t->ink);
    canvas_ink(c, ellipse(0, 2, 29, 26), t->fur, t->ink);
    canvas_fill(c, mirrored(ellipse(6.5f, 14, 9.5f, 8)), t->pale);
    canvas_fill(c, triangle(-4.5f, 4.5f, 4.5f, 4.5f, 0, 9, 2.2f), NOSE);
}

// Ears nearly as large as the face.
static void draw_mouse(Canvas *c, const Palette *t) {
    canvas_ink(c, mirrored(circle(29, -23, 18.5f)), t->fur, t->ink);
    canvas_fill(c, mirrored(circle(29, -22.5f, 11.5f)), INNER_EAR);
    Blob head = {.part = {ellipse(0, -2, 30, 25), ellipse(0, 14, 19, 15)}, .count = 2, .blend = 10};
    canvas_ink_blob(c, &head, t->fur, t->ink);
    canvas_fill(c, ellipse(0, 16, 12, 10), t->pale);
    canvas_fill(c, circle(0, 8, 5), (Rgb){240, 92, 124});
}

void draw_head(const Sitter *s) {
    static void (*const draw[SPECIES])(Canvas *, const Palette *) = {
        [HIPPO] = draw_hippo,   [CAT] = draw_cat,         [DOG] = draw_dog,   [BEAR] = draw_bear,
        [RABBIT] = draw_rabbit, [PIG] = draw_pig,         [FROG] = draw_frog, [FOX] = draw_fox,
        [OWL] = draw_owl,       [PENGUIN] = draw_penguin, [LION] = draw_lion, [MOUSE] = draw_mouse,
    };
    sitter_draws(s, s->head, PART_BODY);
    draw[s->animal->species](s->canvas, s->tone);
}
