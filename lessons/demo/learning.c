// learning.c - see learning.h

#include "demo/learning.h"

#include "demo/demo.h"
#include "stages/exact_denoiser.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TIME_WAVES = 5, TIME = 2 * TIME_WAVES, PLACE_WAVES = 32, PLACE = 2 * PLACE_WAVES };
enum { INPUTS = POINT + PLACE + TIME, HIDDEN = 128 };
static const float PER_UNIT = 2;  // of the angle: how fast the waves of a place are, on average

// ---- training is one line of loss -----------------------------------------------------------------------------------
//
//     loss = mean of (network(sqrt(a) x0 + sqrt(1 - a) noise, t) - noise)^2          (Ho et al. 2020, equation 14)
//
// and the gradient of a mean of squares is 2 / n times the difference.

static float loss_of_noise(AskNoise *ask, void *denoiser, const float *alphas_cumprod, const size_t *t, const float *x0,
                           const float *noise, size_t rows, float *x_t, float *noise_pred, float *d_noise_pred) {
    size_t n = rows * POINT;
    for (size_t i = 0; i < n; i++) {
        float a = alphas_cumprod[t[i / POINT]];
        x_t[i] = sqrtf(a) * x0[i] + sqrtf(1 - a) * noise[i];
    }
    ask(denoiser, x_t, t, rows, noise_pred);
    double squares = 0;
    for (size_t i = 0; i < n; i++) {
        float difference = noise_pred[i] - noise[i];
        squares += (double)difference * difference;
        d_noise_pred[i] = 2 * difference / (float)n;
    }
    return (float)(squares / (double)n);
}

float learner_step(Learner *learner, const float *points, size_t count, float learning_rate) {
    float x0[BATCH * POINT], noise[BATCH * POINT], x_t[BATCH * POINT], noise_pred[BATCH * POINT], d[BATCH * POINT];
    size_t t[BATCH];
    for (size_t row = 0; row < BATCH; row++) {
        t[row] = rng_u32(&learner->rng) % TIMESTEPS;
        memcpy(x0 + POINT * row, points + POINT * (rng_u32(&learner->rng) % count), POINT * sizeof *x0);
    }
    rng_normal(&learner->rng, noise, BATCH * POINT);
    float loss = learner->training_loss(learner_ask, learner, learner->scheduler->alphas_cumprod, t, x0, noise, BATCH,
                                        x_t, noise_pred, d);
    mlp_backward(learner->mlp, d);
    mlp_learn(learner->mlp, learning_rate);
    return loss;
}

// ---- the network ----------------------------------------------------------------------------------------------------

// Networks are slow to learn what changes fast with their inputs. So beside numbers they are given waves of them: of the
// timestep slow and fast ones, as a U-Net's time embedding has them, and of a point's place in random directions (Tancik et
// al. 2020, arXiv 2006.10739).
static void wave(float *out, double angle) { out[0] = (float)cos(angle), out[1] = (float)sin(angle); }

static void make_waves(Learner *learner, Rng *rng) {
    const double slowest = 3.14159265 / 2 / TIMESTEPS;
    for (size_t t = 0; t < TIMESTEPS; t++) {
        for (size_t k = 0; k < TIME_WAVES; k++) wave(learner->of_time + t * TIME + 2 * k, slowest * (double)(t << k));
    }
    rng_normal(rng, learner->directions, PLACE_WAVES * POINT);
    for (size_t i = 0; i < PLACE_WAVES * POINT; i++) learner->directions[i] *= PER_UNIT;
}

// What the network is told of a point: itself, its waves, the time's waves
static void make_input(const Learner *learner, const float *x, size_t t, float *input) {
    memcpy(input, x, POINT * sizeof *input);
    for (size_t k = 0; k < PLACE_WAVES; k++) {
        const float *direction = learner->directions + POINT * k;
        wave(input + POINT + 2 * k, (double)(direction[0] * x[0] + direction[1] * x[1]));
    }
    memcpy(input + POINT + PLACE, learner->of_time + t * TIME, TIME * sizeof *input);
}

Learner *learner_new(uint64_t seed) {
    Learner *learner = calloc(1, sizeof *learner);
    demo_needs(learner, &(Error){0});
    Error error = {0};
    SchedulerConfig config = ddim_kind.defaults;
    config.beta_start = 0.00085f, config.beta_end = 0.012f, config.beta_schedule = BETAS_SCALED_LINEAR;
    config.steps_offset = 1, config.clip_sample = false, config.set_alpha_to_one = false;
    learner->scheduler = scheduler_new(&ddim_kind, &config, &error);
    demo_needs(learner->scheduler, &error);

    learner->mlp = mlp_new((size_t[]){INPUTS, HIDDEN, HIDDEN, HIDDEN, POINT}, 4, BATCH, seed);
    learner->of_time = demo_floats(TIMESTEPS * TIME), learner->directions = demo_floats(PLACE_WAVES * POINT);
    learner->inputs = demo_floats(BATCH * INPUTS);
    learner->training_loss = loss_of_noise;
    rng_seed(&learner->rng, seed);
    make_waves(learner, &learner->rng);
    return learner;
}

void learner_free(Learner *learner) {
    mlp_free(learner->mlp);
    scheduler_free(learner->scheduler);
    free(learner->of_time), free(learner->directions), free(learner->inputs);
    free(learner);
}

void learner_ask(void *asked, const float *x_t, const size_t *t, size_t rows, float *noise_pred) {
    Learner *learner = asked;
    for (size_t begin = 0; begin < rows; begin += BATCH) {
        size_t some = rows - begin < BATCH ? rows - begin : BATCH;
        for (size_t row = 0; row < some; row++) {
            make_input(learner, x_t + POINT * (begin + row), t[begin + row], learner->inputs + row * INPUTS);
        }
        memcpy(noise_pred + POINT * begin, mlp_forward(learner->mlp, learner->inputs, some),
               some * POINT * sizeof(float));
    }
}

// ---- what was learnt ------------------------------------------------------------------------------------------------

static size_t *same_timestep(size_t t, size_t count) {
    size_t *all = malloc(count * sizeof *all);
    demo_needs(all, &(Error){0});
    for (size_t i = 0; i < count; i++) all[i] = t;
    return all;
}

float *points_sample(AskNoise *ask, void *denoiser, Scheduler *s, size_t steps, size_t count, uint64_t seed) {
    Error error = {0};
    demo_needs(s->kind->set_timesteps(s, steps, &error), &error);
    size_t n = count * POINT;
    float *x = demo_floats(n), *noise_pred = demo_floats(n), *guess = demo_floats(n);
    Rng rng;
    rng_seed(&rng, seed);
    rng_normal(&rng, x, n);
    for (size_t k = 0; k < s->timestep_count; k++) {
        size_t *t = same_timestep((size_t)s->timesteps[k], count);
        ask(denoiser, x, t, count, noise_pred);
        s->kind->step(s, k, x, noise_pred, NULL, x, guess, n);
        free(t);
    }
    free(noise_pred), free(guess);
    return x;
}

float noise_error(AskNoise *ask, void *denoiser, const Scheduler *scheduler, const float *points, size_t count,
                  size_t t, uint64_t seed) {
    size_t n = count * POINT, *all = same_timestep(t, count);
    float *noise = demo_floats(n), *x_t = demo_floats(n), *noise_pred = demo_floats(n), *d = demo_floats(n);
    Rng rng;
    rng_seed(&rng, seed);
    rng_normal(&rng, noise, n);
    float error =
        loss_of_noise(ask, denoiser, scheduler->alphas_cumprod, all, points, noise, count, x_t, noise_pred, d);
    free(noise), free(x_t), free(noise_pred), free(d), free(all);
    return error;
}

void exact_points_ask(void *asked, const float *x_t, const size_t *t, size_t rows, float *noise_pred) {
    const ExactPoints *exact = asked;
    LatentSet set = {exact->points, exact->count, POINT, 1, 1};
    double *weights = malloc(exact->count * sizeof *weights);
    demo_needs(weights, &(Error){0});
    for (size_t row = 0; row < rows; row++) {
        double a = (double)exact->alphas_cumprod[t[row]];
        const float *x = x_t + POINT * row;
        float x0[POINT];
        exact_denoise(x0, weights, x, a, &set, (LatentChoice){NULL, exact->count});
        for (size_t c = 0; c < POINT; c++)
            noise_pred[POINT * row + c] = (float)((x[c] - sqrt(a) * x0[c]) / sqrt(1 - a));
    }
    free(weights);
}
