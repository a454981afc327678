// encoding.c - see exact_data.h: drawings become latents
//
// Where: once, before a run. Elsewhere: ../train/latents.py, which made what the model itself was trained on.
// Read next: matching.c.

#include "critters/exact/exact_data.h"

#include "critters/draw/studio.h"

#include <stdlib.h>

enum { BATCH = 8 };

Drawing *drawings_of_training(size_t count) {
    Drawing *drawings = calloc(count, sizeof *drawings);
    for (size_t i = 0; drawings && i < count; i++) drawings[i] = drawing_sample(i, TRAIN, KINDS);
    return drawings;
}

// pixels [3, SIDE, SIDE] in -1..1
static void paint(const Drawing *drawing, float *pixels) {
    Canvas canvas;
    uint8_t rgb[PIXELS * 3];
    drawing_draw(drawing, &canvas);
    canvas_bytes(&canvas, rgb);
    for (size_t i = 0; i < PIXELS; i++)
        for (size_t c = 0; c < 3; c++) pixels[c * PIXELS + i] = (float)rgb[3 * i + c] / 255.0f * 2 - 1;
}

static bool encoder_open(Context *ctx, const Model *model, size_t batch, Error *error) {
    Context planning;
    context_open_planning(&planning, NULL);
    vae_encode(&planning, model->vae, tensor_over(NULL, shape4(batch, 3, SIDE, SIDE)));
    size_t bytes = planning.arena.high_water;
    context_close(&planning);
    return context_open(ctx, bytes, 0, error);
}

// pixels [batch, 3, SIDE, SIDE] -> latents [batch, 4, h, w]: the mean, which of moments [8, h, w] is the first half
static void encode(Context *ctx, const Vae *vae, float *pixels, size_t batch, float *latents) {
    size_t side = SIDE / vae_factor(vae), n = LATENT_CHANNELS * side * side;
    size_t stride = vae_config(vae)->has_posterior ? 2 * n : n;
    Scope scope = scope_open(&ctx->arena);
    int threads_before = context_enter(ctx);
    const float *moments = tensor_f32(vae_encode(ctx, vae, tensor_over(pixels, shape4(batch, 3, SIDE, SIDE))));
    context_leave(threads_before);
    for (size_t i = 0; i < batch; i++)
        for (size_t j = 0; j < n; j++) latents[i * n + j] = moments[i * stride + j] * vae_config(vae)->scaling_factor;
    scope_close(&ctx->arena, &scope);
}

static bool encode_all(const Model *model, const Drawing *drawings, size_t count, float *latents, Error *error) {
    size_t side = SIDE / vae_factor(model->vae), n = LATENT_CHANNELS * side * side,
           batch = count < BATCH ? count : BATCH;
    float *pixels = malloc(batch * 3 * PIXELS * sizeof *pixels);
    if (!pixels) return error_set(error, "exact: no memory for %zu drawings; close other programs", batch);
    Context ctx;
    bool ok = encoder_open(&ctx, model, batch, error);
    for (size_t begin = 0; ok && begin < count; begin += batch) {
        size_t some = count - begin < batch ? count - begin : batch;
#pragma omp parallel for
        for (size_t i = 0; i < some; i++) paint(&drawings[begin + i], pixels + i * 3 * PIXELS);
        encode(&ctx, model->vae, pixels, some, latents + begin * n);
    }
    if (ok) context_close(&ctx);
    free(pixels);
    if (ok && !all_finite(latents, count * n)) {
        return error_set(error, "exact: what the VAE makes of the drawings is not finite; check its weights");
    }
    return ok;
}

bool drawing_encode(const Model *model, const Drawing *drawing, float *latents, Error *error) {
    return encode_all(model, drawing, 1, latents, error);
}

bool exact_data_encode(ExactData *data, const Model *model, Drawing *drawings, size_t count, Error *error) {
    size_t factor = vae_factor(model->vae), side = SIDE / factor;
    *data = (ExactData){.drawings = drawings};
    bool ok =
        SIDE % factor == 0 ||
        error_set(error, "exact: a drawing has %d x %d pixels, which this model's VAE can't take by %zu; take another",
                  SIDE, SIDE, factor);
    if (ok) {
        data->latents = malloc(count * LATENT_CHANNELS * side * side * sizeof *data->latents);
        ok = data->latents || error_set(error, "exact: no memory for %zu latents; ask for fewer drawings", count);
    }
    if (ok) ok = encode_all(model, drawings, count, data->latents, error);
    if (!ok) {
        exact_data_free(data);
        return false;
    }
    data->denoiser = (ExactDenoiser){
        .set = {data->latents, count, LATENT_CHANNELS, side, side}, .match = exact_data_match, .matcher = data};
    return true;
}

void exact_data_free(ExactData *data) {
    free(data->latents);
    free(data->drawings);
    *data = (ExactData){0};
}
