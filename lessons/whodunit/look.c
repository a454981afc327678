// look.c - see look.h

#include "look.h"

#include "demo/demo.h"
#include "demo/measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Numbers that were computed twice, by other tiles or threads, differ in their last bits. No fault is that small.
static const double ROUNDING = 1e-4;

// ---- as it is -------------------------------------------------------------------------------------------------------

static void print_numbers(const char *whose, const float *values, size_t n) {
    double sum = 0;
    float low = values[0], high = values[0];
    for (size_t i = 0; i < n; i++) {
        sum += values[i];
        low = fminf(low, values[i]);
        high = fmaxf(high, values[i]);
    }
    printf("  %-20s %9.4f %9.4f %9.4f %9.4f\n", whose, (double)low, (double)high, sum / (double)n,
           deviation(values, n));
}

static void print_header(void) { printf("  %-20s %9s %9s %9s %9s\n", "", "min", "max", "mean", "deviation"); }

// Row 0 is the negative prompt's, row 1 the prompt's
static void print_rows(const char *whose, const float *values, size_t n) {
    char label[32];
    for (size_t row = 0; row < 2; row++) {
        snprintf(label, sizeof label, "%s %s", whose, row == 0 ? "negative" : "prompt");
        print_numbers(label, values + row * n / 2, n / 2);
    }
}

static void print_pieces(const Desk *desk, const char *whose, const float *ids, size_t n) {
    const Tokenizer *tokenizer = honest_tokenizer(desk->honest);
    for (size_t row = 0; row < 2; row++) {
        printf("  %s, %s:", whose, row == 0 ? "negative prompt" : "prompt");
        for (size_t i = 1; i < n / 2 && (uint32_t)ids[row * n / 2 + i] != tokenizer->end_id; i++) {
            printf(" %s", tokenizer_piece(tokenizer, (int64_t)ids[row * n / 2 + i]));
        }
        printf("\n");
    }
}

static void print_list(const char *whose, const float *values, size_t n) {
    printf("  %-10s", whose);
    for (size_t i = 0; i < n; i++) printf(" %g", (double)values[i]);
    printf("\n");
}

static void print_values(const Desk *desk, Exhibit exhibit, const char *whose, const float *values, size_t n) {
    switch (exhibit.matter) {
    case INPUT_IDS: return print_pieces(desk, whose, values, n);
    case TEXT_EMBEDDINGS: return print_rows(whose, values, n);
    case TIMESTEPS: return print_list(whose, values, n);
    default: return print_numbers(whose, values, n);
    }
}

static bool has_numbers(Exhibit exhibit) { return exhibit.matter != INPUT_IDS && exhibit.matter != TIMESTEPS; }

// ---- as a picture ---------------------------------------------------------------------------------------------------

static Image picture_of_pixels(const float *pixels, size_t width, size_t height) {
    Image image = image_new(width, height);
    demo_needs(image.pixels, &(Error){0});
    for (size_t i = 0; i < width * height; i++) {
        for (size_t c = 0; c < 3; c++) {
            image.pixels[3 * i + c] = (uint8_t)lrintf(255 * fminf(fmaxf(pixels[c * width * height + i], 0), 1));
        }
    }
    return image;
}

// Latents and noise a pixel each, and where they are larger than a picture's, made as large as one's. A guess is a
// picture, and goes through the decoder.
static Image picture_of(const Desk *desk, Exhibit exhibit, const float *values, size_t n) {
    if (exhibit.matter == IMAGE) return picture_of_pixels(values, desk->order->width, desk->order->height);
    if (exhibit.matter == PRED_ORIGINAL_SAMPLE) return honest_decode(desk->honest, values);
    float spread = (float)fmax(1, deviation(values, n)), *smaller = demo_copy(values, n);
    for (size_t i = 0; i < n; i++) smaller[i] /= spread;
    Image image = honest_preview(desk->honest, smaller);
    free(smaller);
    return image;
}

Image picture_of_image(const Desk *desk) { return picture_of(desk, (Exhibit){IMAGE, 0}, desk->trace->image, 0); }

// should: NULL, or what stands to its right
static void draw(const Desk *desk, Exhibit exhibit, const char *kind, const float *there, const float *should,
                 size_t n) {
    if (!exhibit_is_latents(exhibit) && exhibit.matter != IMAGE) return;
    char path[512];
    snprintf(path, sizeof path, "%s/%s%s.png", desk->folder, exhibit_name(exhibit).text, kind);
    for (char *c = path + strlen(desk->folder); *c; c++) *c = *c == ' ' ? '-' : *c;
    Sheet sheet = sheet_new(should ? 2 : 1, 1, 128);
    const float *values[] = {there, should};
    for (size_t i = 0; i < sheet.columns; i++) {
        Image image = picture_of(desk, exhibit, values[i], n);
        sheet_place(&sheet, i, 0, &image);
        image_free(&image);
    }
    sheet_write(&sheet, path);
    printf("  %s%s\n", path, should ? ": as it is, and as it should be" : "");
}

void show(const Desk *desk, Exhibit exhibit) {
    size_t n;
    float *there = exhibit_values(desk->trace, exhibit, &n);
    printf("%s\n", exhibit_name(exhibit).text);
    if (has_numbers(exhibit)) print_header();
    print_values(desk, exhibit, "there", there, n);
    draw(desk, exhibit, "", there, NULL, n);
    free(there);
}

// ---- beside what it should be ---------------------------------------------------------------------------------------

static double dot(const float *a, const float *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)a[i] * b[i];
    return sum;
}

// values = x a + y b + the rest, of which there is as little as possible; its share of values
typedef struct Mixture {
    double x, y, rest;
} Mixture;

static Mixture mixture_of(const float *values, const float *a, const float *b, size_t n) {
    double aa = dot(a, a, n), bb = dot(b, b, n), ab = dot(a, b, n), av = dot(a, values, n), bv = dot(b, values, n);
    double determinant = aa * bb - ab * ab;
    Mixture m = {.x = (av * bb - bv * ab) / determinant, .y = (bv * aa - av * ab) / determinant};
    double rest = 0;
    for (size_t i = 0; i < n; i++) rest += pow((double)values[i] - m.x * a[i] - m.y * b[i], 2);
    m.rest = sqrt(rest / dot(values, values, n));
    return m;
}

static void print_mixture(const char *whose, Mixture m) {
    printf("  %-15s %7.3f x picture  %+7.3f x noise", whose, m.x, m.y);
    if (m.rest > 0.005) printf("   and %.0f%% that is neither", 100 * m.rest);
    printf("\n");
}

// Latents behind a step are a mixture of its guess and its noise; guided noise lies on the line through the two answers.
static void print_parts(const Desk *desk, Exhibit exhibit, const float *there, const float *should, size_t n) {
    if (exhibit.matter == LATENTS && exhibit.k > 0) {
        const TraceStep *step = &desk->trace->steps[exhibit.k - 1];
        print_mixture("before the step", mixture_of(step->latents, step->pred_original_sample, step->noise_pred, n));
        print_mixture("there", mixture_of(there, step->pred_original_sample, step->noise_pred, n));
        print_mixture("should be", mixture_of(should, step->pred_original_sample, step->noise_pred, n));
    }
    if (exhibit.matter == NOISE_PRED) {
        const TraceStep *step = &desk->trace->steps[exhibit.k];
        Mixture m = mixture_of(there, step->noise_pred_uncond, step->noise_pred_text, n);
        printf("  there: %.2f x uncond %+.2f x text; it should be %.2f x uncond %+.2f x text\n", m.x, m.y,
               1 - (double)desk->order->guidance_scale, (double)desk->order->guidance_scale);
    }
}

// Whether it is but a multiple of what it should be
static void print_multiple(const float *there, const float *should, size_t n) {
    double factor = dot(there, should, n) / dot(should, should, n), rest = 0;
    for (size_t i = 0; i < n; i++) rest += pow((double)there[i] - factor * should[i], 2);
    if (sqrt(rest / dot(there, there, n)) < 0.01) printf("  It is %.3g times what it should be.\n", factor);
}

static bool alike(const float *there, const float *should, size_t n) {
    return distance_between(there, should, n) <= ROUNDING;
}

bool look(const Desk *desk, Exhibit exhibit) {
    size_t n;
    float *there = exhibit_values(desk->trace, exhibit, &n),
          *should = honest_values(desk->honest, desk->trace, exhibit);
    bool follows = alike(there, should, n);
    if (follows) {
        printf("%s: follows\n", exhibit_name(exhibit).text);
    } else {
        printf("%s: does NOT follow, off by %.3g%%\n", exhibit_name(exhibit).text,
               100 * distance_between(there, should, n));
        if (has_numbers(exhibit)) print_header();
        print_values(desk, exhibit, "there", there, n);
        print_values(desk, exhibit, "should be", should, n);
        print_parts(desk, exhibit, there, should, n);
        if (has_numbers(exhibit)) print_multiple(there, should, n);
        draw(desk, exhibit, "-look", there, should, n);
    }
    free(there), free(should);
    return follows;
}

bool look_up_to(const Desk *desk, Exhibit exhibit) {
    const Trace *honest = honest_trace(desk->honest);
    size_t steps = desk->trace->step_count, last = exhibit_index(exhibit, steps), n;
    bool clean = true;
    for (size_t i = 0; clean && i <= last; i++) {
        float *there = exhibit_values(desk->trace, exhibit_at(i, steps), &n),
              *should = exhibit_values(honest, exhibit_at(i, steps), &n);
        clean = alike(there, should, n);
        free(there), free(should);
    }
    printf("up to %s: %s\n", exhibit_name(exhibit).text,
           clean ? "all as in an honest run" : "something is wrong, here or before");
    return clean;
}
