// prompt_weights.c - see prompt_weights.h
//
// Read next: tokenizer.c, which encodes each fragment by itself.

#include "stages/prompt_weights.h"

#include "base/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double ROUND_WEIGHT = 1.1, SQUARE_WEIGHT = 1 / 1.1;
static const char SPACES[] = " \t\n\r\f\v";

// The open brackets of one kind, outermost first: how many fragments stood before each.
typedef struct OpenBrackets {
    size_t fragments_before[PROMPT_BRACKETS_MAX];
    size_t count;
} OpenBrackets;

// What one call of prompt_weights_read builds up.
typedef struct Reading {
    TextBuffer text;
    Fragment *fragments;
    size_t count, capacity;
    OpenBrackets round, square;
} Reading;

static void add_text(Reading *reading, const char *text, size_t n) {
    if (reading->count == reading->capacity) {
        reading->capacity = 2 * reading->capacity + 16;
        reading->fragments = realloc(reading->fragments, reading->capacity * sizeof *reading->fragments);
        CHECK(reading->fragments, "no memory for %zu fragments", reading->capacity);
    }
    size_t start = reading->text.size;
    text_append(&reading->text, text, n);
    reading->fragments[reading->count++] = (Fragment){start, start + n, 1};
}

// ---- brackets -------------------------------------------------------------------------------------------------------

// The limit also keeps the work small: no fragment is multiplied more often than there are brackets around it.
static bool open_bracket(OpenBrackets *open, size_t fragments_before, Error *error) {
    if (open->count == PROMPT_BRACKETS_MAX) {
        return error_set(error, "prompt: more than %d brackets are open at once; close some, or write \\( for text",
                         PROMPT_BRACKETS_MAX);
    }
    open->fragments_before[open->count++] = fragments_before;
    return true;
}

static void close_bracket(Reading *reading, OpenBrackets *open, double weight) {
    size_t first = open->fragments_before[--open->count];
    for (size_t i = first; i < reading->count; i++) reading->fragments[i].weight *= weight;
}

// A bracket's end with a weight, ":1.3)" or ": 1.3 )", at a colon: how many bytes it has; 0 if the colon is another.
// *weight: NAN if what is written there is made of digits and points, but no number.
static size_t weighted_end(const char *text, double *weight) {
    size_t start = 1 + strspn(text + 1, SPACES), sign = text[start] == '+' || text[start] == '-';
    size_t digits = strspn(text + start + sign, ".0123456789"), end = start + sign + digits;
    size_t bracket = end + strspn(text + end, SPACES);
    if (digits == 0 || text[bracket] != ')') return 0;
    char *stopped;
    *weight = strtod(text + start, &stopped);
    if (stopped != text + end) *weight = NAN;
    return bracket + 1;
}

// Reads what begins at text, a bracket or all the text before the next one; *n: how many bytes it was.
static bool read_next(Reading *reading, const char *text, size_t *n, Error *error) {
    double weight;
    *n = 1;
    if (*text == '(') return open_bracket(&reading->round, reading->count, error);
    if (*text == '[') return open_bracket(&reading->square, reading->count, error);
    if (*text == ')' && reading->round.count > 0) {
        close_bracket(reading, &reading->round, ROUND_WEIGHT);
    } else if (*text == ']' && reading->square.count > 0) {
        close_bracket(reading, &reading->square, SQUARE_WEIGHT);
    } else if (*text == ':' && reading->round.count > 0 && (*n = weighted_end(text, &weight)) > 0) {
        if (isnan(weight)) {
            return error_set(error, "prompt: a bracket's weight is no number; write (word:1.3), or \\( for text");
        }
        close_bracket(reading, &reading->round, weight);
    } else if (*text == '\\') {
        bool escapes = text[1] && strchr("()[]\\", text[1]);
        if (escapes) add_text(reading, text + 1, 1);
        *n = 1 + escapes;
    } else {
        *n = 1 + strcspn(text + 1, "\\()[]:");
        add_text(reading, text, *n);
    }
    return true;
}

// ---- all of it ------------------------------------------------------------------------------------------------------

// Neighbours of one weight become one, so that "(sun)(glasses)" is a word.
static void join_fragments(Reading *reading) {
    size_t kept = 0;
    for (size_t i = 0; i < reading->count; i++) {
        Fragment next = reading->fragments[i];
        if (kept > 0 && reading->fragments[kept - 1].weight == next.weight) {
            reading->fragments[kept - 1].end = next.end;
        } else {
            reading->fragments[kept++] = next;
        }
    }
    reading->count = kept;
}

static bool weights_possible(const Reading *reading, Error *error) {
    for (size_t i = 0; i < reading->count; i++) {
        double weight = reading->fragments[i].weight;
        if (fabs(weight) <= PROMPT_WEIGHT_MAX) continue;
        return error_set(error, "prompt: a word weighs %g; keep weights from %d to %d (0.5 to 1.5 is usual)", weight,
                         -PROMPT_WEIGHT_MAX, PROMPT_WEIGHT_MAX);
    }
    return true;
}

bool prompt_weights_read(const char *prompt, WeightedPrompt *out, Error *error) {
    Reading reading = {0};
    text_append(&reading.text, "", 0);
    bool ok = true;
    for (size_t n; ok && *prompt; prompt += n) ok = read_next(&reading, prompt, &n, error);
    while (reading.round.count > 0) close_bracket(&reading, &reading.round, ROUND_WEIGHT);
    while (reading.square.count > 0) close_bracket(&reading, &reading.square, SQUARE_WEIGHT);
    join_fragments(&reading);

    *out = (WeightedPrompt){reading.text.data, reading.fragments, reading.count};
    if (ok && weights_possible(&reading, error)) return true;
    weighted_prompt_free(out);
    return false;
}

void weighted_prompt_free(WeightedPrompt *prompt) {
    free(prompt->text);
    free(prompt->fragments);
    *prompt = (WeightedPrompt){0};
}

// ---- writing --------------------------------------------------------------------------------------------------------

void prompt_weights_write(TextBuffer *prompt, const char *text, size_t n, double weight) {
    if (weight != 1) text_append(prompt, "(", 1);
    for (size_t i = 0; i < n; i++) {
        if (strchr("()[]\\", text[i])) text_append(prompt, "\\", 1);
        text_append(prompt, text + i, 1);
    }
    if (weight == 1) return;
    char end[32];
    text_append(prompt, end, (size_t)snprintf(end, sizeof end, ":%.9f)", weight));
}
