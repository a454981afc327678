// demo.c - lesson 12: where a word acts, asked in two ways, and graded by who knows the answer
//
// maps.png: a drawing; for some of its words, the painter's mask, where the picture looks, and what changes without the word.
// when.png: one word's maps at four steps.
// Read next: exercise.h; critters/grade/words_grade.h, which asks.

#include "demo/demo.h"
#include "critters/grade/words_grade.h"
#include "demo/heat.h"
#include "demo/measure.h"
#include "demo/network.h"
#include "run/recorder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const PROMPT = "a pygmy hippo wearing sunglasses and a blue top hat on the beach";
enum { STEPS = 20, CELL = 64 };
static const size_t STEP[] = {2, 5, 10, 15};
enum { STEP_COUNT = sizeof STEP / sizeof *STEP };

static WordGrades graded(const Model *model, const char *prompt, size_t k) {
    Error error = {0};
    WordGrades grades;
    Settings settings = demo_settings(model);
    settings.prompt = prompt, settings.num_inference_steps = STEPS;
    demo_needs(words_grade(model, &settings, k, 1, &grades, &error), &error);
    return grades;
}

static const WordGrade *word_of(const WordGrades *grades, const char *text) {
    for (size_t i = 0; i < grades->count; i++) {
        const WordGrade *word = &grades->words[i];
        if (strncmp(grades->prompt + word->start, text, strlen(text)) == 0) return word;
    }
    demo_needs(false, &(Error){"the prompt has no such word"});
    return NULL;
}

static float largest(const float *map, size_t n) {
    float most = 0;
    for (size_t i = 0; i < n; i++) most = fmaxf(most, map[i]);
    return most;
}

// ---- one drawing ----------------------------------------------------------------------------------------------------

static void print_words(const WordGrades *grades) {
    size_t n = grades->height * grades->width;
    printf("step 10 of 20   the mask    overlap by            the noise    looked at\n");
    printf("word            has         chance look  delete   moves by     by\n");
    for (size_t i = 0; i < grades->count; i++) {
        const WordGrade *word = &grades->words[i];
        printf("%-14.*s  %4.1f%%       %5.2f %5.2f  %5.2f    %5.2f        %4.1f%%\n", (int)(word->end - word->start),
               grades->prompt + word->start, 100 * (double)word->area / PIXELS, (double)word->chance_iou,
               (double)word->attention_iou, (double)word->deletion_iou, (double)largest(word->deletion, n),
               100 * (double)largest(word->attention, n));
    }
}

static void place_heat(Sheet *sheet, size_t column, size_t row, const WordGrades *grades, const float *map) {
    Image image = heat(&grades->drawing, map, grades->height, grades->width);
    sheet_place(sheet, column, row, &image);
    image_free(&image);
}

static void place_mask(Sheet *sheet, size_t column, size_t row, const WordGrades *grades, const WordGrade *word) {
    float *mask = demo_floats(PIXELS);
    for (size_t i = 0; i < PIXELS; i++) mask[i] = word->mask[i];
    Image image = heat(&grades->drawing, mask, SIDE, SIDE);
    sheet_place(sheet, column, row, &image);
    image_free(&image), free(mask);
}

static void one_drawing(const Model *model, const char *path) {
    static const char *const SHOWN[] = {"hippo", "sunglasses", "top", "hat", "beach"};
    const size_t shown = sizeof SHOWN / sizeof *SHOWN;
    WordGrades grades = graded(model, PROMPT, 10);
    print_words(&grades);
    Sheet sheet = sheet_new(1 + shown, 3, CELL);
    sheet_place(&sheet, 0, 0, &grades.drawing);
    for (size_t i = 0; i < shown; i++) {
        const WordGrade *word = word_of(&grades, SHOWN[i]);
        place_mask(&sheet, 1 + i, 0, &grades, word);
        place_heat(&sheet, 1 + i, 1, &grades, word->attention);
        place_heat(&sheet, 1 + i, 2, &grades, word->deletion);
    }
    sheet_write(&sheet, path);
    word_grades_free(&grades);
}

// ---- when -----------------------------------------------------------------------------------------------------------

static void when(const Model *model, const char *path) {
    static const char *const OTHERS[] = {"a red cat wearing a crown and a scarf in the snow",
                                         "a pink pig wearing an eye patch and a party hat in the city",
                                         "a green frog wearing round glasses and a bow tie in the desert"};
    Sheet sheet = sheet_new(STEP_COUNT, 2, CELL);
    printf("\n              words of four drawings,\n");
    printf("              mean overlap by           without \"sunglasses\"\n");
    printf("              chance  look  delete      the noise moves by\n");
    for (size_t k = 0; k < STEP_COUNT; k++) {
        double chance = 0, look = 0, deletion = 0, moved = 0;
        size_t words = 0;
        for (size_t p = 0; p < 1 + sizeof OTHERS / sizeof *OTHERS; p++) {
            WordGrades grades = graded(model, p ? OTHERS[p - 1] : PROMPT, STEP[k]);
            for (size_t i = 0; i < grades.count; i++, words++) {
                chance += (double)grades.words[i].chance_iou;
                look += (double)grades.words[i].attention_iou, deletion += (double)grades.words[i].deletion_iou;
            }
            const WordGrade *word = p ? NULL : word_of(&grades, "sunglasses");
            if (word) moved = largest(word->deletion, grades.height * grades.width);
            if (word)
                place_heat(&sheet, k, 0, &grades, word->attention), place_heat(&sheet, k, 1, &grades, word->deletion);
            word_grades_free(&grades);
        }
        double n = (double)words;
        printf("step %2zu of %d   %5.2f %5.2f   %5.2f      %5.2f\n", STEP[k], STEPS, chance / n, look / n, deletion / n,
               moved);
    }
    sheet_write(&sheet, path);
}

// ---- without the word, drawn ----------------------------------------------------------------------------------------

static void without(const Model *model, const char *path) {
    static const char *const DELETED[] = {"", "sunglasses", "blue", "top", "hat"};
    enum { COLUMNS = sizeof DELETED / sizeof *DELETED, SEEDS = 2 };
    Sheet sheet = sheet_new(COLUMNS, SEEDS, CELL);
    for (size_t i = 0; i < COLUMNS * SEEDS; i++) {
        Settings settings = demo_settings(model);
        settings.prompt = PROMPT, settings.seed = 1 + i / COLUMNS;
        Run *run = demo_run(model, &settings);
        const TokenIds *tokens = run_tokens(run, 1);
        PromptWord words[CAPTION_WORDS];
        size_t count = prompt_words(tokens, words, CAPTION_WORDS);
        char *prompt = NULL;
        for (size_t w = 0; w < count; w++) {
            size_t length = words[w].end - words[w].start;
            const char *deleted = DELETED[i % COLUMNS];
            if (strlen(deleted) != length || strncmp(tokens->text + words[w].start, deleted, length)) continue;
            settings.prompt = prompt = prompt_without_word(tokens, &words[w], false);
        }
        if (i > 0 && i < COLUMNS) printf("  \"%s\"\n", settings.prompt);
        Image image = demo_draw(model, &settings);
        sheet_place(&sheet, i % COLUMNS, i / COLUMNS, &image);
        image_free(&image), free(prompt);
        run_free(run);
    }
    sheet_write(&sheet, path);
}

// ---- who else is looked at ------------------------------------------------------------------------------------------

enum { N = LATENT_CHANNELS * 16 * 16 };

// Of all looks, mean over places, layers and heads, the share of the tokens at positions first .. last, in percent
static double looked_at(const AttentionMaps *maps, size_t first, size_t last) {
    enum { AREA = 16 * 16 };
    float map[AREA];
    double sum = 0;
    for (size_t position = first; position <= last; position++) {
        demo_needs(attention_mean(maps, ATTENTION_ALL, ATTENTION_ALL, position, 16, 16, map), &(Error){"no attention"});
        for (size_t i = 0; i < AREA; i++) sum += (double)map[i] / AREA;
    }
    return 100 * sum;
}

// The network with the text at positions first .. last taken from another's
static Network *network_with(const Model *model, const Settings *settings, Network *from, size_t first, size_t last) {
    Network *network = network_open(model, settings);
    network_take_words(network, from, first, last);
    return network;
}

static void others(const Model *model) {
    Error error = {0};
    Settings settings = demo_settings(model), alone = settings;
    settings.prompt = PROMPT;
    Recorder recorder;
    recorder_open(&recorder, model, &settings, false);
    settings.attention_observer = recorder.observer, settings.listener = &recorder;
    Run *run = demo_run(model, &settings);
    size_t end = run_tokens(run, 1)->used - 1, last = run_tokens(run, 1)->length - 1;

    alone.guidance_scale = 1, alone.prompt = "";
    Network *empty = network_open(model, &alone);
    alone.prompt = PROMPT;
    Network *whole = network_open(model, &alone);
    Network *no_words = network_with(model, &alone, empty, 1, end - 1);
    Network *no_padding = network_with(model, &alone, empty, end, last);

    printf("\n               looked at                            without it the noise moves by\n");
    printf("               start  %zu words  end, %zu of padding    words    end, padding\n", end - 1, last - end);
    for (size_t k = 0; k < STEPS; k++) {
        float latents[N], t = run_scheduler(run)->timesteps[k], answer[N], other[N];
        memcpy(latents, run_latents(run), sizeof latents);
        demo_step(run);
        AttentionMaps maps;
        demo_needs(recorder_take(&recorder, &maps, &error), &error);
        if (k % 6 == 0) {
            network_ask(whole, latents, t, answer, N);
            printf("step %2zu of %d  %4.1f%%  %6.1f%%  %18.1f%%", k, STEPS, looked_at(&maps, 0, 0),
                   looked_at(&maps, 1, end - 1), looked_at(&maps, end, last));
            network_ask(no_words, latents, t, other, N);
            printf("   %6.3f", distance_between(other, answer, N));
            network_ask(no_padding, latents, t, other, N);
            printf("  %14.3f\n", distance_between(other, answer, N));
        }
        attention_maps_free(&maps);
    }
    network_close(empty), network_close(whole), network_close(no_words), network_close(no_padding);
    run_free(run);
    recorder_close(&recorder);
}

int main(int argc, char **argv) {
    Model *model = demo_model();
    one_drawing(model, demo_path(argc, argv, "maps.png").text);
    when(model, demo_path(argc, argv, "when.png").text);
    printf("\ndrawn without a word:\n");
    without(model, demo_path(argc, argv, "without.png").text);
    others(model);
    model_close(model);
    return 0;
}
