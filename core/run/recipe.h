// recipe.h - what a picture was made from, as text
//
// Goes into the PNG's text chunks, so that a picture can tell how to make it again: the run's
// own notes (run_metadata), the version, and one line "parameters" in the form that the web UIs write and read.

#pragma once

#include "sculpt.h"

typedef struct Recipe {
    Metadata *rows;
    size_t count;
    char *parameters;
} Recipe;

// The rows' texts are the run's, the recipe's and those added; all must outlive their use.
void recipe_make(Recipe *recipe, const Run *run, const Settings *settings);
void recipe_add(Recipe *recipe, const char *key, const char *value);
void recipe_free(Recipe *recipe);
