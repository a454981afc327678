// tokenizer_load.h - the files of a tokenizer's folder, shared by tokenizer_load.c and tokenizer_added.c

#pragma once

#include "stages/tokenizer.h"

#include <jansson.h>

typedef struct TokenizerFiles {
    const char *folder;
    json_t *whole;     // tokenizer.json; all are objects, or NULL where the file is absent
    json_t *config;    // tokenizer_config.json
    json_t *specials;  // special_tokens_map.json
    json_t *added;     // added_tokens.json
} TokenizerFiles;

// Gives the tokenizer, whose vocabulary is loaded, its added tokens and the ids of start, end, padding and unknown.
bool tokenizer_load_added(Tokenizer *tokenizer, const TokenizerFiles *files, Error *error);

// CLIP's word pattern, compiled: a pcre2_code (tokenizer.c).
void *word_pattern_compile(void);
