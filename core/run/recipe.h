// recipe.h - what a picture was made from, as text
//
// Goes into the PNG's text chunks and the trace's metadata, so that each can tell how to make it again: the run's own
// notes (run_metadata), what its owner adds, and one line "parameters" in the form that the web UIs write and read.

#pragma once

#include "sculpt.h"

typedef struct Recipe {
    Metadata *rows;  // values malloc'ed
    size_t count;
} Recipe;

// Every value is copied, as UTF-8: other bytes, which a file's name may have, become "\xff". The keys must outlive it.
void recipe_make(Recipe *recipe, const Run *run, const Settings *settings);
void recipe_add(Recipe *recipe, const char *key, const char *value);
void recipe_free(Recipe *recipe);
