// road.c - see road.h

#include "schedulers/road.h"

#include "base/difference.h"

#include <math.h>

enum { NUMBERS = 32 };  // each with a deviation of its own

static float deviation_of(size_t i) { return 0.3f + 1.7f * (float)i / NUMBERS; }

static void perfect_answer(float sigma, const float *model_input, float *noise) {
    for (size_t i = 0; i < NUMBERS; i++) {
        float c = deviation_of(i), x = model_input[i] * sqrtf(1 + sigma * sigma);
        noise[i] = (x - c * c / (c * c + sigma * sigma) * x) / sigma;
    }
}

// Of those that ask twice a step every other question is about the place where a step has ended.
static bool arrived(const Scheduler *s, size_t k, float arrival) {
    return s->timesteps[k] <= arrival && k % (size_t)s->kind->unet_calls_per_step == 0;
}

double road_miss(Scheduler *s, float arrival, double *calls) {
    const SchedulerKind *kind = s->kind;
    float latents[NUMBERS], model_input[NUMBERS], noise[NUMBERS], guess[NUMBERS], road[NUMBERS];
    float first = scheduler_sigma(s, 0), size = sqrtf(1 + first * first);
    for (size_t i = 0; i < NUMBERS; i++) {
        float start = i % 2 ? 1 : -1;
        latents[i] = kind->variance_preserving ? start : start * size;
    }
    size_t k = 0;
    for (; k + 1 < s->timestep_count && !arrived(s, k, arrival); k++) {
        kind->scale_model_input(s, k, latents, model_input, NUMBERS);
        perfect_answer(scheduler_sigma(s, k), model_input, noise);
        kind->step(s, k, latents, noise, NULL, latents, guess, NUMBERS);
    }
    kind->scale_model_input(s, k, latents, latents, NUMBERS);
    float sigma = scheduler_sigma(s, k);
    for (size_t i = 0; i < NUMBERS; i++) {
        float c = deviation_of(i), start = i % 2 ? size : -size;
        road[i] = start * sqrtf((c * c + sigma * sigma) / (c * c + first * first)) / sqrtf(1 + sigma * sigma);
    }
    *calls = (double)k;
    return distance_between(latents, road, NUMBERS);
}
