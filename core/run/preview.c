// preview.c - a quick picture of any latents, nearly free
//
// Where: beside the steps, for people who watch. A VAE decodes in about the time of a U-Net call; but each latent is,
// in the main, the colour of its 8x8 pixels in other coordinates, and coordinates can be changed by a matrix. It
// differs from VAE to VAE, so it is measured: encode pictures of known colours and solve for the matrix that gives them
// back. Areas come out right; outlines, which latents code in their own ways, too colourful.
// A model that was opened with a preview VAE, a small one made for this (stages/vae_tiny.c), shows more: its pictures
// are sharp and have the full size, for a twentieth of the VAE's arithmetic.
// Elsewhere: the "latent2rgb" and "TAESD" previews of many user interfaces; of the former they keep a matrix a model
// family.

#include "run/run.h"

#include "base/clock.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    PICTURES = 3,                    // of 2 x 2 patches each; more would cost a large VAE seconds
    CELLS = 8,                       // latents a side: pictures of 64 x 64 where the VAE's factor is 8
    PATCHES = 4,                     // a picture
    UNKNOWNS = LATENT_CHANNELS + 1,  // what a colour is made of: the latents and a constant
};

// The corners of the colour cube first (black, red, green, ... white), then any colours.
static void choose_colours(float colours[PICTURES * PATCHES][3]) {
    Rng rng;
    rng_seed(&rng, 0);
    for (size_t i = 0; i < PICTURES * PATCHES; i++) {
        for (size_t c = 0; c < 3; c++) {
            colours[i][c] = i < 8 ? (float)(i >> c & 1) : (float)(rng_u32(&rng) >> 8) * 0x1p-24f;
        }
    }
}

// Which of the colours the cell (y, x) of a picture has
static size_t patch_at(size_t picture, size_t y, size_t x) {
    return picture * PATCHES + (y >= CELLS / 2) * 2 + (x >= CELLS / 2);
}

// pixels [PICTURES, 3, side, side] in -1..1
static void paint(float colours[PICTURES * PATCHES][3], size_t factor, float *pixels) {
    size_t side = CELLS * factor;
    for (size_t p = 0; p < PICTURES; p++) {
        for (size_t c = 0; c < 3; c++) {
            for (size_t y = 0; y < side; y++) {
                for (size_t x = 0; x < side; x++) {
                    float colour = colours[patch_at(p, y / factor, x / factor)][c];
                    pixels[((p * 3 + c) * side + y) * side + x] = colour * 2 - 1;
                }
            }
        }
    }
}

// Gauss's elimination with the largest pivot: a [5, 5] and b [5, 3] become the solution of a x = b, in b.
static void solve(double a[UNKNOWNS][UNKNOWNS], double b[UNKNOWNS][3]) {
    for (size_t column = 0; column < UNKNOWNS; column++) {
        size_t pivot = column;
        for (size_t row = column + 1; row < UNKNOWNS; row++) {
            if (fabs(a[row][column]) > fabs(a[pivot][column])) pivot = row;
        }
        for (size_t j = 0; j < UNKNOWNS; j++) {
            double swapped = a[column][j];
            a[column][j] = a[pivot][j];
            a[pivot][j] = swapped;
        }
        for (size_t c = 0; c < 3; c++) {
            double swapped = b[column][c];
            b[column][c] = b[pivot][c];
            b[pivot][c] = swapped;
        }
        for (size_t row = 0; row < UNKNOWNS; row++) {
            double times = row == column ? 0 : a[row][column] / a[column][column];
            for (size_t j = column; j < UNKNOWNS; j++) a[row][j] -= times * a[column][j];
            for (size_t c = 0; c < 3; c++) b[row][c] -= times * b[column][c];
        }
    }
    for (size_t row = 0; row < UNKNOWNS; row++) {
        for (size_t c = 0; c < 3; c++) b[row][c] /= a[row][row];
    }
}

// Least squares over all cells: (X^T X) matrix = X^T colours, where a row of X is a cell's latents and a 1. encoded
// [PICTURES, channels, CELLS, CELLS] as vae_encode gives it: the first LATENT_CHANNELS are the latents, or their mean.
static void fit(Tensor encoded, float scaling_factor, float colours[PICTURES * PATCHES][3],
                float latent_rgb[UNKNOWNS][3]) {
    double normal[UNKNOWNS][UNKNOWNS] = {{0}}, right[UNKNOWNS][3] = {{0}};
    size_t channels = encoded.shape.axis[1];
    for (size_t p = 0; p < PICTURES; p++) {
        for (size_t cell = 0; cell < CELLS * CELLS; cell++) {
            double x[UNKNOWNS] = {[LATENT_CHANNELS] = 1};
            for (size_t i = 0; i < LATENT_CHANNELS; i++)
                x[i] = (double)(tensor_f32(encoded)[(p * channels + i) * CELLS * CELLS + cell] * scaling_factor);
            const float *colour = colours[patch_at(p, cell / CELLS, cell % CELLS)];
            for (size_t i = 0; i < UNKNOWNS; i++) {
                for (size_t j = 0; j < UNKNOWNS; j++) normal[i][j] += x[i] * x[j];
                for (size_t c = 0; c < 3; c++) right[i][c] += x[i] * (double)colour[c];
            }
        }
    }
    // A little on the diagonal (Tikhonov): a VAE with two latents that always agree still has one answer.
    for (size_t i = 0; i < UNKNOWNS; i++) normal[i][i] += 1e-6 * PICTURES * CELLS * CELLS;
    solve(normal, right);
    for (size_t i = 0; i < UNKNOWNS; i++) {
        for (size_t c = 0; c < 3; c++) latent_rgb[i][c] = (float)right[i][c];
    }
}

// Room in the run's arena for encoding pictures of this shape: between two steps nothing else is in there.
static bool reserve(Run *run, Shape shape, Error *error) {
    Context planner;
    context_open_planning(&planner, run->ctx.kernels);
    vae_encode(&planner, run->model->vae, tensor_over(NULL, shape));
    size_t bytes = planner.arena.high_water;
    context_close(&planner);
    if (run_make_room(run, &run->settings, bytes, NULL)) return true;
    return error_set(error, "preview: the first takes %.2f GB of memory, more than there is; close other programs",
                     (double)bytes / 1e9);
}

// The run's context, but whoever observes the run isn't shown what is done with it. Its arena is the run's, which must
// take it back.
static Context unobserved(const Run *run) {
    Context ctx = run->ctx;
    ctx.observer = NULL;
    ctx.attention_observer = (AttentionObserver){0};
    return ctx;
}

// Fits rgb (0..1) = latents times the rows of latent_rgb + its last row to what this VAE's encoder does with flat
// colours. With the run's kernels, threads, memory and stop flag.
static bool measure(Run *run, Error *error) {
    const Vae *vae = run->model->vae;
    size_t side = CELLS * vae_factor(vae);
    Shape shape = shape4(PICTURES, 3, side, side);
    float colours[PICTURES * PATCHES][3], *pixels = malloc(shape_count(shape) * sizeof *pixels);
    if (!pixels) return error_set(error, "preview: no memory for %zu pixels; close other programs", side * side);
    if (!reserve(run, shape, error)) {
        free(pixels);
        return false;
    }
    choose_colours(colours);
    paint(colours, vae_factor(vae), pixels);

    Context ctx = unobserved(run);
    Scope scope = scope_open(&ctx.arena);
    int threads_before = context_enter(&ctx);
    Tensor encoded = vae_encode(&ctx, vae, tensor_over(pixels, shape));
    context_leave(threads_before);
    bool stopped = context_stopped(&ctx);
    if (!stopped) fit(encoded, vae_config(vae)->scaling_factor, colours, run->latent_rgb);
    scope_close(&ctx.arena, &scope);
    run->ctx.arena = ctx.arena;
    free(pixels);
    return !stopped || error_set(error, "cancelled");
}

// Through the decoder of the preview VAE: the picture has its full size.
static bool decode_preview(Run *run, const float *latents, Image *image, Error *error) {
    double start = seconds_now();
    Context ctx = unobserved(run);
    bool ok = decode_through(run, &ctx, run->model->preview_vae, latents, image, NULL, error);
    run->ctx.arena = ctx.arena;
    run->times.preview += seconds_now() - start;
    return ok;
}

static bool measured(Run *run, Error *error) {
    if (!run->has_latent_rgb) run->has_latent_rgb = measure(run, error);
    return run->has_latent_rgb;
}

bool run_latent_rgb(Run *run, float latent_rgb[UNKNOWNS][3], Error *error) {
    if (!measured(run, error)) return false;
    memcpy(latent_rgb, run->latent_rgb, sizeof run->latent_rgb);
    return true;
}

bool run_preview(Run *run, const float *latents, Image *image, Error *error) {
    if (run->model->preview_vae) return decode_preview(run, latents, image, error);
    if (!measured(run, error)) return false;
    size_t area = run->height * run->width;
    *image = image_new(run->width, run->height);
    if (!image->pixels) return error_set(error, "preview: no memory for %zu pixels; close other programs", area);
    for (size_t i = 0; i < area; i++) {
        for (size_t c = 0; c < 3; c++) {
            float value = run->latent_rgb[LATENT_CHANNELS][c];
            for (size_t k = 0; k < LATENT_CHANNELS; k++) value += latents[k * area + i] * run->latent_rgb[k][c];
            image->pixels[i * 3 + c] = (uint8_t)rintf(fminf(fmaxf(value, 0), 1) * 255);
        }
    }
    return true;
}
