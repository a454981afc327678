// branch.c - see branch.h

#include "state/branch.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

Branch *branch_new(int id, const Chapter *chapters, size_t chapter_count) {
    Branch *branch = calloc(1, sizeof *branch);
    CHECK(branch, "out of memory");
    branch->id = id;
    branch->parent = -1;
    branch->continuable = true;
    branch->chapters = malloc(chapter_count * sizeof *branch->chapters);
    branch->words = calloc(chapter_count, sizeof *branch->words);
    branch->text_attention = calloc(chapter_count, sizeof *branch->text_attention);
    CHECK(branch->chapters && branch->words && branch->text_attention, "out of memory");
    memcpy(branch->chapters, chapters, chapter_count * sizeof *chapters);
    branch->chapter_count = chapter_count;
    return branch;
}

static void pictures_free(Branch *branch) {
    for (size_t i = 0; branch->pictures && i < (branch->step_count + 1) * PICTURE_KINDS; i++)
        picture_free(&branch->pictures[i].picture);
    free(branch->pictures);
}

void branch_free(Branch *branch) {
    if (!branch) return;
    pictures_free(branch);
    for (size_t i = 0; i < branch->deletion_count; i++) free(branch->deletions[i]->map), free(branch->deletions[i]);
    for (size_t i = 0; i < branch->attention_count; i++) {
        if (!branch->attention[i]->of_trace) attention_maps_free(&branch->attention[i]->maps);
        free(branch->attention[i]);
    }
    for (size_t i = 0; i < branch->chapter_count; i++) {
        text_attention_free(&branch->text_attention[i]);
        token_ids_free(&branch->words[i].tokens);
    }
    free(branch->text_attention);
    free(branch->deletions);
    free(branch->attention);
    free(branch->words);
    free(branch->sigmas);
    free(branch->chapters);
    trace_free(branch->trace);
    free(branch);
}

const Knobs *branch_knobs(const Branch *branch) { return &branch->chapters[branch->chapter_count - 1].knobs; }

size_t branch_chapter_at(const Branch *branch, size_t k) {
    size_t c = branch->chapter_count - 1;
    while (c > 0 && branch->chapters[c].from > k) c--;
    return c;
}

const Knobs *branch_knobs_at(const Branch *branch, size_t k) {
    return &branch->chapters[branch_chapter_at(branch, k)].knobs;
}

// Whether a recorded run had these tokens, too; of several chapters a trace has the tokens of one only.
static bool tokens_recorded(const Branch *branch, const TokenIds *tokens) {
    const Trace *trace = branch->trace;
    if (!branch->from_file || !trace || branch->chapter_count > 1) return true;
    const int64_t *ids = trace->input_ids + (trace->rows - 1) * trace->length;
    return trace->length == tokens->length && memcmp(ids, tokens->ids, tokens->length * sizeof *ids) == 0;
}

// Brackets may have been words of the prompt, or may have said how much words weigh.
static bool read_prompt(const Branch *branch, const char *prompt, TokenIds *tokens) {
    const Tokenizer *tokenizer = branch->model->tokenizer;
    if (!tokenizer_encode(tokenizer, prompt, tokens, NULL)) return false;
    if (tokens_recorded(branch, tokens)) return true;
    token_ids_free(tokens);
    if (!tokenizer_encode_weighted(tokenizer, prompt, tokens, NULL)) return false;
    if (tokens_recorded(branch, tokens)) return true;
    token_ids_free(tokens);
    return false;
}

const PromptWords *branch_words(Branch *branch, size_t k) {
    size_t c = branch_chapter_at(branch, k);
    PromptWords *words = &branch->words[c];
    if (words->known) return words;
    if (!branch->model || !branch->model->tokenizer) return NULL;
    if (!read_prompt(branch, branch->chapters[c].knobs.prompt, &words->tokens)) return NULL;
    words->count = prompt_words(&words->tokens, words->words, PROMPT_WORDS_MAX);
    if (words->count > PROMPT_WORDS_MAX) words->count = PROMPT_WORDS_MAX;
    words->known = true;
    return words;
}

size_t branch_steps_done(const Branch *branch) { return branch->trace ? branch->trace->step_count : 0; }

const float *branch_latents(const Branch *branch, size_t k) {
    size_t done = branch_steps_done(branch);
    if (k < done) return branch->trace->steps[k].latents;
    return k == done && done > 0 ? branch->trace->steps[done - 1].prev_sample : NULL;
}

StepNumbers branch_numbers(const Branch *branch, size_t k, PictureKind kind) {
    const TraceStep *step = k < branch_steps_done(branch) ? &branch->trace->steps[k] : NULL;
    if (kind == PICTURE_START) return (StepNumbers){branch_latents(branch, k), NULL};
    if (kind == PICTURE_CLEAN && step) return (StepNumbers){step->pred_original_sample, NULL};
    if (kind == PICTURE_NOISE && step) return (StepNumbers){step->noise_pred, NULL};
    if (kind == PICTURE_GUIDANCE && step && step->noise_pred_text)
        return (StepNumbers){step->noise_pred_text, step->noise_pred_uncond};
    return (StepNumbers){NULL, NULL};
}

float branch_alpha(const Branch *branch, size_t k) {
    float sigma = branch->sigmas && k < branch->step_count ? branch->sigmas[k] : 0;
    return 1 / (1 + sigma * sigma);
}

float *numbers_copied(const float *numbers, size_t n) {
    float *copy = malloc(n * sizeof *copy);
    CHECK(copy, "out of memory");
    memcpy(copy, numbers, n * sizeof *copy);
    return copy;
}
