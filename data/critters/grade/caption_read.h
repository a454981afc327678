// caption_read.h - a caption back into a drawing: caption.c the other way round
//
// Where: before the painter, for those who want to paint what a model was asked for (words_grade.h). In this world a
// prompt can be understood completely, so for each of its words it is known which pixels it should have a say in.
// Read next: caption_words.h, the dictionary; caption_read.c, the grammar; ../draw/caption.c, which makes what is read.

#pragma once

#include "base/error.h"
#include "critters/draw/canvas.h"
#include "critters/draw/caption.h"
#include "critters/grade/caption_words.h"

enum { CAPTION_WORDS = 64 };

typedef struct CaptionReading {
    Drawing drawing;
    unsigned says;  // which attributes the caption gave, as in caption.h
    CaptionWord words[CAPTION_WORDS];
    size_t word_count;
} CaptionReading;

// Reads a caption in the words of caption.c, in any order that makes sense, large or small letters alike, whatever
// stands between the words. seed becomes the drawing's and decides what the caption leaves open: moods, colours of hats
// and hands, fingers, who of two stands left. What it doesn't name isn't there; an animal without a colour has its
// natural one, a drawing without a place a plain background.
// False, and an error that names the word, for words that aren't in this world and for what can't be drawn (three
// animals, a red crown, a sad hat, nothing at all).
bool caption_read(const char *caption, uint64_t seed, CaptionReading *out, Error *error);

// mask[i] is 1 where one of these things (a CaptionWord's) is what pixel i shows, else 0. How many are 1.
size_t things_mask(const Canvas *canvas, uint32_t things, uint8_t mask[PIXELS]);
