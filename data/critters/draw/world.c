// world.c - how attributes fall, and the split
//
// Where: between a seed and a drawing. The training set has weaknesses on purpose, so that a learner can find them in
// the model: many fingers are rare, penguins hardly leave the snow, and one drawing comes again and again.
// Read next: studio.c.

#include "world.h"

const char *const KIND_NAME[KINDS] = {"one", "two", "hand"};
const char *const SPECIES_NAME[SPECIES] = {"pygmy hippo", "cat", "dog", "bear",    "rabbit", "pig",
                                           "frog",        "fox", "owl", "penguin", "lion",   "mouse"};
const char *const COLOR_NAME[COLORS_AND_GOLD] = {"red",   "orange", "green", "blue",  "purple", "pink",
                                                 "brown", "grey",   "white", "black", "gold"};
const char *const EYEWEAR_NAME[EYEWEAR] = {"none", "sunglasses", "round glasses", "eye patch"};
const char *const HEADWEAR_NAME[HEADWEAR] = {"none", "top hat", "crown", "party hat", "beanie", "flower"};
const char *const NECKWEAR_NAME[NECKWEAR] = {"none", "bow tie", "scarf"};
const char *const MOOD_NAME[MOODS] = {"happy", "sad", "surprised"};
const char *const SCENE_NAME[SCENES] = {"beach", "night", "forest", "snow", "desert", "city", "space", "plain"};
const char *const SPLIT_NAME[SPLITS] = {"train", "held", "all"};
const char *const NUMBER_NAME[11] = {"", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"};

const ColorName NATURAL_COLOR[SPECIES] = {GREY,  ORANGE, BROWN, BROWN, WHITE,  PINK,
                                          GREEN, ORANGE, BROWN, BLACK, ORANGE, GREY};

// ---- chances -----------------------------------------------------------------------------------------------------

ColorName headwear_color_sample(Random *r, Headwear h) {
    static const ColorName worn[] = {RED, ORANGE, GREEN, BLUE, PURPLE, PINK, WHITE, BLACK};
    return h == CROWN ? GOLD : worn[random_below(r, 8)];
}

static void sample_being(Random *r, Animal *a) {
    a->species = (Species)random_below(r, SPECIES);
    a->color = NATURAL_COLOR[a->species];
    if (!random_percent(r, 25)) a->color = (ColorName)((a->color + 1 + random_below(r, COLORS - 1)) % COLORS);
    a->mood = (Mood)random_below(r, MOODS);
}

static void sample_one(Random *r, Animal *a) {
    sample_being(r, a);
    if (!random_percent(r, 37)) a->eyewear = (Eyewear)(1 + random_below(r, EYEWEAR - 1));
    if (!random_percent(r, 37)) a->headwear = (Headwear)(1 + random_below(r, HEADWEAR - 1));
    if (!random_percent(r, 40)) a->neckwear = (Neckwear)(1 + random_below(r, NECKWEAR - 1));
    a->headwear_color = headwear_color_sample(r, a->headwear);
}

// In a pair an animal wears one thing at most: two animals and four things are more than a short caption can sort out.
static void sample_one_of_two(Random *r, Animal *a) {
    sample_being(r, a);
    int chance = random_below(r, 100);
    if (chance < 22)
        a->eyewear = (Eyewear)(1 + random_below(r, EYEWEAR - 1));
    else if (chance < 47)
        a->headwear = (Headwear)(1 + random_below(r, HEADWEAR - 1));
    a->headwear_color = headwear_color_sample(r, a->headwear);
}

// Of 1000 hands in training. Six fingers and more come to 60.
static int sample_fingers(Random *r, bool training) {
    static const int of_1000[10] = {120, 150, 170, 160, 340, 18, 14, 12, 8, 8};
    int left = random_below(r, 1000), fingers = 1;
    if (!training) return 1 + left % 10;
    while (left >= of_1000[fingers - 1]) left -= of_1000[fingers++ - 1];
    return fingers;
}

static Drawing sample_any(Random *r, uint64_t seed, Kind kind, bool training) {
    Drawing d = {.seed = seed, .kind = kind};
    int chance = random_below(r, 100);
    if (kind == KINDS) d.kind = chance < 66 ? ONE : chance < 87 ? TWO : HAND;
    d.scene = (Scene)random_below(r, SCENES);
    if (d.kind == HAND) {
        d.fingers = sample_fingers(r, training);
        d.hand_color = (ColorName)random_below(r, COLORS);
        if (random_percent(r, 60)) d.scene = PLAIN;
        return d;
    }
    bool penguin = false;
    for (int i = 0; i < (d.kind == TWO ? 2 : 1); i++) {
        if (d.kind == ONE)
            sample_one(r, &d.animal[i]);
        else
            sample_one_of_two(r, &d.animal[i]);
        penguin = penguin || d.animal[i].species == PENGUIN;
    }
    if (training && penguin)
        d.scene = random_below(r, 20) ? SNOW : (Scene)((SNOW + 1 + random_below(r, SCENES - 1)) % SCENES);
    return d;
}

Drawing drawing_repeated(void) {
    Animal owl = {.species = OWL, .color = GREY, .eyewear = ROUND_GLASSES, .neckwear = SCARF, .mood = HAPPY};
    return (Drawing){.seed = 1969, .kind = ONE, .animal = {owl}, .scene = NIGHT, .repeated = true};
}

// By rejection: draw until it falls in the split that is wanted. Only the training set has training's weaknesses.
Drawing drawing_sample(uint64_t seed, Split split, Kind kind) {
    Random r = random_begin(seed, 1);
    bool training = split == TRAIN;
    if (random_below(&r, 20) == 0 && training && (kind == ONE || kind == KINDS)) return drawing_repeated();
    for (;;) {
        Drawing d = sample_any(&r, seed, kind, training);
        if (split == ALL || drawing_split(&d) == split) return d;
    }
}

// ---- the split ---------------------------------------------------------------------------------------------------

// FNV-1a over small numbers, then mixed, so that "modulo ten" sees all of it.
static uint64_t hash_numbers(const int *number, int count) {
    uint64_t h = 0xcbf29ce484222325u;
    for (int i = 0; i < count; i++) h = (h ^ (uint64_t)number[i]) * 0x100000001b3u;
    return mix64(h);
}

static bool one_is_held(const Drawing *d) {
    const Animal *a = &d->animal[0];
    if (a->species == HIPPO && a->eyewear == SUNGLASSES && d->scene == BEACH)
        return true;  // the prompt everybody tries first
    int combination[] = {ONE, a->species, a->color, a->eyewear, a->headwear, d->scene};
    return hash_numbers(combination, 6) % 10 == 0;
}

// A tenth of the unordered pairs is held both ways round; of another fifth, one way round is held and the other trains:
// does "left of" mean anything to the model where it has only seen the opposite?
static bool two_is_held(const Drawing *d) {
    int left = d->animal[0].species * COLORS + d->animal[0].color,
        right = d->animal[1].species * COLORS + d->animal[1].color;
    int combination[] = {TWO, left < right ? left : right, left < right ? right : left};
    uint64_t h = hash_numbers(combination, 3);
    if (h % 10 == 0) return true;
    if (h % 10 > 2 || left == right) return false;
    return (left < right) == (bool)(h >> 63);
}

Split drawing_split(const Drawing *d) {
    if (d->repeated) return TRAIN;
    if (d->kind == ONE) return one_is_held(d) ? HELD : TRAIN;
    if (d->kind == TWO) return two_is_held(d) ? HELD : TRAIN;
    int combination[] = {HAND, d->fingers, d->hand_color, d->scene};
    return hash_numbers(combination, 4) % 10 == 0 ? HELD : TRAIN;
}
