// studio.h - what the draughtsmen share: an animal's colours and measures
//
// Where: studio.c sets an animal up; species.c, face.c and wear.c draw their part of it.
// Read next: species.c.

#ifndef DRAW_STUDIO_H
#define DRAW_STUDIO_H

#include "canvas.h"
#include "world.h"

// The tones of one colour: fur in flat light, the pen around it, a deep shade (manes, ears), a pale one (bellies).
typedef struct {
    Rgb fur, ink, deep, pale;
} Palette;
extern const Palette PALETTE[COLORS_AND_GOLD];

// Where a face has what, in units around the head's middle (y down).
typedef struct {
    float eye_x, eye_y, eye_r;
    float mouth_y, mouth_width;
    float hat_y, hat_size;  // where a hat stands, and how large it is there
    float head_width;       // half of it, at the height of the eyes
    float cheek_x, cheek_y;
    float reach;  // how far up the ears go
} Face;
extern const Face FACE[SPECIES];

typedef struct {
    Canvas *canvas;
    const Animal *animal;
    const Palette *tone;
    const Face *face;
    Frame head, body;  // the head turns on its own
    int thing;         // THING_ANIMAL or THING_ANIMAL_2
} Sitter;

static inline void sitter_draws(const Sitter *s, Frame frame, int part) {
    s->canvas->frame = frame;
    s->canvas->drawing = (uint8_t)(s->thing + part);
}

void draw_scene(Canvas *c, Scene scene, Random *r);
void draw_body(const Sitter *s);
void draw_head(const Sitter *s);
void draw_features(const Sitter *s);
void draw_neckwear(const Sitter *s);
void draw_eyewear(const Sitter *s);
void draw_headwear(const Sitter *s);
void draw_hand(Canvas *c, int fingers, ColorName color, Random *r);

void drawing_draw(const Drawing *d, Canvas *c);

#endif
