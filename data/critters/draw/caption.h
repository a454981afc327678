// caption.h - sentences about a drawing
//
// Where: main.c asks for K of them a drawing. Read next: caption.c.

#ifndef DRAW_CAPTION_H
#define DRAW_CAPTION_H

#include "world.h"

// What a caption speaks of, a bit each. RELATION: it says who stands left of whom.
enum { SAYS_SCENE = 1, SAYS_FINGERS = 2, SAYS_HAND_COLOR = 4, SAYS_RELATION = 8 };
enum {
    SAYS_SPECIES,
    SAYS_COLOR,
    SAYS_EYEWEAR,
    SAYS_HEADWEAR,
    SAYS_HEADWEAR_COLOR,
    SAYS_NECKWEAR,
    SAYS_MOOD,
    SAYS_OF_ANIMAL
};
#define SAYS(animal, what) (1u << (8 + (animal)*SAYS_OF_ANIMAL + (what)))

typedef struct {
    char text[240];
    unsigned says;
} Caption;

// full: everything that there is to say, for scoring.
Caption caption_make(const Drawing *d, Random *r, bool full);

// The name of bit number i as it stands in captions.jsonl ("scene", "0.species" ...); NULL where there is none.
const char *mention_name(int i);

#endif
