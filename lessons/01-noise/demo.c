// demo.c - lesson 01: what of a picture can still be made out under how much noise
//
// drowning.png: a drawing under more and more noise, below averaged over blocks. Then numbers: how large a detail has to be
// to be louder than the noise, and what of a drawing a perfect reader would still read in its latents.
// Read next: exercise.h.

#include "demo/demo.h"
#include "critters/draw/studio.h"
#include "critters/exact/exact_data.h"
#include "demo/paint.h"
#include "schedulers/noise_schedule.h"
#include "schedulers/sigmas.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static Scheduler *scheduler_of_critters(void) {
    Error error = {0};
    Scheduler *s = model_scheduler("data/models/critters", NULL, NULL, NULL, 0, &error);
    demo_needs(s, &error);
    return s;
}

// ---- under noise ----------------------------------------------------------------------------------------------------

enum { SHOWN = 56, BLOCK = 8, LEVELS = 6, SHOWN_VALUES = 3 * SHOWN * SHOWN };

static const size_t SHOWN_AT[LEVELS] = {1, 101, 301, 501, 751, 999};

static Image image_of(const float *values, size_t block) {
    size_t side = SHOWN / block;
    Image image = image_new(side, side);
    demo_needs(image.pixels, &(Error){0});
    for (size_t i = 0; i < 3 * side * side; i++) {
        size_t y = i / (3 * side), x = i / 3 % side, c = i % 3;
        float sum = 0;
        for (size_t j = 0; j < block * block; j++)
            sum += values[((y * block + j / block) * SHOWN + x * block + j % block) * 3 + c];
        float value = (sum / (float)(block * block) + 1) * 127.5f;
        image.pixels[i] = (uint8_t)fminf(fmaxf(value, 0), 255);
    }
    return image;
}

static void show_drowning(const Scheduler *s, const char *path) {
    Image large = paint("a pygmy hippo wearing sunglasses on the beach", 1), small = image_resize(&large, SHOWN, SHOWN);
    Rng rng;
    rng_seed(&rng, 1);
    float *noise = demo_floats(SHOWN_VALUES), *x = demo_floats(SHOWN_VALUES);
    rng_normal(&rng, noise, SHOWN_VALUES);
    Sheet sheet = sheet_new(LEVELS, 2, SHOWN);
    for (size_t level = 0; level < LEVELS; level++) {
        float a = s->alphas_cumprod[SHOWN_AT[level]];
        for (size_t i = 0; i < SHOWN_VALUES; i++) {
            x[i] = sqrtf(a) * ((float)small.pixels[i] / 127.5f - 1) + sqrtf(1 - a) * noise[i];
        }
        Image above = image_of(x, 1), below = image_of(x, BLOCK);
        sheet_place(&sheet, level, 0, &above), sheet_place(&sheet, level, 1, &below);
        image_free(&above), image_free(&below);
    }
    sheet_write(&sheet, path);
    image_free(&large), image_free(&small);
    free(noise), free(x);
}

static void print_levels(const Scheduler *s) {
    printf("   t       a   picture x   noise x   sigma\n");
    for (size_t level = 0; level < LEVELS; level++) {
        size_t t = SHOWN_AT[level];
        double a = (double)s->alphas_cumprod[t];
        printf("%4zu  %6.4f  %10.3f  %8.3f  %6.2f\n", t, a, sqrt(a), sqrt(1 - a), (double)sigma_at(s, t));
    }
}

// ---- how large a detail has to be -----------------------------------------------------------------------------------

// The variance of a plane's means over blocks of size x size. plane [side, side]
static double variance_of_blocks(const float *plane, size_t side, size_t size) {
    double sum = 0, squares = 0, blocks = pow((double)(side / size), 2);
    for (size_t top = 0; top < side; top += size) {
        for (size_t left = 0; left < side; left += size) {
            double mean = 0;
            for (size_t i = 0; i < size * size; i++) mean += plane[(top + i / size) * side + left + i % size];
            mean /= (double)(size * size);
            sum += mean, squares += mean * mean;
        }
    }
    return squares / blocks - pow(sum / blocks, 2);
}

// A detail of some size is what is lost from means over blocks of that size to means over blocks of twice that size. Noise
// of variance sigma^2 loses sigma^2 * (1 - 1/4) / size^2 there, since means over more numbers are quieter. Gives the sigma
// at which both are the same. planes [count, side, side]
static double drowning_sigma(const float *planes, size_t count, size_t side, size_t size) {
    double detail = 0;
    for (size_t p = 0; p < count; p++) {
        const float *plane = planes + p * side * side;
        detail += variance_of_blocks(plane, side, size) - variance_of_blocks(plane, side, 2 * size);
    }
    return sqrt(detail / (double)count / 0.75) * (double)size;
}

static void print_sizes(const Scheduler *s, const ExactData *data) {
    const LatentSet *set = &data->denoiser.set;
    Canvas *canvas = malloc(sizeof *canvas);
    uint8_t *rgb = malloc(3 * PIXELS);
    demo_needs(canvas && rgb, &(Error){0});
    float *planes = demo_floats(set->count * 3 * PIXELS);
    for (size_t d = 0; d < set->count; d++) {
        drawing_draw(&data->drawings[d], canvas);
        canvas_bytes(canvas, rgb);
        for (size_t i = 0; i < 3 * PIXELS; i++) planes[(d * 3 + i % 3) * PIXELS + i / 3] = (float)rgb[i] / 127.5f - 1;
    }
    printf("\na detail of    drowns in pixels          in latents\n");
    for (size_t size = 1; size < SIDE; size *= 2) {
        double sigma = drowning_sigma(planes, set->count * 3, SIDE, size);
        printf("%3zu pixels     sigma %5.2f, t %3.0f", size, sigma, timestep_of_sigma(s, sigma));
        size_t latents = size * set->height / SIDE;
        if (latents >= 1) {
            sigma = drowning_sigma(set->latents, set->count * LATENT_CHANNELS, set->height, latents);
            printf("    sigma %5.2f, t %3.0f", sigma, timestep_of_sigma(s, sigma));
        }
        printf("\n");
    }
    free(canvas), free(rgb), free(planes);
}

// ---- what can still be read -----------------------------------------------------------------------------------------

enum { PAIRS = 16, CHANGES = 6 };

// The same drawing with one thing otherwise
static Drawing changed(Drawing d, size_t change) {
    Animal *animal = &d.animal[0];
    switch (change) {
    case 0: d.scene = (d.scene + 1) % SCENES; break;
    case 1: animal->color = (animal->color + 3) % COLORS; break;
    case 2: animal->species = (animal->species + 1) % SPECIES; break;
    case 3: animal->headwear = animal->headwear == HEAD_BARE ? BEANIE : HEAD_BARE; break;
    case 4: animal->eyewear = animal->eyewear == EYES_BARE ? ROUND_GLASSES : EYES_BARE; break;
    default: animal->mood = (animal->mood + 1) % MOODS; break;
    }
    return d;
}

// Who knows that it is one of two drawings and must say which errs as often as noise of deviation sigma, along the line
// between them, goes further than half the way.
static double misread(double way, double sigma) { return erfc(way / (2 * sigma) / sqrt(2)) / 2; }

static void print_reading(const Scheduler *s, const ExactData *data) {
    static const char *const NAME[CHANGES] = {"place", "colour", "species", "hat or none", "glasses or none", "mood"};
    static const size_t T[] = {999, 901, 801, 701, 601, 501, 401, 301, 201, 101};
    const size_t columns = sizeof T / sizeof *T, n = LATENT_CHANNELS * 16 * 16;
    printf("\nmisread at t =  ");
    for (size_t i = 0; i < columns; i++) printf("  %3zu", T[i]);
    printf("\n");
    for (size_t change = 0; change < CHANGES; change++) {
        printf("%-16s", NAME[change]);
        for (size_t i = 0; i < columns; i++) {
            double sum = 0;
            for (size_t pair = 0; pair < PAIRS; pair++) {
                const float *one = data->latents + pair * (CHANGES + 1) * n, *other = one + (change + 1) * n;
                double squares = 0;
                for (size_t j = 0; j < n; j++) squares += (double)(one[j] - other[j]) * (double)(one[j] - other[j]);
                sum += misread(sqrt(squares), (double)sigma_at(s, T[i]));
            }
            printf("  %2.0f%%", 100 * sum / PAIRS);
        }
        printf("\n");
    }
}

// ---- the same noise in two forms ------------------------------------------------------------------------------------

static void print_forms(const Scheduler *s, const ExactData *data) {
    const size_t n = LATENT_CHANNELS * 16 * 16;
    Rng rng;
    rng_seed(&rng, 1);
    float *noise = demo_floats(n), a = s->alphas_cumprod[501], sigma = sqrtf((1 - a) / a), largest = 0;
    rng_normal(&rng, noise, n);
    for (size_t i = 0; i < n; i++) {
        float x_t = sqrtf(a) * data->latents[i] + sqrtf(1 - a) * noise[i];
        largest = fmaxf(largest, fabsf(x_t / sqrtf(a) - (data->latents[i] + sigma * noise[i])));
    }
    printf("\nt = 501: x_t / sqrt(a) and x0 + sigma * noise differ by less than 0.00001: %s\n",
           largest < 1e-5f ? "yes" : "no");
    free(noise);
}

// Each of PAIRS drawings, and behind it its CHANGES
static Drawing *drawings_with_changes(void) {
    Drawing *drawings = calloc(PAIRS * (CHANGES + 1), sizeof *drawings);
    demo_needs(drawings, &(Error){0});
    for (size_t pair = 0; pair < PAIRS; pair++) {
        Drawing *first = drawings + pair * (CHANGES + 1);
        *first = drawing_sample(pair, ALL, ONE);
        for (size_t change = 0; change < CHANGES; change++) first[change + 1] = changed(*first, change);
    }
    return drawings;
}

int main(int argc, char **argv) {
    Error error = {0};
    Model *model = demo_model();
    Scheduler *s = scheduler_of_critters();
    show_drowning(s, demo_path(argc, argv, "drowning.png").text);
    print_levels(s);
    ExactData data;
    demo_needs(exact_data_encode(&data, model, drawings_with_changes(), PAIRS * (CHANGES + 1), &error), &error);
    print_sizes(s, &data);
    print_reading(s, &data);
    print_forms(s, &data);
    exact_data_free(&data);
    scheduler_free(s);
    model_close(model);
    return 0;
}
