// tokenizer.c - see tokenizer.h
//
// Five steps, each with its own function below:
//
//     "A pygmy  hippo's <|endoftext|> nap"
//     added tokens    "A pygmy  hippo's "  [49407]  " nap"         what has an id of its own is taken out first
//     normalise       "a pygmy hippo's "   [49407]  " nap"         tokenizer_text.c
//     words           a|pygmy|hippo|'s     [49407]  nap            the pattern below
//     pieces          a</w> pyg my</w> hippo</w> 's</w> [49407] nap</w>   bpe.c, as ids 320 41450 ...
//     ends            49406 320 41450 607 ... 49407 49407      start, end, padding up to 77, or cut down to it
//
// Read next: bpe.c.

#include "stages/tokenizer.h"

#include "base/check.h"
#include "stages/prompt_weights.h"
#include "stages/tokenizer_load.h"
#include "stages/tokenizer_text.h"
#include "stages/tokenizer_unicode.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

// What one call of tokenizer_encode builds up.
typedef struct Encoding {
    const Tokenizer *tokenizer;
    TextBuffer text;  // the normalised prompt so far
    Token *tokens;
    size_t count, capacity;
    float weight;  // of the tokens that are added
    pcre2_match_data *match;
} Encoding;

static void add_token(Encoding *encoding, uint32_t id, size_t start, size_t end) {
    if (encoding->count == encoding->capacity) {
        encoding->capacity = 2 * encoding->capacity + 64;
        encoding->tokens = realloc(encoding->tokens, encoding->capacity * sizeof *encoding->tokens);
        CHECK(encoding->tokens, "no memory for %zu tokens", encoding->capacity);
    }
    encoding->tokens[encoding->count++] = (Token){id, encoding->weight, start, end};
}

// ---- Words --------------------------------------------------------------------------------------------------------
//
// CLIP's pattern: an English contraction's end, a run of letters, a single digit (so "2024" is four words), or a run of
// anything else but white space. Group 1 is a special token's name that was typed in capitals and so wasn't taken out
// before; transformers splits once more, with GPT-2's pattern, which changes nothing but to take that apart.

void *word_pattern_compile(void) {
    static const char pattern[] = "(<\\|startoftext\\|>|<\\|endoftext\\|>)|'s|'t|'re|'ve|'m|'ll|'d"
                                  "|[\\p{L}" NEW_LETTERS "]+|[\\p{N}" NEW_NUMBERS "]"
                                  "|[^ \\p{L}\\p{N}" NEW_LETTERS NEW_NUMBERS "]+";
    int code;
    PCRE2_SIZE where;
    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)pattern, sizeof pattern - 1, PCRE2_UTF | PCRE2_UCP, &code, &where, NULL);
    CHECK(compiled, "pcre2 error %d at %zu of the word pattern", code, (size_t)where);
    return compiled;
}

// Spells the word text[start..end) and adds its pieces.
static void encode_word(Encoding *encoding, size_t start, size_t end) {
    BpePiece *pieces = malloc((end - start) * sizeof *pieces);
    CHECK(pieces, "no memory for a word of %zu bytes", end - start);
    size_t count = bpe_encode(&encoding->tokenizer->bpe, encoding->text.data + start, end - start, pieces);
    for (size_t i = 0; i < count; i++) {
        add_token(encoding, pieces[i].id, start, start + pieces[i].bytes);
        start += pieces[i].bytes;
    }
    free(pieces);
}

// Splits text[start..end) into words and encodes each.
static void encode_words(Encoding *encoding, size_t start, size_t end) {
    const PCRE2_SIZE *found = pcre2_get_ovector_pointer(encoding->match);
    PCRE2_SPTR text = (PCRE2_SPTR)encoding->text.data + start;
    for (size_t at = 0; at < end - start; at = found[1]) {
        int groups = pcre2_match(encoding->tokenizer->word_pattern, text, end - start, at, PCRE2_NO_UTF_CHECK,
                                 encoding->match, NULL);
        if (groups == PCRE2_ERROR_NOMATCH) break;
        CHECK(groups > 0, "pcre2 error %d in the word pattern", groups);
        size_t first = start + found[0], last = start + found[1];
        if (groups == 2) {
            encode_word(encoding, first, first + 2);     // <|
            encode_word(encoding, first + 2, last - 2);  // endoftext
            encode_word(encoding, last - 2, last);       // |>
        } else {
            encode_word(encoding, first, last);
        }
    }
}

// ---- Added tokens -------------------------------------------------------------------------------------------------

// The longest added token that begins at text[at]; NULL if none does.
static const AddedToken *added_token_at(const Tokenizer *tokenizer, bool normalized, const char *text, size_t n,
                                        size_t at) {
    const AddedToken *best = NULL;
    size_t best_size = 0;
    for (size_t i = 0; i < tokenizer->added_count; i++) {
        const AddedToken *token = &tokenizer->added[i];
        if (token->normalized != normalized || token->text[0] != text[at]) continue;
        size_t size = strlen(token->text);
        if (size <= best_size || size > n - at || memcmp(token->text, text + at, size) != 0) continue;
        best = token;
        best_size = size;
    }
    return best;
}

// The next added token in text[*start..n); NULL if there is none. Moves *start to it. The flags lstrip and rstrip that
// tokenizer files carry decide who gets the white space beside the token; here nobody does, so they change no id.
static const AddedToken *next_added_token(const Tokenizer *tokenizer, bool normalized, const char *text, size_t n,
                                          size_t *start) {
    while (*start < n) {
        const AddedToken *token = added_token_at(tokenizer, normalized, text, n, *start);
        if (!token) {
            (*start)++;
            continue;
        }
        size_t end = *start + strlen(token->text);
        bool in_word =
            (*start > 0 && text_last_is_word(text, *start)) || (end < n && text_first_is_word(text + end, n - end));
        if (!token->single_word || !in_word) return token;
        *start = end;
    }
    return NULL;
}

// Normalises the n bytes of prompt, which hold no token that is looked for in the prompt as typed, and encodes them.
static void encode_plain(Encoding *encoding, const char *prompt, size_t n) {
    size_t start = encoding->text.size;
    text_append_normalized(&encoding->text, prompt, n);

    const char *text = encoding->text.data + start;
    size_t size = encoding->text.size - start, done = 0;
    for (;;) {
        size_t at = done;
        const AddedToken *token = next_added_token(encoding->tokenizer, true, text, size, &at);
        encode_words(encoding, start + done, start + at);
        if (!token) return;
        done = at + strlen(token->text);
        add_token(encoding, token->id, start + at, start + done);
    }
}

static void encode_prompt(Encoding *encoding, const char *prompt, size_t n) {
    size_t done = 0;
    for (;;) {
        size_t at = done;
        const AddedToken *token = next_added_token(encoding->tokenizer, false, prompt, n, &at);
        encode_plain(encoding, prompt + done, at - done);
        if (!token) return;
        done = at + strlen(token->text);
        size_t start = encoding->text.size;
        text_append(&encoding->text, token->text, strlen(token->text));
        add_token(encoding, token->id, start, encoding->text.size);
    }
}

// ---- Ends ---------------------------------------------------------------------------------------------------------

// The text encoder takes exactly `length` ids: what is too long loses its end (but never the end token), what is too
// short is padded.
static void finish(const Tokenizer *tokenizer, TokenIds *out) {
    size_t kept = out->count < tokenizer->length - 2 ? out->count : tokenizer->length - 2;
    out->length = tokenizer->length;
    out->used = kept + 2;
    out->ids = malloc(out->length * sizeof *out->ids);
    CHECK(out->ids, "no memory for %zu ids", out->length);

    out->ids[0] = tokenizer->start_id;
    for (size_t i = 0; i < kept; i++) out->ids[i + 1] = out->tokens[i].id;
    out->ids[kept + 1] = tokenizer->end_id;
    for (size_t i = kept + 2; i < out->length; i++) out->ids[i] = tokenizer->pad_id;

    out->lost = "";
    if (kept < out->count) {
        size_t start = out->tokens[kept].start;
        while (((uint8_t)out->text[start] & 0xc0) == 0x80) start--;  // a character that was cut through is lost
        out->lost = out->text + start;
    }
}

// ---- All of it ----------------------------------------------------------------------------------------------------

static bool prompt_valid(const Tokenizer *tokenizer, const char *prompt, Error *error) {
    size_t n = strlen(prompt), valid = text_valid_bytes(prompt, n);
    if (n > PROMPT_MAX_BYTES) {
        return error_set(error, "prompt: %zu bytes, more than %d; shorten it (the model reads %zu tokens)", n,
                         PROMPT_MAX_BYTES, tokenizer->length);
    }
    if (valid < n) {
        return error_set(error, "prompt: not valid UTF-8 at byte %zu; check the terminal's or the file's encoding",
                         valid);
    }
    return true;
}

static void encode_fragments(const Tokenizer *tokenizer, const char *text, const Fragment *fragments, size_t count,
                             TokenIds *out) {
    Encoding encoding = {.tokenizer = tokenizer, .match = pcre2_match_data_create(2, NULL)};
    CHECK(encoding.match, "no memory for a match");
    text_append(&encoding.text, "", 0);
    for (size_t i = 0; i < count; i++) {
        encoding.weight = (float)fragments[i].weight;
        encode_prompt(&encoding, text + fragments[i].start, fragments[i].end - fragments[i].start);
    }
    pcre2_match_data_free(encoding.match);

    out->text = encoding.text.data;
    out->tokens = encoding.tokens;
    out->count = encoding.count;
    finish(tokenizer, out);
}

bool tokenizer_encode(const Tokenizer *tokenizer, const char *prompt, TokenIds *out, Error *error) {
    *out = (TokenIds){0};
    if (!prompt_valid(tokenizer, prompt, error)) return false;
    Fragment whole = {0, strlen(prompt), 1};
    encode_fragments(tokenizer, prompt, &whole, 1, out);
    return true;
}

bool tokenizer_encode_weighted(const Tokenizer *tokenizer, const char *prompt, TokenIds *out, Error *error) {
    *out = (TokenIds){0};
    WeightedPrompt weighted;
    if (!prompt_valid(tokenizer, prompt, error) || !prompt_weights_read(prompt, &weighted, error)) return false;
    encode_fragments(tokenizer, weighted.text, weighted.fragments, weighted.count, out);
    weighted_prompt_free(&weighted);
    return true;
}

void token_ids_free(TokenIds *ids) {
    free(ids->ids);
    free(ids->text);
    free(ids->tokens);
    *ids = (TokenIds){0};
}

const char *tokenizer_piece(const Tokenizer *tokenizer, int64_t id) {
    CHECK(id >= 0 && (size_t)id < tokenizer->bpe.size, "id %lld of %zu", (long long)id, tokenizer->bpe.size);
    return tokenizer->bpe.pieces[id];
}

size_t tokenizer_vocabulary_size(const Tokenizer *tokenizer) { return tokenizer->bpe.size; }
