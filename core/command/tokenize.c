// tokenize.c - `sculpt tokenize`: what the model reads when it reads a prompt
//
// Read next: stages/tokenizer.c.

#include "command/commands.h"

#include "base/text.h"
#include "sculpt.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Of ids[i]; the ends and the padding weigh 1.
static float weight_at(const TokenIds *tokens, size_t i) {
    return i > 0 && i + 1 < tokens->used ? tokens->tokens[i - 1].weight : 1;
}

// {"ids": [...], "pieces": [...], "lost": "..."} on one line; a piece for every id, and so "weights" if they are asked for
static bool print_json(const Tokenizer *tokenizer, const TokenIds *tokens, bool weights, Error *error) {
    json_t *ids = json_array(), *pieces = json_array(), *weighed = weights ? json_array() : NULL;
    for (size_t i = 0; i < tokens->length; i++) {
        json_array_append_new(ids, json_integer(tokens->ids[i]));
        json_array_append_new(pieces, json_string(tokenizer_piece(tokenizer, tokens->ids[i])));
        if (weights) json_array_append_new(weighed, json_real(as_written(weight_at(tokens, i))));
    }
    json_t *object =
        json_pack("{s:o, s:o, s:o*, s:s}", "ids", ids, "pieces", pieces, "weights", weighed, "lost", tokens->lost);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    if (text) puts(text);
    free(text);
    json_decref(object);
    return text || error_set(error, "--json: not enough memory; close other programs");
}

static void print_table(const Tokenizer *tokenizer, const TokenIds *tokens, bool weights) {
    for (size_t i = 0; i < tokens->used; i++) {
        printf("%3zu %6lld  ", i, (long long)tokens->ids[i]);
        if (weights) printf("%6.4g  ", (double)weight_at(tokens, i));
        printf("%s\n", tokenizer_piece(tokenizer, tokens->ids[i]));
    }
    if (tokens->used < tokens->length) {
        int64_t padding = tokens->ids[tokens->used];
        printf("and %zu times padding: %lld %s\n", tokens->length - tokens->used, (long long)padding,
               tokenizer_piece(tokenizer, padding));
    }
    if (*tokens->lost) printf("cut, since only %zu tokens fit: \"%s\"\n", tokens->length, tokens->lost);
}

static bool tokenize(const Tokenizer *tokenizer, const char *text, const Options *options, Error *error) {
    TokenIds tokens;
    bool weights = options->prompt_weights;
    bool ok = weights ? tokenizer_encode_weighted(tokenizer, text, &tokens, error)
                      : tokenizer_encode(tokenizer, text, &tokens, error);
    if (!ok) return false;
    if (options->json)
        ok = print_json(tokenizer, &tokens, weights, error);
    else
        print_table(tokenizer, &tokens, weights);
    token_ids_free(&tokens);
    return ok;
}

// A prompt a line from stdin, blank ones too; the last may lack its line end.
static bool tokenize_lines(const Tokenizer *tokenizer, const Options *options, Error *error) {
    char *line = NULL;
    size_t capacity = 0, number = 0;
    ssize_t length;
    bool ok = true;
    while (ok && (length = getline(&line, &capacity, stdin)) >= 0) {
        number++;
        if (length > 0 && line[length - 1] == '\n') line[--length] = '\0';
        Error why = {0};
        if (strlen(line) != (size_t)length)
            error_set(&why, "a byte in it is zero; take it out");
        else
            tokenize(tokenizer, line, options, &why);
        if (!options->json) putchar('\n');
        if (why.message[0]) ok = error_set(error, "line %zu: %s", number, why.message);
    }
    free(line);
    if (ok && ferror(stdin)) ok = error_set(error, "standard input: can't be read; name a text or pipe one in");
    return ok;
}

int command_tokenize(const Options *options) {
    Error error = {0};
    char *model = model_folder(options);
    Tokenizer *tokenizer = model_tokenizer(model, options->tokenizer, &error);
    bool ok = tokenizer != NULL;
    if (ok && strcmp(options->text, "-") == 0)
        ok = tokenize_lines(tokenizer, options, &error);
    else if (ok)
        ok = tokenize(tokenizer, options->text, options, &error);
    if (ok) ok = output_flush(&error);
    tokenizer_close(tokenizer);
    free(model);
    return ok ? EXIT_SUCCESS : report_failure(&error);
}
