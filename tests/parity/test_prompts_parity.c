// test_prompts_parity.c - guidance_rescale, clip_skip and prompt weights against diffusers and tests/prompt_weights.py
// (tests/make_golden_prompts.py)

#include "sculpt.h"
#include "stages/prompt_weights.h"
#include "test.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define GOLDEN "tests/golden/prompts/"
#define PROMPT "a pink cat wearing a crown, at night"
#define NEGATIVE "blurry hat"
#define WEIGHTED "a ((pink)) cat (wearing:1.3) a [crown], \\(at\\) (night:0.5"

enum { SIDE = 16, STEPS = 5, TOKENS = 14, LATENTS = LATENT_CHANNELS * (SIDE / 4) * (SIDE / 4) };
static const double BOUND = 1e-4;  // relative L2

typedef struct Case {
    const char *name, *model, *scheduler;
    float guidance;
    const char *prompt, *negative;
    uint64_t seed;
    float guidance_rescale;
    size_t clip_skip;
    bool prompt_weights;
} Case;

// The same as RUNS in make_golden_prompts.py; prompt NULL: long_prompt's
static const Case CASES[] = {
    {"rescale", "sd1", NULL, 7.5f, PROMPT, NEGATIVE, 1, 0.7f, 0, false},
    {"rescale_v", "sd2", "euler", 15, PROMPT, "", 2, 1, 0, false},
    {"skip", "sd1", NULL, 7.5f, PROMPT, NEGATIVE, 3, 0, 1, false},
    {"skip_all", "sd1", NULL, 1, PROMPT, "", 4, 0, 2, false},
    {"skip_sd2", "sd2", NULL, 4, PROMPT, "", 5, 0, 1, false},
    {"weights", "sd1", NULL, 7.5f, WEIGHTED, "(blurry:0) hat", 6, 0, 0, true},
    {"weights_sd2", "sd2", NULL, 1, WEIGHTED, "", 7, 0, 0, true},
    {"weights_long", "sd1", "euler", 3, NULL, "[[hat]]", 8, 0, 0, true},
    {"all", "sd2", NULL, 7.5f, WEIGHTED, "(hat)", 9, 0.5f, 1, true},
};
enum { RESCALE, RESCALE_V, SKIP_ONE, SKIP_ALL, SKIP_SD2, WEIGHTS, CASE_COUNT = sizeof CASES / sizeof CASES[0] };

// 24 times three tokens, and then a word that falls into pieces, of which some fit
static const char *long_prompt(void) {
    static char prompt[512];
    if (!*prompt) {
        for (int i = 0; i < 24; i++) strcat(prompt, "a (pink cat:1.2) ");
        strcat(prompt, "(hippopotamus:1.5) at night");
    }
    return prompt;
}

static Settings settings_of(const Case *c, const Model *model) {
    Settings settings = settings_default(model);
    settings.prompt = c->prompt ? c->prompt : long_prompt();
    settings.negative_prompt = c->negative;
    settings.width = settings.height = SIDE;
    settings.num_inference_steps = STEPS;
    settings.guidance_scale = c->guidance;
    settings.seed = c->seed;
    settings.scheduler = c->scheduler;
    settings.guidance_rescale = c->guidance_rescale;
    settings.clip_skip = c->clip_skip;
    settings.prompt_weights = c->prompt_weights;
    return settings;
}

// ---- whole runs -----------------------------------------------------------------------------------------------------

static const float *golden_floats(const SafetensorsFile *golden, const Case *c, const char *what, size_t count) {
    char name[128];
    snprintf(name, sizeof name, "%s.%s", c->name, what);
    const SafetensorsEntry *entry = safetensors_find(golden, name);
    bool fits = entry && entry->bytes == count * sizeof(float);
    EXPECT(fits, "the golden has no %s of %zu floats", name, count);
    return fits ? entry->data : NULL;
}

static double embeddings_off(const SafetensorsFile *golden, const Case *c, const Run *run) {
    size_t rows, length, width;
    const float *ours = run_text_embeddings(run, &rows, &length, &width);
    const float *theirs = golden_floats(golden, c, "text_embeddings", rows * TOKENS * width);
    double worst = theirs ? 0 : INFINITY;
    for (size_t row = 0; theirs && row < rows; row++) {
        worst = fmax(worst, relative_l2(ours + row * length * width, theirs + row * TOKENS * width, TOKENS * width));
    }
    return worst;
}

// Every token that fits has its own weight, and no other.
static void compare_weights(const SafetensorsFile *golden, const Case *c, const Run *run) {
    size_t rows, length, width;
    run_text_embeddings(run, &rows, &length, &width);
    const float *weights = golden_floats(golden, c, "weights", rows * length);
    for (size_t row = 0; weights && row < rows; row++) {
        const TokenIds *tokens = run_tokens(run, rows == 2 ? (int)row : 1);
        for (size_t i = 0; i < length; i++) {
            float ours = i > 0 && i + 1 < tokens->used ? tokens->tokens[i - 1].weight : 1;
            EXPECT(ours == weights[row * length + i], "%s: id %zu of row %zu weighs %g, not %g", c->name, i, row,
                   (double)ours, (double)weights[row * length + i]);
        }
    }
}

typedef struct Off {
    double embeddings, noise_pred, latents;
} Off;

// How far a run with these settings is from the golden's
static Off run_off(const SafetensorsFile *golden, const Case *c, const Model *model, const Settings *settings) {
    Error error = {0};
    Off off = {INFINITY, INFINITY, INFINITY};
    const float *noise = golden_floats(golden, c, "noise_pred", LATENTS);
    const float *latents = golden_floats(golden, c, "latents", LATENTS);
    Run *run = run_begin(model, settings, &error);
    EXPECT(run, "%s: %s", c->name, error.message);
    if (!run || !noise || !latents) return off;
    if (settings->prompt_weights) compare_weights(golden, c, run);
    off.embeddings = embeddings_off(golden, c, run);
    for (size_t k = 0; k < STEPS; k++) {
        EXPECT(run_step(run, &error) == STEP_DONE_ONE, "%s: %s", c->name, error.message);
        if (k == 0) off.noise_pred = relative_l2(run_last_step(run)->noise_pred, noise, LATENTS);
    }
    off.latents = relative_l2(run_latents(run), latents, LATENTS);
    run_free(run);
    return off;
}

typedef struct Goldens {
    SafetensorsFile *file;
    Model *sd1, *sd2;
} Goldens;

static bool goldens_open(Goldens *goldens) {
    Error error = {0};
    goldens->file = safetensors_open(GOLDEN "golden.safetensors", &error);
    goldens->sd1 = model_open("tests/golden/runs/sd1", &error);
    goldens->sd2 = model_open("tests/golden/runs/sd2", &error);
    EXPECT(goldens->file && goldens->sd1 && goldens->sd2, "%s", error.message);
    return goldens->file && goldens->sd1 && goldens->sd2;
}

static void goldens_close(Goldens *goldens) {
    model_close(goldens->sd1);
    model_close(goldens->sd2);
    safetensors_close(goldens->file);
}

static const Model *model_of(const Goldens *goldens, const Case *c) {
    return strcmp(c->model, "sd2") == 0 ? goldens->sd2 : goldens->sd1;
}

static void test_runs(void) {
    Goldens goldens;
    for (size_t i = 0, open = goldens_open(&goldens); open && i < CASE_COUNT; i++) {
        const Case *c = &CASES[i];
        Settings settings = settings_of(c, model_of(&goldens, c));
        Off off = run_off(goldens.file, c, model_of(&goldens, c), &settings);
        EXPECT(off.embeddings <= BOUND && off.noise_pred <= BOUND && off.latents <= BOUND,
               "%s: embeddings %.2g, noise_pred %.2g, latents %.2g", c->name, off.embeddings, off.noise_pred,
               off.latents);
        printf("parity  prompts %-13s embeddings %.1e  noise_pred %.1e  latents %.1e (bound %.0e)\n", c->name,
               off.embeddings, off.noise_pred, off.latents, BOUND);
    }
    goldens_close(&goldens);
}

static void test_mistakes_show(void) {
    Goldens goldens;
    if (!goldens_open(&goldens)) return;
    struct {
        int index;
        const char *what;
        Settings settings;
    } mistakes[] = {
        {RESCALE, "no rescaling", {.guidance_rescale = 0}},
        {RESCALE, "half of the rescaling", {.guidance_rescale = 0.35f}},
        {RESCALE_V, "nearly all of the rescaling", {.guidance_rescale = 0.99f}},
        {SKIP_ONE, "no layer skipped", {.clip_skip = 0}},
        {SKIP_ONE, "a layer too many skipped", {.clip_skip = 2}},
        {SKIP_ALL, "a layer too few skipped", {.clip_skip = 1}},
        {SKIP_SD2, "no layer skipped", {.clip_skip = 0}},
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        const Case *c = &CASES[mistakes[i].index];
        Settings settings = settings_of(c, model_of(&goldens, c));
        settings.guidance_rescale = mistakes[i].settings.guidance_rescale;
        settings.clip_skip = mistakes[i].settings.clip_skip;
        Off off = run_off(goldens.file, c, model_of(&goldens, c), &settings);
        EXPECT(off.noise_pred > 10 * BOUND, "%s: %s only shows as %.2g", c->name, mistakes[i].what, off.noise_pred);
    }
    // night weighs 0.51 instead of 0.5
    const Case *c = &CASES[WEIGHTS];
    Error error = {0};
    Settings settings = settings_of(c, goldens.sd1);
    settings.prompt = "a ((pink)) cat (wearing:1.3) a [crown], \\(at\\) (night:0.51";
    Run *run = run_begin(goldens.sd1, &settings, &error);
    double off = run ? embeddings_off(goldens.file, c, run) : 0;
    EXPECT(off > 10 * BOUND, "a weight that is off by 0.01 only shows as %.2g%s", off, error.message);
    run_free(run);
    goldens_close(&goldens);
}

// ---- brackets -------------------------------------------------------------------------------------------------------

static bool fragments_agree(const WeightedPrompt *ours, const json_t *theirs) {
    if (ours->count != json_array_size(theirs)) return false;
    size_t at = 0;
    for (size_t i = 0; i < ours->count; i++) {
        Fragment fragment = ours->fragments[i];
        const json_t *pair = json_array_get(theirs, i), *text = json_array_get(pair, 0);
        size_t n = json_string_length(text);
        if (fragment.start != at || fragment.end - fragment.start != n) return false;
        if (memcmp(ours->text + at, json_string_value(text), n) != 0) return false;
        if (fragment.weight != json_real_value(json_array_get(pair, 1))) return false;
        at = fragment.end;
    }
    return ours->text[at] == '\0';
}

static void test_brackets(void) {
    gzFile lines = gzopen(GOLDEN "weights.jsonl.gz", "rb");
    EXPECT(lines, "no " GOLDEN "weights.jsonl.gz");
    char line[8192];
    size_t count = 0, weighted = 0;
    for (; lines && gzgets(lines, line, sizeof line); count++) {
        json_t *json = json_loads(line, 0, NULL);
        const char *prompt = json_string_value(json_array_get(json, 0));
        WeightedPrompt ours;
        Error error = {0};
        bool read = prompt && prompt_weights_read(prompt, &ours, &error);
        EXPECT(read && fragments_agree(&ours, json_array_get(json, 1)), "%s%s", line, error.message);
        if (read) {
            weighted += ours.count > 1;
            weighted_prompt_free(&ours);
        }
        json_decref(json);
    }
    EXPECT(count > 200 && weighted > 100, "%zu prompts, of which %zu have weights", count, weighted);
    printf("  %zu prompts with brackets\n", count);
    if (lines) gzclose(lines);
}

int main(void) {
    TEST(test_runs);
    TEST(test_mistakes_show);
    TEST(test_brackets);
    return test_summary();
}
