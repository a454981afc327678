// exercise.h - lesson 12: the functions to be written, as their check calls them

#pragma once

#include <stddef.h>
#include <stdint.h>

// One cross-attention layer of a guided step: which places ask, which tokens are asked
typedef struct LookShape {
    size_t heads, d;  // d: numbers a head
    size_t places, tokens;
} LookShape;

// Where in the picture is a word looked at? For each head h, place i and token t,
//
//     score[h,i,t] = q[i] . k[t] / sqrt(d),    of head h's d numbers
//     p[h,i,:]     = softmax of score[h,i,:]   over all tokens: a place shares its look out among the words
//     map[i]       = mean over the heads of  sum over the word's tokens of p[h,i,t]
//
//     q      [2, places, heads * d]  row 0 is asked with the negative prompt, row 1 with the prompt, which is meant
//     k      [2, tokens, heads * d]  the same; head h's numbers are h * d .. h * d + d - 1
//     first, last                    the word's pieces, counted among the prompt's tokens from 0, both included; in k the
//                                    start token stands before them
//     map    [places]
// Scores may be in the thousands.
void word_map(const float *q, const float *k, LookShape s, size_t first, size_t last, float *map);

// Where does the answer change when the word is left out?
//
//     map[i] = sqrt(sum over the channels c of (with[c,i] - without[c,i])^2)
//
//     with, without  [channels, places]  the U-Net's answers to the prompt, and to the prompt without the word
//     map            [places]
void deletion_map(const float *with, const float *without, size_t channels, size_t places, float *map);

// How well does a map point at a thing? As many places as the mask has are chosen, those where the map is largest;
//
//     grade = how many are in both / how many are in one of them at least
//
//     map   [places]  no two numbers are alike
//     mask  [places]  1: the thing is there, 0: it isn't; at least one is 1
float map_grade(const float *map, const uint8_t *mask, size_t places);
