// test_caption_read.c - captions of the critters' world, read back into drawings

#include "critters/grade/caption_read.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

// ---- what was said is read ------------------------------------------------------------------------------------------

static bool animal_as_said(const Animal *a, const Animal *b, unsigned says) {
    return (!(says >> SAYS_SPECIES & 1) || a->species == b->species) &&
           (!(says >> SAYS_COLOR & 1) || a->color == b->color) && (!(says >> SAYS_MOOD & 1) || a->mood == b->mood) &&
           (!(says >> SAYS_HEADWEAR_COLOR & 1) || a->headwear_color == b->headwear_color) &&
           a->eyewear == (says >> SAYS_EYEWEAR & 1 ? b->eyewear : EYES_BARE) &&
           a->headwear == (says >> SAYS_HEADWEAR & 1 ? b->headwear : HEAD_BARE) &&
           a->neckwear == (says >> SAYS_NECKWEAR & 1 ? b->neckwear : NECK_BARE);
}

static unsigned of_animal(unsigned says, int i) {
    return (says / SAYS(0, 0) >> i * SAYS_OF_ANIMAL) & ((1u << SAYS_OF_ANIMAL) - 1);
}

// exchanged: the reading's left animal is the drawing's right one
static bool as_said(const CaptionReading *reading, const Drawing *d, unsigned says, bool exchanged) {
    const unsigned of_drawing = SAYS(0, 0) - 1;
    if ((reading->says & of_drawing) != (says & of_drawing) || reading->drawing.kind != d->kind) return false;
    if (reading->drawing.scene != (says & SAYS_SCENE ? d->scene : PLAIN)) return false;
    if ((says & SAYS_FINGERS) && reading->drawing.fingers != d->fingers) return false;
    if ((says & SAYS_HAND_COLOR) && reading->drawing.hand_color != d->hand_color) return false;
    for (int i = 0; i < (d->kind == HAND ? 0 : d->kind == TWO ? 2 : 1); i++) {
        int other = exchanged ? 1 - i : i;
        unsigned said = of_animal(says, other);
        if (of_animal(reading->says, i) != said) return false;
        if (!animal_as_said(&reading->drawing.animal[i], &d->animal[other], said)) return false;
    }
    return true;
}

// 2,000 drawings of all kinds, from training and held out, six captions each. Only where a caption doesn't say who
// stands left may the two be exchanged.
static void test_captions_come_back(void) {
    int exchanged = 0, pairs = 0;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        Drawing d = drawing_sample(seed, seed % 2 ? TRAIN : HELD, KINDS);
        Random random = random_begin(seed, 4);
        for (int k = 0; k < 6; k++) {
            Caption caption = caption_make(&d, &random, k == 0);
            CaptionReading reading;
            Error error = {0};
            bool ok = caption_read(caption.text, seed, &reading, &error);
            EXPECT(ok, "%s: %s", caption.text, error.message);
            if (!ok || d.repeated) continue;
            bool straight = as_said(&reading, &d, caption.says, false), free = !(caption.says & SAYS_RELATION);
            bool crossed = d.kind == TWO && free && as_said(&reading, &d, caption.says, true);
            EXPECT(straight || crossed, "%s: not as drawn", caption.text);
            exchanged += !straight, pairs += d.kind == TWO && free;
        }
    }
    EXPECT(exchanged > pairs / 4 && exchanged < pairs * 3 / 4, "%d of %d pairs without an order exchanged", exchanged,
           pairs);
}

static void test_the_repeated_drawing(void) {
    CaptionReading reading;
    Error error = {0};
    EXPECT(caption_read(REPEATED_CAPTION, 3, &reading, &error), "%s", error.message);
    EXPECT(reading.drawing.repeated && reading.drawing.seed == drawing_repeated().seed, "it is another drawing");
    EXPECT(reading.words[2].kind == WORD_SPECIES && reading.words[6].kind == WORD_SCENE, "owl and moon mean nothing");
}

// ---- which word speaks of what --------------------------------------------------------------------------------------

static const CaptionReading *read_well(const char *caption, uint64_t seed) {
    static CaptionReading reading;
    Error error = {0};
    EXPECT(caption_read(caption, seed, &reading, &error), "%s: %s", caption, error.message);
    return &reading;
}

enum { LEFT = 0xf << THING_ANIMAL, RIGHT = 0xf << THING_ANIMAL_2, PLACE = 1 << THING_SCENE };

static void expect_things(const char *caption, const uint32_t *things, size_t count) {
    const CaptionReading *reading = read_well(caption, 1);
    EXPECT(reading->word_count == count, "%s: %zu words", caption, reading->word_count);
    for (size_t i = 0; i < count; i++) {
        const CaptionWord *word = &reading->words[i];
        EXPECT(word->things == things[i], "%s: %.*s speaks of %x, not of %x", caption, (int)(word->end - word->start),
               caption + word->start, word->things, things[i]);
    }
}

static void test_things_of_words(void) {
    const uint32_t hat = 1 << (THING_ANIMAL + PART_HEADWEAR), glasses = 1 << (THING_ANIMAL + PART_EYEWEAR);
    const uint32_t one[] = {0, LEFT, LEFT, LEFT, LEFT, 0, glasses, 0, 0, hat, hat, hat, 0, 0, PLACE};
    expect_things("a sad blue Pygmy hippo wearing sunglasses and a blue TOP hat, on the beach", one, 15);
}

static void test_things_of_pairs_and_hands(void) {
    const uint32_t scarf = 1 << (THING_ANIMAL_2 + PART_NECKWEAR);
    const uint32_t pair[] = {0, PLACE, RIGHT, RIGHT, 0, 0, scarf, 0, 0, 0, 0, 0, LEFT, LEFT};
    expect_things("at night, Moo Deng with a scarf to the right of a red fox", pair, 14);
    const uint32_t fingers = 0x3ff << THING_FINGER, hand = fingers | 1 << THING_HAND;
    const uint32_t hands[] = {fingers, fingers, 0, hand, hand, 0, 0, PLACE, PLACE};
    expect_things("three fingers, a green hand on a plain background", hands, 9);
}

static void test_words_know_their_bytes(void) {
    const char *caption = "  A cat,in glasses";
    const CaptionReading *reading = read_well(caption, 0);
    const CaptionWord *last = &reading->words[3];
    EXPECT(reading->word_count == 4 && last->start == 11 && last->end == 18 && last->kind == WORD_EYEWEAR,
           "%zu words, the last from %zu to %zu", reading->word_count, last->start, last->end);
}

// ---- what is left open ----------------------------------------------------------------------------------------------

static void test_unsaid(void) {
    const CaptionReading *reading = read_well("a pig", 0);
    const Animal *pig = &reading->drawing.animal[0];
    EXPECT(pig->color == PINK && !pig->eyewear && !pig->headwear && !pig->neckwear && reading->drawing.scene == PLAIN,
           "an unasked-for thing");
    int moods[MOODS] = {0};
    for (uint64_t seed = 0; seed < 60; seed++) moods[read_well("a pig", seed)->drawing.animal[0].mood]++;
    for (int m = 0; m < MOODS; m++) EXPECT(moods[m] > 5, "%s: %d of 60", MOOD_NAME[m], moods[m]);
    Mood before = read_well("a pig with a top hat", 7)->drawing.animal[0].mood;
    EXPECT(read_well("a red pig at night", 7)->drawing.animal[0].mood == before, "a word more changed the mood");
    EXPECT(read_well("a hand with 10 fingers", 7)->drawing.fingers == 10, "ten");
}

// ---- what can't be read ---------------------------------------------------------------------------------------------

static void expect_refusal(const char *caption, const char *message) {
    CaptionReading reading;
    Error error = {0};
    EXPECT(!caption_read(caption, 0, &reading, &error), "read '%s'", caption);
    EXPECT(strstr(error.message, message) && strstr(error.message, ": "), "%s: '%s', expected '%s'", caption,
           error.message, message);
}

static void test_refusals(void) {
    expect_refusal("a giraffe", "giraffe: not in the critters' world; it knows pygmy hippo, cat");
    expect_refusal("a giraffe", "a hand with one to ten fingers");
    expect_refusal("a cat without a hat", "without: not in");
    expect_refusal("a cat in a hat", "hat: not in");
    expect_refusal("a caf\xc3\xa9 \xff", "caf\xc3\xa9: not in");
    expect_refusal("", "nothing to draw");
    expect_refusal(" ,. on the beach", "nothing to draw");
    expect_refusal("sunglasses on a cat", "sunglasses: worn by whom?");
    expect_refusal("a cat in a red crown", "red: a crown is golden");
    expect_refusal("a cat in a gold top hat", "gold: a crown is golden");
    expect_refusal("a gold cat", "gold: only a crown");
    expect_refusal("a gold hand", "gold: only a crown");
    expect_refusal("a cat in red sunglasses", "red: whose colour?");
    expect_refusal("a cat in red", "red: whose colour?");
    expect_refusal("a red blue cat", "red: whose colour?");
    expect_refusal("a cat in a sad top hat", "sad: whose mood?");
    expect_refusal("one cat", "one: of what?");
    expect_refusal("a cat, a dog and a pig", "pig: a third animal");
    expect_refusal("a cat and a hand", "hand: a drawing has");
    expect_refusal("a hand and a cat", "cat: a drawing has");
    expect_refusal("two fingers, a hand with three fingers", "fingers: a second time");
    expect_refusal("a cat at night on the beach", "beach: a second place");
    expect_refusal("a cat with a crown and a top hat", "top: that animal wears");
    expect_refusal("left of a cat", "left: of whom?");
    expect_refusal("a cat left of", "second animal");
    expect_refusal("a cat left of a dog right of a pig", "right: of whom?");

    char many[3 * (CAPTION_WORDS + 1) + 1] = "";
    for (int i = 0; i <= CAPTION_WORDS; i++) strcat(many, "of ");
    expect_refusal(many, "more than 64 words");
}

// Cut and shuffled captions: whatever comes, an answer or an error
static void test_anything_is_survived(void) {
    for (uint64_t seed = 0; seed < 3000; seed++) {
        Drawing d = drawing_sample(seed, ALL, KINDS);
        Random random = random_begin(seed, 4);
        Caption caption = caption_make(&d, &random, false);
        size_t length = strlen(caption.text);
        for (int k = 0; k < 4; k++)
            caption.text[random_below(&random, (int)length)] = (char)(1 + random_below(&random, 255));
        CaptionReading reading;
        Error error = {0};
        bool ok = caption_read(caption.text, seed, &reading, &error);
        EXPECT(ok == (error.message[0] == 0), "%s: %s", caption.text, error.message);
    }
}

int main(void) {
    TEST(test_captions_come_back);
    TEST(test_the_repeated_drawing);
    TEST(test_things_of_words);
    TEST(test_things_of_pairs_and_hands);
    TEST(test_words_know_their_bytes);
    TEST(test_unsaid);
    TEST(test_refusals);
    TEST(test_anything_is_survived);
    return test_summary();
}
