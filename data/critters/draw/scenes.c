// scenes.c - eight places, each a few large smooth shapes
//
// Chances are drawn one a statement: C leaves open which argument of a call is worked out first, and a seed must mean
// the same drawing with every compiler.
//
// Where: painted first, in pixels. What a small autoencoder can't keep (grain, grass, waves) isn't drawn at all.
// Read next: species.c.

#include "studio.h"

static const Rgb WHITE_RGB = {255, 255, 255};

static void draw_cloud(Canvas *c, float x, float y, float size, Rgb color) {
    Blob cloud = {.part = {ellipse(x, y, 16 * size, 6 * size), circle(x - 5 * size, y - 4 * size, 7 * size),
                           circle(x + 5 * size, y - 3 * size, 6 * size)},
                  .count = 3,
                  .blend = 2};
    canvas_fill_blob(c, &cloud, color);
}

static float side_of(Random *r, float near, float far) {
    float x = random_range(r, near, far);
    return random_percent(r, 50) ? x : SIDE - x;
}

static void draw_parasol(Canvas *c, float x, float shore) {
    Rgb red = {240, 84, 84};
    canvas_fill(c, box(x, shore - 6, 3, 46, 1), (Rgb){150, 104, 66});
    canvas_fill(c, half_ellipse(x, shore - 18, 23, -20), red);
    canvas_fill(c, half_ellipse(x, shore - 18, 13, -20), WHITE_RGB);
    canvas_fill(c, half_ellipse(x, shore - 18, 5, -20), red);
}

static void draw_beach(Canvas *c, Random *r) {
    float shore = random_range(r, 84, 94), sea = shore - random_range(r, 20, 26), sun = side_of(r, 14, 34);
    canvas_gradient(c, (Rgb){108, 200, 252}, (Rgb){206, 240, 255});
    canvas_fill(c, circle(sun, random_range(r, 16, 26), 11), (Rgb){255, 232, 96});
    float cloud = SIDE - sun + random_range(r, -6, 6), height = random_range(r, 20, 34);
    draw_cloud(c, cloud, height, 1.1f, WHITE_RGB);
    canvas_fill(c, box(64, sea + 40, 160, 80, 0), (Rgb){38, 142, 208});
    float lean = random_range(r, -30, 30);
    canvas_fill(c, ellipse(64 + lean, shore + 74, 170, 80), WHITE_RGB);
    canvas_fill(c, ellipse(64 + lean, shore + 78, 170, 80), (Rgb){250, 222, 156});
    draw_parasol(c, sun < 64 ? random_range(r, 106, 118) : random_range(r, 10, 22), shore);
}

static void draw_stars(Canvas *c, Random *r, int count, float low) {
    for (int i = 0; i < count; i++) {
        float x = random_range(r, 4, SIDE - 4), y = random_range(r, 4, low);
        canvas_fill(c, circle(x, y, random_range(r, 1.5f, 2.3f)), (Rgb){255, 250, 214});
    }
}

static void draw_night(Canvas *c, Random *r) {
    float moon = side_of(r, 16, 34), y = random_range(r, 18, 30), hill = random_range(r, 96, 106);
    canvas_gradient(c, (Rgb){18, 22, 72}, (Rgb){58, 62, 140});
    draw_stars(c, r, 11, 80);
    canvas_glaze(c, circle(moon, y, 19), (Rgb){255, 246, 200}, 0.18f);
    canvas_fill(c, circle(moon, y, 13), (Rgb){255, 244, 196});
    canvas_fill(c, circle(moon - 4, y - 3, 3), (Rgb){240, 222, 160});
    canvas_fill(c, circle(moon + 4, y + 4, 2.4f), (Rgb){240, 222, 160});
    canvas_fill(c, ellipse(random_range(r, 10, 50), hill + 64, 100, 70), (Rgb){34, 34, 92});
    canvas_fill(c, ellipse(random_range(r, 80, 120), hill + 68, 90, 66), (Rgb){24, 24, 70});
}

static void draw_tree(Canvas *c, float x, float foot, float size, Rgb leaves) {
    canvas_fill(c, box(x, foot - 2 * size, 6 * size, 16 * size, 0), (Rgb){122, 82, 54});
    canvas_fill(c,
                triangle(x - 15 * size, foot - 8 * size, x + 15 * size, foot - 8 * size, x, foot - 36 * size, 2 * size),
                leaves);
    canvas_fill(
        c, triangle(x - 12 * size, foot - 26 * size, x + 12 * size, foot - 26 * size, x, foot - 52 * size, 2 * size),
        leaves);
}

static void draw_forest(Canvas *c, Random *r) {
    float ground = random_range(r, 88, 98);
    canvas_gradient(c, (Rgb){190, 232, 214}, (Rgb){224, 246, 214});
    for (int i = 0; i < 6; i++) {
        float x = 4 + 24 * (float)i + random_range(r, -5, 5), size = random_range(r, 1.0f, 1.4f);
        draw_tree(c, x, ground + 2, size, (Rgb){120, 184, 142});
    }
    for (int i = 0; i < 4; i++) {
        float x = (float[]){4, 26, 104, 126}[i] + random_range(r, -5, 5);
        draw_tree(c, x, ground + 6, random_range(r, 1.2f, 1.6f), i & 1 ? (Rgb){40, 122, 78} : (Rgb){28, 102, 68});
    }
    canvas_fill(c, ellipse(64 + random_range(r, -30, 30), ground + 60, 150, 64), (Rgb){112, 176, 84});
}

static void draw_snow(Canvas *c, Random *r) {
    float ground = random_range(r, 84, 96);
    canvas_gradient(c, (Rgb){152, 190, 224}, (Rgb){212, 230, 244});
    canvas_fill(c, ellipse(random_range(r, 0, 40), ground + 46, 80, 60), (Rgb){222, 234, 248});
    for (int i = 0; i < 2; i++) {
        float x = i ? random_range(r, 106, 122) : random_range(r, 6, 22), size = random_range(r, 0.9f, 1.2f);
        draw_tree(c, x, ground + 6, size, (Rgb){70, 126, 130});
        canvas_fill(c,
                    triangle(x - 5 * size, ground + 6 - 42 * size, x + 5 * size, ground + 6 - 42 * size, x,
                             ground + 6 - 52 * size, 2 * size),
                    WHITE_RGB);
    }
    canvas_fill(c, ellipse(random_range(r, 50, 110), ground + 62, 140, 66), (Rgb){248, 251, 255});
    for (int i = 0; i < 13; i++) {
        float x = random_range(r, 2, 126), y = random_range(r, 2, ground);
        canvas_fill(c, circle(x, y, random_range(r, 1.9f, 2.7f)), WHITE_RGB);
    }
}

static void draw_desert(Canvas *c, Random *r) {
    float ground = random_range(r, 82, 94), sun = side_of(r, 20, 40), cactus = side_of(r, 10, 20);
    canvas_gradient(c, (Rgb){255, 176, 96}, (Rgb){255, 224, 160});
    canvas_fill(c, circle(sun, random_range(r, 22, 34), 14), (Rgb){255, 244, 190});
    canvas_fill(c, ellipse(random_range(r, 0, 40), ground + 52, 90, 60), (Rgb){228, 150, 82});
    Blob plant = {.part = {capsule(cactus, ground + 20, cactus, ground - 22, 6, 6),
                           capsule(cactus - 10, ground - 2, cactus, ground + 2, 4, 4),
                           capsule(cactus - 10, ground - 2, cactus - 10, ground - 12, 4, 4),
                           capsule(cactus + 10, ground - 8, cactus, ground - 4, 4, 4),
                           capsule(cactus + 10, ground - 8, cactus + 10, ground - 18, 4, 4)},
                  .count = 5,
                  .blend = 1};
    canvas_fill_blob(c, &plant, (Rgb){74, 140, 82});
    canvas_fill(c, ellipse(random_range(r, 70, 130), ground + 66, 120, 66), (Rgb){208, 124, 62});
}

static void draw_city(Canvas *c, Random *r) {
    float street = random_range(r, 98, 106);
    canvas_gradient(c, (Rgb){170, 160, 216}, (Rgb){255, 206, 190});
    for (int i = 0; i < 5; i++) {
        float x = 8 + 28 * (float)i + random_range(r, -3, 3), width = random_range(r, 21, 26),
              top = random_range(r, 16, 50);
        if (i == 2) top += 10;
        Rgb wall = i & 1 ? (Rgb){98, 92, 140} : (Rgb){76, 74, 122};
        canvas_fill(c, box(x, (top + 140) / 2, width, 140 - top, 0), wall);
        for (float y = top + 8; y < street - 6; y += 17)
            for (int side = -1; side <= 1; side += 2)
                if (random_percent(r, 70))
                    canvas_fill(c, box(x + 5.5f * (float)side, y, 7, 10, 1), (Rgb){255, 226, 130});
    }
    canvas_fill(c, box(64, street + 20, 140, 40, 0), (Rgb){132, 128, 146});
    canvas_fill(c, box(64, street + 1, 140, 4, 0), (Rgb){206, 202, 214});
}

static void draw_space(Canvas *c, Random *r) {
    float x = side_of(r, 20, 36), y = random_range(r, 22, 36), ground = random_range(r, 96, 104);
    canvas_gradient(c, (Rgb){26, 10, 44}, (Rgb){66, 26, 92});
    draw_stars(c, r, 12, 90);
    canvas_fill(c, circle(x, y, 14), (Rgb){64, 200, 190});
    Frame whole = c->frame;
    c->frame = frame_turned(x, y, 1, -20);
    canvas_fill(c, ellipse(0, 2, 24, 5.5f), (Rgb){255, 190, 110});
    canvas_fill(c, ellipse(0, 0.5f, 17, 2.6f), (Rgb){46, 18, 66});
    canvas_fill(c, half_ellipse(0, 1, 14, -14), (Rgb){64, 200, 190});
    c->frame = whole;
    float far_x = SIDE - x + random_range(r, -8, 8), far_y = random_range(r, 14, 26);
    canvas_fill(c, circle(far_x, far_y, 5.5f), (Rgb){250, 130, 150});
    canvas_fill(c, ellipse(64 + random_range(r, -16, 16), ground + 60, 130, 62), (Rgb){170, 164, 188});
    canvas_fill(c, ellipse(random_range(r, 8, 30), ground + 16, 11, 4), (Rgb){136, 130, 158});
    canvas_fill(c, ellipse(random_range(r, 96, 120), ground + 14, 9, 3.5f), (Rgb){136, 130, 158});
}

static void draw_plain(Canvas *c, Random *r) {
    static const Rgb paper[] = {{250, 226, 214}, {214, 234, 248}, {222, 242, 216}, {252, 242, 206},
                                {232, 222, 246}, {236, 232, 226}, {206, 236, 232}};
    Rgb here = paper[random_below(r, sizeof paper / sizeof paper[0])];
    canvas_gradient(c, here, here);
}

void draw_scene(Canvas *c, Scene scene, Random *r) {
    static void (*const draw[SCENES])(Canvas *, Random *) = {
        [BEACH] = draw_beach,   [NIGHT] = draw_night, [FOREST] = draw_forest, [SNOW] = draw_snow,
        [DESERT] = draw_desert, [CITY] = draw_city,   [SPACE] = draw_space,   [PLAIN] = draw_plain,
    };
    c->drawing = THING_SCENE;
    draw[scene](c, r);
}
