// check.c - lesson 03: is it training? On random points, layers and gradients
//
// The network that is asked here is made up: it answers with a linear function of what it is shown, so whoever shows it the
// wrong thing gets a wrong answer. Right answers are sums in double. Read next: check/check.h.

#include "exercise.h"

#include "check/check.h"

#include "base/check.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { CASES = 24 };

// ---- training_loss --------------------------------------------------------------------------------------------------

typedef struct Batch {
    const float *alphas_cumprod, *x0, *noise;
    const float *noise_pred;  // what the network says to the right x_t
    size_t *t, rows;
} Batch;

static const float NETWORK[POINT][POINT] = {{0.8f, -0.3f}, {0.4f, 0.6f}};

static void made_up_network(void *denoiser, const float *x_t, const size_t *t, size_t rows, float *noise_pred) {
    (void)denoiser;
    for (size_t r = 0; r < rows; r++) {
        const float *x = x_t + POINT * r;
        for (size_t c = 0; c < POINT; c++) {
            noise_pred[POINT * r + c] = NETWORK[c][0] * x[0] + NETWORK[c][1] * x[1] + 0.001f * (float)t[r];
        }
    }
}

// x_t = of_x0(a) x0 + of_noise(a) noise, with a of each row's t, or of `t_row` for all
typedef float Share(float a);
static float root(float a) { return sqrtf(a); }
static float root_of_rest(float a) { return sqrtf(1 - a); }
static float itself(float a) { return a; }
static float rest(float a) { return 1 - a; }
static float whole(float a) { return (void)a, 1; }
static float none(float a) { return (void)a, 0; }

static void mix(const void *question, Share *of_x0, Share *of_noise, bool one_t, float *out) {
    const Batch *q = question;
    for (size_t i = 0; i < q->rows * POINT; i++) {
        float a = q->alphas_cumprod[q->t[one_t ? 0 : i / POINT]];
        out[i] = of_x0(a) * q->x0[i] + of_noise(a) * q->noise[i];
    }
}

static void right_x_t(const void *q, float *out) { mix(q, root, root_of_rest, false, out); }
static void one_t(const void *q, float *out) { mix(q, root, root_of_rest, true, out); }
static void no_roots(const void *q, float *out) { mix(q, itself, rest, false, out); }
static void swapped(const void *q, float *out) { mix(q, root_of_rest, root, false, out); }
static void noise_by_rest(const void *q, float *out) { mix(q, root, rest, false, out); }
static void x0_by_a(const void *q, float *out) { mix(q, itself, root_of_rest, false, out); }
static void whole_x0(const void *q, float *out) { mix(q, whole, root_of_rest, false, out); }
static void whole_noise(const void *q, float *out) { mix(q, root, whole, false, out); }
static void only_noise(const void *q, float *out) { mix(q, none, whole, false, out); }

static const CheckMistake MIX_MISTAKES[] = {
    {"t must be drawn anew for every point, and it was: row r's is t[r], not t[0].", one_t},
    {"Both roots are missing: a and 1 - a are variances, so mix by their roots.", no_roots},
    {"The roles are swapped: sqrt(a) belongs to x0, sqrt(1 - a) to the noise.", swapped},
    {"The noise's share is sqrt(1 - a), not 1 - a.", noise_by_rest},
    {"The share of x0 is sqrt(a), not a.", x0_by_a},
    {"x0 went in whole: its share is sqrt(a).", whole_x0},
    {"The noise went in whole: its share is sqrt(1 - a).", whole_noise},
    {"That is the noise alone: the network is to find it in a mixture.", only_noise},
    {NULL, NULL},
};

static void right_answer(const void *question, float *out) {
    const Batch *q = question;
    memcpy(out, q->noise_pred, q->rows * POINT * sizeof *out);
}

static void asked_about(const Batch *q, const float *shown, float *out) {
    made_up_network(NULL, shown, q->t, q->rows, out);
}
static void asked_about_x0(const void *q, float *out) { asked_about(q, ((const Batch *)q)->x0, out); }
static void asked_about_noise(const void *q, float *out) { asked_about(q, ((const Batch *)q)->noise, out); }

static const CheckMistake ASK_MISTAKES[] = {
    {"The network was asked about x0, which has no noise in it: show it x_t.", asked_about_x0},
    {"The network was shown the noise: it is to find it in x_t.", asked_about_noise},
    {NULL, NULL},
};

// The difference that is squared
typedef float Difference(const Batch *q, size_t i);
static float from_noise(const Batch *q, size_t i) { return q->noise_pred[i] - q->noise[i]; }
static float from_x0(const Batch *q, size_t i) { return q->noise_pred[i] - q->x0[i]; }
static float to_noise(const Batch *q, size_t i) { return q->noise[i] - q->noise_pred[i]; }

static float from_x_t(const Batch *q, size_t i) {
    float a = q->alphas_cumprod[q->t[i / POINT]];
    return q->noise_pred[i] - (sqrtf(a) * q->x0[i] + sqrtf(1 - a) * q->noise[i]);
}

static void loss(const void *question, Difference *difference, float divisor, float *out) {
    const Batch *q = question;
    double squares = 0;
    for (size_t i = 0; i < q->rows * POINT; i++) squares += pow((double)difference(q, i), 2);
    *out = (float)(squares / (double)divisor);
}

static float rows_of(const void *q) { return (float)((const Batch *)q)->rows; }
static void right_loss(const void *q, float *out) { loss(q, from_noise, rows_of(q) * POINT, out); }
static void loss_of_x0(const void *q, float *out) { loss(q, from_x0, rows_of(q) * POINT, out); }
static void loss_of_x_t(const void *q, float *out) { loss(q, from_x_t, rows_of(q) * POINT, out); }
static void sum_of_squares(const void *q, float *out) { loss(q, from_noise, 1, out); }
static void mean_over_rows(const void *q, float *out) { loss(q, from_noise, rows_of(q), out); }
static void half_of_squares(const void *q, float *out) { loss(q, from_noise, 2 * rows_of(q) * POINT, out); }

static void root_of_loss(const void *q, float *out) {
    right_loss(q, out);
    *out = sqrtf(*out);
}

static void mean_of_differences(const void *question, float *out) {
    const Batch *q = question;
    double sum = 0;
    for (size_t i = 0; i < q->rows * POINT; i++) sum += (double)from_noise(q, i);
    *out = (float)(sum / (double)(q->rows * POINT));
}

static void mean_of_sizes(const void *question, float *out) {
    const Batch *q = question;
    double sum = 0;
    for (size_t i = 0; i < q->rows * POINT; i++) sum += fabs((double)from_noise(q, i));
    *out = (float)(sum / (double)(q->rows * POINT));
}

static const CheckMistake LOSS_MISTAKES[] = {
    {"You regressed x0: the target is the noise.", loss_of_x0},
    {"You compared with x_t: the target is the noise that went into it.", loss_of_x_t},
    {"That is the sum of the squares: the loss is their mean, over rows * POINT numbers.", sum_of_squares},
    {"You divided by the rows: a row has POINT numbers, and the mean is over all of them.", mean_over_rows},
    {"You halved it: this loss is the plain mean of the squares.", half_of_squares},
    {"You took the root: the loss is the mean squared difference itself.", root_of_loss},
    {"Differences above and below cancel out: square them.", mean_of_differences},
    {"You took sizes: square the differences. The mean that is learnt is the answer with the least squared error.",
     mean_of_sizes},
    {NULL, NULL},
};

static void gradient(const void *question, Difference *difference, float factor, float *out) {
    const Batch *q = question;
    for (size_t i = 0; i < q->rows * POINT; i++) out[i] = factor * difference(q, i);
}

static void right_gradient(const void *q, float *out) { gradient(q, from_noise, 2 / (rows_of(q) * POINT), out); }
static void gradient_up(const void *q, float *out) { gradient(q, to_noise, 2 / (rows_of(q) * POINT), out); }
static void without_2(const void *q, float *out) { gradient(q, from_noise, 1 / (rows_of(q) * POINT), out); }
static void without_n(const void *q, float *out) { gradient(q, from_noise, 2, out); }
static void bare_difference(const void *q, float *out) { gradient(q, from_noise, 1, out); }
static void twice(const void *q, float *out) { gradient(q, from_noise, 2 / rows_of(q), out); }
static void towards_x0(const void *q, float *out) { gradient(q, from_x0, 2 / (rows_of(q) * POINT), out); }

static const CheckMistake GRADIENT_MISTAKES[] = {
    {"The gradient points the wrong way: a prediction that is too large makes the loss grow, so it is pred - noise.",
     gradient_up},
    {"The 2 is missing: the derivative of d^2 is 2 d.", without_2},
    {"You didn't divide by n: the loss is a mean, and each number has an nth of it.", without_n},
    {"That is the difference: its square's derivative is 2 d, and the mean's 2 d / n.", bare_difference},
    {"The gradient is twice too large: it is 2 * difference / n, and n is rows * POINT, as in the loss.", twice},
    {"The gradient is that of a loss on x0: the target is the noise.", towards_x0},
    {NULL, NULL},
};

typedef enum Compared { X_T, LOSS, GRADIENT } Compared;

static void check_batches(Check *check, Compared compared) {
    for (size_t i = 0; i < CASES; i++) {
        Batch q = {.rows = check_pick(check, 3, 40)};
        check_case(check, "a batch of %zu points", q.rows);
        Shape shape = shape2(q.rows, POINT);
        float *alphas_cumprod = check_input(check, "alphas_cumprod", shape1(TIMESTEPS));
        for (size_t t = 0; t < TIMESTEPS; t++) alphas_cumprod[t] = 0.998f - 0.99f * (float)t / TIMESTEPS;
        q.alphas_cumprod = alphas_cumprod;
        q.x0 = check_normal(check, "x0", shape), q.noise = check_normal(check, "noise", shape);
        float *expected = check_input(check, "what the network says", shape), *x_t = check_output(check, "x_t", shape),
              *noise_pred = check_output(check, "noise_pred", shape), *d = check_output(check, "d_noise_pred", shape);
        q.t = malloc(q.rows * sizeof *q.t);
        float *right = malloc(q.rows * POINT * sizeof *right);
        CHECK(q.t && right, "no memory");
        for (size_t r = 0; r < q.rows; r++) q.t[r] = check_pick(check, 0, TIMESTEPS - 1);
        right_x_t(&q, right);
        made_up_network(NULL, right, q.t, q.rows, expected);
        q.noise_pred = expected;
        float said =
            training_loss(made_up_network, NULL, alphas_cumprod, q.t, q.x0, q.noise, q.rows, x_t, noise_pred, d);
        if (compared == X_T) check_values(check, x_t, &q, right_x_t, MIX_MISTAKES);
        if (compared == X_T) check_values(check, noise_pred, &q, right_answer, ASK_MISTAKES);
        if (compared == LOSS) check_number(check, "the loss", said, &q, right_loss, LOSS_MISTAKES);
        if (compared == GRADIENT) check_values(check, d, &q, right_gradient, GRADIENT_MISTAKES);
        free(q.t), free(right);
    }
}

static void check_mixture(Check *check) { check_batches(check, X_T); }
static void check_loss(Check *check) { check_batches(check, LOSS); }
static void check_gradient(Check *check) { check_batches(check, GRADIENT); }

// ---- linear_backward ------------------------------------------------------------------------------------------------

typedef struct LinearCase {
    const float *in, *weight, *d_out;
    const float *before;  // what stood where the answer goes
    size_t rows, in_size, out_size;
} LinearCase;

static void right_d_weight(const void *question, float *out) {
    const LinearCase *q = question;
    for (size_t o = 0; o < q->out_size; o++) {
        for (size_t i = 0; i < q->in_size; i++) {
            double sum = 0;
            for (size_t r = 0; r < q->rows; r++)
                sum += (double)q->d_out[r * q->out_size + o] * q->in[r * q->in_size + i];
            out[o * q->in_size + i] = (float)sum;
        }
    }
}

static void right_d_bias(const void *question, float *out) {
    const LinearCase *q = question;
    for (size_t o = 0; o < q->out_size; o++) {
        double sum = 0;
        for (size_t r = 0; r < q->rows; r++) sum += (double)q->d_out[r * q->out_size + o];
        out[o] = (float)sum;
    }
}

static void right_d_in(const void *question, float *out) {
    const LinearCase *q = question;
    for (size_t r = 0; r < q->rows; r++) {
        for (size_t i = 0; i < q->in_size; i++) {
            double sum = 0;
            for (size_t o = 0; o < q->out_size; o++) {
                sum += (double)q->d_out[r * q->out_size + o] * q->weight[o * q->in_size + i];
            }
            out[r * q->in_size + i] = (float)sum;
        }
    }
}

static void d_weight_transposed(const void *question, float *out) {
    const LinearCase *q = question;
    size_t n = q->in_size * q->out_size;
    float *right = malloc(n * sizeof *right);
    CHECK(right, "no memory");
    right_d_weight(q, right);
    for (size_t i = 0; i < q->in_size; i++)
        for (size_t o = 0; o < q->out_size; o++) out[i * q->out_size + o] = right[o * q->in_size + i];
    free(right);
}

// weight read as if it were [in, out]
static void d_in_transposed(const void *question, float *out) {
    const LinearCase *q = question;
    for (size_t r = 0; r < q->rows; r++) {
        for (size_t i = 0; i < q->in_size; i++) {
            double sum = 0;
            for (size_t o = 0; o < q->out_size; o++) {
                sum += (double)q->d_out[r * q->out_size + o] * q->weight[i * q->out_size + o];
            }
            out[r * q->in_size + i] = (float)sum;
        }
    }
}

static void scaled(CheckAnswer *answer, const void *question, size_t n, float factor, float *out) {
    answer(question, out);
    for (size_t i = 0; i < n; i++) out[i] *= factor;
}

static size_t weights_of(const LinearCase *q) { return q->out_size * q->in_size; }

static void d_weight_mean(const void *q, float *out) {
    const LinearCase *c = q;
    scaled(right_d_weight, q, weights_of(c), 1 / (float)c->rows, out);
}

static void d_bias_mean(const void *q, float *out) {
    const LinearCase *c = q;
    scaled(right_d_bias, q, c->out_size, 1 / (float)c->rows, out);
}

static void d_weight_last_row(const void *question, float *out) {
    LinearCase q = *(const LinearCase *)question;
    q.in += (q.rows - 1) * q.in_size, q.d_out += (q.rows - 1) * q.out_size, q.rows = 1;
    right_d_weight(&q, out);
}

static void d_bias_last_row(const void *question, float *out) {
    LinearCase q = *(const LinearCase *)question;
    q.d_out += (q.rows - 1) * q.out_size, q.rows = 1;
    right_d_bias(&q, out);
}

static void added(CheckAnswer *answer, const void *question, size_t n, float *out) {
    answer(question, out);
    for (size_t i = 0; i < n; i++) out[i] += ((const LinearCase *)question)->before[i];
}

static void d_weight_added(const void *q, float *out) { added(right_d_weight, q, weights_of(q), out); }
static void d_bias_added(const void *q, float *out) { added(right_d_bias, q, ((const LinearCase *)q)->out_size, out); }
static void d_in_added(const void *q, float *out) {
    const LinearCase *c = q;
    added(right_d_in, q, c->rows * c->in_size, out);
}

static const char ADDED[] = "You accumulate: what stood there is the last step's. Overwrite it, or begin with 0.";

static const CheckMistake WEIGHT_MISTAKES[] = {
    {ADDED, d_weight_added},
    {"d_weight is transposed: it is [out_size, in_size], as weight is.", d_weight_transposed},
    {"You took the mean over the rows: the sum. The loss is a mean already, and its 1 / n is in d_out.", d_weight_mean},
    {"Only the last row is in d_weight: accumulate over the rows, don't overwrite.", d_weight_last_row},
    {NULL, NULL},
};
static const CheckMistake BIAS_MISTAKES[] = {
    {ADDED, d_bias_added},
    {"You took the mean over the rows: the sum. The loss is a mean already, and its 1 / n is in d_out.", d_bias_mean},
    {"Only the last row is in d_bias: accumulate over the rows, don't overwrite.", d_bias_last_row},
    {NULL, NULL},
};
static const CheckMistake IN_MISTAKES[] = {
    {ADDED, d_in_added},
    {"d_in took the weights transposed: weight[o, i] is weight[o * in_size + i].", d_in_transposed},
    {NULL, NULL},
};

// Results begin as small numbers, not 0, as the last step has left them.
static float *with_leftovers(Check *check, const char *name, Shape shape, const float **before) {
    float *values = check_normal(check, name, shape), *copy = check_input(check, "what was there", shape);
    memcpy(copy, values, shape_count(shape) * sizeof *copy);
    *before = copy;
    return values;
}

static void check_backward(Check *check) {
    for (size_t k = 0; k < CASES; k++) {
        LinearCase q = {.rows = check_pick(check, 2, 20), .in_size = check_pick(check, 2, 12)};
        q.out_size = q.in_size + check_pick(check, 1, 6);
        bool first_layer = k % 4 == 3;
        check_case(check, "%zu rows, %zu in, %zu out%s", q.rows, q.in_size, q.out_size,
                   first_layer ? ", d_in NULL" : "");
        Shape of_weight = shape2(q.out_size, q.in_size), of_in = shape2(q.rows, q.in_size);
        q.in = check_normal(check, "in", of_in), q.weight = check_normal(check, "weight", of_weight);
        q.d_out = check_normal(check, "d_out", shape2(q.rows, q.out_size));
        const float *weight_before, *bias_before, *in_before;
        float *d_weight = with_leftovers(check, "d_weight", of_weight, &weight_before),
              *d_bias = with_leftovers(check, "d_bias", shape1(q.out_size), &bias_before),
              *d_in = with_leftovers(check, "d_in", of_in, &in_before);
        linear_backward(q.in, q.weight, q.d_out, q.rows, q.in_size, q.out_size, d_weight, d_bias,
                        first_layer ? NULL : d_in);
        q.before = weight_before, check_values(check, d_weight, &q, right_d_weight, WEIGHT_MISTAKES);
        q.before = bias_before, check_values(check, d_bias, &q, right_d_bias, BIAS_MISTAKES);
        q.before = in_before;
        if (!first_layer) check_values(check, d_in, &q, right_d_in, IN_MISTAKES);
    }
}

// ---- adam_step ------------------------------------------------------------------------------------------------------

typedef struct AdamCase {
    const float *parameters, *gradients, *m, *v;
    size_t n, step;
    float learning_rate;
} AdamCase;

typedef enum Adam {
    ADAM,
    UNCORRECTED,
    COUNTS_FROM_0,
    UPHILL,
    NO_MEMORY,
    NO_ROOT,
    BETAS_SWAPPED,
    PLAIN_SUM,
    OLD_MOMENTS,
    SGD
} Adam;

static void adam(const void *question, Adam kind, float *out) {
    const AdamCase *q = question;
    double beta1 = kind == BETAS_SWAPPED ? 0.999 : 0.9, beta2 = kind == BETAS_SWAPPED ? 0.9 : 0.999;
    double step = (double)(kind == COUNTS_FROM_0 ? q->step - 1 : q->step);
    double grown1 = kind == UNCORRECTED ? 1 : 1 - pow(beta1, step),
           grown2 = kind == UNCORRECTED ? 1 : 1 - pow(beta2, step);
    for (size_t i = 0; i < q->n; i++) {
        double g = q->gradients[i], m = beta1 * q->m[i] + (1 - beta1) * g, v = beta2 * q->v[i] + (1 - beta2) * g * g;
        if (kind == PLAIN_SUM) m = beta1 * q->m[i] + g, v = beta2 * q->v[i] + g * g;
        if (kind == OLD_MOMENTS) m = q->m[i], v = q->v[i];
        double divisor = kind == NO_ROOT ? v / grown2 : sqrt(v / grown2);
        double move = q->learning_rate * (kind == NO_MEMORY ? g : m / grown1) / (divisor + 1e-8);
        if (kind == SGD) move = q->learning_rate * g;
        out[i] = (float)(q->parameters[i] + (kind == UPHILL ? move : -move));
    }
}

static void right_adam(const void *q, float *out) { adam(q, ADAM, out); }
static void uncorrected(const void *q, float *out) { adam(q, UNCORRECTED, out); }
static void counts_from_0(const void *q, float *out) { adam(q, COUNTS_FROM_0, out); }
static void uphill(const void *q, float *out) { adam(q, UPHILL, out); }
static void no_memory(const void *q, float *out) { adam(q, NO_MEMORY, out); }
static void no_root(const void *q, float *out) { adam(q, NO_ROOT, out); }
static void betas_swapped(const void *q, float *out) { adam(q, BETAS_SWAPPED, out); }
static void plain_sum(const void *q, float *out) { adam(q, PLAIN_SUM, out); }
static void old_moments(const void *q, float *out) { adam(q, OLD_MOMENTS, out); }
static void sgd(const void *q, float *out) { adam(q, SGD, out); }

static const CheckMistake ADAM_MISTAKES[] = {
    {"That is Adam without bias correction: m and v begin at 0, so divide them by 1 - beta^step.", uncorrected},
    {"You corrected by step - 1: step counts from 1 already.", counts_from_0},
    {"You went uphill: subtract.", uphill},
    {"You stepped by the gradient itself: by its running mean m.", no_memory},
    {"The root is missing: divide by sqrt(v), which is as large as a gradient.", no_root},
    {"The betas are swapped: 0.9 is for m, 0.999 for v.", betas_swapped},
    {"The gradients went in whole: their share is 1 - beta, so that m and v are means.", plain_sum},
    {"You stepped with the old m and v: update them first.", old_moments},
    {"That is plain gradient descent: Adam divides by how large gradients have been.", sgd},
    {NULL, NULL},
};

static void right_m(const void *question, float *out) {
    const AdamCase *q = question;
    for (size_t i = 0; i < q->n; i++) out[i] = 0.9f * q->m[i] + 0.1f * q->gradients[i];
}

static void right_v(const void *question, float *out) {
    const AdamCase *q = question;
    for (size_t i = 0; i < q->n; i++) out[i] = 0.999f * q->v[i] + 0.001f * q->gradients[i] * q->gradients[i];
}

static void check_adam(Check *check) {
    for (size_t k = 0; k < CASES; k++) {
        AdamCase q = {.n = check_pick(check, 3, 60), .step = check_pick(check, 2, 30), .learning_rate = 0.5f};
        check_case(check, "%zu parameters, step %zu", q.n, q.step);
        Shape shape = shape1(q.n);
        q.gradients = check_normal(check, "gradients", shape);
        float *parameters = with_leftovers(check, "parameters", shape, &q.parameters),
              *m = with_leftovers(check, "m", shape, &q.m), *v = check_normal(check, "v", shape);
        float *v_before = check_input(check, "what was there", shape);
        for (size_t i = 0; i < q.n; i++) v_before[i] = v[i] = 0.02f + 0.02f * v[i] * v[i];
        q.v = v_before;
        adam_step(parameters, q.gradients, m, v, q.n, q.step, q.learning_rate);
        check_values(check, parameters, &q, right_adam, ADAM_MISTAKES);
        check_values(check, m, &q, right_m, NULL);
        check_values(check, v, &q, right_v, NULL);
    }
}

// ---- what it learns -------------------------------------------------------------------------------------------------

static Image trained(bool yours) {
    enum { POINTS = 4000, TRAINING = 1000 };
    static const uint8_t BLUE[] = {20, 20, 90};
    float *data = points_of_hippo(POINTS, 1);
    Learner *learner = learner_new(1);
    if (yours) learner->training_loss = training_loss;
    if (yours) learner->mlp->linear_backward = linear_backward, learner->mlp->adam_step = adam_step;
    for (size_t step = 0; step < TRAINING; step++) learner_step(learner, data, POINTS, 2e-3f);
    float *drawn = points_sample(learner_ask, learner, learner->scheduler, 50, POINTS, 7);
    Image image = points_picture(200);
    points_show(&image, drawn, POINTS, BLUE);
    return image;
}

static void show(Check *check) {
    check_seconds(check, 60);
    omp_set_num_threads(1);
    Image yours = trained(true), right = trained(false);
    check_picture(check, "picture.png", &yours, &right);
}

int main(void) {
    static const CheckPart PARTS[] = {
        {"training_loss: the noisy points, and the network asked", check_mixture},
        {"training_loss: the loss", check_loss},
        {"training_loss: its gradient", check_gradient},
        {"linear_backward", check_backward},
        {"adam_step", check_adam},
    };
    return check_run("03-learning", PARTS, sizeof PARTS / sizeof *PARTS, show);
}
