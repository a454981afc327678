// check.c - lesson 02: is it the exact denoiser? On small sets of random pictures with random noise over one of them
//
// The right numbers are those of core/stages/exact_denoiser.c. The mistakes are written as what they compute.
// Read next: check/check.h.

#include "exercise.h"

#include "check/check.h"

#include "base/check.h"
#include "critters/exact/exact_data.h"
#include "demo/demo.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CASES = 24, MOST_PICTURES = 40 };

// ---- a case ---------------------------------------------------------------------------------------------------------

typedef struct Question {
    const float *x_t, *pictures, *x0;  // [n], [count, n], [n]
    size_t count, n;
    double a;
} Question;

// Pictures that are like each other, so that under the noise it can't be told which it is, and several weights count: one
// that is as far off as is usual weighs e times less or so.
static Question question_new(Check *check, size_t least_n, size_t most_n) {
    Question q = {.count = check_pick(check, 3, MOST_PICTURES), .n = check_pick(check, least_n, most_n)};
    q.a = (double)check_uniform(check, 0.3f, 0.6f);
    check_case(check, "%zu pictures of %zu numbers, a = %.3f", q.count, q.n, q.a);
    const float *common = check_normal(check, "what is common", shape1(q.n));
    float *pictures = check_normal(check, "pictures", shape2(q.count, q.n)),
          *x_t = check_normal(check, "x_t", shape1(q.n));
    float apart = (float)sqrt((1 - q.a) / (q.a * (double)q.n));
    for (size_t i = 0; i < q.count * q.n; i++) pictures[i] = common[i % q.n] + apart * pictures[i];
    size_t under = check_pick(check, 0, q.count - 1);
    for (size_t j = 0; j < q.n; j++) {
        x_t[j] = (float)(sqrt(q.a) * pictures[under * q.n + j] + sqrt(1 - q.a) * x_t[j]);
    }
    q.pictures = pictures, q.x_t = x_t;
    return q;
}

// ---- right answers --------------------------------------------------------------------------------------------------

static void right_x0(const void *question, float *out) {
    const Question *q = question;
    double weights[MOST_PICTURES];
    LatentSet set = {q->pictures, q->count, 1, 1, q->n};
    exact_denoise(out, weights, q->x_t, q->a, &set, (LatentChoice){NULL, q->count});
}

// ---- mistakes in the guess ------------------------------------------------------------------------------------------

// |of_x * x_t - of_picture * picture_i|^2
static double squares(const Question *q, size_t i, double of_x, double of_picture) {
    double sum = 0;
    for (size_t j = 0; j < q->n; j++) sum += pow(of_x * q->x_t[j] - of_picture * q->pictures[i * q->n + j], 2);
    return sum;
}

static void mean(const Question *q, const double *weights, float *out) {
    for (size_t j = 0; j < q->n; j++) {
        double sum = 0;
        for (size_t i = 0; i < q->count; i++) sum += weights[i] * q->pictures[i * q->n + j];
        out[j] = (float)sum;
    }
}

static void softmax(double *weights, size_t count) {
    double largest = -DBL_MAX, sum = 0;
    for (size_t i = 0; i < count; i++) largest = fmax(largest, weights[i]);
    for (size_t i = 0; i < count; i++) sum += weights[i] = exp(weights[i] - largest);
    for (size_t i = 0; i < count; i++) weights[i] /= sum;
}

// The weighted mean with -|of_x x_t - of_picture picture|^2 * sharpness
static void guess(const Question *q, double of_x, double of_picture, double sharpness, float *out) {
    double weights[MOST_PICTURES];
    for (size_t i = 0; i < q->count; i++) weights[i] = -squares(q, i, of_x, of_picture) * sharpness;
    softmax(weights, q->count);
    mean(q, weights, out);
}

static double a_of(const void *question) { return ((const Question *)question)->a; }
static double n_of(const void *question) { return (double)((const Question *)question)->n; }
static double sharpness(const void *q) { return 1 / (2 * (1 - a_of(q))); }

static void picture_not_shrunk(const void *q, float *out) { guess(q, 1, 1, sharpness(q), out); }
static void shrinks_x(const void *q, float *out) { guess(q, sqrt(a_of(q)), 1, sharpness(q), out); }
static void grows_x(const void *q, float *out) { guess(q, 1 / sqrt(a_of(q)), 1, sharpness(q), out); }
static void shrinks_by_a(const void *q, float *out) { guess(q, 1, a_of(q), sharpness(q), out); }
static void by_root(const void *q, float *out) { guess(q, 1, sqrt(a_of(q)), 1 / (2 * sqrt(1 - a_of(q))), out); }
static void without_2(const void *q, float *out) { guess(q, 1, sqrt(a_of(q)), 1 / (1 - a_of(q)), out); }
static void without_variance(const void *q, float *out) { guess(q, 1, sqrt(a_of(q)), 0.5, out); }
static void bare_distance(const void *q, float *out) { guess(q, 1, sqrt(a_of(q)), 1, out); }
static void by_a(const void *q, float *out) { guess(q, 1, sqrt(a_of(q)), 1 / (2 * a_of(q)), out); }
static void times_variance(const void *q, float *out) { guess(q, 1, sqrt(a_of(q)), 2 * (1 - a_of(q)), out); }
static void flees(const void *q, float *out) { guess(q, 1, sqrt(a_of(q)), -sharpness(q), out); }
static void mean_squares(const void *q, float *out) { guess(q, 1, sqrt(a_of(q)), sharpness(q) / n_of(q), out); }
static void plain_mean(const void *q, float *out) { guess(q, 1, 1, 0, out); }
static void nearest(const void *q, float *out) { guess(q, 1, sqrt(a_of(q)), 1e12, out); }

static void root_of_squares(const void *question, float *out) {
    const Question *q = question;
    double weights[MOST_PICTURES];
    for (size_t i = 0; i < q->count; i++) weights[i] = -sqrt(squares(q, i, 1, sqrt(q->a))) * sharpness(q);
    softmax(weights, q->count);
    mean(q, weights, out);
}

static void adds_up_over_pictures(const void *question, float *out) {
    const Question *q = question;
    double weights[MOST_PICTURES], sum = 0;
    for (size_t i = 0; i < q->count; i++) weights[i] = -(sum += squares(q, i, 1, sqrt(q->a))) * sharpness(q);
    softmax(weights, q->count);
    mean(q, weights, out);
}

// e to the power, with the smallest distance subtracted or not; divided by the sum or not
static void powers(const Question *q, bool relative, bool normalised, float *out) {
    double weights[MOST_PICTURES], least = DBL_MAX, sum = 0;
    for (size_t i = 0; i < q->count; i++) {
        weights[i] = squares(q, i, 1, sqrt(q->a));
        least = fmin(least, weights[i]);
    }
    for (size_t i = 0; i < q->count; i++) {
        sum += weights[i] = exp(-(weights[i] - (relative ? least : 0)) * sharpness(q));
    }
    for (size_t i = 0; i < q->count; i++) weights[i] /= normalised ? sum : 1;
    mean(q, weights, out);
}

static void not_normalised(const void *q, float *out) { powers(q, true, false, out); }
static void powers_not_normalised(const void *q, float *out) { powers(q, false, false, out); }
static void zero_by_zero(const void *q, float *out) { powers(q, false, true, out); }

static void scaled(const void *q, double factor, float *out) {
    right_x0(q, out);
    for (size_t j = 0; j < ((const Question *)q)->n; j++) out[j] *= (float)factor;
}

static void mean_of_shrunk(const void *q, float *out) { scaled(q, sqrt(a_of(q)), out); }
static void grows_answer(const void *q, float *out) { scaled(q, 1 / sqrt(a_of(q)), out); }
static void divides_by_count(const void *q, float *out) { scaled(q, 1 / (double)((const Question *)q)->count, out); }

static const CheckMistake GUESS_MISTAKES[] = {
    {"All pictures weigh the same in your mean: those near x_t weigh more.", plain_mean},
    {"Compare with sqrt(a) times the picture: noising shrank it.", picture_not_shrunk},
    {"You shrank x_t: it is the picture that noising shrank, so compare x_t with sqrt(a) times the picture.",
     shrinks_x},
    {"You divided x_t by sqrt(a), and its noise grew with it: compare x_t as it is with sqrt(a) times the picture.",
     grows_x},
    {"The picture's share is sqrt(a), not a.", shrinks_by_a},
    {"The variance is 1 - a, not its root: divide the squares by 2 * (1 - a).", by_root},
    {"The 2 is missing: a normal distribution falls with the square over twice the variance.", without_2},
    {"The noise's variance is missing: divide the squares by 2 * (1 - a).", without_variance},
    {"You took e to the power of minus the squares: divide them by 2 * (1 - a), twice the noise's variance.",
     bare_distance},
    {"a is the picture's variance: the noise's is 1 - a.", by_a},
    {"You multiplied by 2 * (1 - a): divide by it.", times_variance},
    {"The sign is missing: the farther a picture is, the less likely it is the one.", flees},
    {"You took the mean of the n squares: take their sum. Each number is evidence of its own.", mean_squares},
    {"You took the root of the sum: it is the squared distance that stands in a normal distribution.", root_of_squares},
    {"The distance went on from the last picture's: begin each with 0.", adds_up_over_pictures},
    {"The weights don't sum to 1: divide them by their sum.", not_normalised},
    {"The weights don't sum to 1: divide them by their sum.", powers_not_normalised},
    {"You took the mean of sqrt(a) times the pictures: x0 is a picture as it was before the noise came.",
     mean_of_shrunk},
    {"You divided the mean by sqrt(a): the pictures of the set haven't been shrunk.", grows_answer},
    {"You divided by the number of pictures: the weights sum to 1 already.", divides_by_count},
    {"You took the nearest picture: take the weighted mean. Under this much noise several could be the one.", nearest},
    {NULL, NULL},
};

static const CheckMistake LARGE_MISTAKES[] = {
    {"exp gave 0/0: subtract the smallest distance from all of them, and the largest weight is e^0 = 1.", zero_by_zero},
    {NULL, NULL},
};

// ---- mistakes in the noise: (of_x x_t - of_x0 x0) * factor -------------------------------------------------------------

static void noise(const void *question, double of_x, double of_x0, double factor, float *out) {
    const Question *q = question;
    for (size_t j = 0; j < q->n; j++) out[j] = (float)((of_x * q->x_t[j] - of_x0 * q->x0[j]) * factor);
}

static double signal(const void *q) { return sqrt(a_of(q)); }
static double chaos(const void *q) { return sqrt(1 - a_of(q)); }

static void right_noise(const void *q, float *out) { noise(q, 1, signal(q), 1 / chaos(q), out); }
static void whole_picture(const void *q, float *out) { noise(q, 1, 1, 1 / chaos(q), out); }
static void plain_difference(const void *q, float *out) { noise(q, 1, 1, 1, out); }
static void noise_not_grown(const void *q, float *out) { noise(q, 1, signal(q), 1, out); }
static void by_variance(const void *q, float *out) { noise(q, 1, signal(q), 1 / (1 - a_of(q)), out); }
static void times_share(const void *q, float *out) { noise(q, 1, signal(q), chaos(q), out); }
static void upside_down(const void *q, float *out) { noise(q, -1, -signal(q), 1 / chaos(q), out); }
static void no_roots(const void *q, float *out) { noise(q, 1, a_of(q), 1 / (1 - a_of(q)), out); }
static void picture_by_a(const void *q, float *out) { noise(q, 1, a_of(q), 1 / chaos(q), out); }
static void swapped(const void *q, float *out) { noise(q, 1, chaos(q), 1 / signal(q), out); }
static void as_for_x0(const void *q, float *out) { noise(q, 1, chaos(q), 1 / chaos(q), out); }

static const CheckMistake NOISE_MISTAKES[] = {
    {"x0 went off whole: only sqrt(a) of it is in x_t.", whole_picture},
    {"That is x_t - x0: of the picture only sqrt(a) is in there, and of the noise sqrt(1 - a).", plain_difference},
    {"That is the noise as it is in x_t: divide by its share, sqrt(1 - a).", noise_not_grown},
    {"The noise's share is the root of its variance: divide by sqrt(1 - a), not by 1 - a.", by_variance},
    {"You multiplied by sqrt(1 - a): divide by it.", times_share},
    {"The sign is wrong: take the picture away from x_t.", upside_down},
    {"Both roots are missing: a and 1 - a are variances, and x_t was mixed by their roots.", no_roots},
    {"The picture's share is sqrt(a), not a.", picture_by_a},
    {"The roles are swapped: a belongs to the picture, 1 - a to the noise.", swapped},
    {"The picture's share is sqrt(a): sqrt(1 - a) is the noise's.", as_for_x0},
    {NULL, NULL},
};

// ---- the parts ------------------------------------------------------------------------------------------------------

static void check_guesses(Check *check, size_t least_n, size_t most_n, const CheckMistake *mistakes) {
    for (size_t i = 0; i < CASES; i++) {
        Question q = question_new(check, least_n, most_n);
        float *x0 = check_output(check, "x0", shape1(q.n));
        best_guess(q.x_t, q.a, q.pictures, q.count, q.n, x0);
        check_values(check, x0, &q, right_x0, mistakes);
    }
}

static void check_guess(Check *check) { check_guesses(check, 12, 90, GUESS_MISTAKES); }
static void check_large(Check *check) { check_guesses(check, 6000, 16384, LARGE_MISTAKES); }

static void check_noise(Check *check) {
    for (size_t i = 0; i < CASES; i++) {
        Question q = question_new(check, 12, 900);
        bool in_place = i % 2;
        float *x0 = check_normal(check, "x0", shape1(q.n));
        float *original = check_input(check, "x0 before", shape1(q.n));
        memcpy(original, x0, q.n * sizeof *original);
        float *noise_pred = check_output(check, "noise_pred", shape1(q.n));
        q.x0 = original;
        noise_of_guess(q.x_t, q.a, in_place ? x0 : original, q.n, in_place ? x0 : noise_pred);
        check_values(check, in_place ? x0 : noise_pred, &q, right_noise, NOISE_MISTAKES);
    }
}

// ---- what it draws --------------------------------------------------------------------------------------------------

static void show(Check *check) {
    enum { COUNT = 40 };
    Error error = {0};
    check_seconds(check, 60);
    Model *model = demo_model();
    ExactData data;
    Drawing *drawings = drawings_of_training(COUNT);
    demo_needs(drawings && exact_data_encode(&data, model, drawings, COUNT, &error), &error);
    Settings settings = demo_settings(model);
    settings.prompt = "", settings.guidance_scale = 1, settings.exact = &data.denoiser;
    Run *run = demo_run(model, &settings);
    Scheduler *s = (Scheduler *)run_scheduler(run);
    size_t n = data.denoiser.set.channels * data.denoiser.set.height * data.denoiser.set.width;
    float *latents = demo_copy(run_latents(run), n), *noise_pred = demo_floats(n), *guess = demo_floats(n);
    for (size_t k = 0; k < s->timestep_count; k++) {
        double sigma = scheduler_sigma(s, k), a = 1 / (1 + sigma * sigma);
        best_guess(latents, a, data.latents, COUNT, n, guess);
        noise_of_guess(latents, a, guess, n, noise_pred);
        s->kind->step(s, k, latents, noise_pred, NULL, latents, guess, n);
    }
    Image yours = demo_decode(run, latents), right = demo_draw(model, &settings);
    check_picture(check, "picture.png", &yours, &right);
}

int main(void) {
    static const CheckPart PARTS[] = {
        {"best_guess", check_guess},
        {"best_guess, of as many numbers as Stable Diffusion's latents", check_large},
        {"noise_of_guess", check_noise},
    };
    return check_run("02-exact-denoiser", PARTS, sizeof PARTS / sizeof *PARTS, show);
}
