// demo.c - lesson 07: five things that image models get wrong, each counted, and for each an experiment that says why
//
// fingers.png: hands through windows. binding.png: colours, and tokens that change places. no.png: a hat that nobody wants.
// giraffe.png: a word that says nothing. penguins.png: what is said, and what is left open.
// Read next: demo/look.h, for what counts here; exercise.h.

#include "demo/demo.h"
#include "critters/exact/exact_data.h"
#include "critters/grade/caption_read.h"
#include "demo/fingers.h"
#include "demo/look.h"
#include "demo/measure.h"
#include "demo/network.h"
#include "demo/paint.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 10, SEEDS = 8, PAIRS = 16, HANDS = 24 };  // seeds of each: where less happens, more are needed
enum { SIDE_OF_LATENTS = 16, N = LATENT_CHANNELS * SIDE_OF_LATENTS * SIDE_OF_LATENTS };
enum { SHOWN = 6, CELL = 48 };  // of the pictures

static Settings asked(const Model *model, const char *prompt, uint64_t seed) {
    Settings settings = demo_settings(model);
    settings.prompt = prompt, settings.seed = seed, settings.num_inference_steps = STEPS;
    return settings;
}

// ---- counts ---------------------------------------------------------------------------------------------------------

enum { MOST = 64 };

typedef struct Count {
    size_t found, n;
    bool is[MOST];  // [n]
} Count;

static void note(Count *count, bool is) {
    count->is[count->n++] = is;
    count->found += is;
}

static void say(const char *what, Count count) {
    Interval share = wilson(count.found, count.n, 1.96);
    printf("%-51s %2zu of %2zu  %3.0f%% to %3.0f%%\n", what, count.found, count.n, fabs(100 * share.low),
           100 * share.high);
}

static void say_sign_test(Count before, Count after) {
    size_t better = 0, worse = 0;
    for (size_t i = 0; i < after.n; i++) better += after.is[i] > before.is[i], worse += after.is[i] < before.is[i];
    printf("  sign test: of %zu seeds %zu went from no to yes, %zu from yes to no: p = %.2g\n", after.n, better, worse,
           sign_test_p(better, worse));
}

// The first few into a row of the sheet, if it has that row
static void show(Sheet *sheet, size_t column, size_t row, const Image *image) {
    if (column < sheet->columns && row < sheet->rows) sheet_place(sheet, column, row, image);
}

// Draws the prompt with seeds 1 .. seeds. Which pictures are as they should be?
static Count count(const Model *model, const char *prompt, const char *negative, size_t seeds,
                   bool (*is_so)(const Image *), Sheet *sheet, size_t row) {
    Count found = {0};
    for (size_t i = 0; i < seeds; i++) {
        Settings settings = asked(model, prompt, i + 1);
        settings.negative_prompt = negative;
        Image image = demo_draw(model, &settings);
        note(&found, is_so(&image));
        show(sheet, i, row, &image);
        image_free(&image);
    }
    return found;
}

// ---- fingers --------------------------------------------------------------------------------------------------------

enum { DRAWINGS = 120, SLIDE = 2 };

static bool has_five(const Image *image) { return fingers_count(image) == 5; }

// Of hands that the painter drew it is known that they have five.
static Count trusted(void) {
    Count found = {0};
    for (size_t i = 0; i < 40; i++) {
        Image image = paint("an orange hand with five fingers on a plain background", i);
        note(&found, has_five(&image));
        image_free(&image);
    }
    return found;
}

// window: 0 for the whole picture
static Count hands_through(const Model *model, ExactDenoiser *exact, size_t window, Sheet *sheet, size_t row) {
    Count found = {0};
    for (size_t i = 0; i < HANDS; i++) {
        Settings settings = asked(model, "", i + 1);
        exact->window = window, exact->reach = window ? SLIDE : 0;
        settings.exact = exact, settings.guidance_scale = 1;
        Image image = demo_draw(model, &settings);
        note(&found, has_five(&image));
        show(sheet, i, row, &image);
        image_free(&image);
    }
    return found;
}

static void fingers(const Model *model, const char *path) {
    Error error = {0};
    Drawing *drawings = calloc(DRAWINGS, sizeof *drawings);
    demo_needs(drawings, &error);
    for (size_t i = 0; i < DRAWINGS; i++) {
        drawings[i] = (Drawing){.seed = i, .kind = HAND, .fingers = 5, .hand_color = ORANGE, .scene = PLAIN};
    }
    ExactData data;
    demo_needs(exact_data_encode(&data, model, drawings, DRAWINGS, &error), &error);
    Sheet sheet = sheet_new(SHOWN, 2, CELL);
    say("the painter's hands are counted right", trusted());
    say("exact denoiser: five fingers", hands_through(model, &data.denoiser, 0, &sheet, 0));
    Count narrow = hands_through(model, &data.denoiser, 5, &sheet, 1);
    say("through windows of 5 x 5 latents: five fingers", narrow);
    Count wide = hands_through(model, &data.denoiser, 11, &sheet, 2);
    say("through windows of 11 x 11 latents: five fingers", wide);
    say_sign_test(narrow, wide);
    sheet_write(&sheet, path);
    exact_data_free(&data);
}

// ---- binding --------------------------------------------------------------------------------------------------------

// One half is red and the other blue
static bool both_colors(const Image *image) {
    size_t middle = image->width / 2, end = image->width;
    bool left_red = color_share(image, 0, middle, RED) > color_share(image, 0, middle, BLUE);
    bool right_red = color_share(image, middle, end, RED) > color_share(image, middle, end, BLUE);
    return left_red != right_red;
}

// Where the words stand among the tokens of "a red cat and a blue dog on a plain background"; 0 is the start token
enum { FIRST_COLOR = 2, FIRST_NOUN = 3, SECOND_COLOR = 6, SECOND_NOUN = 7 };

static void take_tokens(Network *network, Network *from, size_t one, size_t other) {
    network_take_words(network, from, one, one);
    network_take_words(network, from, other, other);
}

typedef struct Halves {
    Network *left, *right;  // who is asked for which half of the picture
} Halves;

static void ask_halves(void *asked, const float *model_input, float timestep, float *noise_pred, size_t n) {
    const Halves *halves = asked;
    float *right = demo_floats(n);
    network_ask(halves->left, model_input, timestep, noise_pred, n);
    network_ask(halves->right, model_input, timestep, right, n);
    for (size_t i = 0; i < n; i++) {
        if (i % SIDE_OF_LATENTS >= SIDE_OF_LATENTS / 2) noise_pred[i] = right[i];
    }
    free(right);
}

// "a red cat and a blue dog", but what two of its tokens became in the text encoder is taken from the sentence with the
// colours exchanged. Which of the two sentences' pictures is it like, from the same seed?
static void exchange_tokens(const Model *model, Sheet *sheet) {
    enum { AS_IT_IS = 0, COLORS_TAKEN, NOUNS_TAKEN, WAYS };
    Count like_other[WAYS] = {0};
    for (uint64_t seed = 1; seed <= SHOWN; seed++) {
        Settings settings = asked(model, "a blue cat and a red dog on a plain background", seed);
        Network *other = network_open(model, &settings);
        settings.prompt = "a red cat and a blue dog on a plain background";
        float theirs[N], latents[N], own[N];
        network_draw(other, network_ask, other, theirs);
        for (size_t way = 0; way < WAYS; way++) {
            Network *network = network_open(model, &settings);
            if (way == COLORS_TAKEN) take_tokens(network, other, FIRST_COLOR, SECOND_COLOR);
            if (way == NOUNS_TAKEN) take_tokens(network, other, FIRST_NOUN, SECOND_NOUN);
            network_draw(network, network_ask, network, latents);
            if (way == AS_IT_IS) memcpy(own, latents, sizeof own);
            note(&like_other[way], distance_between(latents, theirs, N) < distance_between(latents, own, N));
            if (way == NOUNS_TAKEN) {
                Image image = demo_decode(network->run, latents);
                show(sheet, seed - 1, 1, &image);
                image_free(&image);
            }
            network_close(network);
        }
        network_close(other);
    }
    say("colours' tokens exchanged: as if the cat were blue", like_other[COLORS_TAKEN]);
    say("nouns' tokens exchanged: as if the cat were blue", like_other[NOUNS_TAKEN]);
}

// The left half never hears of blue, the right one never of red.
static Count hears_one_color(const Model *model) {
    Count found = {0};
    float latents[N];
    for (uint64_t seed = 1; seed <= PAIRS; seed++) {
        Settings settings = asked(model, "a red cat and a red dog on a plain background", seed);
        Network *left = network_open(model, &settings);
        settings.prompt = "a blue cat and a blue dog on a plain background";
        Network *right = network_open(model, &settings);
        network_draw(left, ask_halves, &(Halves){left, right}, latents);
        Image image = demo_decode(left->run, latents);
        note(&found, both_colors(&image));
        image_free(&image);
        network_close(left), network_close(right);
    }
    return found;
}

static void binding(const Model *model, const char *path) {
    Sheet sheet = sheet_new(SHOWN, 2, CELL);
    const char *prompt = "a red cat and a blue dog on a plain background";
    Count plain = count(model, prompt, "", PAIRS, both_colors, &sheet, 0);
    say("a red cat and a blue dog: both colours", plain);
    exchange_tokens(model, &sheet);
    Count parted = hears_one_color(model);
    say("each half hears of one colour only: both colours", parted);
    say_sign_test(plain, parted);
    sheet_write(&sheet, path);
}

// ---- "no" -----------------------------------------------------------------------------------------------------------

static bool has_green(const Image *image) { return color_share(image, 0, image->width, GREEN) > 0.01; }

// How far the answers to two prompts are apart, on the way of the first one's run
static double answers_apart(const Model *model, const char *prompt, const char *other) {
    Error error = {0};
    Settings settings = asked(model, prompt, 1);
    settings.guidance_scale = 1;
    Run *run = demo_run(model, &settings);
    float *own = demo_floats(N), *theirs = demo_floats(N);
    double sum = 0;
    do {
        demo_needs(run_ask(run, NULL, own, &error) && run_ask(run, other, theirs, &error), &error);
        sum += distance_between(theirs, own, N);
        demo_step(run);
    } while (run_steps_done(run) < run_step_count(run));
    free(own), free(theirs);
    run_free(run);
    return sum / STEPS;
}

static void no(const Model *model, const char *path) {
    const char *with = "a white cat wearing a green top hat in the snow";
    const char *without = "a white cat wearing no green top hat in the snow";
    Sheet sheet = sheet_new(SHOWN, 2, CELL);
    Count plain = count(model, "a white cat in the snow", "", SEEDS, has_green, &sheet, 2);
    say("a white cat in the snow: something green", plain);
    Count no_hat = count(model, without, "", SEEDS, has_green, &sheet, 0);
    say("... wearing no green top hat: something green", no_hat);
    say_sign_test(plain, no_hat);
    Count negative = count(model, "a white cat in the snow", "green top hat", SEEDS, has_green, &sheet, 1);
    say("negative prompt \"green top hat\": something green", negative);
    printf("the answer moves by %.3f where \"a\" becomes \"no\", by %.3f where all about the hat goes\n",
           answers_apart(model, with, without), answers_apart(model, with, "a white cat in the snow"));
    sheet_write(&sheet, path);
}

// ---- penguins -------------------------------------------------------------------------------------------------------

static bool in_snow(const Image *image) { return scene_seen(image) == SNOW; }
static bool in_desert(const Image *image) { return scene_seen(image) == DESERT; }

static void penguins(const Model *model, const char *path) {
    Sheet sheet = sheet_new(SHOWN, 2, CELL);
    say("a lion: in the snow", count(model, "a lion", "", SEEDS, in_snow, &sheet, 2));
    say("a penguin: in the snow", count(model, "a penguin", "", SEEDS, in_snow, &sheet, 0));
    say("a penguin in the desert: in the desert",
        count(model, "a penguin in the desert", "", SEEDS, in_desert, &sheet, 1));
    sheet_write(&sheet, path);
}

// ---- giraffes -------------------------------------------------------------------------------------------------------

static void giraffes(const Model *model, const char *path) {
    static const char *const PROMPT[] = {"a giraffe", "a"};
    static const char *const OTHER[] = {"a lion", "a cat", "a bear", "a zebra", "a"};
    Sheet sheet = sheet_new(SHOWN, 2, CELL);
    for (size_t row = 0; row < 2; row++) {
        for (size_t i = 0; i < SHOWN; i++) {
            Settings settings = asked(model, PROMPT[row], i + 1);
            Image image = demo_draw(model, &settings);
            show(&sheet, i, row, &image);
            image_free(&image);
        }
    }
    sheet_write(&sheet, path);
    printf("the answer to \"a giraffe\" is apart from that to");
    for (size_t i = 0; i < sizeof OTHER / sizeof *OTHER; i++) {
        printf("%s \"%s\" by %.2f", i ? "," : "", OTHER[i], answers_apart(model, "a giraffe", OTHER[i]));
    }
    printf("\n");
}

// ---- a judge that nobody asks ---------------------------------------------------------------------------------------

// Drawings of all species, under noise that is known. Which of the prompts "a hippo", "a cat", ... lets the U-Net name that
// noise best? (Li et al. 2023, arXiv 2303.16203)
static void judge(const Model *model) {
    enum { T = 501 };
    Error error = {0};
    Network *heard[SPECIES];
    char prompt[64];
    for (size_t i = 0; i < SPECIES; i++) {
        snprintf(prompt, sizeof prompt, "a %s", SPECIES_NAME[i]);
        Settings settings = asked(model, prompt, 1);
        settings.guidance_scale = 1;
        heard[i] = network_open(model, &settings);
    }
    float x0[N], noise[N], latents[N], noise_pred[N], a = run_scheduler(heard[0]->run)->alphas_cumprod[T];
    Rng rng;
    rng_seed(&rng, 1);
    Count right = {0};
    for (size_t i = 0; i < SPECIES; i++) {
        CaptionReading reading;
        snprintf(prompt, sizeof prompt, "a %s in the city", SPECIES_NAME[i]);
        demo_needs(caption_read(prompt, i, &reading, &error), &error);
        reading.drawing.animal[0].color = (ColorName)(i % COLORS);
        demo_needs(drawing_encode(model, &reading.drawing, x0, &error), &error);
        rng_normal(&rng, noise, N);
        for (size_t j = 0; j < N; j++) latents[j] = sqrtf(a) * x0[j] + sqrtf(1 - a) * noise[j];
        size_t best = 0;
        double least = INFINITY;
        for (size_t s = 0; s < SPECIES; s++) {
            network_ask(heard[s], latents, T, noise_pred, N);
            double off = distance_between(noise_pred, noise, N);
            if (off < least) least = off, best = s;
        }
        note(&right, best == i);
    }
    say("the U-Net names a drawing's species, if asked", right);
    for (size_t i = 0; i < SPECIES; i++) network_close(heard[i]);
}

int main(int argc, char **argv) {
    Model *model = demo_model();
    printf("%51s  counted  the true share\n", "");
    fingers(model, demo_path(argc, argv, "fingers.png").text);
    printf("\n");
    binding(model, demo_path(argc, argv, "binding.png").text);
    printf("\n");
    no(model, demo_path(argc, argv, "no.png").text);
    printf("\n");
    penguins(model, demo_path(argc, argv, "penguins.png").text);
    printf("\n");
    giraffes(model, demo_path(argc, argv, "giraffe.png").text);
    printf("\n");
    judge(model);
    model_close(model);
    return 0;
}
