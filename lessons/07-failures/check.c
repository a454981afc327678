// check.c - lesson 07: is it counted as it should be? On random pictures, counts, and pairs of them
//
// The right numbers are those of demo/measure.c. Read next: check/check.h.

#include "exercise.h"

#include "check/check.h"

#include "critters/draw/studio.h"
#include "demo/demo.h"
#include "demo/measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { CASES = 24 };

// ---- halves_share ---------------------------------------------------------------------------------------------------

typedef struct Picture {
    const float *pixels, *color;  // [height, width, 3], [3]
    size_t width, height;
} Picture;

typedef float Off(const float *pixel, const float *color);  // how far a pixel is away

static float off_euclid(const float *p, const float *c) {
    return sqrtf(powf(p[0] - c[0], 2) + powf(p[1] - c[1], 2) + powf(p[2] - c[2], 2));
}
static float off_squared(const float *p, const float *c) { return powf(off_euclid(p, c), 2); }
static float off_summed(const float *p, const float *c) {
    return fabsf(p[0] - c[0]) + fabsf(p[1] - c[1]) + fabsf(p[2] - c[2]);
}
static float off_largest(const float *p, const float *c) {
    return fmaxf(fabsf(p[0] - c[0]), fmaxf(fabsf(p[1] - c[1]), fabsf(p[2] - c[2])));
}
static float off_signed(const float *p, const float *c) { return p[0] - c[0] + p[1] - c[1] + p[2] - c[2]; }

// Pixels of the left (upper) half that are near, and of the other, and how many there are
typedef struct Halves {
    float near[2], all[2];
} Halves;

static Halves halves_of(const Picture *q, Off *off, size_t row, bool across) {
    Halves h = {0};
    for (size_t y = 0; y < q->height; y++) {
        for (size_t x = 0; x < q->width; x++) {
            size_t half = across ? y >= q->height / 2 : x >= q->width / 2;
            h.near[half] += off(q->pixels + 3 * (y * row + x), q->color) < 60;
            h.all[half]++;
        }
    }
    return h;
}

static void shares_by(const Picture *q, Off *off, float *out) {
    Halves h = halves_of(q, off, q->width, false);
    for (size_t i = 0; i < 2; i++) out[i] = h.near[i] / h.all[i];
}

static void right_shares(const void *q, float *out) { shares_by(q, off_euclid, out); }
static void forgets_root(const void *q, float *out) { shares_by(q, off_squared, out); }
static void sums_differences(const void *q, float *out) { shares_by(q, off_summed, out); }
static void takes_largest(const void *q, float *out) { shares_by(q, off_largest, out); }
static void signed_differences(const void *q, float *out) { shares_by(q, off_signed, out); }

static void whole_picture(const void *question, float *out) {
    const Picture *q = question;
    Halves h = halves_of(q, off_euclid, q->width, false);
    for (size_t i = 0; i < 2; i++) out[i] = h.near[i] / (float)(q->width * q->height);
}

// Where the width is odd, the right half has a column more than the left one.
static void equal_halves(const void *question, float *out) {
    const Picture *q = question;
    Halves h = halves_of(q, off_euclid, q->width, false);
    for (size_t i = 0; i < 2; i++) out[i] = h.near[i] / (float)(q->width / 2 * q->height);
}

static void real_halves(const void *question, float *out) {
    const Picture *q = question;
    Halves h = halves_of(q, off_euclid, q->width, false);
    for (size_t i = 0; i < 2; i++) out[i] = h.near[i] / (0.5f * (float)(q->width * q->height));
}

static void counts_numbers(const void *question, float *out) {
    right_shares(question, out);
    out[0] /= 3, out[1] /= 3;
}

static void percent(const void *question, float *out) {
    right_shares(question, out);
    out[0] *= 100, out[1] *= 100;
}

static void sides_swapped(const void *question, float *out) {
    float share[2];
    right_shares(question, share);
    out[0] = share[1], out[1] = share[0];
}

static void upper_and_lower(const void *question, float *out) {
    const Picture *q = question;
    Halves h = halves_of(q, off_euclid, q->width, true);
    for (size_t i = 0; i < 2; i++) out[i] = h.near[i] / h.all[i];
}

static void row_is_height(const void *question, float *out) {
    const Picture *q = question;
    Halves h = halves_of(q, off_euclid, q->height, false);
    for (size_t i = 0; i < 2; i++) out[i] = h.near[i] / h.all[i];
}

static void the_others(const void *question, float *out) {
    right_shares(question, out);
    out[0] = 1 - out[0], out[1] = 1 - out[1];
}

static void counts(const void *question, float *out) {
    Halves h = halves_of(question, off_euclid, ((const Picture *)question)->width, false);
    out[0] = h.near[0], out[1] = h.near[1];
}

static const CheckMistake SHARE_MISTAKES[] = {
    {"You divided by all pixels of the picture: each half has its own number of them.", whole_picture},
    {"You divided by the numbers, three a pixel: divide by the half's pixels.", counts_numbers},
    {"The width is odd here, and you gave both halves width / 2 columns: the right one has width - width / 2.",
     equal_halves},
    {"The width is odd here, and you gave both halves half a column more or less: the left one has width / 2, a whole "
     "number.",
     real_halves},
    {"That is percent: a share goes from 0 to 1.", percent},
    {"These are counts: divide each by its half's pixels.", counts},
    {"The halves are swapped: the left one, x before width / 2, comes first.", sides_swapped},
    {"You parted the picture into an upper and a lower half: left and right are about x.", upper_and_lower},
    {"You took height for the length of a row: pixel x of row y is number y * width + x.", row_is_height},
    {"You counted the pixels that don't have the colour.", the_others},
    {"You compared the squared distance with 60: take the root first, or square the 60.", forgets_root},
    {"You added up the three differences: the distance is the root of their squares' sum.", sums_differences},
    {"You asked for each channel by itself to be within 60: the distance takes them together.", takes_largest},
    {"The differences have signs, and cancel each other out: square them before you add.", signed_differences},
    {NULL, NULL},
};

static void check_shares(Check *check) {
    for (size_t i = 0; i < CASES; i++) {
        Picture q = {.height = check_pick(check, 40, 70)};
        q.width = q.height + check_pick(check, 5, 40);
        check_case(check, "a picture of %zu x %zu pixels", q.width, q.height);
        float *color = check_input(check, "color", shape1(3));
        float *pixels = check_input(check, "pixels", shape3(q.height, q.width, 3));
        for (size_t c = 0; c < 3; c++) color[c] = check_uniform(check, 90, 165);
        float spread[2][2];  // each quarter has its own share, under a half
        for (size_t j = 0; j < 4; j++) spread[j / 2][j % 2] = check_uniform(check, 66, 120);
        for (size_t j = 0; j < 3 * q.width * q.height; j++) {
            size_t x = j / 3 % q.width, y = j / 3 / q.width;
            float off = spread[y >= q.height / 2][x >= q.width / 2];
            pixels[j] = color[j % 3] + check_uniform(check, -off, off);
        }
        q.pixels = pixels, q.color = color;
        float *share = check_output(check, "share", shape1(2));
        halves_share(pixels, q.width, q.height, color, share);
        check_values(check, share, &q, right_shares, SHARE_MISTAKES);
    }
}

// ---- wilson_interval ------------------------------------------------------------------------------------------------

typedef struct Count {
    size_t successes, n;
    float z;
} Count;

static void around(double middle, double half, float *out) {
    out[0] = (float)(middle - half), out[1] = (float)(middle + half);
}

static double shrink_of(const Count *q) { return 1 + (double)q->z * (double)q->z / (double)q->n; }
static double share_of(const Count *q) { return (double)q->successes / (double)q->n; }
static double plain_half(const Count *q) { return (double)q->z * sqrt(share_of(q) * (1 - share_of(q)) / (double)q->n); }

static void right_interval(const void *question, float *out) {
    const Count *q = question;
    Interval right = wilson(q->successes, q->n, (double)q->z);
    out[0] = (float)right.low, out[1] = (float)right.high;
}

// middle and half of the right interval
static double middle_of(const void *question) {
    float ends[2];
    right_interval(question, ends);
    return ((double)ends[0] + (double)ends[1]) / 2;
}
static double half_of(const void *question) {
    float ends[2];
    right_interval(question, ends);
    return ((double)ends[1] - (double)ends[0]) / 2;
}

static void textbook(const void *question, float *out) { around(share_of(question), plain_half(question), out); }
static void not_shrunk(const void *q, float *out) {
    around(middle_of(q) * shrink_of(q), half_of(q) * shrink_of(q), out);
}
static void middle_not_shrunk(const void *q, float *out) { around(middle_of(q) * shrink_of(q), half_of(q), out); }
static void half_not_shrunk(const void *q, float *out) { around(middle_of(q), half_of(q) * shrink_of(q), out); }
static void middle_is_p(const void *q, float *out) { around(share_of(q), half_of(q), out); }
static void root_lacks_z(const void *q, float *out) { around(middle_of(q), plain_half(q) / shrink_of(q), out); }

static void middle_lacks_two(const void *question, float *out) {
    const Count *q = question;
    around(middle_of(q) + (1 - 1 / shrink_of(q)) / 2, half_of(q), out);
}

static void whole_numbers(const void *question, float *out) {
    Count q = *(const Count *)question;
    q.successes = q.successes == q.n ? q.n : 0;
    right_interval(&q, out);
}

static void lacks_z(const void *question, float *out) {
    const Count *q = question;
    around(middle_of(q), half_of(q) / (double)q->z, out);
}

static void ends_swapped(const void *q, float *out) { around(middle_of(q), -half_of(q), out); }
static void gives_half(const void *q, float *out) { out[0] = (float)middle_of(q), out[1] = (float)half_of(q); }

static void of_failures(const void *question, float *out) {
    Count q = *(const Count *)question;
    q.successes = q.n - q.successes;
    right_interval(&q, out);
}

static const CheckMistake WILSON_MISTAKES[] = {
    {"That is the textbook's p +- z sqrt(p (1 - p) / n), which takes 8 of 8 for certainty: Wilson's has z^2 in it, "
     "too.",
     textbook},
    {"Nothing is divided by 1 + z^2 / n: both middle and half are.", not_shrunk},
    {"The middle isn't divided by 1 + z^2 / n.", middle_not_shrunk},
    {"The half isn't divided by 1 + z^2 / n.", half_not_shrunk},
    {"The middle isn't p: few tries draw it towards one half, (p + z^2 / (2 n)) / (1 + z^2 / n).", middle_is_p},
    {"z^2 / (4 n^2) is missing under the root: without it 8 of 8 has no width there.", root_lacks_z},
    {"The middle has z^2 / n in it: it is half of that, z^2 / (2 n).", middle_lacks_two},
    {"successes / n was divided in whole numbers, and is 0: make floats of them first.", whole_numbers},
    {"z is missing before the root: that is an interval for z = 1.", lacks_z},
    {"The ends are swapped: the low one comes first.", ends_swapped},
    {"These are middle and half: the interval is middle - half, middle + half.", gives_half},
    {"That is the interval of the failures: p is successes / n.", of_failures},
    {NULL, NULL},
};

static void check_count(Check *check, size_t successes, size_t n) {
    Count q = {successes, n, check_uniform(check, 1.2f, 2.6f)};
    check_case(check, "%zu of %zu, z = %.2f", successes, n, (double)q.z);
    float *interval = check_output(check, "interval", shape1(2));
    wilson_interval(successes, n, q.z, interval);
    check_values(check, interval, &q, right_interval, WILSON_MISTAKES);
}

static void check_intervals(Check *check) {
    check_tolerance(check, 1e-5f);  // for some p the textbook's half is nearly the right one
    for (size_t i = 0; i < CASES; i++) {
        size_t n = check_pick(check, 5, 30), successes = check_pick(check, 1, n - 1);
        if (2 * successes == n) successes++;  // where p is one half, the middle is, too
        check_count(check, successes, n);
    }
    for (size_t n = 1; n < 10; n += 4) check_count(check, 0, n), check_count(check, n, n);
}

// ---- sign_test ------------------------------------------------------------------------------------------------------

typedef struct Pairs {
    size_t better, worse, alike;
} Pairs;

// The chance of exactly k heads among m coins
static double chance_of(size_t k, size_t m) {
    double chance = pow(0.5, (double)m);
    for (size_t i = 0; i < k; i++) chance *= (double)(m - i) / (double)(i + 1);
    return chance;
}

static size_t fewer_of(const Pairs *q) { return q->better < q->worse ? q->better : q->worse; }
static size_t more_of(const Pairs *q) { return q->better + q->worse - fewer_of(q); }
static double sum_to(size_t k, size_t m) {
    double sum = 0;
    for (size_t i = 0; i <= k; i++) sum += chance_of(i, m);
    return sum;
}
static void cut(double p, float *out) { *out = (float)fmin(p, 1); }

static void right_p(const void *question, float *out) {
    const Pairs *q = question;
    *out = (float)sign_test_p(q->better, q->worse);
}

static void counts_all(const void *question, float *out) {
    const Pairs *q = question;
    cut(2 * sum_to(fewer_of(q), q->better + q->worse + q->alike), out);
}
static void one_side(const void *question, float *out) {
    const Pairs *q = question;
    cut(sum_to(fewer_of(q), q->better + q->worse), out);
}
static void only_that_one(const void *question, float *out) {
    const Pairs *q = question;
    cut(2 * chance_of(fewer_of(q), q->better + q->worse), out);
}
static void one_too_few(const void *question, float *out) {
    const Pairs *q = question;
    cut(2 * (sum_to(fewer_of(q), q->better + q->worse) - chance_of(fewer_of(q), q->better + q->worse)), out);
}
static void takes_more(const void *question, float *out) {
    const Pairs *q = question;
    cut(2 * sum_to(more_of(q), q->better + q->worse), out);
}
static void not_cut(const void *question, float *out) {
    const Pairs *q = question;
    *out = (float)(2 * sum_to(fewer_of(q), q->better + q->worse));
}
static void other_way_round(const void *question, float *out) {
    right_p(question, out);
    *out = 1 - *out;
}
static void only_better(const void *question, float *out) {
    const Pairs *q = question;
    cut(2 * sum_to(q->better, q->better + q->worse), out);
}

static const CheckMistake SIGN_MISTAKES[] = {
    {"p came out above 1: where as many got better as worse, the middle was counted for both sides. Cut it at 1.",
     not_cut},
    {"You counted all seeds as coins: those that went alike say nothing. m is those that changed.", counts_all},
    {"That is one side alone: it could have gone as far the other way, so it is twice that.", one_side},
    {"That is the chance of just this outcome: add up those that are further from half and half, too, i = 0 .. k.",
     only_that_one},
    {"The sum ends before k: at least as far means k included.", one_too_few},
    {"k is the fewer of better and worse, whichever it is: you took those that got better.", only_better},
    {"k is the fewer of better and worse: a sum up to the more of them is the rest of all outcomes.", takes_more},
    {"That is 1 - p.", other_way_round},
    {NULL, NULL},
};

static void check_pairs(Check *check, Pairs q) {
    size_t n = q.better + q.worse + q.alike;
    check_case(check, "%zu seeds, of which %zu got better and %zu worse", n, q.better, q.worse);
    float *before = check_input(check, "before", shape1(n)), *after = check_input(check, "after", shape1(n));
    for (size_t i = 0; i < n; i++) {
        after[i] = i < q.better || (i >= q.better + q.worse && i % 2);
        before[i] = i < q.better ? 0 : i < q.better + q.worse ? 1 : after[i];
    }
    for (size_t i = n; i-- > 1;) {  // in any order
        size_t other = check_pick(check, 0, i);
        float b = before[i], a = after[i];
        before[i] = before[other], after[i] = after[other], before[other] = b, after[other] = a;
    }
    check_number(check, "p", sign_test(before, after, n), &q, right_p, SIGN_MISTAKES);
}

static void check_signs(Check *check) {
    for (size_t i = 0; i < CASES; i++) {
        Pairs q = {check_pick(check, 1, 4), check_pick(check, 8, 12), check_pick(check, 1, 8)};
        if (i % 2) q = (Pairs){q.worse, q.better, q.alike};
        check_pairs(check, q);
    }
}

static void check_corners(Check *check) {
    check_pairs(check, (Pairs){5, 5, 3});
    check_pairs(check, (Pairs){0, 0, 7});
    check_pairs(check, (Pairs){8, 0, 0});
    check_pairs(check, (Pairs){0, 6, 2});
    check_pairs(check, (Pairs){40, 60, 5});
    check_pairs(check, (Pairs){480, 520, 0});
}

// ---- with pictures --------------------------------------------------------------------------------------------------

// Which half is how red and how blue, of a few seeds, by the learner's functions
static void show(Check *check) {
    enum { SEEDS = 6 };
    if (check_parts_right(check) < 1) return;
    check_seconds(check, 60);
    Model *model = demo_model();
    size_t right = 0;
    printf("  with your functions, \"a red cat and a blue dog on a plain background\":\n");
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        Settings settings = demo_settings(model);
        settings.prompt = "a red cat and a blue dog on a plain background";
        settings.seed = seed, settings.num_inference_steps = 10;
        Image image = demo_draw(model, &settings);
        size_t n = 3 * image.width * image.height;
        float *pixels = demo_floats(n), red[2], blue[2];
        for (size_t i = 0; i < n; i++) pixels[i] = image.pixels[i];
        Rgb r = PALETTE[RED].fur, b = PALETTE[BLUE].fur;
        halves_share(pixels, image.width, image.height, (float[]){r.r, r.g, r.b}, red);
        halves_share(pixels, image.width, image.height, (float[]){b.r, b.g, b.b}, blue);
        bool both = (red[0] > blue[0]) != (red[1] > blue[1]);
        printf("    seed %zu: left %4.1f%% red, %4.1f%% blue; right %4.1f%% red, %4.1f%% blue%s\n", (size_t)seed,
               100 * (double)red[0], 100 * (double)blue[0], 100 * (double)red[1], 100 * (double)blue[1],
               both ? "" : "  <- one colour for both");
        right += both;
        free(pixels), image_free(&image);
    }
    if (check_parts_right(check) > 1) {
        float interval[2];
        wilson_interval(right, SEEDS, 1.96f, interval);
        printf("    %zu of %d: of all seeds, %.0f%% to %.0f%%\n", right, SEEDS, 100 * (double)interval[0],
               100 * (double)interval[1]);
    }
    model_close(model);
}

int main(void) {
    static const CheckPart PARTS[] = {{"halves_share", check_shares},
                                      {"wilson_interval", check_intervals},
                                      {"sign_test", check_signs},
                                      {"sign_test, the corners", check_corners}};
    return check_run("07-failures", PARTS, sizeof PARTS / sizeof *PARTS, show);
}
