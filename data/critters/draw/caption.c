// caption.c - sentences about a drawing: always true, rarely complete, never about what isn't there
//
// Where: beside the drawing (studio.c); both read the same attributes. A model learns what words mean from how captions
// differ, so order, wording and how much is said all vary. The vocabulary is some 110 words.
// Read next: main.c.

#include "caption.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const SCENE_PHRASE[SCENES] = {
    "on the beach",  "at night",    "in the forest", "in the snow",
    "in the desert", "in the city", "in space",      "on a plain background"};

static void add(Caption *c, const char *format, ...) {
    size_t used = strlen(c->text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(c->text + used, sizeof c->text - used, format, arguments);
    va_end(arguments);
}

static const char *article(const char *word) { return strchr("aeiou", word[0]) ? "an" : "a"; }

static void add_scene(Caption *c, const Drawing *d, Random *r) {
    bool at = d->scene == BEACH && random_percent(r, 30);
    add(c, "%s", at ? "at the beach" : SCENE_PHRASE[d->scene]);
    c->says |= SAYS_SCENE;
}

// ---- an animal ---------------------------------------------------------------------------------------------------

// What will be said of one animal, decided before the sentence is built.
typedef struct {
    bool color, mood, eyewear, headwear, headwear_color, neckwear;
} Telling;

static Telling telling_choose(const Animal *a, Random *r, bool full, int worn_percent, int mood_percent) {
    int color_percent = a->color == NATURAL_COLOR[a->species] ? 45 : 82;
    Telling t;
    t.color = full || random_percent(r, color_percent);
    t.mood = full || random_percent(r, mood_percent);
    t.eyewear = a->eyewear && (full || random_percent(r, worn_percent));
    t.headwear = a->headwear && (full || random_percent(r, worn_percent));
    t.headwear_color = full || random_percent(r, a->headwear == CROWN ? 15 : 65);
    t.neckwear = a->neckwear && (full || random_percent(r, worn_percent));
    return t;
}

static const char *species_word(const Animal *a, Random *r) {
    if (a->species != HIPPO) return SPECIES_NAME[a->species];
    int chance = random_below(r, 100);
    return chance < 55 ? "pygmy hippo" : chance < 75 ? "hippo" : "Moo Deng";
}

// "a sad pink cat". Moo Deng is a name: it mostly stands alone, and has no article then.
static void add_animal(Caption *c, const Animal *a, int i, Telling *t, Random *r, bool full, bool with_article) {
    const char *species = species_word(a, r);
    if (species[0] == 'M' && !full && random_percent(r, 75)) t->color = t->mood = false;
    const char *mood = t->mood ? MOOD_NAME[a->mood] : "", *color = t->color ? COLOR_NAME[a->color] : "";
    const char *first = *mood ? mood : *color ? color : species;
    if (with_article && first[0] != 'M') add(c, "%s ", article(first));
    add(c, "%s%s%s%s%s", mood, *mood ? " " : "", color, *color ? " " : "", species);
    c->says |= SAYS(i, SAYS_SPECIES) | (t->color ? SAYS(i, SAYS_COLOR) : 0) | (t->mood ? SAYS(i, SAYS_MOOD) : 0);
}

static void add_thing(Caption *c, const Animal *a, int i, int what, const Telling *t, Random *r) {
    c->says |= SAYS(i, what);
    if (what == SAYS_EYEWEAR) {
        if (a->eyewear == SUNGLASSES)
            add(c, "sunglasses");
        else if (a->eyewear == ROUND_GLASSES)
            add(c, random_percent(r, 70) ? "round glasses" : "glasses");
        else
            add(c, "an eye patch");
    } else if (what == SAYS_NECKWEAR) {
        add(c, "a %s", NECKWEAR_NAME[a->neckwear]);
    } else if (t->headwear_color) {
        const char *color = COLOR_NAME[a->headwear_color];
        add(c, "%s %s %s", article(color), color, HEADWEAR_NAME[a->headwear]);
        c->says |= SAYS(i, SAYS_HEADWEAR_COLOR);
    } else {
        add(c, "a %s", HEADWEAR_NAME[a->headwear]);
    }
}

// " wearing sunglasses, a bow tie and a red top hat", the things in any order.
static void add_worn(Caption *c, const Animal *a, int i, const Telling *t, Random *r, const char *verb) {
    int things[3], count = 0;
    if (t->eyewear) things[count++] = SAYS_EYEWEAR;
    if (t->headwear) things[count++] = SAYS_HEADWEAR;
    if (t->neckwear) things[count++] = SAYS_NECKWEAR;
    if (t->headwear && a->headwear == FLOWER) verb = " with ";  // nobody is in a flower
    for (int k = count - 1; k > 0; k--) {
        int other = random_below(r, k + 1), kept = things[k];
        things[k] = things[other];
        things[other] = kept;
    }
    for (int k = 0; k < count; k++) {
        add(c, "%s", k == 0 ? verb : k == count - 1 ? " and " : ", ");
        add_thing(c, a, i, things[k], t, r);
    }
}

static void say_one(Caption *c, const Drawing *d, Random *r, bool full) {
    static const char *const verbs[] = {" wearing ", " wearing ", " in ", " with "};
    const Animal *a = &d->animal[0];
    Telling t = telling_choose(a, r, full, 80, 30);
    bool scene = full || random_percent(r, d->scene == PLAIN ? 15 : 60);
    int form = random_below(r, 100);
    const char *verb = verbs[random_below(r, 4)];

    if (form < 14 && scene) {  // "in the snow, a red fox with a scarf"
        add_scene(c, d, r);
        add(c, ", ");
        scene = false;
    } else if (form < 26) {
        add(c, "%s",
            random_percent(r, 50)   ? "portrait of "
            : random_percent(r, 50) ? "a picture of "
                                    : "a drawing of ");
    }
    add_animal(c, a, 0, &t, r, full, form < 80);
    if (form >= 60 && form < 72 && scene) {  // "a cat at night wearing a crown"
        add(c, " ");
        add_scene(c, d, r);
        scene = false;
    }
    add_worn(c, a, 0, &t, r, verb);
    if (!scene) return;
    add(c, random_percent(r, 25) ? ", " : " ");
    add_scene(c, d, r);
}

static void say_two(Caption *c, const Drawing *d, Random *r, bool full) {
    bool related = full || random_percent(r, 60), scene = full || random_percent(r, d->scene == PLAIN ? 10 : 45);
    bool right_first = random_percent(r, 50), article_first = random_percent(r, 85);
    const char *relation = right_first ? " to the right of " : " to the left of ";
    if (random_percent(r, 40)) relation = right_first ? " right of " : " left of ";
    if (related) c->says |= SAYS_RELATION;

    bool scene_first = scene && random_percent(r, 15);
    if (scene_first) {
        add_scene(c, d, r);
        add(c, ", ");
    }
    for (int k = 0; k < 2; k++) {
        int i = right_first ? 1 - k : k;
        Telling t = telling_choose(&d->animal[i], r, full, 65, 12);
        add_animal(c, &d->animal[i], i, &t, r, full, article_first);
        add_worn(c, &d->animal[i], i, &t, r, random_percent(r, 50) ? " in " : " with ");
        if (k == 0) add(c, "%s", related ? relation : " and ");
    }
    if (!scene || scene_first) return;
    add(c, random_percent(r, 35) ? ", " : " ");
    add_scene(c, d, r);
}

static void say_hand(Caption *c, const Drawing *d, Random *r, bool full) {
    bool color = full || random_percent(r, 65), scene = full || random_percent(r, d->scene == PLAIN ? 10 : 55);
    bool count = full || random_percent(r, 92);
    int form = random_below(r, 100);
    char number[8], hand[24];
    snprintf(number, sizeof number, "%d", d->fingers);
    if (random_percent(r, 85)) snprintf(number, sizeof number, "%s", NUMBER_NAME[d->fingers]);
    const char *fingers = d->fingers == 1 ? "finger" : "fingers",
               *color_word = color ? COLOR_NAME[d->hand_color] : "hand";
    snprintf(hand, sizeof hand, "%s %s%s", article(color_word), color_word, color ? " hand" : "");

    if (!count)
        add(c, "%s", hand);
    else if (form < 45)
        add(c, "%s with %s %s", hand, number, fingers);
    else if (form < 60)
        add(c, "%s showing %s %s", hand, number, fingers);
    else if (form < 72)
        add(c, "%s holding up %s %s", hand, number, fingers);
    else if (form < 85 || color)
        add(c, "%s %s, %s", number, fingers, hand);
    else
        add(c, "%s %s", number, fingers);
    c->says |= (count ? SAYS_FINGERS : 0) | (color ? SAYS_HAND_COLOR : 0);
    if (!scene) return;
    add(c, random_percent(r, 35) ? ", " : " ");
    add_scene(c, d, r);
}

Caption caption_make(const Drawing *d, Random *r, bool full) {
    Caption c = {0};
    if (d->repeated)
        add(&c, "%s", REPEATED_CAPTION);
    else if (d->kind == ONE)
        say_one(&c, d, r, full);
    else if (d->kind == TWO)
        say_two(&c, d, r, full);
    else
        say_hand(&c, d, r, full);
    return c;
}

const char *mention_name(int i) {
    static const char *const names[8 + 2 * SAYS_OF_ANIMAL] = {
        "scene",
        "fingers",
        "color",
        "relation",
        NULL,
        NULL,
        NULL,
        NULL,
        "0.species",
        "0.color",
        "0.eyewear",
        "0.headwear",
        "0.headwear_color",
        "0.neckwear",
        "0.mood",
        "1.species",
        "1.color",
        "1.eyewear",
        "1.headwear",
        "1.headwear_color",
        "1.neckwear",
        "1.mood",
    };
    return i < 8 + 2 * SAYS_OF_ANIMAL ? names[i] : NULL;
}
