// check.c - lesson 08: the ways into the VAE and out of it, on random pictures and random moments
//
// Each function is compared with its definition; what the first two do together with core/run/start.c, on a drawing.
// Read next: check/check.h.

#include "exercise.h"

#include "check/check.h"

#include "base/check.h"
#include "demo/demo.h"
#include "demo/paint.h"
#include "run/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CASES = 24 };

// ---- into the encoder: bytes to -1..1 -------------------------------------------------------------------------------

typedef struct Picture {
    size_t height, width;
    const uint8_t *rgb;
    const float *pixels;
} Picture;

// Bytes lie in arrays of the check as well, four in a number.
static Shape byte_shape(size_t height, size_t width) { return shape1(3 * height * width / 4); }

static uint8_t byte_at(const Picture *p, size_t c, size_t i) { return p->rgb[3 * i + c]; }

static void pixels_by(const void *question, float divisor, float times, float minus, float *out) {
    const Picture *p = question;
    size_t area = p->height * p->width;
    for (size_t i = 0; i < 3 * area; i++) out[i] = byte_at(p, i / area, i % area) / divisor * times - minus;
}

static void right_pixels(const void *q, float *out) { pixels_by(q, 255, 2, 1, out); }
static void zero_to_one(const void *q, float *out) { pixels_by(q, 255, 1, 0, out); }
static void still_bytes(const void *q, float *out) { pixels_by(q, 1, 1, 0, out); }
static void divided_by_256(const void *q, float *out) { pixels_by(q, 256, 2, 1, out); }
static void not_doubled(const void *q, float *out) { pixels_by(q, 255, 1, 1, out); }

static void divided_whole(const void *question, float *out) {
    const Picture *p = question;
    size_t area = p->height * p->width;
    for (size_t i = 0; i < 3 * area; i++) out[i] = byte_at(p, i / area, i % area) == 255 ? 1 : -1;
}

// Where number c of the pixel in row y and column x goes
typedef size_t Goes(const Picture *p, size_t c, size_t y, size_t x);

static size_t side_by_side(const Picture *p, size_t c, size_t y, size_t x) { return (y * p->width + x) * 3 + c; }
static size_t blue_first(const Picture *p, size_t c, size_t y, size_t x) {
    return ((2 - c) * p->height + y) * p->width + x;
}
static size_t turned(const Picture *p, size_t c, size_t y, size_t x) { return (c * p->width + x) * p->height + y; }

static void placed(const void *question, Goes *goes, float *out) {
    const Picture *p = question;
    for (size_t i = 0; i < p->height * p->width; i++) {
        for (size_t c = 0; c < 3; c++) {
            out[goes(p, c, i / p->width, i % p->width)] = (float)byte_at(p, c, i) / 255 * 2 - 1;
        }
    }
}

static void placed_side_by_side(const void *q, float *out) { placed(q, side_by_side, out); }
static void placed_blue_first(const void *q, float *out) { placed(q, blue_first, out); }
static void placed_turned(const void *q, float *out) { placed(q, turned, out); }

static const CheckMistake PIXEL_MISTAKES[] = {
    {"The encoder wants -1..1, and this is 0..1: times 2, minus 1.", zero_to_one},
    {"These are still 0..255, as in a file: the encoder wants -1..1. Divide by 255, times 2, minus 1.", still_bytes},
    {"White is 255, and has to become 1: divide by 255, not by 256.", divided_by_256},
    {"This is -1..0: double before you take 1 away.", not_doubled},
    {"A byte was divided as whole numbers, so all but white became 0: make it a float first.", divided_whole},
    {"The order is still a picture's, where red, green and blue are still side by side: all of the red goes first.",
     placed_side_by_side},
    {"Red and blue have changed places.", placed_blue_first},
    {"Rows and columns have changed places: a row of width numbers goes before the next row.", placed_turned},
    {NULL, NULL},
};

static void check_pixels(Check *check) {
    for (size_t i = 0; i < CASES; i++) {
        Picture p = {.height = check_pick(check, 3, 21), .width = 4 * check_pick(check, 1, 7)};
        if (p.height == p.width) p.height++;
        check_case(check, "a picture of %zu x %zu pixels", p.width, p.height);
        uint8_t *rgb = (uint8_t *)check_input(check, "rgb", byte_shape(p.height, p.width));
        for (size_t k = 0; k < 3 * p.height * p.width; k++) rgb[k] = (uint8_t)check_pick(check, 0, 255);
        rgb[0] = 255, rgb[1] = 0, p.rgb = rgb;
        float *pixels = check_output(check, "pixels", shape3(3, p.height, p.width));
        pixels_from_image(rgb, pixels, p.height, p.width);
        check_values(check, pixels, &p, right_pixels, PIXEL_MISTAKES);
    }
}

// ---- out of the encoder: moments to latents -------------------------------------------------------------------------

typedef struct Moments {
    const float *moments, *noise, *latents;
    float scaling_factor;
    size_t n;
} Moments;

static float sigma_of(float log_variance) { return expf(fminf(fmaxf(log_variance, -30), 20) / 2); }

// scale * (mean + spread(log_variance) * noise), with a mean every `stride`, log_variances beginning at `second`
typedef struct Reading {
    size_t mean, second, stride;
} Reading;

static void draw(const Moments *m, Reading reading, float scale, float (*spread)(float), float *out) {
    for (size_t i = 0; i < m->n; i++) {
        float mean = m->moments[reading.mean + i * reading.stride];
        out[i] = scale * (mean + spread(m->moments[reading.second + i * reading.stride]) * m->noise[i]);
    }
}

static void draw_by(const void *question, float (*spread)(float), float *out) {
    const Moments *m = question;
    draw(m, (Reading){0, m->n, 1}, m->scaling_factor, spread, out);
}

static float variance_of(float log_variance) { return expf(fminf(fmaxf(log_variance, -30), 20)); }
static float limited(float log_variance) { return fminf(fmaxf(log_variance, -30), 20); }
static float unlimited_sigma(float log_variance) { return expf(log_variance / 2); }
static float nothing(float log_variance) { return 0 * log_variance; }

static void right_latents(const void *q, float *out) { draw_by(q, sigma_of, out); }
static void variance_for_sigma(const void *q, float *out) { draw_by(q, variance_of, out); }
static void logarithm_for_sigma(const void *q, float *out) { draw_by(q, limited, out); }
static void not_limited(const void *q, float *out) { draw_by(q, unlimited_sigma, out); }
static void mean_alone(const void *q, float *out) { draw_by(q, nothing, out); }

static void not_scaled(const void *question, float *out) {
    const Moments *m = question;
    draw(m, (Reading){0, m->n, 1}, 1, sigma_of, out);
}

static void scaled_back(const void *question, float *out) {
    const Moments *m = question;
    draw(m, (Reading){0, m->n, 1}, 1 / m->scaling_factor, sigma_of, out);
}

static void halves_swapped(const void *question, float *out) {
    const Moments *m = question;
    draw(m, (Reading){m->n, 0, 1}, m->scaling_factor, sigma_of, out);
}

static void in_turns(const void *question, float *out) {
    const Moments *m = question;
    draw(m, (Reading){0, 1, 2}, m->scaling_factor, sigma_of, out);
}

static void sigma_alone(const void *question, float *out) {
    const Moments *m = question;
    for (size_t i = 0; i < m->n; i++) out[i] = m->scaling_factor * (m->moments[i] + sigma_of(m->moments[m->n + i]));
}

static void noise_not_scaled(const void *question, float *out) {
    const Moments *m = question;
    for (size_t i = 0; i < m->n; i++) {
        out[i] = m->scaling_factor * m->moments[i] + sigma_of(m->moments[m->n + i]) * m->noise[i];
    }
}

static const CheckMistake LATENT_MISTAKES[] = {
    {"The U-Net knows latents of variance 1: multiply by scaling_factor.", not_scaled},
    {"Dividing by scaling_factor is the way out, to the decoder: multiply here.", scaled_back},
    {"You took the mean alone: that is diffusers' sample_mode=\"argmax\". A draw is mean + sigma * noise.", mean_alone},
    {"exp(log_variance) is the variance; sigma is its root, exp(log_variance / 2).", variance_for_sigma},
    {"The second half holds logarithms of variances: sigma is exp(log_variance / 2).", logarithm_for_sigma},
    {"You added sigma itself: sigma says how far a draw may lie from the mean, the noise where it lies. sigma * noise.",
     sigma_alone},
    {"scaling_factor goes around the noise, too: it belongs to the draw.", noise_not_scaled},
    {"The means come first, then the logarithms: moments[i] and moments[n + i].", halves_swapped},
    {"Means and logarithms don't take turns: n means, and behind them n logarithms.", in_turns},
    {NULL, NULL},
};

static const CheckMistake LIMIT_MISTAKES[] = {
    {"A network may say anything: keep log_variance between -30 and 20 before exp.", not_limited},
    {NULL, NULL},
};

static Moments moments_new(Check *check, float low, float high) {
    Shape shape = shape3(4, check_pick(check, 3, 17), check_pick(check, 3, 17));
    Moments m = {.n = shape_count(shape), .scaling_factor = check_uniform(check, 0.13f, 0.6f)};
    check_case(check, "latents %s, scaling_factor %.3f, log_variance from %g to %g", shape_text(shape).text,
               (double)m.scaling_factor, (double)low, (double)high);
    float *moments = check_normal(check, "moments", shape1(2 * m.n));
    for (size_t i = m.n; i < 2 * m.n; i++) moments[i] = check_uniform(check, low, high);
    m.moments = moments, m.noise = check_normal(check, "noise", shape);
    float *latents = check_output(check, "latents", shape);
    latents_from_moments(moments, m.noise, m.scaling_factor, latents, m.n);
    m.latents = latents;
    return m;
}

static void check_latents(Check *check) {
    for (size_t i = 0; i < CASES; i++) {
        Moments m = moments_new(check, -3, 1);
        check_values(check, m.latents, &m, right_latents, LATENT_MISTAKES);
    }
}

static void check_limits(Check *check) {
    for (size_t i = 0; i < CASES; i++) {
        Moments m = moments_new(check, i % 2 ? 15 : -80, i % 2 ? 40 : -20);
        if (i % 2 == 0) check_tolerance(check, 1e-6f);
        check_values(check, m.latents, &m, right_latents, LIMIT_MISTAKES);
        check_tolerance(check, 1e-4f);
    }
}

// ---- into the decoder -----------------------------------------------------------------------------------------------

static void scaled(const Moments *m, float factor, float *out) {
    for (size_t i = 0; i < m->n; i++) out[i] = m->latents[i] * factor;
}

static void right_unscaled(const void *q, float *out) { scaled(q, 1 / ((const Moments *)q)->scaling_factor, out); }
static void scaled_twice(const void *q, float *out) { scaled(q, ((const Moments *)q)->scaling_factor, out); }

static const CheckMistake UNSCALE_MISTAKES[] = {
    {"You multiplied, as on the way in. On the way out, divide by scaling_factor.", scaled_twice},
    {NULL, NULL},
};

static void check_unscaled(Check *check) {
    for (size_t i = 0; i < CASES; i++) {
        Shape shape = shape3(4, check_pick(check, 3, 17), check_pick(check, 3, 17));
        Moments m = {.n = shape_count(shape), .scaling_factor = check_uniform(check, 0.13f, 0.6f)};
        check_case(check, "latents %s, scaling_factor %.3f", shape_text(shape).text, (double)m.scaling_factor);
        m.latents = check_normal(check, "latents", shape);
        float *unscaled = check_output(check, "unscaled", shape);
        unscale_latents(m.latents, m.scaling_factor, unscaled, m.n);
        check_values(check, unscaled, &m, right_unscaled, UNSCALE_MISTAKES);
    }
}

// ---- out of the decoder: -1..1 to bytes -----------------------------------------------------------------------------

static float value_at(const Picture *p, size_t c, size_t i) { return p->pixels[c * p->height * p->width + i]; }
static float within(float value) { return fminf(fmaxf(value, 0), 1); }

static float right_byte(float pixel) { return rintf(255 * within(pixel / 2 + 0.5f)); }
static float byte_begun_anew(float pixel) { return (float)(uint8_t)(int)rintf(255 * (pixel / 2 + 0.5f)); }
static float byte_cut_off(float pixel) { return floorf(255 * within(pixel / 2 + 0.5f)); }
static float byte_from_0_to_1(float pixel) { return rintf(255 * within(pixel)); }

static void bytes_by(const void *question, float (*byte)(float), float *out) {
    const Picture *p = question;
    for (size_t i = 0; i < 3 * p->height * p->width; i++) out[i] = byte(value_at(p, i % 3, i / 3));
}

static void right_image(const void *q, float *out) { bytes_by(q, right_byte, out); }
static void begun_anew(const void *q, float *out) { bytes_by(q, byte_begun_anew, out); }
static void cut_off(const void *q, float *out) { bytes_by(q, byte_cut_off, out); }
static void from_0_to_1(const void *q, float *out) { bytes_by(q, byte_from_0_to_1, out); }

static void planes_kept(const void *question, float *out) {
    const Picture *p = question;
    for (size_t i = 0; i < 3 * p->height * p->width; i++) out[i] = right_byte(p->pixels[i]);
}

static const CheckMistake IMAGE_MISTAKES[] = {
    {"Beyond -1 and 1 bytes begin anew: 256 becomes 0, and white gets black spots. Keep the value between 0 and 1.",
     begun_anew},
    {"You cut off what is behind the point: take the nearest byte, rintf().", cut_off},
    {"You took the decoder's answer for 0..1: it is -1..1, so halve it and add 0.5.", from_0_to_1},
    {"In a picture red, green and blue stand side by side: number c of pixel i is rgb[3 * i + c].", planes_kept},
    {NULL, NULL},
};

// Between bytes, not halfway: which of two is the nearest must not hang on the last bit.
static void fill_pixels(Check *check, float *pixels, size_t n) {
    for (size_t i = 0; i < n; i++) {
        float byte = (float)check_pick(check, 0, 335) - 40 + check_uniform(check, -0.4f, 0.4f);
        pixels[i] = byte / 127.5f - 1;
    }
}

static void check_image(Check *check) {
    for (size_t i = 0; i < CASES; i++) {
        Picture p = {.height = check_pick(check, 3, 21), .width = 4 * check_pick(check, 1, 7)};
        check_case(check, "a picture of %zu x %zu pixels", p.width, p.height);
        size_t n = 3 * p.height * p.width;
        float *pixels = check_input(check, "pixels", shape3(3, p.height, p.width));
        fill_pixels(check, pixels, n);
        p.pixels = pixels;
        float *bytes = check_output(check, "rgb", byte_shape(p.height, p.width)), *fresh = malloc(n);
        CHECK(fresh, "no memory");
        memcpy(fresh, bytes, n);
        image_from_pixels(pixels, (uint8_t *)bytes, p.height, p.width);

        // As numbers; four bytes that are all as they were count as never written.
        float *rgb = check_output(check, "rgb", shape3(p.height, p.width, 3));
        for (size_t k = 0; k < n; k++) {
            bool written = memcmp(&bytes[k / 4], &fresh[k / 4], 4) != 0;
            if (written) rgb[k] = ((const uint8_t *)bytes)[k];
        }
        free(fresh);
        check_values(check, rgb, &p, right_image, IMAGE_MISTAKES);
    }
}

// ---- all the way, with core/'s VAE ----------------------------------------------------------------------------------

static Run *run_new(Model **model) {
    *model = demo_model();
    Settings settings = demo_settings(*model);
    settings.prompt = "", settings.guidance_scale = 1;
    return demo_run(*model, &settings);
}

static void copy_answer(const void *answer, float *out) { memcpy(out, answer, 4 * 16 * 16 * sizeof *out); }

static void check_way_in(Check *check) {
    Model *model;
    Run *run = run_new(&model);
    Context ctx;
    Error error = {0};
    CHECK(context_open(&ctx, (size_t)1 << 30, 0, &error), "%s", error.message);
    check_case(check, "a drawing of a cat, through the critters' encoder");
    check_seconds(check, 60);
    Image cat = paint("a cat in the snow", check_pick(check, 0, 1000));
    float *pixels = check_output(check, "pixels", shape3(3, SIDE, SIDE));
    float *noise = check_input(check, "noise", shape3(4, 16, 16));
    float *latents = check_output(check, "latents", shape3(4, 16, 16));

    pixels_from_image(cat.pixels, pixels, SIDE, SIDE);
    Rng rng = run->rng;
    rng_normal(&rng, noise, run->n);
    Tensor moments = vae_encode(&ctx, model->vae, tensor_over(pixels, shape4(1, 3, SIDE, SIDE)));
    latents_from_moments(tensor_f32(moments), noise, vae_config(model->vae)->scaling_factor, latents, run->n);

    float *same = start_pixels(run, &cat, &error), answer[4 * 16 * 16];
    CHECK(same && start_encode(run, same, answer, &error), "%s", error.message);
    check_values(check, latents, answer, copy_answer, NULL);
    free(same), image_free(&cat), context_close(&ctx), run_free(run), model_close(model);
}

// There and back with what the learner wrote, beside the drawing itself
static void show(Check *check) {
    Model *model;
    Run *run = run_new(&model);
    Context ctx;
    Error error = {0};
    CHECK(context_open(&ctx, (size_t)1 << 30, 0, &error), "%s", error.message);
    check_seconds(check, 60);
    Image cat = paint("a cat in the snow", 7), back = image_new(SIDE, SIDE);
    float scaling_factor = vae_config(model->vae)->scaling_factor;
    static float pixels[3 * PIXELS], noise[4 * 16 * 16], latents[4 * 16 * 16], unscaled[4 * 16 * 16];
    rng_normal(&run->rng, noise, run->n);
    pixels_from_image(cat.pixels, pixels, SIDE, SIDE);
    Tensor moments = vae_encode(&ctx, model->vae, tensor_over(pixels, shape4(1, 3, SIDE, SIDE)));
    latents_from_moments(tensor_f32(moments), noise, scaling_factor, latents, run->n);
    unscale_latents(latents, scaling_factor, unscaled, run->n);
    Tensor decoded = vae_decode(&ctx, model->vae, tensor_over(unscaled, shape4(1, 4, 16, 16)));
    image_from_pixels(tensor_f32(decoded), back.pixels, SIDE, SIDE);
    check_picture(check, "round-trip-yours.png", &back, &cat);
}

int main(void) {
    static const CheckPart PARTS[] = {
        {"pixels_from_image: what the encoder is shown", check_pixels},
        {"latents_from_moments: a draw, on the U-Net's scale", check_latents},
        {"latents_from_moments: answers beyond all bounds", check_limits},
        {"unscale_latents: what the decoder is shown", check_unscaled},
        {"image_from_pixels: what the decoder answers, as bytes", check_image},
        {"the way in, with a drawing and the encoder", check_way_in},
    };
    return check_run("08-vae", PARTS, sizeof PARTS / sizeof *PARTS, show);
}
