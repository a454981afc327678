// demo.c - lesson 02: what the best possible denoiser draws, what it does on the way, and what windows make of it
//
// returns.png: above what it drew, below the nearest of its drawings. mean.png: its answer at some steps. chimeras.png: the
// same noise seen through windows, and below which drawing each place is from. hands.png: all had five fingers.
// Read next: exercise.h.

#include "demo/demo.h"
#include "critters/draw/studio.h"
#include "critters/exact/exact_data.h"
#include "demo/fingers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 20, H = 16, W = 16, N = LATENT_CHANNELS * H * W };
enum { ANIMALS = 120, HANDS = 80, SEEDS = 6, COUNTED = 12 };

typedef struct Drawn {
    Image image;
    float latents[N];
} Drawn;

static Drawn draw(const Model *model, const ExactDenoiser *exact, const char *prompt, uint64_t seed, size_t steps) {
    Settings settings = demo_settings(model);
    settings.prompt = prompt, settings.seed = seed, settings.exact = exact;
    settings.num_inference_steps = steps, settings.guidance_scale = 1;
    Drawn drawn;
    Run *run = demo_run(model, &settings);
    drawn.image = demo_finish(run);
    memcpy(drawn.latents, run_latents(run), sizeof drawn.latents);
    run_free(run);
    return drawn;
}

static LatentChoice all_of(const LatentSet *set) { return (LatentChoice){NULL, set->count}; }

// ---- the training sets ----------------------------------------------------------------------------------------------

static void encode(ExactData *data, const Model *model, size_t count, Drawing (*drawing)(size_t i)) {
    Error error = {0};
    Drawing *drawings = calloc(count, sizeof *drawings);
    demo_needs(drawings, &error);
    for (size_t i = 0; i < count; i++) drawings[i] = drawing(i);
    demo_needs(exact_data_encode(data, model, drawings, count, &error), &error);
}

static Drawing animal(size_t i) { return drawing_sample(i, TRAIN, ONE); }
static Drawing red_hand(size_t i) {
    return (Drawing){.seed = i, .kind = HAND, .fingers = 5, .hand_color = RED, .scene = PLAIN};
}

// ---- how near is it to what was drawn? ------------------------------------------------------------------------------

// Of the drawings, the one that is most like `latents` in the window of size x size around (y, x), and the squared
// difference there, a number. `except`: the one that isn't asked.
static size_t nearest_window(const float *latents, const LatentSet *set, size_t y, size_t x, size_t size, size_t except,
                             double *difference) {
    size_t half = size / 2, nearest = 0;
    *difference = INFINITY;
    for (size_t i = 0; i < set->count; i++) {
        const float *other = chosen_latent(set, all_of(set), i);
        double sum = 0;
        size_t n = 0;
        for (size_t row = y < half ? 0 : y - half; row <= y + half && row < H; row++) {
            for (size_t column = x < half ? 0 : x - half; column <= x + half && column < W; column++) {
                for (size_t c = 0; c < LATENT_CHANNELS; c++, n++) {
                    size_t at = (c * H + row) * W + column;
                    double off = latents[at] - other[at];
                    sum += off * off;
                }
            }
        }
        if (i != except && sum / (double)n < *difference) nearest = i, *difference = sum / (double)n;
    }
    return nearest;
}

typedef struct Likeness {
    double whole, windows;  // root mean square distance to the nearest drawing; of each 5 x 5 window to the nearest one
    size_t from[H * W];     // the drawing that each place's window is nearest to
    size_t drawings;        // how many different ones
} Likeness;

static Likeness likeness(const float *latents, const LatentSet *set, size_t except) {
    Likeness found = {0};
    double sum = 0, difference;
    bool *is_there = calloc(set->count, sizeof *is_there);
    demo_needs(is_there, &(Error){0});
    nearest_window(latents, set, H / 2, W / 2, 2 * H, except, &difference);
    found.whole = sqrt(difference);
    for (size_t p = 0; p < H * W; p++) {
        found.from[p] = nearest_window(latents, set, p / W, p % W, 5, except, &difference);
        sum += difference;
        found.drawings += !is_there[found.from[p]];
        is_there[found.from[p]] = true;
    }
    free(is_there);
    found.windows = sqrt(sum / (H * W));
    return found;
}

static void print_likeness(const char *name, const Likeness *each, size_t count) {
    double whole = 0, windows = 0, drawings = 0;
    for (size_t i = 0; i < count; i++)
        whole += each[i].whole, windows += each[i].windows, drawings += (double)each[i].drawings;
    printf("%-26s %14.2f %13.2f %14.0f\n", name, whole / (double)count, windows / (double)count,
           drawings / (double)count);
}

// ---- what it draws --------------------------------------------------------------------------------------------------

static Image painted(const Drawing *drawing) {
    Canvas *canvas = malloc(sizeof *canvas);
    Image image = image_new(SIDE, SIDE);
    demo_needs(canvas && image.pixels, &(Error){0});
    drawing_draw(drawing, canvas);
    canvas_bytes(canvas, image.pixels);
    free(canvas);
    return image;
}

static void place(Sheet *sheet, size_t column, size_t row, Image image) {
    sheet_place(sheet, column, row, &image);
    image_free(&image);
}

static void show_returns(const Model *model, const ExactData *data, const char *path) {
    const LatentSet *set = &data->denoiser.set;
    Sheet sheet = sheet_new(SEEDS, 2, 60);
    Likeness of_others[SEEDS], of_exact[SEEDS], of_network[SEEDS / 2];
    for (size_t i = 0; i < SEEDS; i++) {
        of_others[i] = likeness(chosen_latent(set, all_of(set), i), set, i);
        Drawn drawn = draw(model, &data->denoiser, "", i + 1, STEPS);
        of_exact[i] = likeness(drawn.latents, set, ANIMALS);
        double distance;
        size_t nearest = exact_nearest(drawn.latents, set, all_of(set), &distance);
        place(&sheet, i, 0, drawn.image), place(&sheet, i, 1, painted(&data->drawings[nearest]));
    }
    for (size_t i = 0; i < SEEDS / 2; i++) {
        Drawn drawn = draw(model, NULL, "a cat", i + 1, STEPS / 2);
        of_network[i] = likeness(drawn.latents, set, ANIMALS);
        image_free(&drawn.image);
    }
    printf("%d drawings                to the nearest   its windows   from so many\n", ANIMALS);
    print_likeness("a drawing, to the others", of_others, SEEDS);
    print_likeness("U-Net, \"a cat\"", of_network, SEEDS / 2);
    print_likeness("exact denoiser", of_exact, SEEDS);
    sheet_write(&sheet, path);
}

// ---- on the way -----------------------------------------------------------------------------------------------------

// How many drawings an answer is made of: e^entropy, which for k equal weights is k
static double how_many(const double *weights, size_t count) {
    double entropy = 0;
    for (size_t i = 0; i < count; i++) entropy -= weights[i] > 0 ? weights[i] * log(weights[i]) : 0;
    return exp(entropy);
}

static void show_mean(const Model *model, const ExactDenoiser *exact, const char *path) {
    enum { SLOW_STEPS = 50, SHOWN = 6 };
    Settings settings = demo_settings(model);
    settings.prompt = "", settings.num_inference_steps = SLOW_STEPS, settings.guidance_scale = 1;
    settings.exact = exact;
    Run *run = demo_run(model, &settings);
    const Scheduler *scheduler = run_scheduler(run);
    Sheet sheet = sheet_new(SHOWN, 1, 64);
    double weights[ANIMALS];
    float x0[N];
    printf("\nstep     t   picture's share   drawings in the mean   the likeliest one's weight\n");
    for (size_t k = 0; k < SHOWN && demo_step(run); k++) {
        const float *latents = run_last_step(run)->latents;
        double t = (double)scheduler->timesteps[k], a = (double)scheduler->alphas_cumprod[(size_t)t], largest = 0;
        exact_denoise(x0, weights, latents, a, &exact->set, all_of(&exact->set));
        for (size_t i = 0; i < ANIMALS; i++) largest = fmax(largest, weights[i]);
        printf("%4zu  %4.0f  %16.2f  %21.1f  %27.2f\n", k, t, sqrt(a), how_many(weights, ANIMALS), largest);
        place(&sheet, k, 0, demo_decode(run, x0));
    }
    sheet_write(&sheet, path);
    run_free(run);
}

// ---- through windows ------------------------------------------------------------------------------------------------

// Each place in the colour of the drawing that it is from
static Image patchwork(const Likeness *found) {
    Image image = image_new(W, H);
    demo_needs(image.pixels, &(Error){0});
    for (size_t p = 0; p < H * W; p++) {
        Random random = random_begin(found->from[p], 0);
        for (size_t c = 0; c < 3; c++) image.pixels[3 * p + c] = (uint8_t)(40 + random_below(&random, 216));
    }
    return image;
}

static void show_chimeras(const Model *model, const ExactDenoiser *whole, const char *path) {
    static const size_t WINDOWS[] = {13, 9, 5, 3};
    Sheet sheet = sheet_new(SEEDS, 2, 60);
    for (size_t w = 0; w < sizeof WINDOWS / sizeof *WINDOWS; w++) {
        ExactDenoiser windows = *whole;
        windows.window = WINDOWS[w];
        Likeness found[SEEDS];
        for (size_t i = 0; i < SEEDS; i++) {
            Drawn drawn = draw(model, &windows, "", i + 1, STEPS);
            found[i] = likeness(drawn.latents, &whole->set, ANIMALS);
            if (WINDOWS[w] == 5) place(&sheet, i, 0, drawn.image), place(&sheet, i, 1, patchwork(&found[i]));
            if (WINDOWS[w] != 5) image_free(&drawn.image);
        }
        char name[64];
        snprintf(name, sizeof name, "windows of %zu x %zu", WINDOWS[w], WINDOWS[w]);
        print_likeness(name, found, SEEDS);
    }
    sheet_write(&sheet, path);
}

// ---- hands ----------------------------------------------------------------------------------------------------------

enum { FEWEST = 2, COUNTS = 6 };  // 2 and fewer, 3, ..., 7 and more

static void note_fingers(size_t counts[COUNTS], const Image *hand) {
    size_t fingers = fingers_count(hand);
    counts[fingers < FEWEST ? 0 : fingers - FEWEST < COUNTS ? fingers - FEWEST : COUNTS - 1]++;
}

static void print_fingers(const char *name, const size_t counts[COUNTS]) {
    printf("%-30s", name);
    for (size_t i = 0; i < COUNTS; i++) printf("%6zu", counts[i]);
    printf("\n");
}

static void show_hands(const Model *model, const ExactData *data, const char *path) {
    static const struct {
        const char *name;
        size_t window, reach;
    } EYES[] = {{"exact denoiser", 0, 0},
                {"windows of 9 x 9", 9, 0},
                {"windows of 5 x 5", 5, 0},
                {"9 x 9, from up to 2 beside", 9, 2},
                {"5 x 5, from up to 2 beside", 5, 2}};
    enum { COLUMNS = 5 };
    Sheet sheet = sheet_new(COLUMNS, 3, 56);
    printf("\nfingers counted                 <= 2     3     4     5     6  >= 7\n");
    size_t drawn_by_painter[COUNTS] = {0};
    for (size_t i = 0; i < HANDS; i++) {
        Image hand = painted(&data->drawings[i]);
        note_fingers(drawn_by_painter, &hand);
        image_free(&hand);
    }
    print_fingers("all drawings", drawn_by_painter);
    for (size_t e = 0; e < sizeof EYES / sizeof *EYES; e++) {
        ExactDenoiser exact = data->denoiser;
        exact.window = EYES[e].window, exact.reach = EYES[e].reach;
        size_t counts[COUNTS] = {0};
        for (size_t i = 0; i < COUNTED; i++) {
            Drawn drawn = draw(model, &exact, "", i + 1, STEPS);
            note_fingers(counts, &drawn.image);
            if (i < COLUMNS && e % 2 == 0) sheet_place(&sheet, i, e / 2, &drawn.image);
            image_free(&drawn.image);
        }
        print_fingers(EYES[e].name, counts);
    }
    sheet_write(&sheet, path);
}

int main(int argc, char **argv) {
    Model *model = demo_model();
    ExactData animals, hands;
    encode(&animals, model, ANIMALS, animal), encode(&hands, model, HANDS, red_hand);
    show_returns(model, &animals, demo_path(argc, argv, "returns.png").text);
    show_chimeras(model, &animals.denoiser, demo_path(argc, argv, "chimeras.png").text);
    show_mean(model, &animals.denoiser, demo_path(argc, argv, "mean.png").text);
    show_hands(model, &hands, demo_path(argc, argv, "hands.png").text);
    exact_data_free(&animals), exact_data_free(&hands);
    model_close(model);
    return 0;
}
