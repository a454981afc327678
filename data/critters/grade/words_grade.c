// words_grade.c - see words_grade.h

#include "critters/grade/words_grade.h"

#include "critters/draw/studio.h"
#include "critters/grade/iou.h"
#include "run/recorder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- the drawing ----------------------------------------------------------------------------------------------------

static bool settings_fit(const Settings *settings, size_t k, Error *error) {
    if (settings->width != SIDE || settings->height != SIDE) {
        return error_set(error,
                         "grade: the painter's masks are %dx%d pixels, not %zux%zu; take a model and a size of that",
                         SIDE, SIDE, settings->width, settings->height);
    }
    if (!settings->prompt) return error_set(error, "grade: there is no prompt (NULL); give a string");
    if (k < settings->num_inference_steps) return true;
    return error_set(error, "grade: there is no step %zu in a run of %zu steps, which count from 0; take one of them",
                     k, settings->num_inference_steps);
}

static bool prompt_encode(const Model *model, const Settings *settings, TokenIds *tokens, Error *error) {
    if (settings->prompt_weights) return tokenizer_encode_weighted(model->tokenizer, settings->prompt, tokens, error);
    return tokenizer_encode(model->tokenizer, settings->prompt, tokens, error);
}

static bool grades_paint(WordGrades *grades, const Drawing *drawing, Canvas *canvas, Error *error) {
    grades->drawing = image_new(SIDE, SIDE);
    if (!grades->drawing.pixels) return error_set(error, "grade: no memory for a drawing; close other programs");
    drawing_draw(drawing, canvas);
    canvas_bytes(canvas, grades->drawing.pixels);
    return true;
}

// ---- the words ------------------------------------------------------------------------------------------------------

static const PromptWord *word_at(const PromptWord *words, size_t count, const CaptionWord *word) {
    for (size_t i = 0; i < count; i++)
        if (words[i].start == word->start && words[i].end == word->end) return &words[i];
    return NULL;
}

// Lists the words to grade: those that the model reads and the drawing shows. tokens_of[i]: grades->words[i]'s
static bool grades_list_words(WordGrades *grades, const CaptionReading *reading, const TokenIds *tokens,
                              const Canvas *canvas, PromptWord tokens_of[CAPTION_WORDS], Error *error) {
    size_t most = tokens->used;
    PromptWord *words = malloc(most * sizeof *words);
    grades->words = calloc(CAPTION_WORDS, sizeof *grades->words);
    grades->prompt = strdup(tokens->text);
    if (words && grades->words && grades->prompt) {
        size_t count = prompt_words(tokens, words, most);
        for (size_t i = 0; i < reading->word_count; i++) {
            const CaptionWord *word = &reading->words[i];
            const PromptWord *read = word_at(words, count, word);
            WordGrade *grade = &grades->words[grades->count];
            grade->area = read ? things_mask(canvas, word->things, grade->mask) : 0;
            if (grade->area == 0) continue;
            grade->start = word->start, grade->end = word->end, grade->kind = word->kind;
            tokens_of[grades->count++] = *read;
        }
        free(words);
        return true;
    }
    free(words);
    return error_set(error, "grade: no memory for %d masks; close other programs", CAPTION_WORDS);
}

static bool grades_take_maps(WordGrades *grades, const Run *run, Error *error) {
    const Scheduler *scheduler = run_scheduler(run);
    grades->timestep = scheduler->timesteps[scheduler->timestep_count - run_step_count(run)];  // no step is done yet
    run_latent_size(run, &grades->height, &grades->width);
    size_t area = grades->height * grades->width;
    grades->maps = calloc(2 * grades->count * area + 1, sizeof *grades->maps);
    if (!grades->maps)
        return error_set(error, "grade: no memory for %zu maps; close other programs", 2 * grades->count);
    for (size_t i = 0; i < grades->count; i++) {
        grades->words[i].deletion = grades->maps + 2 * i * area;
        grades->words[i].attention = grades->maps + (2 * i + 1) * area;
    }
    return true;
}

// ---- the questions --------------------------------------------------------------------------------------------------

// A run whose next step is step k, about the drawing. int(steps * strength) steps are left of it: asked for is half a
// step more than that, which is none more, so that none is lost to rounding.
static Run *run_begin_at(const Model *model, const Settings *settings, const Image *drawing, size_t k, Error *error) {
    float steps = (float)settings->num_inference_steps;
    Settings s = *settings;
    s.init = drawing;
    s.mask = NULL;
    s.latents = NULL;
    s.strength = k ? (steps - (float)k + 0.5f) / steps : 1;
    return run_begin(model, &s, error);
}

// What the U-Net says with the whole prompt: noise_pred [4, height, width], and where it looked
static bool ask_and_record(Run *run, const Settings *settings, float *noise_pred, AttentionMaps *attention,
                           Error *error) {
    Recorder recorder;
    recorder_open(&recorder, run_model(run), settings, false);
    bool ok = run_observe(run, NULL, recorder.observer, &recorder, error) && run_ask(run, NULL, noise_pred, error) &&
              recorder_take(&recorder, attention, error);
    ok = run_observe(run, NULL, (AttentionObserver){0}, NULL, error) && ok;
    recorder_close(&recorder);
    return ok;
}

// Adds up the maps of all tokens of a word: the places' look that any of them got. map [height, width], 0 at first
static bool word_attention(const AttentionMaps *attention, const PromptWord *word, WordGrades *grades, float *map,
                           float *one, Error *error) {
    size_t area = grades->height * grades->width;
    for (size_t token = word->first; token <= word->last; token++) {
        if (!attention_mean(attention, ATTENTION_ALL, ATTENTION_ALL, token + 1, grades->height, grades->width, one))
            return error_set(error, "grade: no attention to token %zu was seen; a U-Net with cross-attention has it",
                             token);
        for (size_t i = 0; i < area; i++) map[i] += one[i];
    }
    return true;
}

static bool grades_ask(WordGrades *grades, Run *run, const Settings *settings, const PromptWord *tokens_of,
                       Error *error) {
    size_t area = grades->height * grades->width;
    AttentionMaps attention = {0};
    float *noise_pred = malloc((LATENT_CHANNELS + 1) * area * sizeof *noise_pred);
    if (!noise_pred) return error_set(error, "grade: no memory for the U-Net's answer; close other programs");
    float *one = noise_pred + LATENT_CHANNELS * area;
    bool ok = ask_and_record(run, settings, noise_pred, &attention, error);
    for (size_t i = 0; ok && i < grades->count; i++) {
        WordGrade *grade = &grades->words[i];
        ok = word_attention(&attention, &tokens_of[i], grades, grade->attention, one, error) &&
             run_deletion_map(run, &tokens_of[i], noise_pred, grade->deletion, error);
    }
    attention_maps_free(&attention);
    free(noise_pred);
    return ok;
}

static bool grades_hold_against_masks(WordGrades *grades, Error *error) {
    for (size_t i = 0; i < grades->count; i++) {
        WordGrade *grade = &grades->words[i];
        grade->deletion_iou = map_iou(grade->deletion, grades->height, grades->width, grade->mask, SIDE);
        grade->attention_iou = map_iou(grade->attention, grades->height, grades->width, grade->mask, SIDE);
        grade->chance_iou = chance_iou(grade->area, PIXELS);
        if (isnan(grade->deletion_iou) || isnan(grade->attention_iou))
            return error_set(error, "grade: no memory to compare maps with masks; close other programs");
    }
    return true;
}

// ---- all of it ------------------------------------------------------------------------------------------------------

bool words_grade(const Model *model, const Settings *settings, size_t k, uint64_t painter_seed, WordGrades *out,
                 Error *error) {
    *out = (WordGrades){0};
    TokenIds tokens;
    if (!settings_fit(settings, k, error) || !prompt_encode(model, settings, &tokens, error)) return false;
    CaptionReading reading;
    Canvas canvas;
    PromptWord tokens_of[CAPTION_WORDS];
    bool ok = caption_read(tokens.text, painter_seed, &reading, error) &&
              grades_paint(out, &reading.drawing, &canvas, error) &&
              grades_list_words(out, &reading, &tokens, &canvas, tokens_of, error);
    token_ids_free(&tokens);
    Run *run = ok ? run_begin_at(model, settings, &out->drawing, k, error) : NULL;
    ok = run && grades_take_maps(out, run, error) && grades_ask(out, run, settings, tokens_of, error) &&
         grades_hold_against_masks(out, error);
    run_free(run);
    if (!ok) word_grades_free(out);
    return ok;
}

void word_grades_free(WordGrades *grades) {
    image_free(&grades->drawing);
    free(grades->prompt);
    free(grades->words);
    free(grades->maps);
    *grades = (WordGrades){0};
}
