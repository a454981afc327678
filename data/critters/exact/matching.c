// matching.c - see exact_data.h: which drawings does a prompt mean?
//
// A prompt is read as the painter would (../grade/caption_read.h), and a drawing is meant if it has every attribute that
// was said; what wasn't may be anything. So "a red cat" means cats with hats, too, but no pairs of animals: how many there
// are is always said. Who of two stands left is only looked at where the prompt says it.
// Read next: ../grade/caption_read.c.

#include "critters/exact/exact_data.h"

#include "critters/grade/caption_read.h"

#include <stdio.h>
#include <string.h>

static bool same_in_animal(int what, const Animal *a, const Animal *b) {
    switch (what) {
    case SAYS_SPECIES: return a->species == b->species;
    case SAYS_COLOR: return a->color == b->color;
    case SAYS_EYEWEAR: return a->eyewear == b->eyewear;
    case SAYS_HEADWEAR: return a->headwear == b->headwear;
    case SAYS_HEADWEAR_COLOR: return a->headwear_color == b->headwear_color;
    case SAYS_NECKWEAR: return a->neckwear == b->neckwear;
    default: return a->mood == b->mood;
    }
}

// Whether both have the same in what bit number i of `says` stands for
static bool same_in(int i, const Drawing *a, const Drawing *b) {
    switch (1u << i) {
    case SAYS_SCENE: return a->scene == b->scene;
    case SAYS_FINGERS: return a->fingers == b->fingers;
    case SAYS_HAND_COLOR: return a->hand_color == b->hand_color;
    case SAYS_RELATION: return true;  // says which of the animals is which; it's no attribute of its own
    default: break;
    }
    int of_animal = i - 8;
    return same_in_animal(of_animal % SAYS_OF_ANIMAL, &a->animal[of_animal / SAYS_OF_ANIMAL],
                          &b->animal[of_animal / SAYS_OF_ANIMAL]);
}

enum { SAYS_BITS = 8 + 2 * SAYS_OF_ANIMAL };

// What was said and isn't so, a bit each
static unsigned lacks(const CaptionReading *said, const Drawing *drawing) {
    unsigned bits = 0;
    for (int i = 0; i < SAYS_BITS; i++)
        if (said->says >> i & 1 && !same_in(i, &said->drawing, drawing)) bits |= 1u << i;
    return bits;
}

static unsigned lacks_in_any_order(const CaptionReading *said, const Drawing *drawing) {
    unsigned bits = lacks(said, drawing);
    if (said->drawing.kind != TWO || said->says & SAYS_RELATION) return bits;
    Drawing swapped = *drawing;
    swapped.animal[0] = drawing->animal[1], swapped.animal[1] = drawing->animal[0];
    unsigned other = lacks(said, &swapped);
    return __builtin_popcount(other) < __builtin_popcount(bits) ? other : bits;
}

// No drawing has all of it. lack_one[i]: how many have all but what bit i stands for
static bool refuse(const char *prompt, size_t count, const size_t lack_one[SAYS_BITS], Error *error) {
    int most = 0;
    for (int i = 0; i < SAYS_BITS; i++)
        if (lack_one[i] > lack_one[most]) most = i;
    char nearly[80] = "";
    if (lack_one[most] > 0) {
        const char *name = mention_name(most), *dot = strchr(name, '.');  // "0.eyewear"
        snprintf(nearly, sizeof nearly, ", %zu but for the %s", lack_one[most], dot ? dot + 1 : name);
    }
    return error_set(
        error,
        "prompt: \"%s\": none of %zu drawings is so%s, and the exact denoiser can't draw what isn't there; say "
        "less, or take more drawings",
        prompt, count, nearly);
}

bool exact_data_match(const void *matcher, const char *prompt, size_t *index, size_t *count, Error *error) {
    const ExactData *data = matcher;
    CaptionReading said;
    if (!caption_read(prompt, 0, &said, error)) return false;
    size_t all = data->denoiser.set.count, lack_one[SAYS_BITS] = {0};
    *count = 0;
    for (size_t i = 0; i < all; i++) {
        const Drawing *drawing = &data->drawings[i];
        if (drawing->kind != said.drawing.kind || (said.drawing.repeated && !drawing->repeated)) continue;
        unsigned bits = lacks_in_any_order(&said, drawing);
        if (bits == 0) index[(*count)++] = i;
        if (__builtin_popcount(bits) == 1) lack_one[__builtin_ctz(bits)]++;
    }
    return *count > 0 || refuse(prompt, all, lack_one, error);
}
