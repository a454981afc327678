// exhibit.c - see exhibit.h

#include "exhibit.h"

#include "demo/demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *nickname;
    bool of_a_step;
} MATTERS[MATTER_COUNT] = {
    [INPUT_IDS] = {"input_ids", "ids", false},
    [TEXT_EMBEDDINGS] = {"text_embeddings", "embeddings", false},
    [TIMESTEPS] = {"timesteps", "t", false},
    [LATENTS] = {"latents", "x", true},
    [NOISE_PRED_UNCOND] = {"noise_pred_uncond", "uncond", true},
    [NOISE_PRED_TEXT] = {"noise_pred_text", "text", true},
    [NOISE_PRED] = {"noise_pred", "noise", true},
    [PRED_ORIGINAL_SAMPLE] = {"pred_original_sample", "x0", true},
    [IMAGE] = {"image", "picture", false},
};

// ---- their order ----------------------------------------------------------------------------------------------------

static const Matter BEGINNING[] = {INPUT_IDS, TEXT_EMBEDDINGS, TIMESTEPS, LATENTS};
static const Matter STEP[] = {NOISE_PRED_UNCOND, NOISE_PRED_TEXT, NOISE_PRED, PRED_ORIGINAL_SAMPLE, LATENTS};
enum { AT_BEGINNING = sizeof BEGINNING / sizeof *BEGINNING, PER_STEP = sizeof STEP / sizeof *STEP };

size_t exhibit_count(size_t steps) { return AT_BEGINNING + PER_STEP * steps + 1; }

Exhibit exhibit_at(size_t index, size_t steps) {
    if (index < AT_BEGINNING) return (Exhibit){BEGINNING[index], 0};
    if (index == exhibit_count(steps) - 1) return (Exhibit){IMAGE, 0};
    size_t k = (index - AT_BEGINNING) / PER_STEP;
    Matter matter = STEP[(index - AT_BEGINNING) % PER_STEP];
    return (Exhibit){matter, matter == LATENTS ? k + 1 : k};
}

size_t exhibit_index(Exhibit exhibit, size_t steps) {
    size_t index = 0;
    for (; index < exhibit_count(steps); index++) {
        Exhibit other = exhibit_at(index, steps);
        if (other.matter == exhibit.matter && other.k == exhibit.k) break;
    }
    return index;
}

// ---- their names ----------------------------------------------------------------------------------------------------

ExhibitName exhibit_name(Exhibit exhibit) {
    ExhibitName name;
    const char *matter = MATTERS[exhibit.matter].name;
    if (MATTERS[exhibit.matter].of_a_step)
        snprintf(name.text, sizeof name.text, "%s %zu", matter, exhibit.k);
    else
        snprintf(name.text, sizeof name.text, "%s", matter);
    return name;
}

bool exhibit_read(const char *words, size_t steps, Exhibit *exhibit) {
    char name[32], rest[2];
    size_t k = 0;
    int read = sscanf(words, " %31[^. \t]%*[. \t]%zu %1s", name, &k, rest);
    if (read < 1 || read > 2) return false;
    for (size_t i = 0; i < MATTER_COUNT; i++) {
        if (strcmp(name, MATTERS[i].name) != 0 && strcmp(name, MATTERS[i].nickname) != 0) continue;
        *exhibit = (Exhibit){(Matter)i, MATTERS[i].of_a_step ? k : 0};
        return (read == 2 || !MATTERS[i].of_a_step) && exhibit_index(*exhibit, steps) < exhibit_count(steps);
    }
    return false;
}

bool exhibit_is_latents(Exhibit exhibit) { return MATTERS[exhibit.matter].of_a_step; }

// ---- their numbers --------------------------------------------------------------------------------------------------

static const float *of_a_step(const Trace *trace, Exhibit exhibit) {
    if (exhibit.k == trace->step_count) return trace->steps[exhibit.k - 1].prev_sample;
    const TraceStep *step = &trace->steps[exhibit.k];
    switch (exhibit.matter) {
    case NOISE_PRED_UNCOND: return step->noise_pred_uncond;
    case NOISE_PRED_TEXT: return step->noise_pred_text;
    case NOISE_PRED: return step->noise_pred;
    case PRED_ORIGINAL_SAMPLE: return step->pred_original_sample;
    default: return step->latents;
    }
}

float *exhibit_values(const Trace *trace, Exhibit exhibit, size_t *n) {
    size_t tokens = trace->rows * trace->length;
    float *values;
    switch (exhibit.matter) {
    case INPUT_IDS:
        values = demo_floats(*n = tokens);
        for (size_t i = 0; i < tokens; i++) values[i] = (float)trace->input_ids[i];
        return values;
    case TEXT_EMBEDDINGS: return demo_copy(trace->text_embeddings, *n = tokens * trace->text_width);
    case TIMESTEPS:
        values = demo_floats(*n = trace->step_count);
        for (size_t k = 0; k < trace->step_count; k++) values[k] = trace->steps[k].timestep;
        return values;
    case IMAGE: return demo_copy(trace->image, *n = 3 * trace->image_height * trace->image_width);
    default: return demo_copy(of_a_step(trace, exhibit), *n = trace->channels * trace->height * trace->width);
    }
}
