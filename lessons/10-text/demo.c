// demo.c - lesson 10: what becomes of a prompt before any picture is drawn
//
// order.png: the same words in another order. heads.png: who looks at whom in the text encoder. rows.png: pictures made
// with rows of another prompt, or without some.
// Read next: exercise.h.

#include "demo/demo.h"
#include "demo/measure.h"
#include "demo/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char PROMPT[] = "a red cat and a blue dog", OTHER[] = "a blue cat and a red dog";
enum { STEPS = 12, LENGTH = 77, WIDTH = 128 };
enum { RED = 2, CAT, BLUE = 6, DOG };  // their places; the start token has place 0

// ---- pieces ---------------------------------------------------------------------------------------------------------

typedef struct Spelling {
    uint32_t pieces[32];
    size_t count;
} Spelling;

static void print_spelling(const Bpe *bpe, const Spelling *word) {
    for (size_t i = 0; i < word->count; i++) printf(" %s", bpe->pieces[word->pieces[i]]);
    printf("\n");
}

static const BpeMerge *merge_of_rank(const Bpe *bpe, uint32_t rank) {
    for (size_t slot = 0; slot < bpe->merge_slots; slot++) {
        if (bpe->merge_table[slot].rank == rank) return &bpe->merge_table[slot];
    }
    return NULL;
}

// Wherever the two stand side by side. Whether they did
static bool replay(Spelling *word, const BpeMerge *merge) {
    size_t count = 0, before = word->count;
    for (size_t i = 0; i < before; i++) {
        bool both = i + 1 < before && word->pieces[i] == merge->left && word->pieces[i + 1] == merge->right;
        word->pieces[count++] = both ? merge->merged : word->pieces[i];
        i += both;
    }
    word->count = count;
    return count < before;
}

// As the vocabulary was made: one merge after the other, over the whole word
static void print_merges(const Bpe *bpe, const char *letters) {
    Spelling word = {.count = strlen(letters)};
    for (size_t i = 0; i < word.count; i++) {
        uint8_t byte = (uint8_t)letters[i];
        word.pieces[i] = i + 1 < word.count ? bpe->byte_piece[byte] : bpe->last_byte_piece[byte];
    }
    printf("            ");
    print_spelling(bpe, &word);
    const BpeMerge *merge;
    for (uint32_t rank = 0; (merge = merge_of_rank(bpe, rank)); rank++) {
        if (!replay(&word, merge)) continue;
        printf("  merge %3u  ", rank);
        print_spelling(bpe, &word);
    }
}

// ---- order ----------------------------------------------------------------------------------------------------------

static Settings settings_for(const Model *model, const char *prompt, size_t seed) {
    Settings settings = demo_settings(model);
    settings.prompt = prompt, settings.seed = seed, settings.num_inference_steps = STEPS;
    return settings;
}

static void show_order(const Model *model, const char *path) {
    static const char *const PROMPTS[] = {PROMPT, OTHER, "a red dog and a blue cat", "and a dog red a blue cat"};
    enum { SEEDS = 3, COUNT = sizeof PROMPTS / sizeof *PROMPTS };
    Sheet sheet = sheet_new(SEEDS, COUNT, 60);
    for (size_t row = 0; row < COUNT; row++) {
        for (size_t i = 0; i < SEEDS; i++) {
            Settings settings = settings_for(model, PROMPTS[row], i + 1);
            Image image = demo_draw(model, &settings);
            sheet_place(&sheet, i, row, &image);
            image_free(&image);
        }
    }
    sheet_write(&sheet, path);
}

// ---- who sees whom --------------------------------------------------------------------------------------------------

// What the text encoder makes of a prompt, [77, 128], malloc'ed
static float *embeddings_of(const Model *model, const char *prompt) {
    Settings settings = settings_for(model, prompt, 1);
    settings.guidance_scale = 1;
    Run *run = demo_run(model, &settings);
    size_t rows, length, width;
    float *copy = demo_copy(run_text_embeddings(run, &rows, &length, &width), LENGTH * WIDTH);
    run_free(run);
    return copy;
}

static void print_change(const float *a, const float *b, size_t position) {
    const float *row = a + position * WIDTH, *other = b + position * WIDTH;
    if (memcmp(row, other, WIDTH * sizeof *row) == 0)
        printf("  %18s", "bit for bit equal");
    else
        printf("  %17.0f%%", 100 * distance_between(other, row, WIDTH));
}

static void print_changes(const Model *model) {
    static const size_t SHOWN[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 76};
    Error error = {0};
    TokenIds ids;
    demo_needs(tokenizer_encode(model->tokenizer, PROMPT, &ids, &error), &error);
    float *as_it_is = embeddings_of(model, PROMPT), *last = embeddings_of(model, "a red cat and a blue frog"),
          *first = embeddings_of(model, "a green cat and a blue dog");
    printf("                             dog -> frog        red -> green\n");
    for (size_t i = 0; i < sizeof SHOWN / sizeof *SHOWN; i++) {
        printf("%2zu  %-16s", SHOWN[i], tokenizer_piece(model->tokenizer, ids.ids[SHOWN[i]]));
        print_change(as_it_is, last, SHOWN[i]);
        print_change(as_it_is, first, SHOWN[i]);
        printf("\n");
    }
    free(as_it_is), free(last), free(first);
    token_ids_free(&ids);
}

enum { LAYERS = 3, HEADS = 4, SEEN = 10 };  // SEEN: how many places are drawn

typedef struct Heads {
    Sheet sheet;
    size_t layer;
} Heads;

static bool wants_text(void *listener, const char *place) {
    (void)listener;
    return strncmp(place, "text_encoder", 12) == 0;
}

// Row i is who looks, column j at whom: the darker the more. Blue is what the mask hides.
static Image head_image(const float *probabilities) {
    static const uint8_t HIDDEN[] = {198, 214, 247};
    Image image = image_new(SEEN, SEEN);
    demo_needs(image.pixels, &(Error){0});
    for (size_t i = 0; i < SEEN; i++) {
        for (size_t j = 0; j < SEEN; j++) {
            uint8_t *pixel = image.pixels + 3 * (i * SEEN + j);
            memset(pixel, 240 - (int)(240 * probabilities[i * LENGTH + j]), 3);
            if (j > i) memcpy(pixel, HIDDEN, sizeof HIDDEN);
        }
    }
    return image;
}

// probabilities [1, heads, 77, 77]
static void place_heads(void *listener, const char *place, Tensor probabilities) {
    (void)place;
    Heads *heads = listener;
    for (size_t h = 0; h < HEADS; h++) {
        const float *head = tensor_f32(probabilities) + h * LENGTH * LENGTH, *dog = head + DOG * LENGTH;
        Image image = head_image(head);
        sheet_place(&heads->sheet, h, heads->layer, &image);
        image_free(&image);
        printf("layer %zu, head %zu ", heads->layer, h);
        for (size_t j = 0; j <= DOG; j++) printf(" %6.0f%%", 100 * (double)dog[j]);
        printf("\n");
    }
    heads->layer++;
}

static void show_heads(const Model *model, const char *path) {
    Heads heads = {.sheet = sheet_new(HEADS, LAYERS, 10 * SEEN)};
    Settings settings = settings_for(model, PROMPT, 1);
    settings.guidance_scale = 1;
    settings.attention_observer = (AttentionObserver){wants_text, place_heads}, settings.listener = &heads;
    printf("\"dog\" looks at   start       a     red     cat     and       a    blue     dog\n");
    run_free(demo_run(model, &settings));
    sheet_write(&heads.sheet, path);
}

// ---- 77 rows --------------------------------------------------------------------------------------------------------

// [2, 77, 128] -> the rows from first to before end of both, malloc'ed
static Tensor some_rows(Tensor text, size_t first, size_t end) {
    float *rows = demo_floats(2 * (end - first) * WIDTH);
    for (size_t b = 0; b < 2; b++) {
        memcpy(rows + b * (end - first) * WIDTH, tensor_f32(text) + (b * LENGTH + first) * WIDTH,
               (end - first) * WIDTH * sizeof *rows);
    }
    return tensor_over(rows, shape3(2, end - first, WIDTH));
}

// The prompt's row of one place is made that of another prompt.
static void take_row(Network *network, const float *from, size_t place) {
    memcpy(network_word(network, place), from + place * WIDTH, WIDTH * sizeof *from);
}

static void show_rows(const Model *model, const char *path) {
    static const struct {
        size_t first, end;        // of the rows that the U-Net is given
        size_t places[2], taken;  // from OTHER
    } SHOWN[] = {{0, LENGTH, {0}, 0}, {0, LENGTH, {RED, BLUE}, 2}, {0, LENGTH, {CAT}, 1}, {0, LENGTH, {DOG}, 1},
                 {0, 9, {0}, 0},      {9, LENGTH, {0}, 0}};
    enum { SEEDS = 3, COUNT = sizeof SHOWN / sizeof *SHOWN };
    Sheet sheet = sheet_new(COUNT, SEEDS, 48);
    float *other = embeddings_of(model, OTHER);
    for (size_t i = 0; i < COUNT * SEEDS; i++) {
        size_t column = i % COUNT, row = i / COUNT;
        Settings settings = settings_for(model, PROMPT, row + 1);
        Network *network = network_open(model, &settings);
        network->text = some_rows(network->text, SHOWN[column].first, SHOWN[column].end);
        for (size_t t = 0; t < SHOWN[column].taken; t++) take_row(network, other, SHOWN[column].places[t]);
        float *latents = demo_floats(network->n);
        network_draw(network, network_ask, network, latents);
        Image image = demo_decode(network->run, latents);
        sheet_place(&sheet, column, row, &image);
        image_free(&image);
        free(network->text.data), free(latents);
        network_close(network);
    }
    free(other);
    sheet_write(&sheet, path);
}

static void print_lost(const Model *model) {
    char prompt[1024] = "a red cat";
    for (size_t i = 0; i < 11; i++) strcat(prompt, ", very, very happy");
    strcat(prompt, ", wearing a crown");
    Error error = {0};
    TokenIds ids;
    demo_needs(tokenizer_encode(model->tokenizer, prompt, &ids, &error), &error);
    printf("%s\n%zu tokens and two ends, room for %zu. Lost: \"%s\"\n", prompt, ids.count, ids.length, ids.lost);
    token_ids_free(&ids);
}

int main(int argc, char **argv) {
    Model *model = demo_model();
    print_merges(&model->tokenizer->bpe, "sunglasses");
    print_merges(&model->tokenizer->bpe, "hippopotamus");
    printf("\n");
    print_lost(model);
    printf("\n");
    print_changes(model);
    printf("\n");
    show_heads(model, demo_path(argc, argv, "heads.png").text);
    show_rows(model, demo_path(argc, argv, "rows.png").text);
    show_order(model, demo_path(argc, argv, "order.png").text);
    model_close(model);
    return 0;
}
