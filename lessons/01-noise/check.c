// check.c - lesson 01: is it the noise of training, and are both ways to say how much of it the same?
//
// The right numbers are those of core/schedulers. Read next: check/check.h.

#include "exercise.h"

#include "check/check.h"

#include "base/check.h"
#include "demo/demo.h"
#include "schedulers/noise_schedule.h"
#include "schedulers/sigmas.h"

#include <math.h>

enum { CASES = 24 };

// ---- alphas_cumprod_fill --------------------------------------------------------------------------------------------

typedef struct Betas {
    const float *betas;
    size_t count;
} Betas;

static void right_alphas(const void *question, float *out) {
    const Betas *q = question;
    SchedulerConfig config = {.num_train_timesteps = q->count, .trained_betas = (float *)q->betas};
    noise_schedule_fill(&config, out);
}

// A running product of factors of 1 - beta, or whatever is said, that is written before or after its next factor
static void product(const Betas *q, float of_beta, float start, bool late, float *out) {
    double left = 1;
    for (size_t t = 0; t < q->count; t++) {
        double factor = (double)(start + of_beta * q->betas[t]);
        out[t] = (float)(late ? left : left * factor);
        left *= factor;
    }
}

static void product_of_betas(const void *q, float *out) { product(q, 1, 0, false, out); }
static void product_grows(const void *q, float *out) { product(q, 1, 1, false, out); }
static void one_late(const void *q, float *out) { product(q, -1, 1, true, out); }

static void not_a_product(const void *question, float *out) {
    const Betas *q = question;
    for (size_t t = 0; t < q->count; t++) out[t] = 1 - q->betas[t];
}

static void sum_of_betas(const void *question, float *out) {
    const Betas *q = question;
    double sum = 0;
    for (size_t t = 0; t < q->count; t++) sum += (double)q->betas[t], out[t] = (float)(1 - sum);
}

static void takes_roots(const void *q, float *out) {
    right_alphas(q, out);
    for (size_t t = 0; t < ((const Betas *)q)->count; t++) out[t] = sqrtf(out[t]);
}

static void says_noise(const void *q, float *out) {
    right_alphas(q, out);
    for (size_t t = 0; t < ((const Betas *)q)->count; t++) out[t] = 1 - out[t];
}

static const CheckMistake ALPHA_MISTAKES[] = {
    {"You multiplied the betas: they are the noise that comes in, and what is left of the picture is 1 - beta.",
     product_of_betas},
    {"You multiplied 1 + beta: noise takes away from the picture's share, so each factor is 1 - beta.", product_grows},
    {"You are one timestep late: alphas_cumprod[t] has lost what timestep t takes, too, so alphas_cumprod[0] isn't 1.",
     one_late},
    {"You wrote 1 - beta of each timestep alone: the shares of all timesteps up to t are multiplied.", not_a_product},
    {"You added up the betas: each timestep takes its share of what is left then, so shares are multiplied.",
     sum_of_betas},
    {"You took the root: alphas_cumprod is a share of the variance; roots are taken where something is mixed by it.",
     takes_roots},
    {"That is the noise's share, 1 - a: alphas_cumprod is the picture's.", says_noise},
    {NULL, NULL},
};

static void check_alphas(Check *check) {
    for (size_t i = 0; i < CASES; i++) {
        size_t count = check_pick(check, 2, 60);
        check_case(check, "%zu timesteps", count);
        float *betas = check_input(check, "betas", shape1(count));
        for (size_t t = 0; t < count; t++) betas[t] = check_uniform(check, 0.01f, 0.2f);
        float *alphas = check_output(check, "alphas_cumprod", shape1(count));
        alphas_cumprod_fill(betas, alphas, count);
        check_values(check, alphas, &(Betas){betas, count}, right_alphas, ALPHA_MISTAKES);
    }
}

// ---- alpha and sigma ------------------------------------------------------------------------------------------------

static float number(const void *question) { return *(const float *)question; }

static void right_sigma(const void *q, float *out) {
    float a = number(q);
    Scheduler s = {.alphas_cumprod = &a};
    *out = sigma_at(&s, 0);
}

static void sigma_squared(const void *q, float *out) { *out = (1 - number(q)) / number(q); }
static void noise_share(const void *q, float *out) { *out = sqrtf(1 - number(q)); }
static void sigma_upside_down(const void *q, float *out) { *out = sqrtf(number(q) / (1 - number(q))); }
static void half_a_root(const void *q, float *out) { *out = sqrtf(1 - number(q)) / number(q); }

static const CheckMistake SIGMA_MISTAKES[] = {
    {"That is sigma squared: the root is missing.", sigma_squared},
    {"That is the noise's share in x_t: sigma is the noise over the picture, so divide by sqrt(a).", noise_share},
    {"That is the picture over the noise: sigma is the noise over the picture, and large where a is small.",
     sigma_upside_down},
    {"You divided by a: the picture's share is sqrt(a).", half_a_root},
    {NULL, NULL},
};

static void right_alpha(const void *q, float *out) { *out = (float)(1 / (1 + (double)number(q) * (double)number(q))); }
static void alpha_without_square(const void *q, float *out) { *out = 1 / (1 + number(q)); }
static void alpha_with_root(const void *q, float *out) { *out = 1 / sqrtf(1 + number(q) * number(q)); }
static void alpha_of_noise(const void *q, float *out) { *out = number(q) * number(q) / (1 + number(q) * number(q)); }
static void alpha_minus(const void *q, float *out) { *out = 1 - number(q) * number(q); }

static const CheckMistake BACK_MISTAKES[] = {
    {"sigma is a ratio of sizes and a a share of the variance: square sigma.", alpha_without_square},
    {"That is sqrt(a), the picture's share in x_t: a is its square.", alpha_with_root},
    {"That is 1 - a, the noise's share of the variance.", alpha_of_noise},
    {"1 - sigma^2 would be right if the noise were sigma of the whole: it is sigma times the picture, so a = 1 / (1 + "
     "sigma^2).",
     alpha_minus},
    {NULL, NULL},
};

static void check_sigma(Check *check) {
    for (size_t i = 0; i < CASES; i++) {
        float a = check_uniform(check, 0.005f, 0.999f);
        check_case(check, "a = %.4f", (double)a);
        check_number(check, "sigma_from_alpha", sigma_from_alpha(a), &a, right_sigma, SIGMA_MISTAKES);
    }
}

static void check_back(Check *check) {
    for (size_t i = 0; i < CASES; i++) {
        float sigma = check_uniform(check, 0.03f, 15);
        check_case(check, "sigma = %.4f", (double)sigma);
        check_number(check, "alpha_from_sigma", alpha_from_sigma(sigma), &sigma, right_alpha, BACK_MISTAKES);
    }
}

// ---- mixing ---------------------------------------------------------------------------------------------------------

typedef struct Mixture {
    const float *x0, *noise;
    float a;
    size_t n;
} Mixture;

static void mix(const void *question, float of_x0, float of_noise, float *out) {
    const Mixture *q = question;
    for (size_t i = 0; i < q->n; i++) out[i] = of_x0 * q->x0[i] + of_noise * q->noise[i];
}

static float a_of(const void *question) { return ((const Mixture *)question)->a; }
static float sigma_of(const void *question) { return sqrtf((1 - a_of(question)) / a_of(question)); }

// core's own, of a schedule with one timestep
static void right_mixture(const void *question, float *out) {
    const Mixture *q = question;
    float a = q->a, timestep = 0;
    Scheduler s = {.alphas_cumprod = &a, .timesteps = &timestep};
    ddim_kind.add_noise(&s, 0, q->x0, q->noise, out, q->n);
}

static void right_sigma_form(const void *question, float *out) {
    const Mixture *q = question;
    float sigma = sigma_of(q);
    Scheduler s = {.sigmas = &sigma};
    euler_kind.add_noise(&s, 0, q->x0, q->noise, out, q->n);
}

static void no_roots(const void *q, float *out) { mix(q, a_of(q), 1 - a_of(q), out); }
static void roles_swapped(const void *q, float *out) { mix(q, sqrtf(1 - a_of(q)), sqrtf(a_of(q)), out); }
static void whole_picture(const void *q, float *out) { mix(q, 1, sqrtf(1 - a_of(q)), out); }
static void rest_of_root(const void *q, float *out) { mix(q, sqrtf(a_of(q)), 1 - sqrtf(a_of(q)), out); }
static void picture_without_root(const void *q, float *out) { mix(q, a_of(q), sqrtf(1 - a_of(q)), out); }
static void noise_without_root(const void *q, float *out) { mix(q, sqrtf(a_of(q)), 1 - a_of(q), out); }
static void subtracts(const void *q, float *out) { mix(q, sqrtf(a_of(q)), -sqrtf(1 - a_of(q)), out); }

static const CheckMistake MIXTURE_MISTAKES[] = {
    {"That is the other form, x0 + sigma * noise: here the picture shrinks, so that the variance stays 1.",
     right_sigma_form},
    {"The roots are missing: a and 1 - a are shares of the variance, and variances add up, not sizes.", no_roots},
    {"The roles are swapped: a belongs to the picture, 1 - a to the noise.", roles_swapped},
    {"The picture went in whole: its share is sqrt(a), or the sum grows louder than what the U-Net knows.",
     whole_picture},
    {"The noise's share isn't the rest of sqrt(a): the squares add up to 1, so it is sqrt(1 - a).", rest_of_root},
    {"The picture's share is sqrt(a), not a.", picture_without_root},
    {"The noise's share is sqrt(1 - a), not 1 - a.", noise_without_root},
    {"You took the noise away: it is added here.", subtracts},
    {NULL, NULL},
};

static void form(const void *question, float factor, float *out) {
    right_mixture(question, out);
    for (size_t i = 0; i < ((const Mixture *)question)->n; i++) out[i] *= factor;
}

static void divides_by_a(const void *q, float *out) { form(q, 1 / a_of(q), out); }
static void multiplies(const void *q, float *out) { form(q, sqrtf(a_of(q)), out); }
static void times_sigma(const void *q, float *out) { form(q, sigma_of(q), out); }
static void by_noise_share(const void *q, float *out) { form(q, 1 / sqrtf(1 - a_of(q)), out); }

static const CheckMistake FORM_MISTAKES[] = {
    {"You divided by a: the picture was shrunk to sqrt(a).", divides_by_a},
    {"You shrank the picture once more: dividing by sqrt(a) gives it its size back.", multiplies},
    {"You multiplied by sigma: that is the noise's size afterwards, not the way there. Divide by sqrt(a).",
     times_sigma},
    {"You divided by the noise's share, which gives the noise its size back: it is the picture that is whole in x0 + "
     "sigma "
     "* noise.",
     by_noise_share},
    {NULL, NULL},
};

static Mixture mixture_new(Check *check, Shape shape) {
    Mixture q = {.a = check_uniform(check, 0.05f, 0.95f), .n = shape_count(shape)};
    if (fabsf(q.a - 0.5f) < 0.02f) q.a = 0.6f;  // where half is picture and half is noise, mistakes look alike
    check_case(check, "a = %.4f; latents %s", (double)q.a, shape_text(shape).text);
    return q;
}

static Shape any_shape(Check *check) { return shape3(4, check_pick(check, 3, 17), check_pick(check, 3, 17)); }

static void check_mixture(Check *check) {
    for (size_t i = 0; i < CASES; i++) {
        Shape shape = any_shape(check);
        Mixture q = mixture_new(check, shape);
        q.x0 = check_normal(check, "x0", shape), q.noise = check_normal(check, "noise", shape);
        float *x_t = check_output(check, "x_t", shape);
        add_noise(q.x0, q.noise, q.a, x_t, q.n);
        check_values(check, x_t, &q, right_mixture, MIXTURE_MISTAKES);
    }
}

static void check_form(Check *check) {
    for (size_t i = 0; i < CASES; i++) {
        Shape shape = any_shape(check);
        Mixture q = mixture_new(check, shape);
        q.x0 = check_normal(check, "x0", shape), q.noise = check_normal(check, "noise", shape);
        float *x_t = check_input(check, "x_t", shape), *x_sigma = check_output(check, "x_sigma", shape);
        right_mixture(&q, x_t);
        to_sigma_form(x_t, q.a, x_sigma, q.n);
        check_values(check, x_sigma, &q, right_sigma_form, FORM_MISTAKES);
    }
}

// ---- a picture ------------------------------------------------------------------------------------------------------

// The first noise of seed 1 and half as much of it over a finished hippo, by the learner's functions
static void show(Check *check) {
    check_seconds(check, 60);
    Model *model = demo_model();
    Settings settings = demo_settings(model);
    Run *run = demo_run(model, &settings);
    size_t height, width;
    run_latent_size(run, &height, &width);
    Mixture q = {.a = 0.8f, .n = LATENT_CHANNELS * height * width};
    q.noise = demo_copy(run_latents(run), q.n);
    while (demo_step(run)) continue;
    q.x0 = run_latents(run);
    float *yours = demo_floats(q.n), *right = demo_floats(q.n);
    add_noise(q.x0, q.noise, q.a, yours, q.n);
    right_mixture(&q, right);
    Image your_image = demo_decode(run, yours), right_image = demo_decode(run, right);
    check_picture(check, "picture.png", &your_image, &right_image);
}

int main(void) {
    static const CheckPart PARTS[] = {
        {"alphas_cumprod_fill", check_alphas}, {"sigma_from_alpha", check_sigma}, {"alpha_from_sigma", check_back},
        {"add_noise", check_mixture},          {"to_sigma_form", check_form},
    };
    return check_run("01-noise", PARTS, sizeof PARTS / sizeof *PARTS, show);
}
