// caption_words.c - see caption_words.h

#include "critters/grade/caption_words.h"

#include "base/text.h"
#include "critters/draw/world.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *const WORD_KIND_NAME[WORD_KINDS] = {"filler",   "species", "color", "mood",   "eyewear", "headwear",
                                                "neckwear", "scene",   "hand",  "number", "fingers", "order"};

// ---- what there is --------------------------------------------------------------------------------------------------

typedef struct NameList {
    WordKind kind;
    const char *const *names;
    int first, count;  // names[first] .. names[count - 1]; what is before is "none"
} NameList;

static const NameList LISTS[] = {
    {WORD_SPECIES, SPECIES_NAME, 0, SPECIES},
    {WORD_COLOR, COLOR_NAME, 0, COLORS_AND_GOLD},
    {WORD_MOOD, MOOD_NAME, 0, MOODS},
    {WORD_EYEWEAR, EYEWEAR_NAME, EYES_BARE + 1, EYEWEAR},
    {WORD_HEADWEAR, HEADWEAR_NAME, HEAD_BARE + 1, HEADWEAR},
    {WORD_NECKWEAR, NECKWEAR_NAME, NECK_BARE + 1, NECKWEAR},
    {WORD_SCENE, SCENE_NAME, 0, SCENES},
    {WORD_NUMBER, NUMBER_NAME, 1, 11},
};
enum { LIST_COUNT = sizeof LISTS / sizeof LISTS[0] };

static const Phrase OTHERS[] = {
    {"hippo", WORD_SPECIES, HIPPO},
    {"moo deng", WORD_SPECIES, HIPPO},
    {"glasses", WORD_EYEWEAR, ROUND_GLASSES},
    {"plain background", WORD_SCENE, PLAIN},
    {"hand", WORD_HAND, 0},
    {"finger", WORD_FINGERS, 0},
    {"fingers", WORD_FINGERS, 0},
    {"1", WORD_NUMBER, 1},
    {"2", WORD_NUMBER, 2},
    {"3", WORD_NUMBER, 3},
    {"4", WORD_NUMBER, 4},
    {"5", WORD_NUMBER, 5},
    {"6", WORD_NUMBER, 6},
    {"7", WORD_NUMBER, 7},
    {"8", WORD_NUMBER, 8},
    {"9", WORD_NUMBER, 9},
    {"10", WORD_NUMBER, 10},
    {"left of", WORD_ORDER, LEFT_OF},
    {"right of", WORD_ORDER, RIGHT_OF},
};

static const char *const FILLERS[] = {"a",  "an", "the", "and",      "wearing", "in",      "with",    "on",     "at",
                                      "of", "to", "up",  "portrait", "picture", "drawing", "showing", "holding"};

// ---- looked up ------------------------------------------------------------------------------------------------------

static bool is_letter(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80;
}

size_t caption_words(const char *caption, CaptionWord *words, size_t room) {
    size_t count = 0;
    for (size_t i = 0; caption[i];) {
        size_t start = i;
        while (is_letter((unsigned char)caption[i])) i++;
        if (i == start) {
            i++;
            continue;
        }
        if (count < room) words[count] = (CaptionWord){.start = start, .end = i};
        count++;
    }
    return count;
}

size_t phrase_words(const char *caption, const CaptionWord *words, size_t count, const char *phrase) {
    size_t taken = 0;
    while (*phrase) {
        size_t length = strcspn(phrase, " ");
        if (taken == count || words[taken].end - words[taken].start != length ||
            strncasecmp(caption + words[taken].start, phrase, length) != 0) {
            return 0;
        }
        taken++;
        phrase += length;
        phrase += *phrase == ' ';
    }
    return taken;
}

size_t phrase_find(const char *caption, const CaptionWord *words, size_t count, Phrase *found) {
    size_t longest = 0, taken;
    for (size_t f = 0; f < sizeof FILLERS / sizeof FILLERS[0]; f++) {
        taken = phrase_words(caption, words, count, FILLERS[f]);
        if (taken > longest) longest = taken, *found = (Phrase){FILLERS[f], WORD_FILLER, 0};
    }
    for (size_t l = 0; l < LIST_COUNT; l++) {
        for (int n = LISTS[l].first; n < LISTS[l].count; n++) {
            taken = phrase_words(caption, words, count, LISTS[l].names[n]);
            if (taken > longest) longest = taken, *found = (Phrase){LISTS[l].names[n], LISTS[l].kind, n};
        }
    }
    for (size_t p = 0; p < sizeof OTHERS / sizeof OTHERS[0]; p++) {
        taken = phrase_words(caption, words, count, OTHERS[p].text);
        if (taken > longest) longest = taken, *found = OTHERS[p];
    }
    return longest;
}

void phrase_list(char *list, size_t size) {
    *list = 0;
    for (size_t l = 0; l < LIST_COUNT; l++) {
        if (LISTS[l].kind == WORD_NUMBER) continue;
        for (int n = LISTS[l].first; n < LISTS[l].count; n++) list_append(list, size, LISTS[l].names[n]);
    }
    list_append(list, size, "a hand with one to ten fingers");
}
