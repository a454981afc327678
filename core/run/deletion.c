// deletion.c - see deletion.h
//
// Read next: ask.c for the question, stages/tokenizer.c for what a token is.

#include "run/deletion.h"

#include "run/run.h"
#include "stages/prompt_weights.h"
#include "stages/tokenizer_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- words ----------------------------------------------------------------------------------------------------------

static bool inside_character(const char *text, size_t at) { return ((uint8_t)text[at] & 0xc0) == 0x80; }

// Whether token i ends in a letter, digit or mark, or is an apostrophe between two. It may be a part of a character.
static bool is_wordlike(const TokenIds *tokens, size_t i) {
    const char *text = tokens->text;
    size_t start = tokens->tokens[i].start, end = tokens->tokens[i].end;
    while (inside_character(text, end)) end++;
    if (text_last_is_word(text, end)) return true;
    if (end - start != 1 || text[start] != '\'' || start == 0 || text[end] == '\0') return false;
    return text_last_is_word(text, start) && text_first_is_word(text + end, strnlen(text + end, 4));
}

// Whether token i goes on with what token i - 1 began
static bool goes_on(const TokenIds *tokens, size_t i) {
    size_t start = tokens->tokens[i].start;
    if (start != tokens->tokens[i - 1].end) return false;
    return inside_character(tokens->text, start) || is_wordlike(tokens, i) == is_wordlike(tokens, i - 1);
}

size_t prompt_words(const TokenIds *tokens, PromptWord *words, size_t max) {
    size_t count = 0, read = tokens->used - 2;
    for (size_t first = 0, next; first < read; first = next) {
        for (next = first + 1; next < tokens->count && goes_on(tokens, next);) next++;
        size_t last = next < read ? next - 1 : read - 1;
        PromptWord word = {tokens->tokens[first].start, tokens->tokens[next - 1].end, first, last};
        if (count < max) words[count] = word;
        count++;
    }
    return count;
}

// ---- a prompt without one of them -----------------------------------------------------------------------------------

// Appends text[start..end), where weights count in brackets: a new one begins with each token of another weight.
static void append_part(TextBuffer *prompt, const TokenIds *tokens, size_t start, size_t end, bool prompt_weights) {
    if (!prompt_weights) {
        text_append(prompt, tokens->text + start, end - start);
        return;
    }
    float weight = 1;
    for (size_t i = 0; i < tokens->count; i++) {
        const Token *token = &tokens->tokens[i];
        if (token->start < start || token->start >= end || token->weight == weight) continue;
        if (token->start > start)
            prompt_weights_write(prompt, tokens->text + start, token->start - start, (double)weight);
        start = token->start;
        weight = token->weight;
    }
    if (end > start) prompt_weights_write(prompt, tokens->text + start, end - start, (double)weight);
}

// Whether [0, before) and [behind, n) end and begin with what would be one word side by side
static bool would_join(const char *text, size_t before, size_t behind, size_t n) {
    if (before == 0 || behind == n || text[before - 1] == ' ' || text[behind] == ' ') return false;
    return text_last_is_word(text, before) == text_first_is_word(text + behind, n - behind);
}

char *prompt_without_word(const TokenIds *tokens, const PromptWord *word, bool prompt_weights) {
    const char *text = tokens->text;
    size_t n = strlen(text), before = word->start, behind = word->end;  // [0, before) and [behind, n) remain
    bool space_before = before > 0 && text[before - 1] == ' ', space_behind = text[behind] == ' ';
    if (space_before && (space_behind || behind == n))
        before--;
    else if (before == 0 && space_behind)
        behind++;

    TextBuffer prompt = {0};
    text_append(&prompt, "", 0);
    append_part(&prompt, tokens, 0, before, prompt_weights);
    if (would_join(text, before, behind, n)) text_append(&prompt, " ", 1);
    append_part(&prompt, tokens, behind, n, prompt_weights);
    return prompt.data;
}

// ---- the map --------------------------------------------------------------------------------------------------------

// Another prompt's word would cut this one anywhere.
static bool has_word(const TokenIds *tokens, const PromptWord *word) {
    return word->first <= word->last && word->last + 2 < tokens->used && word->start < word->end &&
           word->end <= strlen(tokens->text) && tokens->tokens[word->first].start == word->start &&
           tokens->tokens[word->last].end <= word->end;
}

// with, without [4, area] -> map [area]
static void map_distance(const float *with, const float *without, float *map, size_t area) {
    for (size_t i = 0; i < area; i++) {
        float squares = 0;
        for (size_t c = 0; c < LATENT_CHANNELS; c++) {
            float moved = with[c * area + i] - without[c * area + i];
            squares += moved * moved;
        }
        map[i] = sqrtf(squares);
    }
}

bool run_deletion_map(Run *run, const PromptWord *word, const float *noise_pred_text, float *map, Error *error) {
    const TokenIds *tokens = run_tokens(run, 1);
    if (!has_word(tokens, word)) {
        return error_set(error,
                         "deletion map: the run's prompt has no word at bytes %zu to %zu; take one of its "
                         "prompt_words",
                         word->start, word->end);
    }
    float *with = malloc(2 * run->n * sizeof *with), *without = with + run->n;
    if (!with) return error_set(error, "deletion map: no memory for %zu numbers; close other programs", 2 * run->n);
    char *prompt = prompt_without_word(tokens, word, run->settings.prompt_weights);
    bool ok = (noise_pred_text || run_ask(run, NULL, with, error)) && run_ask(run, prompt, without, error);
    if (ok) map_distance(noise_pred_text ? noise_pred_text : with, without, map, run->height * run->width);
    free(prompt);
    free(with);
    return ok;
}
