// demo.c - lesson 11: the U-Net without one of its skips, and told a wrong time
//
// skips.png: drawn, and guessed once, without one skip. embedding.png: all timesteps as the U-Net gets them. times.png: drawn
// by a U-Net that is told another timestep than the true one.
// The U-Net stays as it is: a kernel is put in the place of the one that joins the skips, or adds the time.
// Read next: exercise.h.

#include "demo/demo.h"
#include "demo/measure.h"
#include "demo/network.h"
#include "ops/embedding.h"
#include "ops/shape.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A kernel of ours in the place of the one that runs an op
static void put_kernel(Network *network, Op op, Kernel *kernel, void (*function)(void)) {
    *kernel = *network->ctx.kernels[op];
    kernel->function = function;
    network->ctx.kernels[op] = kernel;
}

static Network *open_network(const Model *model) {
    Settings settings = demo_settings(model);
    settings.guidance_scale = 1;
    return network_open(model, &settings);
}

static void place_decoded(Sheet *sheet, size_t column, size_t row, Network *network, const float *latents) {
    Image image = demo_decode(network->run, latents);
    sheet_place(sheet, column, row, &image);
    image_free(&image);
}

// latents = sqrt(a) picture + sqrt(1 - a) noise, at timestep t
static void mix(Network *network, const float *picture, size_t t, float *latents) {
    float a = run_scheduler(network->run)->alphas_cumprod[t];
    const float *noise = run_latents(network->run);
    for (size_t i = 0; i < network->n; i++) latents[i] = sqrtf(a) * picture[i] + sqrtf(1 - a) * noise[i];
}

// ---- skips ----------------------------------------------------------------------------------------------------------

// In the order in which the way up takes them
enum { SKIPS = 6, ALL_THERE = SKIPS };
static const char *const SKIP_NAME[] = {"4x4, ResNet block", "4x4, downsampler",    "8x8, ResNet block",
                                        "8x8, downsampler",  "16x16, ResNet block", "16x16, conv_in",
                                        "all are there"};

static size_t left_out, joined;  // a kernel is told nothing else

// Joins what came from below, a, and the skip, b; the one that is left out becomes zeros.
static void join(float *out, const float *a, const float *b, ConcatShape s) {
    concat_channels_naive(out, a, b, s);
    if (joined++ % SKIPS != left_out) return;
    size_t HW = s.H * s.W;
    for (size_t picture = 0; picture < s.B; picture++) {
        memset(out + (picture * (s.Ca + s.Cb) + s.Ca) * HW, 0, s.Cb * HW * sizeof *out);
    }
}

static double noise_off(Network *network, const float *picture, size_t t, float *noise_pred) {
    float *latents = demo_floats(network->n);
    mix(network, picture, t, latents);
    network_ask(network, latents, (float)t, noise_pred, network->n);
    free(latents);
    return 100 * distance_between(noise_pred, run_latents(network->run), network->n);
}

// picture: filled with what the whole U-Net draws
static void show_skips(const Model *model, float *picture, const char *path) {
    static const size_t TIMES[] = {801, 501, 301, 101};
    enum { GUESSED_AT = 301, TIME_COUNT = sizeof TIMES / sizeof *TIMES };
    Network *network = open_network(model);
    Kernel kernel;
    put_kernel(network, OP_CONCAT_CHANNELS, &kernel, (void (*)(void))join);
    size_t n = network->n;
    float *latents = demo_floats(n), *noise_pred = demo_floats(n), *guess = demo_floats(n);
    float a = run_scheduler(network->run)->alphas_cumprod[GUESSED_AT];
    Sheet sheet = sheet_new(SKIPS + 1, 2, 52);
    printf("                     noise off by, t = 801    501    301    101   picture off by\n");
    for (size_t column = 0; column <= SKIPS; column++) {
        left_out = column == 0 ? ALL_THERE : column - 1;
        network_draw(network, network_ask, network, latents);
        if (left_out == ALL_THERE) memcpy(picture, latents, n * sizeof *latents);
        printf("%-20s", SKIP_NAME[left_out]);
        for (size_t i = 0; i < TIME_COUNT; i++) {
            size_t t = TIMES[i];
            printf("%*.0f%%", i == 0 ? 24 : 6, noise_off(network, picture, t, noise_pred));
            if (t != GUESSED_AT) continue;
            mix(network, picture, t, guess);
            for (size_t j = 0; j < n; j++) guess[j] = (guess[j] - sqrtf(1 - a) * noise_pred[j]) / sqrtf(a);
        }
        printf("%16.0f%%\n", 100 * distance_between(latents, picture, n));
        place_decoded(&sheet, column, 0, network, latents);
        place_decoded(&sheet, column, 1, network, guess);
    }
    sheet_write(&sheet, path);
    free(latents), free(noise_pred), free(guess);
    network_close(network);
}

// ---- time -----------------------------------------------------------------------------------------------------------

enum { WIDTH = 80, SHOWN_SIDE = 160 };

static void embed(float t, float *out) {
    timestep_embedding_naive(out, &t, (TimestepEmbeddingShape){.B = 1, .dim = WIDTH, .flip_sin_to_cos = true});
}

// From left to right timesteps 0 to 999, from top to bottom the 80 numbers of each
static void show_embedding(const char *path) {
    Image image = image_new(SHOWN_SIDE, SHOWN_SIDE);
    demo_needs(image.pixels, &(Error){0});
    for (size_t x = 0; x < SHOWN_SIDE; x++) {
        float row[WIDTH];
        embed((float)(x * 1000 / SHOWN_SIDE), row);
        for (size_t y = 0; y < SHOWN_SIDE; y++) {
            memset(image.pixels + 3 * (y * SHOWN_SIDE + x), (int)(127.5f + 127 * row[y * WIDTH / SHOWN_SIDE]), 3);
        }
    }
    Sheet sheet = sheet_new(1, 1, SHOWN_SIDE);
    sheet_place(&sheet, 0, 0, &image);
    image_free(&image);
    sheet_write(&sheet, path);

    static const float TO[] = {501, 510, 600, 900};
    float here[WIDTH], there[WIDTH];
    embed(500, here);
    printf("\nfrom t = 500 to");
    for (size_t i = 0; i < sizeof TO / sizeof *TO; i++) {
        embed(TO[i], there);
        printf("   %.0f: %.0f%%", (double)TO[i], 100 * distance_between(there, here, WIDTH));
    }
    printf(" of the 80 numbers' length\n");
}

typedef struct Clock {
    Network *network;
    float always;  // what the U-Net is told at every step; negative: the truth
    float later;   // and so much is added
} Clock;

static void ask_by_clock(void *asked, const float *model_input, float timestep, float *noise_pred, size_t n) {
    const Clock *clock = asked;
    float told = clock->always >= 0 ? clock->always : timestep + clock->later;
    network_ask(clock->network, model_input, fminf(fmaxf(told, 0), 999), noise_pred, n);
}

static void add_nothing(float *out, const float *in, const float *per_channel, PlanesShape s) {
    (void)per_channel;
    if (out != in) memcpy(out, in, s.B * s.C * s.H * s.W * sizeof *out);
}

static void show_times(const Model *model, const float *picture, const char *path) {
    static const struct {
        const char *name;
        float always, later;
    } TOLD[] = {{"the truth", -1, 0},  {"300 less", -1, -300}, {"150 less", -1, -150}, {"150 more", -1, 150},
                {"300 more", -1, 300}, {"always 1", 1, 0},     {"always 801", 801, 0}, {"nothing", -1, 0}};
    enum { COUNT = sizeof TOLD / sizeof *TOLD };
    Network *network = open_network(model);
    float *latents = demo_floats(network->n);
    Sheet sheet = sheet_new(COUNT, 1, 52);
    Kernel kernel;
    printf("\ntold         picture off by   contrast\n");
    for (size_t i = 0; i < COUNT; i++) {
        if (i == COUNT - 1) put_kernel(network, OP_ADD_PER_CHANNEL, &kernel, (void (*)(void))add_nothing);
        Clock clock = {network, TOLD[i].always, TOLD[i].later};
        network_draw(network, ask_by_clock, &clock, latents);
        printf("%-12s%15.0f%% %10.2f\n", TOLD[i].name, 100 * distance_between(latents, picture, network->n),
               deviation(latents, network->n));
        place_decoded(&sheet, i, 0, network, latents);
    }
    sheet_write(&sheet, path);
    free(latents);
    network_close(network);
}

// A finished picture has no noise in it. What is named?
static void print_clean(const Model *model, const float *picture) {
    Network *network = open_network(model);
    float *noise_pred = demo_floats(network->n);
    printf("\nasked about the finished picture, it names noise of deviation");
    for (size_t t = 1; t < 1000; t += 300) {
        network_ask(network, picture, (float)t, noise_pred, network->n);
        printf("%s %.2f (t = %zu)", t == 1 ? "" : ",", deviation(noise_pred, network->n), t);
    }
    printf("\n");
    free(noise_pred);
    network_close(network);
}

int main(int argc, char **argv) {
    Model *model = demo_model();
    float *picture = demo_floats(LATENT_CHANNELS * 16 * 16);
    show_skips(model, picture, demo_path(argc, argv, "skips.png").text);
    show_embedding(demo_path(argc, argv, "embedding.png").text);
    show_times(model, picture, demo_path(argc, argv, "times.png").text);
    print_clean(model, picture);
    free(picture);
    model_close(model);
    return 0;
}
