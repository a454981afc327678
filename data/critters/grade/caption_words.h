// caption_words.h - the words of this world, and what each of them means
//
// Where: under caption_read.c, a dictionary under a grammar. Names are ../draw/world.c's, wordings ../draw/caption.c's.
// Read next: caption_read.h.

#pragma once

#include <stddef.h>
#include <stdint.h>

typedef enum {
    WORD_FILLER,   // "a", "wearing", "on", ...: speaks of nothing that is seen
    WORD_SPECIES,  // value: a Species
    WORD_COLOR,    // an animal's, a hat's or a hand's
    WORD_MOOD,
    WORD_EYEWEAR,
    WORD_HEADWEAR,
    WORD_NECKWEAR,
    WORD_SCENE,
    WORD_HAND,
    WORD_NUMBER,  // of fingers, from 1
    WORD_FINGERS,
    WORD_ORDER,  // LEFT_OF or RIGHT_OF the animal that follows
    WORD_KINDS
} WordKind;

enum { LEFT_OF, RIGHT_OF };

extern const char *const WORD_KIND_NAME[WORD_KINDS];

typedef struct CaptionWord {
    size_t start, end;  // bytes of the caption
    WordKind kind;
    uint32_t things;  // what it speaks of: bit THING_... of each; 0: nothing that is seen
} CaptionWord;

typedef struct Phrase {
    const char *text;
    WordKind kind;
    int value;
} Phrase;

// Letters and digits that stand together, their meaning still open. How many there are, of which the first `room` are
// written down.
size_t caption_words(const char *caption, CaptionWord *words, size_t room);

// How many words, from the first of these on, are this phrase: all of its words, or 0. Large letters are as small ones.
size_t phrase_words(const char *caption, const CaptionWord *words, size_t count, const char *phrase);

// The longest phrase that the first of these words begins, and how many words it has; 0: it isn't of this world.
size_t phrase_find(const char *caption, const CaptionWord *words, size_t count, Phrase *found);

// "pygmy hippo, cat, ...": all that there is, for an error; what doesn't fit into size bytes is cut
void phrase_list(char *list, size_t size);
