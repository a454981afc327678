// world.h - what there is to draw: the attributes of a drawing, how they fall, and which drawings training never sees
//
// Where: main.c samples a Drawing, studio.c draws it, caption.c talks about it.
// Read next: world.c (chances and the split), studio.c (who draws what, in which order).

#ifndef DRAW_WORLD_H
#define DRAW_WORLD_H

#include "random.h"

typedef enum { ONE, TWO, HAND, KINDS } Kind;
typedef enum { HIPPO, CAT, DOG, BEAR, RABBIT, PIG, FROG, FOX, OWL, PENGUIN, LION, MOUSE, SPECIES } Species;
typedef enum {
    RED,
    ORANGE,
    GREEN,
    BLUE,
    PURPLE,
    PINK,
    BROWN,
    GREY,
    WHITE,
    BLACK,
    COLORS,
    GOLD = COLORS,
    COLORS_AND_GOLD
} ColorName;
typedef enum { EYES_BARE, SUNGLASSES, ROUND_GLASSES, EYE_PATCH, EYEWEAR } Eyewear;
typedef enum { HEAD_BARE, TOP_HAT, CROWN, PARTY_HAT, BEANIE, FLOWER, HEADWEAR } Headwear;
typedef enum { NECK_BARE, BOW_TIE, SCARF, NECKWEAR } Neckwear;
typedef enum { HAPPY, SAD, SURPRISED, MOODS } Mood;
typedef enum { BEACH, NIGHT, FOREST, SNOW, DESERT, CITY, SPACE, PLAIN, SCENES } Scene;
typedef enum { TRAIN, HELD, ALL, SPLITS } Split;

extern const char *const KIND_NAME[KINDS], *const SPECIES_NAME[SPECIES], *const COLOR_NAME[COLORS_AND_GOLD];
extern const char *const EYEWEAR_NAME[EYEWEAR], *const HEADWEAR_NAME[HEADWEAR], *const NECKWEAR_NAME[NECKWEAR];
extern const char *const MOOD_NAME[MOODS], *const SCENE_NAME[SCENES], *const SPLIT_NAME[SPLITS];
extern const char *const NUMBER_NAME[11];  // from 1
extern const ColorName NATURAL_COLOR[SPECIES];

typedef struct {
    Species species;
    ColorName color;
    Eyewear eyewear;
    Headwear headwear;
    ColorName headwear_color;
    Neckwear neckwear;
    Mood mood;
} Animal;

// seed decides what no caption speaks of: where things stand, how far a head tilts, where the clouds are.
typedef struct {
    uint64_t seed;
    Kind kind;
    Animal animal[2];  // from left to right; the second only when kind is TWO
    int fingers;       // 1..10, only when kind is HAND
    ColorName hand_color;
    Scene scene;
    bool repeated;  // the one drawing that training sees 2,000 times in 40,000
} Drawing;

#define REPEATED_CAPTION "the old owl of the silver moon"

// kind: KINDS for any.
Drawing drawing_sample(uint64_t seed, Split split, Kind kind);
Drawing drawing_repeated(void);
ColorName headwear_color_sample(Random *r, Headwear h);  // a crown's is always gold

// TRAIN or HELD: a pure function of the attributes, whatever the seed.
Split drawing_split(const Drawing *d);

#endif
