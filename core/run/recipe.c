// recipe.c - see recipe.h

#include "run/recipe.h"

#include "base/check.h"
#include "run/run.h"
#include "stages/tokenizer_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The last part of a path, without slashes behind it: "critters" of "data/models/critters/"
static const char *path_tail(const char *path, size_t *length) {
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/') end--;
    size_t start = end;
    while (start > 0 && path[start - 1] != '/') start--;
    *length = end - start;
    return path + start;
}

// What the web UIs would have to be set to beside it. They count the layers that are left out from 1, and read brackets
// as weights unless they are told that these are none.
static void special_parameters(const Settings *s, char *text, size_t size) {
    bool brackets = strpbrk(s->prompt, "([\\") || strpbrk(s->negative_prompt, "([\\");
    char clip_skip[64] = "", exact[64] = "";
    if (s->exact) snprintf(exact, sizeof exact, "Exact: %zu, Window: %zu, ", s->exact->set.count, s->exact->window);
    if (s->clip_skip > 0) snprintf(clip_skip, sizeof clip_skip, "Clip skip: %zu, ", s->clip_skip + 1);
    snprintf(text, size, "%s%s%s%s", exact, clip_skip, brackets && !s->prompt_weights ? "Emphasis: None, " : "",
             s->precision == BF16 ? "Precision: bf16, " : "");
}

// 'Lora: "style.safetensors:0.7, other.safetensors:1", '; "" without any
static char *loras_part(const Model *model) {
    TextBuffer part = {0};
    text_append(&part, "", 0);
    for (size_t i = 0; i < model->lora_count; i++) {
        size_t length;
        const char *name = path_tail(model->loras[i].path, &length), *before = i == 0 ? "Lora: \"" : ", ";
        char weight[32];
        snprintf(weight, sizeof weight, ":%.7g%s", (double)model->loras[i].weight,
                 i + 1 == model->lora_count ? "\", " : "");
        text_append(&part, before, strlen(before));
        text_append(&part, name, length);
        text_append(&part, weight, strlen(weight));
    }
    return part.data;
}

static char *parameters_line(const Run *run, const Settings *s) {
    size_t length;
    char special[192];
    special_parameters(s, special, sizeof special);
    const char *model = path_tail(run_model(run)->path, &length);
    bool negative = *s->negative_prompt;
    char *loras = loras_part(run_model(run)), *line;
    int written =
        asprintf(&line,
                 "%s\n%s%s%sSteps: %zu, Sampler: %s, CFG scale: %g, Seed: %llu, Size: %zux%zu, Model: %.*s, "
                 "%s%sVersion: Sculpt %s",
                 s->prompt, negative ? "Negative prompt: " : "", s->negative_prompt, negative ? "\n" : "",
                 s->num_inference_steps, run_scheduler(run)->kind->name, s->guidance_scale, (unsigned long long)s->seed,
                 s->width, s->height, (int)length, model, special, loras, SCULPT_VERSION);
    CHECK(written >= 0, "out of memory");
    free(loras);
    return line;
}

void recipe_make(Recipe *recipe, const Run *run, const Settings *settings) {
    size_t count;
    const Metadata *notes = run_metadata(run, &count);
    *recipe = (Recipe){0};
    for (size_t i = 0; i < count; i++) recipe_add(recipe, notes[i].key, notes[i].value);
    char *line = parameters_line(run, settings);
    recipe_add(recipe, "parameters", line);
    free(line);
}

void recipe_add(Recipe *recipe, const char *key, const char *value) {
    recipe->rows = realloc(recipe->rows, (recipe->count + 1) * sizeof *recipe->rows);
    CHECK(recipe->rows, "out of memory");
    recipe->rows[recipe->count++] = (Metadata){key, note_text(value)};
}

void recipe_free(Recipe *recipe) {
    for (size_t i = 0; i < recipe->count; i++) free((char *)recipe->rows[i].value);
    free(recipe->rows);
    *recipe = (Recipe){0};
}
