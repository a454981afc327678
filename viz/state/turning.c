// turning.c - see turning.h

#include "state/turning.h"

#include "base/text.h"
#include "critters/grade/caption_words.h"
#include "state/viewer.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

// ---- when -----------------------------------------------------------------------------------------------------------

float turning_half(const Grid *grid) { return grid->notes[0].distance / 2; }

// How far cell i is on the side of the picture that was never swapped: by its distance to the other one, or by the half
static float layout_margin(const Grid *grid, size_t i) { return grid->notes[i].from_first - grid->notes[i].distance; }
static float step_margin(const Grid *grid, size_t i) { return turning_half(grid) - grid->notes[i].distance; }

// The first cell from which on all margins are above 0, and where the line between it and the one before crosses 0.
static size_t turn(const Grid *grid, float (*margin)(const Grid *grid, size_t i), float *place) {
    size_t step = grid_count(grid) - 1;
    while (step > 1 && margin(grid, step - 1) > 0) step--;
    float before = margin(grid, step - 1), after = margin(grid, step);
    *place = (float)(step - 1) + (after > before ? fminf(fmaxf(before / (before - after), 0), 1) : 1);
    return step;
}

Turning turning_of(const Viewer *viewer) {
    const Grid *grid = &viewer->grid;
    if (grid->kind != GRID_SWAP) return (Turning){0};
    for (size_t i = 0; i < grid_count(grid); i++) {
        if (grid->notes[i].distance < 0 || grid->notes[i].from_first < 0) return (Turning){0};
    }
    Turning turning = {.known = true, .alike = grid->notes[0].distance == 0};
    turning.layout = turn(grid, layout_margin, &turning.layout_place);
    turning.step = turn(grid, step_margin, &turning.step_place);
    return turning;
}

// A prompt's own words, in quotation marks; what stands for them where it has none
static void quote(char *quoted, size_t size, const char *words, const char *otherwise) {
    snprintf(quoted, size, words[0] ? "\u201c%s\u201d" : "%s", words[0] ? words : otherwise);
}

void turning_text(const Viewer *viewer, const Turning *turning, char *text, size_t size) {
    const Grid *grid = &viewer->grid;
    const Branch *parent = grid_cell(viewer, grid->reference);
    char own[80], new[80], stays[96], becomes[96], layout[160] = "";
    text[0] = 0;
    if (!turning->known || !parent) return;
    if (turning->alike) {
        snprintf(text, size,
                 "Both prompts draw the same picture, so there is nothing to settle. Ask for something else.");
        return;
    }
    size_t step = turning->step, steps = parent->step_count;
    swap_words(branch_knobs(parent)->prompt, grid->prompt, own, new, sizeof own);
    quote(stays, sizeof stays, own, "what it is");
    quote(becomes, sizeof becomes, new, "the other prompt");
    if (turning->layout < step)
        snprintf(layout, sizeof layout, "Where things are is settled first, by step %zu; what they are comes later. ",
                 turning->layout);
    if (step < steps)
        snprintf(text, size,
                 "%sSwapped at step %zu, %s still changes the picture by rms %.1f, at step 0 by %.1f. From step %zu on "
                 "it is less than "
                 "half: %s is settled, where sigma has fallen from %.3g to %.2g.",
                 layout, step - 1, becomes, (double)grid->notes[step - 1].distance, (double)grid->notes[0].distance,
                 step, stays, (double)parent->sigmas[0], (double)parent->sigmas[step]);
    else
        snprintf(
            text, size,
            "%sThere is no point of no return: in the last step, %s still changes more than half of what it changes "
            "from the beginning on.",
            layout, becomes);
}

// ---- prompts --------------------------------------------------------------------------------------------------------

// Its bytes from start to end become `word`; "an owl" becomes "a cat".
static void replace(const char *prompt, size_t start, size_t end, const char *word, char *other, size_t size) {
    bool an = start >= 3 && tolower((unsigned char)prompt[start - 3]) == 'a' && prompt[start - 2] == 'n' &&
              prompt[start - 1] == ' ' && (start == 3 || prompt[start - 4] == ' ');
    snprintf(other, size, "%.*s%s%s%s", (int)(start - (an ? 2 : 0)), prompt, an ? " " : "", word, prompt + end);
    other[text_whole(other, strlen(other))] = 0;
}

static bool replace_kind(const char *prompt, WordKind kind, const char *word, const char *instead, char *other,
                         size_t size) {
    CaptionWord words[PROMPT_WORDS_MAX];
    size_t count = caption_words(prompt, words, PROMPT_WORDS_MAX);
    if (count > PROMPT_WORDS_MAX) count = PROMPT_WORDS_MAX;
    for (size_t i = 0; i < count; i++) {
        Phrase found;
        size_t length = phrase_find(prompt, words + i, count - i, &found);
        if (length == 0 || found.kind != kind) continue;
        replace(prompt, words[i].start, words[i + length - 1].end, strcmp(found.text, word) == 0 ? instead : word,
                other, size);
        return true;
    }
    return false;
}

void swap_suggest(const char *prompt, char *other, size_t size) {
    if (replace_kind(prompt, WORD_SPECIES, "cat", "dog", other, size)) return;
    if (replace_kind(prompt, WORD_COLOR, "red", "blue", other, size)) return;
    snprintf(other, size, "a red cat wearing a crown, at night");
}

static size_t common_start(const char *a, const char *b) {
    size_t same = 0, word = 0;
    for (; a[same] && a[same] == b[same]; same++) {
        if (a[same] == ' ') word = same + 1;
    }
    return (!a[same] || a[same] == ' ') && (!b[same] || b[same] == ' ') ? same : word;
}

static size_t common_end(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b), same = 0, word = 0;
    while (same < n && same < m && a[n - same - 1] == b[m - same - 1]) {
        same++;
        if (a[n - same] == ' ') word = same;
    }
    return word;
}

static void middle(const char *prompt, size_t start, size_t end, char *words, size_t size) {
    size_t n = strlen(prompt);
    while (prompt[start] == ' ') start++;
    snprintf(words, size, "%.*s", start + end < n ? (int)(n - end - start) : 0, prompt + start);
    words[text_whole(words, strlen(words))] = 0;
}

void swap_words(const char *a, const char *b, char *of_a, char *of_b, size_t size) {
    size_t start = common_start(a, b);
    size_t end = common_end(a + start, b + start);
    middle(a, start, end, of_a, size);
    middle(b, start, end, of_b, size);
}
