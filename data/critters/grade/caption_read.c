// caption_read.c - see caption_read.h
//
// A caption is read from left to right, phrase by phrase. A noun (an animal, something worn, a hand, a place) takes the
// adjectives that wait before it; something worn goes to the animal named last. That is all the grammar that caption.c
// has.
// Read next: words_grade.c, for which this is done.

#include "critters/grade/caption_read.h"

#include "base/text.h"

#include <string.h>

typedef struct Waiting {  // an adjective before its noun
    bool is;
    int value;
    size_t word;
} Waiting;

typedef struct Reader {
    const char *caption;
    CaptionReading *out;
    Error *error;
    Waiting waiting[WORD_KINDS];  // only of WORD_COLOR, WORD_MOOD and WORD_NUMBER
    int animals;                  // named so far
    bool hand, ordered, swapped;  // swapped: the animal that is named first stands on the right
} Reader;

// "WORD: why"
static bool refuse(const Reader *r, size_t word, const char *why) {
    const CaptionWord *w = &r->out->words[word];
    int length = (int)text_whole(r->caption + w->start, w->end - w->start < 40 ? w->end - w->start : 40);
    return error_set(r->error, "%.*s: %s", length, r->caption + w->start, why);
}

static bool refuse_unknown(const Reader *r, size_t word) {
    char why[800] = "not in the critters' world; it knows ";
    size_t used = strlen(why);
    phrase_list(why + used, sizeof why - used);
    return refuse(r, word, why);
}

// ---- from phrases to a drawing --------------------------------------------------------------------------------------

// What the caption may leave open, before it is read. All is drawn whether it is needed or not, so that a word more or
// less changes only what it says.
static Drawing drawing_unsaid(uint64_t seed, bool *swapped) {
    Random random = random_begin(seed, 5);  // 1 to 4 are the painter's
    Drawing d = {.seed = seed, .scene = PLAIN};
    for (int i = 0; i < 2; i++) {
        d.animal[i].mood = (Mood)random_below(&random, MOODS);
        d.animal[i].headwear_color = headwear_color_sample(&random, TOP_HAT);
    }
    d.fingers = 1 + random_below(&random, 5);
    d.hand_color = (ColorName)random_below(&random, COLORS);
    *swapped = random_percent(&random, 50);
    return d;
}

static uint32_t part_bit(int animal, int part) { return 1u << ((animal ? THING_ANIMAL_2 : THING_ANIMAL) + part); }
static uint32_t animal_bits(int animal) { return part_bit(animal, PART_BODY) * 0xf; }
static const uint32_t SCENE_BIT = 1u << THING_SCENE, FINGER_BITS = 0x3ffu << THING_FINGER,
                      HAND_BITS = 0x3ffu << THING_FINGER | 1u << THING_HAND;

// Gives a noun its adjective, which then speaks of the same things. False if none waits: *value is as it was.
static bool take_adjective(Reader *r, WordKind kind, uint32_t things, int *value) {
    Waiting *waiting = &r->waiting[kind];
    if (!waiting->is) return false;
    *value = waiting->value;
    r->out->words[waiting->word].things = things;
    waiting->is = false;
    return true;
}

// An adjective still waits behind which no noun came that takes it
static bool refuse_waiting(const Reader *r, WordKind kind) {
    static const char *const why[WORD_KINDS] = {
        [WORD_COLOR] = "whose colour? only animals, hats, flowers and hands have one here; put it right before one",
        [WORD_MOOD] = "whose mood? only animals have one; put it right before one",
        [WORD_NUMBER] = "of what? only fingers are counted; write 'five fingers'",
    };
    return refuse(r, r->waiting[kind].word, why[kind]);
}

static bool adjectives_fit(const Reader *r, WordKind noun) {
    bool colored = noun == WORD_SPECIES || noun == WORD_HEADWEAR || noun == WORD_HAND || noun == WORD_MOOD,
         moody = noun == WORD_SPECIES || noun == WORD_COLOR, counted = noun == WORD_FINGERS;
    if (r->waiting[WORD_COLOR].is && !colored) return refuse_waiting(r, WORD_COLOR);
    if (r->waiting[WORD_MOOD].is && !moody) return refuse_waiting(r, WORD_MOOD);
    if (r->waiting[WORD_NUMBER].is && !counted) return refuse_waiting(r, WORD_NUMBER);
    return true;
}

static bool read_species(Reader *r, size_t word, Species species) {
    if (r->hand) return refuse(r, word, "a drawing has a hand or animals, not both; leave one out");
    if (r->animals == 2) return refuse(r, word, "a third animal; a drawing has one or two");
    int i = r->animals++, color = NATURAL_COLOR[species], mood = r->out->drawing.animal[i].mood;
    size_t color_word = r->waiting[WORD_COLOR].word;
    r->out->words[word].things = animal_bits(i);
    r->out->says |= SAYS(i, SAYS_SPECIES);
    if (take_adjective(r, WORD_COLOR, animal_bits(i), &color)) r->out->says |= SAYS(i, SAYS_COLOR);
    if (take_adjective(r, WORD_MOOD, animal_bits(i), &mood)) r->out->says |= SAYS(i, SAYS_MOOD);
    if (color == GOLD) return refuse(r, color_word, "only a crown is golden here; choose another colour");
    Animal *a = &r->out->drawing.animal[i];
    a->species = species, a->color = (ColorName)color, a->mood = (Mood)mood;
    return true;
}

static bool read_worn(Reader *r, size_t word, WordKind kind, int value) {
    if (r->animals == 0) return refuse(r, word, "worn by whom? name the animal first");
    int i = r->animals - 1;
    Animal *a = &r->out->drawing.animal[i];
    bool again = kind == WORD_EYEWEAR ? a->eyewear : kind == WORD_HEADWEAR ? a->headwear : a->neckwear;
    if (again) return refuse(r, word, "that animal wears such a thing already; leave one out");
    int part = kind == WORD_EYEWEAR ? PART_EYEWEAR : kind == WORD_HEADWEAR ? PART_HEADWEAR : PART_NECKWEAR;
    r->out->words[word].things = part_bit(i, part);
    if (kind == WORD_EYEWEAR) {
        a->eyewear = (Eyewear)value;
        r->out->says |= SAYS(i, SAYS_EYEWEAR);
    } else if (kind == WORD_NECKWEAR) {
        a->neckwear = (Neckwear)value;
        r->out->says |= SAYS(i, SAYS_NECKWEAR);
    } else {
        a->headwear = (Headwear)value;
        r->out->says |= SAYS(i, SAYS_HEADWEAR);
        int color = value == CROWN ? GOLD : (int)a->headwear_color;
        size_t color_word = r->waiting[WORD_COLOR].word;
        if (take_adjective(r, WORD_COLOR, part_bit(i, part), &color)) r->out->says |= SAYS(i, SAYS_HEADWEAR_COLOR);
        if ((color == GOLD) != (value == CROWN))
            return refuse(r, color_word, "a crown is golden here, and nothing else is; leave the colour out");
        a->headwear_color = (ColorName)color;
    }
    return true;
}

static bool read_hand(Reader *r, size_t word, WordKind kind) {
    Drawing *d = &r->out->drawing;
    if (r->animals) return refuse(r, word, "a drawing has a hand or animals, not both; leave one out");
    for (size_t i = 0; i < word; i++)
        if (r->out->words[i].kind == kind) return refuse(r, word, "a second time; a drawing has one hand");
    r->hand = true;
    r->out->words[word].things = kind == WORD_HAND ? HAND_BITS : FINGER_BITS;
    if (kind == WORD_FINGERS) {
        if (take_adjective(r, WORD_NUMBER, FINGER_BITS, &d->fingers)) r->out->says |= SAYS_FINGERS;
        return true;
    }
    int color = d->hand_color;
    size_t color_word = r->waiting[WORD_COLOR].word;
    if (take_adjective(r, WORD_COLOR, HAND_BITS, &color)) r->out->says |= SAYS_HAND_COLOR;
    if (color == GOLD) return refuse(r, color_word, "only a crown is golden here; choose another colour");
    d->hand_color = (ColorName)color;
    return true;
}

static bool read_phrase(Reader *r, size_t word, WordKind kind, int value) {
    if (kind == WORD_FILLER) return true;
    if (!adjectives_fit(r, kind)) return false;
    switch (kind) {
    case WORD_COLOR:
    case WORD_MOOD:
    case WORD_NUMBER: r->waiting[kind] = (Waiting){true, value, word}; return true;
    case WORD_SPECIES: return read_species(r, word, (Species)value);
    case WORD_HAND:
    case WORD_FINGERS: return read_hand(r, word, kind);
    case WORD_SCENE:
        if (r->out->says & SAYS_SCENE) return refuse(r, word, "a second place; a drawing has one");
        r->out->drawing.scene = (Scene)value;
        r->out->words[word].things = SCENE_BIT;
        r->out->says |= SAYS_SCENE;
        return true;
    case WORD_ORDER:
        if (r->animals != 1 || r->ordered) return refuse(r, word, "of whom? it stands between two animals");
        r->ordered = true;
        r->swapped = value == RIGHT_OF;
        r->out->says |= SAYS_RELATION;
        return true;
    default: return read_worn(r, word, kind, value);
    }
}

// ---- the whole ------------------------------------------------------------------------------------------------------

// What the words said of the first and the second animal is now said of the second and the first.
static void swap_animals(CaptionReading *out) {
    Animal first = out->drawing.animal[0];
    out->drawing.animal[0] = out->drawing.animal[1], out->drawing.animal[1] = first;
    unsigned of_first = SAYS(1, 0) - SAYS(0, 0), of_second = of_first << SAYS_OF_ANIMAL;
    out->says = (out->says & ~(of_first | of_second)) | (out->says & of_first) << SAYS_OF_ANIMAL |
                (out->says & of_second) >> SAYS_OF_ANIMAL;
    for (size_t i = 0; i < out->word_count; i++) {
        uint32_t *things = &out->words[i].things, apart = THING_ANIMAL_2 - THING_ANIMAL;
        *things = (*things & ~(animal_bits(0) | animal_bits(1))) | (*things & animal_bits(0)) << apart |
                  (*things & animal_bits(1)) >> apart;
    }
}

static bool reading_finish(Reader *r) {
    if (!adjectives_fit(r, WORD_FILLER)) return false;
    if (!r->animals && !r->hand)
        return error_set(r->error, "caption: it names nothing to draw; name an animal, or a hand");
    if (r->ordered && r->animals < 2)
        return error_set(r->error, "caption: left or right of whom? name a second animal behind it");
    r->out->drawing.kind = r->hand ? HAND : r->animals == 2 ? TWO : ONE;
    if (r->animals == 2 && r->swapped) swap_animals(r->out);
    return true;
}

// The one drawing whose caption isn't about attributes
static void read_repeated(Reader *r) {
    r->out->drawing = drawing_repeated();
    for (size_t i = 0; i < r->out->word_count; i++) {
        CaptionWord *word = &r->out->words[i];
        if (phrase_words(r->caption, word, 1, "old") || phrase_words(r->caption, word, 1, "owl")) {
            word->kind = WORD_SPECIES;
            word->things = animal_bits(0);
        } else if (phrase_words(r->caption, word, 1, "silver") || phrase_words(r->caption, word, 1, "moon")) {
            word->kind = WORD_SCENE;
            word->things = SCENE_BIT;
        }
    }
}

bool caption_read(const char *caption, uint64_t seed, CaptionReading *out, Error *error) {
    *out = (CaptionReading){0};
    Reader r = {.caption = caption, .out = out, .error = error};
    size_t count = caption_words(caption, out->words, CAPTION_WORDS);
    if (count > CAPTION_WORDS) return error_set(error, "caption: more than %d words; say less", CAPTION_WORDS);
    out->word_count = count;
    if (count && phrase_words(caption, out->words, count, REPEATED_CAPTION) == count) {
        read_repeated(&r);
        return true;
    }
    out->drawing = drawing_unsaid(seed, &r.swapped);
    for (size_t i = 0, taken; i < count; i += taken) {
        Phrase phrase;
        taken = phrase_find(caption, out->words + i, count - i, &phrase);
        if (taken == 0) return refuse_unknown(&r, i);
        if (!read_phrase(&r, i, phrase.kind, phrase.value)) return false;
        for (size_t k = 0; k < taken; k++) {
            out->words[i + k].kind = phrase.kind;
            out->words[i + k].things = out->words[i].things;
        }
    }
    return reading_finish(&r);
}

size_t things_mask(const Canvas *canvas, uint32_t things, uint8_t mask[PIXELS]) {
    size_t count = 0;
    for (size_t i = 0; i < PIXELS; i++) {
        mask[i] = things >> canvas->thing[i] & 1;
        count += mask[i];
    }
    return count;
}
