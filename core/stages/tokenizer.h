// tokenizer.h - from a prompt to the numbers that the text encoder reads
//
// Where: the first stage. "A pygmy hippo" -> 49406 320 41450 607 36729 49407 49407 ... -> text_encoder.
// Elsewhere: transformers.CLIPTokenizer (ids are equal to version 5's); clip/simple_tokenizer.py in OpenAI's CLIP.
// Read next: tokenizer.c for the steps; bpe.h for how a word is spelt; text_encoder.h for what becomes of the ids.

#pragma once

#include "base/error.h"
#include "stages/bpe.h"

// A token that is recognised in the prompt as it stands, before any splitting: the start, end and padding tokens, and
// whatever a fine-tuned model has added ("<my-dog>").
typedef struct AddedToken {
    char *text;  // what is looked for
    uint32_t id;
    bool normalized;   // text is normalised and looked for in the normalised prompt; else in the prompt as typed
    bool single_word;  // not inside a word
} AddedToken;

typedef struct Tokenizer {
    Bpe bpe;            // the vocabulary and its merges
    AddedToken *added;  // [added_count]
    size_t added_count;
    uint32_t start_id, end_id, pad_id;
    size_t length;       // ids in every prompt, ends and padding included: 77
    void *word_pattern;  // pcre2_code *
} Tokenizer;

// Opens a tokenizer's folder (model/tokenizer): tokenizer.json, or vocab.json and merges.txt, and beside them, where
// there are any, tokenizer_config.json, special_tokens_map.json and added_tokens.json. A folder that names no
// model_max_length gets CLIP's 77. NULL and an error for what is missing, broken or contradicts itself.
Tokenizer *tokenizer_open(const char *folder, Error *error);
// The same, but prompts are padded with this token, whatever the folder says; NULL: with what it says.
Tokenizer *tokenizer_open_padded(const char *folder, const char *pad_token, Error *error);
void tokenizer_close(Tokenizer *tokenizer);  // NULL is fine

// One token of a prompt, and the bytes of TokenIds.text that it stands for. (A token may be part of a character.)
typedef struct Token {
    uint32_t id;
    float weight;  // 1, but for what brackets say
    size_t start, end;
} Token;

typedef struct TokenIds {
    int64_t *ids;   // [length] as the text encoder gets them: start, the prompt's tokens, end, padding
    size_t length;  // the tokenizer's
    size_t used;    // how many ids stand before the padding, both ends included

    char *text;     // the prompt as it was read: composed, in lower case, each run of white space one space
    Token *tokens;  // [count] the whole prompt's tokens, without the ends; tokens[i] is ids[i + 1] if i + 2 < used
    size_t count;   // more than used - 2 when the prompt was cut

    const char *lost;  // the end of text that no longer fitted; "" when nothing was cut
} TokenIds;

// Turns a prompt (UTF-8) into ids. False and an error when it isn't valid UTF-8 or is longer than PROMPT_MAX_BYTES; a
// prompt with too many tokens is no error but cut, and out->lost says what was. Give out back with token_ids_free.
bool tokenizer_encode(const Tokenizer *tokenizer, const char *prompt, TokenIds *out, Error *error);
// The same for a prompt with weights in it, "a (red:1.3) cat" (prompt_weights.h): each fragment of one weight is
// tokenized by itself, as the web UIs do it, so a word ends where its weight does. TokenIds.text is without brackets.
bool tokenizer_encode_weighted(const Tokenizer *tokenizer, const char *prompt, TokenIds *out, Error *error);
void token_ids_free(TokenIds *ids);

enum { PROMPT_MAX_BYTES = 1 << 20 };

// The piece behind an id as vocab.json spells it: "hippo</w>", "<|endoftext|>"; bytes beyond ASCII look odd there
// (byte_character in bpe.h). id < tokenizer_vocabulary_size, how many rows the text encoder's embedding needs.
const char *tokenizer_piece(const Tokenizer *tokenizer, int64_t id);
size_t tokenizer_vocabulary_size(const Tokenizer *tokenizer);
