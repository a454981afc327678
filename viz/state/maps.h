// maps.h - what was found out about words, as pictures, made once and kept while they are looked at
//
// A map is numbers; what is drawn of it is a picture whose colours say where they stand between a lowest and a highest.
// Whoever draws asks for it in every frame, so it is kept under what it depends on (a branch's id is never used twice).
// Where: between what the engine has found out (branch.h, words_grade.h) and the panels of VIEW_WORDS.

#pragma once

#include "state/branch.h"

#include <stdint.h>

struct WordGrades;

typedef enum {
    MAP_DELETION,        // item: a word
    MAP_ATTENTION,       // item: a word
    MAP_TEXT,            // item: a chapter, whose prompt it is of
    MAP_GRADE_DELETION,  // item: one of the graded words
    MAP_GRADE_ATTENTION,
    MAP_DRAWING,  // the painter's picture
    MAP_GREY,     // item: the picture's id
    MAP_SCALE,    // all colours of a map, from low to high
} MapKind;

typedef struct MapKey {
    MapKind kind;
    int of;  // the branch's id, or the how-manieth grades
    uint64_t item;
    size_t k, layer, head;
    float high;  // what the brightest colour stands for; 0: the largest number of the map
} MapKey;

typedef struct MapPicture {
    Picture picture;
    float low, high;  // what its darkest and its brightest colour stand for
    MapKey key;
    uint64_t looked_at;  // counts up; the one that was longest not looked at makes room
} MapPicture;

enum { MAPS_KEPT = 512 };

typedef struct Maps {
    MapPicture *kept;  // [MAPS_KEPT]; NULL before the first
    size_t count;
    uint64_t looks;
} Maps;

void maps_free(Maps *maps);

// All of these are there until MAPS_KEPT others have been looked at.
//
// high: what its brightest colour stands for, so that the maps of several words may be compared; 0: its own largest.
const MapPicture *maps_deletion(Maps *maps, const Branch *branch, const DeletionMap *deletion, float high);
// How much of each place's look the word's tokens got together; layer and head may be ATTENTION_ALL. One layer's map has its
// own size, all layers' that of the latents. NULL: there is no such layer, or no such head in it.
const MapPicture *maps_attention(Maps *maps, Branch *branch, const StepAttention *attention, size_t word, size_t layer,
                                 size_t head);
// [count, count]: row i says which of the prompt's first `count` tokens (both ends included) token i looked at. 0 to 1
const MapPicture *maps_text(Maps *maps, const Branch *branch, size_t chapter, const TextAttention *text, size_t layer,
                            size_t head, size_t count);
// number: the how-manieth grades they are
const MapPicture *maps_grade_deletion(Maps *maps, const struct WordGrades *grades, int number, size_t word);
const MapPicture *maps_grade_attention(Maps *maps, const struct WordGrades *grades, int number, size_t word);
const Picture *maps_drawing(Maps *maps, const struct WordGrades *grades, int number);
const Picture *maps_grey(Maps *maps, const Picture *picture);  // without its colours, for maps to lie over it
const Picture *maps_scale(Maps *maps);                         // from left to right
