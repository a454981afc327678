// hand.c - a hand with any number of fingers
//
// Where: one of the three kinds of drawing. Image models are bad at hands because they never count; here the count is
// an attribute, so that a learner can measure it.
// Read next: caption.c.

#include "studio.h"

// Fingers leave the palm like rays, 27 degrees apart, or closer when they would go further round than 222: ten still
// leave gaps of 3 px and more where they end, which is where they can be counted; their roots melt into the palm.
void draw_hand(Canvas *c, int fingers, ColorName color, Random *r) {
    const Palette *t = &PALETTE[color];
    float apart = fminf(27, 222.0f / (float)(fingers > 1 ? fingers - 1 : 1));
    float half = fingers > 8 ? 5.2f : fingers > 5 ? 5.6f : 6.8f;
    float x = 64 + random_range(r, -2, 2), y = 74 + random_range(r, -2, 3), scale = random_range(r, 0.95f, 1.03f);
    c->frame = frame_turned(x, y, scale, random_range(r, -10, 10));
    c->drawing = THING_HAND;
    c->pen = 3;

    Blob hand = {.part = {ellipse(0, 2, 25, 23), capsule(0, 16, 0, 80, 15, 14)}, .count = 2, .blend = 3};
    Form finger[10];
    for (int k = 0; k < fingers; k++) {
        float sine, cosine, from_middle = (float)k - (float)(fingers - 1) / 2;
        turn_sine_cosine(from_middle * apart, &sine, &cosine);
        float reach = fingers > 5 ? 53 : 58 - 2.2f * fabsf(from_middle);
        finger[k] = capsule(14 * sine, -14 * cosine, reach * sine, -reach * cosine, half, half);
        hand.part[hand.count++] = finger[k];
    }
    canvas_ink_blob(c, &hand, t->fur, t->ink);
    canvas_fill(c, ellipse(0, 6, 14, 12), rgb_mix(t->fur, t->pale, 0.55f));
    for (int k = 0; k < fingers; k++) {
        Form *f = &finger[k];
        canvas_fill(c, circle(f->u, f->v, half - 2.3f), t->pale);
        Form beyond_palm = capsule(f->u * 0.55f, f->v * 0.55f, f->u, f->v, half, half);
        canvas_claim(c, beyond_palm, THING_HAND, THING_FINGER + k);
    }
    canvas_ink(c, box(0, 46, 44, 18, 6), (Rgb){255, 252, 244}, (Rgb){110, 106, 120});
    canvas_ink(c, box(0, 72, 38, 36, 2), (Rgb){60, 70, 110}, (Rgb){110, 106, 120});
}
