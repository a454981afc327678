// exact_denoiser.c - see exact_denoiser.h
//
// exact_denoise is all of it. Below stands what makes it a stage: the answer in a U-Net's words, planning, cost.
// Read next: exact_windows.c.

#include "stages/exact_denoiser.h"

#include "base/check.h"

#include <float.h>
#include <math.h>

static size_t numbers_of(const LatentSet *set) { return set->channels * set->height * set->width; }

const float *chosen_latent(const LatentSet *set, LatentChoice choice, size_t i) {
    return set->latents + (choice.index ? choice.index[i] : i) * numbers_of(set);
}

// ---- the definition -------------------------------------------------------------------------------------------------

// |x - signal x0|^2 over n numbers
static double squared_distance(const float *x, float signal, const float *x0, size_t n) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t j = 0; j < n; j++) {
        float difference = x[j] - signal * x0[j];
        sum += difference * difference;
    }
    return sum;
}

// The smallest distance is subtracted from all: the weights stay the same, and the largest e^x is 1 instead of 0.
void exact_denoise(float *x0, double *weights, const float *x, double a, const LatentSet *set, LatentChoice choice) {
    size_t n = numbers_of(set), count = choice.count;
    double least = DBL_MAX, sum = 0;
#pragma omp parallel for reduction(min : least)
    for (size_t i = 0; i < count; i++) {
        weights[i] = squared_distance(x, (float)sqrt(a), chosen_latent(set, choice, i), n);
        least = fmin(least, weights[i]);
    }
    for (size_t i = 0; i < count; i++) sum += weights[i] = exp((least - weights[i]) / (2 * (1 - a)));

    for (size_t j = 0; j < n; j++) x0[j] = 0;
    for (size_t i = 0; i < count; i++) {
        weights[i] /= sum;
        if (weights[i] < FLT_MIN) continue;  // nearly all of them, where there is little noise
        const float *latent = chosen_latent(set, choice, i);
        for (size_t j = 0; j < n; j++) x0[j] += (float)weights[i] * latent[j];
    }
}

size_t exact_nearest(const float *x, const LatentSet *set, LatentChoice choice, double *distance) {
    size_t nearest = 0, n = numbers_of(set);
    double least = DBL_MAX;
    for (size_t i = 0; i < choice.count; i++) {
        double squares = squared_distance(x, 1, chosen_latent(set, choice, i), n);
        if (squares < least) least = squares, nearest = i;
    }
    *distance = sqrt(least / (double)n);
    return choice.index ? choice.index[nearest] : nearest;
}

// ---- as a stage -----------------------------------------------------------------------------------------------------

// The mean of the pictures says what the noise is, too: x_t = sqrt(a) x0 + sqrt(1 - a) noise. answer holds x0 and becomes
// what a U-Net of this type says.
static void speak_as_unet(float *answer, const float *x, double a, PredictionType type, size_t n) {
    float signal = (float)sqrt(a), chaos = (float)sqrt(1 - a);
    for (size_t i = 0; i < n && type != PREDICTION_SAMPLE; i++) {
        float x0 = answer[i], noise = (x[i] - signal * x0) / chaos;
        answer[i] = type == PREDICTION_V ? signal * noise - chaos * x0 : noise;
    }
}

// A difference, a square and a sum for the distance, a product and a sum for the mean
static size_t whole_flops(const LatentSet *set, size_t count) { return 5 * count * numbers_of(set); }

Tensor exact_forward(Context *ctx, const ExactDenoiser *exact, const LatentChoice *choices, size_t rows, Tensor latents,
                     double a, PredictionType type) {
    const LatentSet *set = &exact->set;
    size_t n = numbers_of(set), window = exact->window;
    CHECK(shape_equal(latents.shape, shape4(1, set->channels, set->height, set->width)), "latents %s beside %zu x %zu",
          shape_text(latents.shape).text, set->height, set->width);
    Tensor answer = {arena_take(&ctx->arena, rows * n * sizeof(float)),
                     shape4(rows, set->channels, set->height, set->width), F32, ctx->planning ? NOWHERE : ON_HOST};
    for (size_t row = 0; row < rows; row++) {
        LatentChoice choice = choices[row];
        Scope scope = scope_open(&ctx->arena);
        void *scratch =
            arena_take(&ctx->arena, window ? exact_windows_scratch_size(set, window) : choice.count * sizeof(double));
        ctx->cost.flops +=
            window ? exact_windows_flops(set, choice.count, window, exact->reach) : whole_flops(set, choice.count);
        ctx->cost.bytes += choice.count * n * sizeof(float);
        if (!ctx->planning && !context_stopped(ctx)) {
            const float *x = tensor_f32(latents);
            float *x0 = tensor_f32(answer) + row * n;
            if (window)
                exact_denoise_windows(x0, x, a, set, choice, window, exact->reach, scratch, ctx->stop);
            else
                exact_denoise(x0, scratch, x, a, set, choice);
            speak_as_unet(x0, x, a, type, n);
        }
        scope_close(&ctx->arena, &scope);
    }
    observe(ctx, answer, "exact_denoiser");
    return answer;
}
