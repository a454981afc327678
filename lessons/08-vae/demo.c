// demo.c - lesson 08: what a picture is after a round trip through the VAE, and what can be done to latents
//
// round-trip.png: drawings, above as painted, below as they come back. whiskers.png: a cat's muzzle with whiskers of 1 to
// 4 pixels, above and below likewise. between.png: from a cat to an owl, above mixed as latents, below as pixels.
// sums.png: first - second + third = fourth.
// Read next: exercise.h.

#include "demo/demo.h"
#include "demo/measure.h"
#include "demo/paint.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEED = 7, LATENTS = SIDE / 8, N = LATENT_CHANNELS * LATENTS * LATENTS, VALUES = 3 * PIXELS };

static const char *const CAPTIONS[] = {
    "a grey cat in the snow",
    "a white rabbit wearing round glasses in the forest",
    "a brown bear wearing a crown in the city",
    "an orange fox wearing a scarf on the beach",
    "a black penguin wearing a bow tie in space",
    "a hand holding up four fingers",
};
enum { DRAWINGS = sizeof CAPTIONS / sizeof *CAPTIONS };

// ---- there and back -------------------------------------------------------------------------------------------------

typedef struct Lab {
    Model *model;
    Run *run;  // only for its decoder
    Context ctx;
} Lab;

// image -> moments [2, 4, h, w]: a mean and the logarithm of a variance for every latent; malloc'ed
static float *encode(Lab *lab, const Image *image) {
    float *pixels = demo_floats(VALUES);
    for (size_t i = 0; i < VALUES; i++) pixels[i % 3 * PIXELS + i / 3] = (float)image->pixels[i] / 127.5f - 1;
    Scope scope = scope_open(&lab->ctx.arena);
    Tensor moments = vae_encode(&lab->ctx, lab->model->vae, tensor_over(pixels, shape4(1, 3, SIDE, SIDE)));
    float *copy = demo_copy(tensor_f32(moments), 2 * N);
    scope_close(&lab->ctx.arena, &scope);
    free(pixels);
    return copy;
}

// The mean alone, as the U-Net would see it
static float *latents_of(Lab *lab, const Image *image) {
    float *moments = encode(lab, image);
    for (size_t i = 0; i < N; i++) moments[i] *= vae_config(lab->model->vae)->scaling_factor;
    return moments;
}

static Image round_trip(Lab *lab, const Image *image) {
    float *latents = latents_of(lab, image);
    Image back = demo_decode(lab->run, latents);
    free(latents);
    return back;
}

// Peak signal-to-noise ratio: 20 dB are errors of a tenth of white, 40 dB of a hundredth.
static double psnr(const Image *a, const Image *b) {
    double sum = 0;
    for (size_t i = 0; i < VALUES; i++) sum += pow(a->pixels[i] - b->pixels[i], 2);
    return 10 * log10(255.0 * 255.0 * VALUES / sum);
}

// ---- what it forgets ------------------------------------------------------------------------------------------------

// The picture [3, side, side] at half the size: the mean of 2 x 2
static void halve(const float *image, size_t side, float *half) {
    size_t small = side / 2;
    for (size_t i = 0; i < 3 * small * small; i++) {
        const float *at = image + i / small * 2 * side + i % small * 2;
        half[i] = (at[0] + at[1] + at[side] + at[side + 1]) / 4;
    }
}

// Splits a picture into details of 1, 2, 4 ... pixels: what each halving loses. energy[level] is of the details of
// `image`, lost[level] of what `back` has otherwise. Planes [3, side, side].
enum { LEVELS = 6 };
static void compare_details(float *image, float *back, double energy[LEVELS], double lost[LEVELS]) {
    for (size_t level = 0, side = SIDE; level < LEVELS; level++, side /= 2) {
        float half[2][3 * SIDE / 2 * SIDE / 2];
        halve(image, side, half[0]), halve(back, side, half[1]);
        for (size_t i = 0; i < 3 * side * side; i++) {
            size_t under = i / side / 2 * (side / 2) + i % side / 2;
            double detail = image[i] - half[0][under], other = back[i] - half[1][under];
            energy[level] += detail * detail, lost[level] += (detail - other) * (detail - other);
        }
        memcpy(image, half[0], sizeof half[0]), memcpy(back, half[1], sizeof half[1]);
    }
}

static float *planes(const Image *image) {
    float *values = demo_floats(VALUES);
    for (size_t i = 0; i < VALUES; i++) values[i % 3 * PIXELS + i / 3] = image->pixels[i];
    return values;
}

static void show_round_trips(Lab *lab, const char *path) {
    Sheet sheet = sheet_new(DRAWINGS, 2, 64);
    double energy[LEVELS] = {0}, lost[LEVELS] = {0}, decibels = 0;
    for (size_t i = 0; i < DRAWINGS; i++) {
        Image drawing = paint(CAPTIONS[i], SEED), back = round_trip(lab, &drawing);
        sheet_place(&sheet, i, 0, &drawing), sheet_place(&sheet, i, 1, &back);
        float *before = planes(&drawing), *after = planes(&back);
        compare_details(before, after, energy, lost);
        decibels += psnr(&drawing, &back) / DRAWINGS;
        free(before), free(after), image_free(&drawing), image_free(&back);
    }
    sheet_write(&sheet, path);
    printf("Round trip of %d drawings: %.1f dB. What came back of details, by their size:\n", DRAWINGS, decibels);
    for (size_t level = 0; level < LEVELS; level++) printf("%5d px", 1 << level);
    printf("\n");
    for (size_t level = 0; level < LEVELS; level++) printf("%7.0f%%", 100 * (1 - lost[level] / energy[level]));
    printf("\n");
}

// ---- whiskers -------------------------------------------------------------------------------------------------------

static double distance_to_line(double x, double y, double x0, double y0, double x1, double y1) {
    double dx = x1 - x0, dy = y1 - y0, along = ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy);
    along = fmin(fmax(along, 0), 1);
    return hypot(x - x0 - along * dx, y - y0 - along * dy);
}

// Three on each side of the cat's nose, so many pixels wide
static void draw_whiskers(Image *cat, double width) {
    static const double NOSE[2] = {55, 81}, ENDS[3] = {-7, 0, 7};
    for (size_t i = 0; i < 6; i++) {
        double side = i < 3 ? -1 : 1, slope = ENDS[i % 3];
        for (size_t p = 0; p < PIXELS; p++) {
            double off = distance_to_line((double)(p % SIDE), (double)(p / SIDE), NOSE[0] + 9 * side,
                                          NOSE[1] + slope / 3, NOSE[0] + 34 * side, NOSE[1] + slope);
            double ink = fmin(fmax(width / 2 + 0.5 - off, 0), 1);
            for (size_t c = 0; c < 3; c++) {
                uint8_t *value = &cat->pixels[3 * p + c];
                *value = (uint8_t)(*value + ink * (30.0 - *value));
            }
        }
    }
}

// How much of what was drawn onto `plain` is there after the round trip of both: 1 all of it, 0 nothing
static double share_left(const Image *plain, const Image *drawn, const Image *plain_back, const Image *drawn_back) {
    double product = 0, square = 0;
    for (size_t i = 0; i < VALUES; i++) {
        double before = drawn->pixels[i] - plain->pixels[i], after = drawn_back->pixels[i] - plain_back->pixels[i];
        product += before * after, square += before * before;
    }
    return product / square;
}

// Side x side pixels from (left, top) on
static Image cut_out(const Image *image, size_t left, size_t top, size_t side) {
    Image part = image_new(side, side);
    demo_needs(part.pixels, &(Error){0});
    for (size_t y = 0; y < side; y++) {
        memcpy(part.pixels + 3 * y * side, image->pixels + 3 * ((top + y) * image->width + left), 3 * side);
    }
    return part;
}

static void show_whiskers(Lab *lab, const char *path) {
    static const double WIDTHS[] = {1, 2, 3, 4};
    Image plain = paint(CAPTIONS[0], SEED), plain_back = round_trip(lab, &plain);
    Sheet sheet = sheet_new(4, 2, 120);
    printf("\nWhiskers, so many pixels wide, of which is left:\n");
    for (size_t i = 0; i < 4; i++) {
        Image cat = image_resize(&plain, SIDE, SIDE);
        demo_needs(cat.pixels, &(Error){0});
        draw_whiskers(&cat, WIDTHS[i]);
        Image back = round_trip(lab, &cat);
        printf("%5.0f px  %3.0f%%\n", WIDTHS[i], 100 * share_left(&plain, &cat, &plain_back, &back));
        Image here = cut_out(&cat, 25, 56, 60), there = cut_out(&back, 25, 56, 60);
        sheet_place(&sheet, i, 0, &here), sheet_place(&sheet, i, 1, &there);
        image_free(&here), image_free(&there), image_free(&cat), image_free(&back);
    }
    image_free(&plain), image_free(&plain_back);
    sheet_write(&sheet, path);
}

// ---- how much smaller? ----------------------------------------------------------------------------------------------

// Latents rounded to so many values between -4 and 4
static void round_latents(float *latents, size_t values) {
    for (size_t i = 0; i < N; i++) {
        float step = 8.0f / (float)(values - 1), clamped = fminf(fmaxf(latents[i], -4), 4);
        latents[i] = rintf(clamped / step) * step;
    }
}

static void count(Lab *lab) {
    printf("\n%d x %d pixels of 3 numbers are %d numbers; %d x %d latents of %d are %d.\n", SIDE, SIDE, VALUES, LATENTS,
           LATENTS, LATENT_CHANNELS, N);
    printf("times fewer: places %d, numbers %d, bytes %d (a pixel's number has 8 bits, a latent's 32)\n",
           PIXELS / (LATENTS * LATENTS), VALUES / N, VALUES / (4 * N));
    printf("bits of a latent  bytes  times fewer    dB\n");
    for (size_t bits = 32; bits >= 2; bits = bits == 32 ? 8 : bits - 2) {
        double decibels = 0;
        for (size_t i = 0; i < DRAWINGS; i++) {
            Image drawing = paint(CAPTIONS[i], SEED);
            float *latents = latents_of(lab, &drawing);
            if (bits < 32) round_latents(latents, (size_t)1 << bits);
            Image back = demo_decode(lab->run, latents);
            decibels += psnr(&drawing, &back) / DRAWINGS;
            free(latents), image_free(&drawing), image_free(&back);
        }
        printf("%16zu  %5zu  %11.0f  %4.1f\n", bits, N * bits / 8, VALUES / (double)(N * bits / 8), decibels);
    }
}

// ---- what the encoder says ------------------------------------------------------------------------------------------

static void look_at_moments(Lab *lab) {
    double mean_deviation = 0, spread = 0, far = 0;
    for (size_t i = 0; i < DRAWINGS; i++) {
        Image drawing = paint(CAPTIONS[i], SEED);
        float *moments = encode(lab, &drawing), *noise = demo_floats(N), *sampled = demo_floats(N);
        Rng rng;
        rng_seed(&rng, i), rng_normal(&rng, noise, N);
        mean_deviation += deviation(moments, N) / DRAWINGS;
        for (size_t k = 0; k < N; k++) {
            double sigma = exp(0.5 * (double)moments[N + k]);
            spread += sigma / N / DRAWINGS;
            sampled[k] = moments[k] + (float)sigma * noise[k];
        }
        far += distance_between(sampled, moments, N) / DRAWINGS;
        free(moments), free(noise), free(sampled), image_free(&drawing);
    }
    double scale = vae_config(lab->model->vae)->scaling_factor;
    printf("\nThe encoder's means have a deviation of %.2f, times scaling_factor (%.3f) %.2f.\n", mean_deviation, scale,
           scale * mean_deviation);
    printf("Its own doubt, sigma, is %.4f on average: a sample is %.1f%% off the mean.\n", spread, 100 * far);
}

// ---- arithmetic -----------------------------------------------------------------------------------------------------

static void show_between(Lab *lab, const char *path) {
    enum { COLUMNS = 5 };
    Image from = paint("an orange cat in the forest", SEED), to = paint("a blue owl in the forest", SEED);
    float *a = latents_of(lab, &from), *b = latents_of(lab, &to), *mixed = demo_floats(N);
    Sheet sheet = sheet_new(COLUMNS, 2, 64);
    printf("\nFrom a cat to an owl: mixed as latents, and as pixels; how alike the two pictures are\n");
    for (size_t i = 0; i < COLUMNS; i++) {
        float t = (float)i / (COLUMNS - 1);
        for (size_t k = 0; k < N; k++) mixed[k] = (1 - t) * a[k] + t * b[k];
        Image latents = demo_decode(lab->run, mixed), pixels = paint("an orange cat in the forest", SEED);
        for (size_t k = 0; k < VALUES; k++) {
            pixels.pixels[k] = (uint8_t)((1 - t) * (float)from.pixels[k] + t * (float)to.pixels[k]);
        }
        printf("  %.2f  %4.1f dB\n", (double)t, psnr(&latents, &pixels));
        sheet_place(&sheet, i, 0, &latents), sheet_place(&sheet, i, 1, &pixels);
        image_free(&latents), image_free(&pixels);
    }
    image_free(&from), image_free(&to), free(a), free(b), free(mixed);
    sheet_write(&sheet, path);
}

// first - second + third
static void show_sum(Lab *lab, const char *const captions[3], Sheet *sheet, size_t row) {
    float *sum = demo_floats(N);
    for (size_t i = 0; i < 3; i++) {
        Image drawing = paint(captions[i], SEED);
        float *latents = latents_of(lab, &drawing);
        for (size_t k = 0; k < N; k++) sum[k] += i == 1 ? -latents[k] : latents[k];
        sheet_place(sheet, i, row, &drawing);
        free(latents), image_free(&drawing);
    }
    Image image = demo_decode(lab->run, sum);
    sheet_place(sheet, 3, row, &image);
    image_free(&image), free(sum);
}

static void show_sums(Lab *lab, const char *path) {
    static const char *const HAT[3] = {"a grey cat wearing a crown in the snow", "a grey cat in the snow",
                                       "a grey owl in the snow"};
    static const char *const OWL[3] = {"a grey owl in the snow", "a grey cat in the snow",
                                       "an orange cat in the desert"};
    Sheet sheet = sheet_new(4, 2, 64);
    show_sum(lab, HAT, &sheet, 0), show_sum(lab, OWL, &sheet, 1);
    sheet_write(&sheet, path);
}

int main(int argc, char **argv) {
    Error error = {0};
    Lab lab = {.model = demo_model()};
    Settings settings = demo_settings(lab.model);
    lab.run = demo_run(lab.model, &settings);
    demo_needs(context_open(&lab.ctx, (size_t)1 << 30, 0, &error), &error);

    show_round_trips(&lab, demo_path(argc, argv, "round-trip.png").text);
    show_whiskers(&lab, demo_path(argc, argv, "whiskers.png").text);
    count(&lab);
    look_at_moments(&lab);
    show_between(&lab, demo_path(argc, argv, "between.png").text);
    show_sums(&lab, demo_path(argc, argv, "sums.png").text);
    context_close(&lab.ctx), run_free(lab.run), model_close(lab.model);
    return 0;
}
