// turning.h - what a grid of swapped prompts shows: when a run had made up its mind
//
// Each picture whose prompt was swapped on the way is measured against two others: the one that never had the new prompt, and the
// one that had it from the beginning. Two moments are told apart. From `layout` on it is nearer to the first: where things are and
// how bright has been settled. That doesn't say what they are: a cat may still come to sit where the hippo would have sat. From
// `step` on, the new prompt changes less than half of what it changes from the beginning on: the point of no return.
// Where: over grid.h, for panels/swap.c.

#pragma once

#include "state/grid.h"

typedef struct Turning {
    bool known;                      // all pictures are there
    bool alike;                      // both prompts draw the same, so there is nothing to settle
    size_t layout, step;             // 1 to the number of steps, which is "never"
    float layout_place, step_place;  // where the straight lines between steps cross, just before
} Turning;

Turning turning_of(const struct Viewer *viewer);
// Half of what swapping at step 0 changes; negative: not known yet
float turning_half(const Grid *grid);
// In a sentence or two
void turning_text(const struct Viewer *viewer, const Turning *turning, char *text, size_t size);

// Another prompt that asks for one thing else: another animal or colour of the critters' world, where the prompt has one.
void swap_suggest(const char *prompt, char *other, size_t size);
// What two prompts differ in: their words without those that both begin and end with. "" where one has nothing else.
void swap_words(const char *a, const char *b, char *of_a, char *of_b, size_t size);
