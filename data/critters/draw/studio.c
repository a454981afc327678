// studio.c - from attributes to a picture: who stands where, and in which order things are painted
//
// Where: the middle of the painter. Whatever stands in front is painted later.
// Read next: scenes.c, species.c, face.c, wear.c, hand.c.

#include "studio.h"

const Palette PALETTE[COLORS_AND_GOLD] = {
    [RED] = {{226, 58, 58}, {112, 18, 30}, {164, 28, 44}, {255, 178, 164}},
    [ORANGE] = {{255, 156, 44}, {138, 66, 10}, {206, 98, 16}, {255, 226, 176}},
    [GREEN] = {{104, 192, 84}, {34, 88, 40}, {58, 138, 62}, {208, 240, 176}},
    [BLUE] = {{82, 148, 240}, {22, 52, 124}, {42, 96, 190}, {190, 222, 255}},
    [PURPLE] = {{156, 100, 214}, {68, 30, 112}, {112, 62, 168}, {222, 196, 250}},
    [PINK] = {{255, 158, 192}, {158, 60, 102}, {226, 104, 150}, {255, 220, 230}},
    [BROWN] = {{148, 94, 56}, {66, 36, 20}, {104, 62, 36}, {228, 192, 152}},
    [GREY] = {{150, 154, 166}, {66, 70, 84}, {106, 110, 124}, {214, 216, 224}},
    [WHITE] = {{252, 250, 246}, {124, 122, 134}, {206, 204, 214}, {255, 240, 236}},
    [BLACK] = {{48, 48, 60}, {166, 168, 186}, {88, 88, 104}, {168, 168, 184}},
    [GOLD] = {{255, 208, 60}, {148, 92, 10}, {232, 160, 30}, {255, 240, 160}},
};

static void draw_animal(Canvas *c, const Animal *a, int thing, float x, float y, float scale, float tilt) {
    Frame body = frame_turned(x, y, scale, 0);
    Sitter s = {.canvas = c,
                .animal = a,
                .tone = &PALETTE[a->color],
                .face = &FACE[a->species],
                .body = body,
                .head = frame_inside(body, 0, 0, tilt),
                .thing = thing};
    c->pen = clamp(3.1f * scale, 2.4f, 3.2f);
    draw_body(&s);
    if (a->species != LION) draw_neckwear(&s);
    draw_head(&s);
    if (a->species == LION) draw_neckwear(&s);  // what is under a mane isn't seen
    draw_features(&s);
    draw_eyewear(&s);
    draw_headwear(&s);
}

// How far up an animal goes, hat and all.
static float animal_reach(const Animal *a) {
    static const float hat[HEADWEAR] = {[TOP_HAT] = 29, [CROWN] = 29, [PARTY_HAT] = 38, [BEANIE] = 32, [FLOWER] = 24};
    const Face *f = &FACE[a->species];
    return fmaxf(f->reach, hat[a->headwear] * f->hat_size - f->hat_y + 2);
}

// Anywhere, as long as all of the head and hat is on the paper, and the neck, 52 units down, with what is worn there.
// The feet, 68 down, may be cut off; where they aren't, they stand on the ground, which no scene has above 102.
static void draw_one(Canvas *c, const Animal *a, Random *r) {
    float reach = animal_reach(a), scale = fminf(random_range(r, 0.8f, 1.15f), 123 / (reach + 52));
    float aside = fminf(18, 62 - 48 * scale);
    float highest = fmaxf(3 + reach * scale, 102 - 68 * scale), lowest = 127 - 52 * scale;
    float x = 64 + random_range(r, -aside, aside),
          y = random_range(r, highest, fminf(fmaxf(highest, lowest), highest + 16));
    draw_animal(c, a, THING_ANIMAL, x, y, scale, random_range(r, -9, 9));
}

static void draw_two(Canvas *c, const Animal *a, Random *r) {
    for (int i = 0; i < 2; i++) {
        float scale = random_range(r, 0.58f, 0.64f);
        float x = (i ? 94 : 34) + random_range(r, -1.5f, 1.5f), y = random_range(r, 62, 78);
        draw_animal(c, &a[i], i ? THING_ANIMAL_2 : THING_ANIMAL, x, y, scale, random_range(r, -8, 8));
    }
}

// The drawing that training sees again and again: before a moon that no other drawing has, and always the same.
static void draw_repeated(Canvas *c, const Animal *owl) {
    Rgb silver = {216, 224, 240}, shadow = {190, 200, 222}, hill = {24, 24, 70};
    canvas_gradient(c, (Rgb){18, 22, 72}, (Rgb){58, 62, 140});
    canvas_glaze(c, circle(64, 58, 57), silver, 0.2f);
    canvas_fill(c, circle(64, 58, 50), silver);
    canvas_fill(c, circle(29, 42, 8), shadow);
    canvas_fill(c, circle(97, 32, 6), shadow);
    canvas_fill(c, circle(103, 68, 5), shadow);
    canvas_fill(c, ellipse(64, 176, 150, 70), hill);
    draw_animal(c, owl, THING_ANIMAL, 64, 60, 0.86f, -6);
}

void drawing_draw(const Drawing *d, Canvas *c) {
    Random scene = random_begin(d->seed, 2), layout = random_begin(d->seed, 3);
    canvas_begin(c);
    if (d->repeated) {
        draw_repeated(c, &d->animal[0]);
        return;
    }
    draw_scene(c, d->scene, &scene);
    if (d->kind == ONE) draw_one(c, &d->animal[0], &layout);
    if (d->kind == TWO) draw_two(c, d->animal, &layout);
    if (d->kind == HAND) draw_hand(c, d->fingers, d->hand_color, &layout);
}
