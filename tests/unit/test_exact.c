// test_exact.c - the exact denoiser beside its definition in double precision, as a whole and through windows

#include "base/rng.h"
#include "schedulers/coordinates.h"
#include "stages/exact_denoiser.h"
#include "test.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS = 4, SIDE_Y = 6, SIDE_X = 7, AREA = SIDE_Y * SIDE_X, N = CHANNELS * AREA, MOST = 40 };

static float latents[MOST * N], noise[N];
static const float LEVELS[] = {0.9991f, 0.97f, 0.5f, 0.05f, 1e-4f};

static LatentSet set_of(size_t count) {
    Rng rng;
    rng_seed(&rng, 5);
    rng_normal(&rng, latents, sizeof latents / sizeof *latents);
    rng_normal(&rng, noise, N);
    return (LatentSet){latents, count, CHANNELS, SIDE_Y, SIDE_X};
}

// Latent i under noise
static void noisy(float *x, size_t i, float a) {
    for (size_t j = 0; j < N; j++) x[j] = sqrtf(a) * latents[i * N + j] + sqrtf(1 - a) * noise[j];
}

// ---- as a whole -----------------------------------------------------------------------------------------------------

static double log_likelihood(const double *x, float a, LatentChoice choice, double x0[N]) {
    double distances[MOST], least = INFINITY, sum = 0;
    for (size_t i = 0; i < choice.count; i++) {
        const float *latent = latents + (choice.index ? choice.index[i] : i) * N;
        distances[i] = 0;
        for (size_t j = 0; j < N; j++) distances[i] += pow(x[j] - sqrt(a) * latent[j], 2);
        least = fmin(least, distances[i]);
    }
    memset(x0, 0, N * sizeof *x0);
    for (size_t i = 0; i < choice.count; i++) {
        const float *latent = latents + (choice.index ? choice.index[i] : i) * N;
        double weight = exp((least - distances[i]) / 2 / (1 - (double)a));
        sum += weight;
        for (size_t j = 0; j < N; j++) x0[j] += weight * latent[j];
    }
    for (size_t j = 0; j < N; j++) x0[j] /= sum;
    return log(sum) - least / 2 / (1 - (double)a);
}

static void test_is_the_posterior_mean(void) {
    static const size_t some[] = {1, 4, 5, 30};
    LatentSet set = set_of(MOST);
    LatentChoice choices[] = {{NULL, MOST}, {some, 4}, {some, 1}};
    for (size_t level = 0; level < 5; level++) {
        for (size_t c = 0; c < 3; c++) {
            float x[N], x0[N], expected[N], a = LEVELS[level];
            double weights[MOST], x_double[N], x0_double[N], sum = 0;
            noisy(x, 4, a);
            for (size_t j = 0; j < N; j++) x_double[j] = x[j];
            log_likelihood(x_double, a, choices[c], x0_double);
            for (size_t j = 0; j < N; j++) expected[j] = (float)x0_double[j];
            exact_denoise(x0, weights, x, a, &set, choices[c]);
            double off = relative_l2(x0, expected, N);
            EXPECT(off < 1e-5, "a %g, %zu latents: off by %.2g", (double)a, choices[c].count, off);
            for (size_t i = 0; i < choices[c].count; i++) sum += weights[i];
            EXPECT(fabs(sum - 1) < 1e-12, "weights sum to %.15g", sum);
        }
    }
}

// With hardly any noise the answer is the latent itself; with nothing else, the mean of all.
static void test_ends(void) {
    LatentSet set = set_of(MOST);
    float x[N], x0[N], mean[N] = {0};
    double weights[MOST], distance;
    noisy(x, 17, 0.9991f);
    exact_denoise(x0, weights, x, 0.9991f, &set, (LatentChoice){NULL, MOST});
    EXPECT(memcmp(x0, latents + 17 * N, sizeof x0) == 0, "off by %.2g", relative_l2(x0, latents + 17 * N, N));
    EXPECT(exact_nearest(x, &set, (LatentChoice){NULL, MOST}, &distance) == 17 && distance < 0.1, "%g away", distance);

    for (size_t i = 0; i < MOST; i++)
        for (size_t j = 0; j < N; j++) mean[j] += latents[i * N + j] / MOST;
    exact_denoise(x0, weights, x, 0, &set, (LatentChoice){NULL, MOST});
    EXPECT(relative_l2(x0, mean, N) < 1e-5, "off by %.2g", relative_l2(x0, mean, N));
}

// Tweedie: the noise is -sqrt(1 - a) times the gradient of log p(x_t). Held against differences in a few directions.
static void test_noise_is_the_score(void) {
    LatentSet set = set_of(MOST);
    for (size_t level = 2; level < 5; level++) {
        float x[N], x0[N], a = LEVELS[level];
        double weights[MOST], up[N], down[N], unread[N];
        noisy(x, 3, a);
        exact_denoise(x0, weights, x, a, &set, (LatentChoice){NULL, MOST});
        for (size_t j = 0; j < N; j += 37) {
            for (size_t k = 0; k < N; k++) up[k] = down[k] = x[k];
            up[j] += 1e-4, down[j] -= 1e-4;
            double slope = (log_likelihood(up, a, (LatentChoice){NULL, MOST}, unread) -
                            log_likelihood(down, a, (LatentChoice){NULL, MOST}, unread)) /
                           2e-4;
            double said = (x[j] - sqrt(a) * x0[j]) / sqrt(1 - a), score = -sqrt(1 - a) * slope;
            EXPECT(fabs(said - score) < 1e-5, "a %g, number %zu: noise %g, score %g", (double)a, j, said, score);
        }
    }
}

// ---- through windows ------------------------------------------------------------------------------------------------

static bool inside(long at, long side) { return 0 <= at && at < side; }

// How many latents of a window reach over the near and the far border, in one number
static long over(long at, long side, long half) {
    long near = at < half ? half - at : 0, far = at + half >= side ? at + half - side + 1 : 0;
    return near * 100 + far;
}

// The squared distance of two windows, zeros beyond the border; infinite if they don't see it alike
static double window_distance(const float *x, const float *latent, float a, long y, long x_at, long dy, long dx,
                              long half) {
    if (!inside(y + dy, SIDE_Y) || !inside(x_at + dx, SIDE_X)) return INFINITY;
    if (over(y, SIDE_Y, half) != over(y + dy, SIDE_Y, half) ||
        over(x_at, SIDE_X, half) != over(x_at + dx, SIDE_X, half))
        return INFINITY;
    if ((dy != 0 && over(y, SIDE_Y, half) != 0) || (dx != 0 && over(x_at, SIDE_X, half) != 0)) return INFINITY;
    double sum = 0;
    for (long c = 0; c < CHANNELS; c++) {
        for (long v = -half; v <= half; v++) {
            for (long u = -half; u <= half; u++) {
                if (!inside(y + v, SIDE_Y) || !inside(x_at + u, SIDE_X)) continue;
                double there = latent[c * AREA + (y + dy + v) * SIDE_X + x_at + dx + u];
                sum += pow(x[c * AREA + (y + v) * SIDE_X + x_at + u] - sqrt(a) * there, 2);
            }
        }
    }
    return sum;
}

static void windows_by_definition(float *x0, const float *x, float a, LatentChoice choice, long window, long reach) {
    for (long p = 0; p < AREA; p++) {
        double least = INFINITY, sum = 0, mean[CHANNELS] = {0};
        for (int pass = 0; pass < 2; pass++) {
            for (size_t i = 0; i < choice.count; i++) {
                const float *latent = latents + (choice.index ? choice.index[i] : i) * N;
                for (long dy = -reach; dy <= reach; dy++) {
                    for (long dx = -reach; dx <= reach; dx++) {
                        double distance = window_distance(x, latent, a, p / SIDE_X, p % SIDE_X, dy, dx, window / 2);
                        if (isinf(distance)) continue;
                        if (pass == 0) {
                            least = fmin(least, distance);
                            continue;
                        }
                        double weight = exp((least - distance) / 2 / (1 - (double)a));
                        sum += weight;
                        for (long c = 0; c < CHANNELS; c++) mean[c] += weight * latent[c * AREA + p + dy * SIDE_X + dx];
                    }
                }
            }
        }
        for (long c = 0; c < CHANNELS; c++) x0[c * AREA + p] = (float)(mean[c] / sum);
    }
}

static void denoise_windows(float *x0, const float *x, float a, const LatentSet *set, LatentChoice choice,
                            size_t window, size_t reach) {
    void *scratch = malloc(exact_windows_scratch_size(set, window));
    EXPECT(scratch, "no memory");
    exact_denoise_windows(x0, x, a, set, choice, window, reach, scratch, NULL);
    free(scratch);
}

static void test_windows(void) {
    static const size_t some[] = {1, 4, 5, 30, 31, 32, 7, 8, 39}, reaches[] = {0, 1, 2, 100};
    LatentSet set = set_of(MOST);
    LatentChoice choices[] = {{NULL, MOST}, {some, 9}, {some, 1}};
    for (size_t level = 0; level < 5; level++) {
        for (size_t window = 1; window <= 5; window += 2) {
            for (size_t r = 0; r < 4; r++) {
                float x[N], x0[N], expected[N], a = LEVELS[level];
                LatentChoice choice = choices[(level + r) % 3];
                noisy(x, 4, a);
                denoise_windows(x0, x, a, &set, choice, window, reaches[r]);
                windows_by_definition(expected, x, a, choice, (long)window,
                                      reaches[r] < 100 ? (long)reaches[r] : SIDE_X);
                double off = relative_l2(x0, expected, N);
                EXPECT(off < 2e-5, "a %g, window %zu, reach %zu, %zu latents: off by %.2g", (double)a, window,
                       reaches[r], choice.count, off);
            }
        }
    }
}

static void test_windows_whatever_the_threads(void) {
    LatentSet set = set_of(MOST);
    float x[N], one[N], three[N];
    int before = omp_get_max_threads();
    noisy(x, 4, 0.5f);
    omp_set_num_threads(1);
    denoise_windows(one, x, 0.5f, &set, (LatentChoice){NULL, MOST}, 3, 2);
    omp_set_num_threads(3);
    denoise_windows(three, x, 0.5f, &set, (LatentChoice){NULL, MOST}, 3, 2);
    omp_set_num_threads(before);
    EXPECT(memcmp(one, three, sizeof one) == 0, "one and three threads disagree by %.2g", relative_l2(one, three, N));
}

// ---- as a stage -----------------------------------------------------------------------------------------------------

// What it says as noise, v or sample is the same picture; and planning takes what executing takes.
static void test_speaks_as_a_unet(void) {
    static const size_t some[] = {1, 4, 5};
    ExactDenoiser exact = {.set = set_of(MOST)};
    LatentChoice choices[] = {{NULL, MOST}, {some, 3}};
    for (exact.window = 0; exact.window <= 3; exact.window += 3) {
        float x[N], a = 0.4f, x0[2 * N];
        double weights[MOST];
        noisy(x, 4, a);
        Tensor latents_now = tensor_over(x, shape4(1, CHANNELS, SIDE_Y, SIDE_X));
        for (size_t row = 0; row < 2; row++) {
            if (exact.window)
                denoise_windows(x0 + row * N, x, a, &exact.set, choices[row], exact.window, exact.reach);
            else
                exact_denoise(x0 + row * N, weights, x, a, &exact.set, choices[row]);
        }
        Context planning, ctx;
        Error error = {0};
        context_open_planning(&planning, NULL);
        exact_forward(&planning, &exact, choices, 2, latents_now, a, PREDICTION_V);
        EXPECT(context_open(&ctx, planning.arena.high_water, 0, &error), "%s", error.message);
        for (PredictionType type = PREDICTION_EPSILON; type <= PREDICTION_SAMPLE; type++) {
            Scope scope = scope_open(&ctx.arena);
            const float *said = tensor_f32(exact_forward(&ctx, &exact, choices, 2, latents_now, a, type));
            float back[2 * N];
            for (size_t i = 0; i < 2 * N; i++) back[i] = latents_split(type, a, x[i % N], said[i]).x0;
            double off = relative_l2(back, x0, 2 * N);
            EXPECT(off < 1e-5, "window %zu, %s: off by %.2g", exact.window, prediction_type_name(type), off);
            scope_close(&ctx.arena, &scope);
        }
        EXPECT(ctx.arena.high_water == planning.arena.high_water, "%zu bytes, planned %zu", ctx.arena.high_water,
               planning.arena.high_water);
        EXPECT(ctx.cost.flops == 3 * planning.cost.flops && planning.cost.flops > 0, "costs differ");
        atomic_bool stop = true;
        ctx.stop = &stop;
        exact_forward(&ctx, &exact, choices, 2, latents_now, a, PREDICTION_V);
        context_close(&ctx);
        context_close(&planning);
    }
}

int main(void) {
    TEST(test_is_the_posterior_mean);
    TEST(test_ends);
    TEST(test_noise_is_the_score);
    TEST(test_windows);
    TEST(test_windows_whatever_the_threads);
    TEST(test_speaks_as_a_unet);
    return test_summary();
}
