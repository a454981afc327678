// check.c - lesson 12: are these a word's maps? On random questions, answers and masks
//
// The right numbers are those of core/ops/attention.c, and of data/critters/grade/iou.c. Read next: check/check.h.

#include "exercise.h"

#include "check/check.h"

#include "base/check.h"
#include "critters/grade/iou.h"
#include "critters/grade/words_grade.h"
#include "demo/demo.h"
#include "demo/heat.h"
#include "ops/attention.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CASES = 16 };

// ---- word_map -------------------------------------------------------------------------------------------------------

typedef struct Look {
    const float *q, *k;
    LookShape s;
    size_t first, last;
} Look;

// What is done with a layer's numbers; the right way is {.row = 1, .power = 0.5, .shift = 1}.
typedef struct Way {
    size_t row;
    double power;  // scores are divided by d^power
    size_t shift;  // of the word's tokens
    bool over_places, all_channels, interleaved;
} Way;

static const Way RIGHT = {.row = 1, .power = 0.5, .shift = 1};

// p [heads, places, tokens]
static float *probabilities(const Look *look, Way way) {
    LookShape s = look->s;
    size_t width = s.heads * s.d;
    double *p = calloc(s.heads * s.places * s.tokens, sizeof *p);
    float *out = calloc(s.heads * s.places * s.tokens, sizeof *out);
    CHECK(p && out, "no memory");
    const float *q = look->q + way.row * s.places * width, *k = look->k + way.row * s.tokens * width;
    double divisor = way.all_channels ? sqrt((double)width) : pow((double)s.d, way.power);
    for (size_t h = 0; h < s.heads; h++) {
        for (size_t i = 0; i < s.places; i++) {
            for (size_t t = 0; t < s.tokens; t++) {
                double dot = 0;
                for (size_t c = 0; c < s.d; c++) {
                    size_t at = way.interleaved ? c * s.heads + h : h * s.d + c;
                    dot += (double)q[i * width + at] * (double)k[t * width + at];
                }
                p[(h * s.places + i) * s.tokens + t] = dot / divisor;
            }
        }
        // Shares of `many` lines of `long` numbers, `apart` from each other
        size_t many = way.over_places ? s.tokens : s.places, longest = way.over_places ? s.places : s.tokens;
        size_t apart = way.over_places ? s.tokens : 1, next = way.over_places ? 1 : s.tokens;
        for (size_t line = 0; line < many; line++) {
            double *scores = p + h * s.places * s.tokens + line * next, largest = -INFINITY, sum = 0;
            for (size_t j = 0; j < longest; j++) largest = fmax(largest, scores[j * apart]);
            for (size_t j = 0; j < longest; j++) sum += exp(scores[j * apart] - largest);
            for (size_t j = 0; j < longest; j++) scores[j * apart] = exp(scores[j * apart] - largest) / sum;
        }
    }
    for (size_t i = 0; i < s.heads * s.places * s.tokens; i++) out[i] = (float)p[i];
    free(p);
    return out;
}

// The mean over heads from .. to - 1 of p's sum over these positions
static void sum_up(const Look *look, const float *p, size_t from, size_t to, size_t first, size_t last, float *out) {
    LookShape s = look->s;
    for (size_t i = 0; i < s.places; i++) {
        double sum = 0;
        for (size_t h = from; h < to; h++) {
            for (size_t t = first; t <= last && t < s.tokens; t++) sum += (double)p[(h * s.places + i) * s.tokens + t];
        }
        out[i] = (float)(sum / (double)(to - from));
    }
}

static void map_by(const Look *look, Way way, float *out) {
    float *p = probabilities(look, way);
    sum_up(look, p, 0, look->s.heads, look->first + way.shift, look->last + way.shift, out);
    free(p);
}

static void scaled(const Look *look, double factor, float *out) {
    map_by(look, RIGHT, out);
    for (size_t i = 0; i < look->s.places; i++) out[i] *= (float)factor;
}

static void right_map(const void *question, float *out) {
    const Look *look = question;
    LookShape s = look->s;
    float *p = calloc(2 * s.heads * s.places * s.tokens, sizeof *p);
    CHECK(p, "no memory");
    attention_probabilities(p, look->q, look->k, (AttentionShape){2, s.heads, s.places, s.tokens, s.d, false});
    sum_up(look, p + s.heads * s.places * s.tokens, 0, s.heads, look->first + 1, look->last + 1, out);
    free(p);
}

static void over_places(const void *q, float *out) {
    map_by(q, (Way){.row = 1, .power = 0.5, .shift = 1, .over_places = true}, out);
}
static void by_channels(const void *q, float *out) {
    map_by(q, (Way){.row = 1, .power = 0.5, .shift = 1, .all_channels = true}, out);
}
static void not_divided(const void *q, float *out) { map_by(q, (Way){.row = 1, .shift = 1}, out); }
static void divided_by_d(const void *q, float *out) { map_by(q, (Way){.row = 1, .power = 1, .shift = 1}, out); }
static void start_token(const void *q, float *out) { map_by(q, (Way){.row = 1, .power = 0.5}, out); }
static void one_too_late(const void *q, float *out) { map_by(q, (Way){.row = 1, .power = 0.5, .shift = 2}, out); }
static void negative_half(const void *q, float *out) { map_by(q, (Way){.power = 0.5, .shift = 1}, out); }
static void interleaved(const void *q, float *out) {
    map_by(q, (Way){.row = 1, .power = 0.5, .shift = 1, .interleaved = true}, out);
}

static void first_piece(const void *question, float *out) {
    Look look = *(const Look *)question;
    look.last = look.first;
    map_by(&look, RIGHT, out);
}
static void last_piece(const void *question, float *out) {
    Look look = *(const Look *)question;
    look.first = look.last;
    map_by(&look, RIGHT, out);
}
static void last_excluded(const void *question, float *out) {
    Look look = *(const Look *)question;
    if (look.last > look.first) look.last--;
    map_by(&look, RIGHT, out);
}
static void mean_of_pieces(const void *question, float *out) {
    const Look *look = question;
    scaled(look, 1 / (double)(look->last - look->first + 1), out);
}
static void sum_of_heads(const void *question, float *out) {
    const Look *look = question;
    scaled(look, (double)look->s.heads, out);
}
static void one_head(const void *question, float *out) {
    const Look *look = question;
    float *p = probabilities(look, RIGHT);
    sum_up(look, p, 0, 1, look->first + 1, look->last + 1, out);
    free(p);
}

static void overflows(const void *question, float *out) {
    for (size_t i = 0; i < ((const Look *)question)->s.places; i++) out[i] = NAN;
}

static const CheckMistake MAP_MISTAKES[] = {
    {"Weights sum to 1 over words, not pixels: a place shares its look out among all tokens.", over_places},
    {"Divide by sqrt(head width), not by sqrt(channels): d, not heads * d.", by_channels},
    {"The scores aren't divided by sqrt(d): the softmax is too sharp.", not_divided},
    {"The scores are divided by d: it is its root.", divided_by_d},
    {"Position 0 is the start token: the prompt's token t stands at t + 1.", start_token},
    {"You went one token too far: the prompt's token t stands at t + 1.", one_too_late},
    {"That is the negative prompt's half: row 1 of q and k is the prompt's.", negative_half},
    {"This word has two pieces or more: add up all of them. You took the first.", first_piece},
    {"This word has two pieces or more: add up all of them. You took the last.", last_piece},
    {"The last piece is missing: last is included.", last_excluded},
    {"You took the mean of the word's pieces: their shares of one look are added.", mean_of_pieces},
    {"The heads' shares are summed: take their mean, or a map of 8 heads adds up to 8.", sum_of_heads},
    {"That is the first head alone: each head looks elsewhere, and the map is their mean.", one_head},
    {"A head's numbers lie side by side: number c of head h is h * d + c, not c * heads + h.", interleaved},
    {"e^score is infinite here: take the largest score away from all of them first, it cancels.", overflows},
    {NULL, NULL},
};

// loud: added to all scores, times sqrt(d), which changes no share
static void check_look(Check *check, size_t pieces, float loud) {
    Look look = {
        .s = {check_pick(check, 2, 4), check_pick(check, 5, 9), check_pick(check, 4, 30), check_pick(check, 9, 20)}};
    LookShape s = look.s;
    look.first = check_pick(check, 1, s.tokens - 3 - pieces), look.last = look.first + pieces - 1;
    check_case(check, "%zu heads of %zu numbers, %zu places, %zu tokens, the word is tokens %zu to %zu", s.heads, s.d,
               s.places, s.tokens, look.first, look.last);
    float *q = check_normal(check, "q", shape3(2, s.places, s.heads * s.d));
    float *k = check_normal(check, "k", shape3(2, s.tokens, s.heads * s.d));
    look.q = q, look.k = k;
    for (size_t i = 0; loud > 0 && i < 2 * s.places * s.heads; i++) q[i * s.d] = sqrtf(loud);
    for (size_t i = 0; loud > 0 && i < 2 * s.tokens * s.heads; i++) k[i * s.d] = sqrtf(loud);
    float *map = check_output(check, "map", shape1(s.places));
    word_map(look.q, look.k, s, look.first, look.last, map);
    check_values(check, map, &look, right_map, MAP_MISTAKES);
}

static void check_word(Check *check) {
    for (size_t i = 0; i < CASES; i++) check_look(check, 1, 0);
}
static void check_pieces(Check *check) {
    for (size_t i = 0; i < CASES; i++) check_look(check, 3, 0);
}
static void check_loud(Check *check) {
    check_tolerance(check, 5e-3f);  // in float little is left of digits behind 2500
    for (size_t i = 0; i < CASES; i++) check_look(check, 2, 2500);
}

// ---- deletion_map ---------------------------------------------------------------------------------------------------

typedef struct Answers {
    const float *with, *without;
    size_t channels, places;
} Answers;

static float moved(const Answers *a, size_t c, size_t i) {
    return a->with[c * a->places + i] - a->without[c * a->places + i];
}

// For each place the sum over channels of |difference|^power
static void summed(const Answers *a, float power, float *out) {
    for (size_t i = 0; i < a->places; i++) {
        out[i] = 0;
        for (size_t c = 0; c < a->channels; c++) out[i] += powf(fabsf(moved(a, c, i)), power);
    }
}

static void right_deletion(const void *question, float *out) {
    const Answers *a = question;
    summed(a, 2, out);
    for (size_t i = 0; i < a->places; i++) out[i] = sqrtf(out[i]);
}
static void no_root(const void *question, float *out) { summed(question, 2, out); }
static void absolute(const void *question, float *out) { summed(question, 1, out); }

static void mean_squares(const void *question, float *out) {
    const Answers *a = question;
    summed(a, 2, out);
    for (size_t i = 0; i < a->places; i++) out[i] = sqrtf(out[i] / (float)a->channels);
}
static void cancels(const void *question, float *out) {
    const Answers *a = question;
    for (size_t i = 0; i < a->places; i++) {
        out[i] = 0;
        for (size_t c = 0; c < a->channels; c++) out[i] += moved(a, c, i);
    }
}
static void cancels_at_last(const void *question, float *out) {
    cancels(question, out);
    for (size_t i = 0; i < ((const Answers *)question)->places; i++) out[i] = fabsf(out[i]);
}
static void first_channel(const void *question, float *out) {
    const Answers *a = question;
    for (size_t i = 0; i < a->places; i++) out[i] = fabsf(moved(a, 0, i));
}
static void largest_channel(const void *question, float *out) {
    const Answers *a = question;
    for (size_t i = 0; i < a->places; i++) {
        out[i] = 0;
        for (size_t c = 0; c < a->channels; c++) out[i] = fmaxf(out[i], fabsf(moved(a, c, i)));
    }
}
static void channels_last(const void *question, float *out) {
    const Answers *a = question;
    for (size_t i = 0; i < a->places; i++) {
        float squares = 0;
        for (size_t c = 0; c < a->channels; c++) {
            size_t at = i * a->channels + c;
            squares += powf(a->with[at] - a->without[at], 2);
        }
        out[i] = sqrtf(squares);
    }
}

static const CheckMistake DELETION_MISTAKES[] = {
    {"The root is missing: these are squared distances.", no_root},
    {"You added up sizes: square the differences, add, and take the root.", absolute},
    {"You divided by the channels: it is the root of the sum, not of the mean.", mean_squares},
    {"The channels' differences have signs, and cancel each other out: square them before you add.", cancels},
    {"The channels' differences cancel each other out before you take their size: square each first.", cancels_at_last},
    {"That is the first channel alone: a place has all of them.", first_channel},
    {"You took the channel that moves most: add up the squares of all.", largest_channel},
    {"A place's channels lie `places` numbers apart: channel c of place i is number c * places + i.", channels_last},
    {NULL, NULL},
};

static void check_deletion(Check *check) {
    for (size_t i = 0; i < CASES; i++) {
        Answers a = {.channels = check_pick(check, 3, 6), .places = check_pick(check, 7, 200)};
        check_case(check, "%zu channels, %zu places", a.channels, a.places);
        a.with = check_normal(check, "with", shape2(a.channels, a.places));
        a.without = check_normal(check, "without", shape2(a.channels, a.places));
        float *map = check_output(check, "map", shape1(a.places));
        deletion_map(a.with, a.without, a.channels, a.places, map);
        check_values(check, map, &a, right_deletion, DELETION_MISTAKES);
    }
}

// ---- map_grade ------------------------------------------------------------------------------------------------------

enum { MAPS = 4 };  // of one mask: two wrong grades may be alike by chance, four aren't

typedef struct Pointing {
    const float *map;  // [MAPS, side, side]; in a Grade the one to be graded
    const uint8_t *mask;
    size_t side;
} Pointing;

typedef float Grade(const Pointing *p);

static void each(const void *question, Grade *grade, float *out) {
    Pointing p = *(const Pointing *)question;
    for (size_t m = 0; m < MAPS; m++, p.map += p.side * p.side) out[m] = grade(&p);
}

// Of the `chosen` largest (or smallest) places, how many are in the mask; and how many the mask has
typedef struct Overlap {
    float both, chosen, area;
} Overlap;

static Overlap overlap_of(const Pointing *p, bool smallest, float above) {
    Overlap o = {0};
    size_t n = p->side * p->side;
    for (size_t i = 0; i < n; i++) o.area += p->mask[i];
    for (size_t i = 0; i < n; i++) {
        float before = 0;
        for (size_t j = 0; j < n; j++) before += smallest ? p->map[j] < p->map[i] : p->map[j] > p->map[i];
        bool chosen = isfinite(above) ? p->map[i] > above : before < o.area;
        o.chosen += chosen, o.both += chosen && p->mask[i];
    }
    return o;
}

static Overlap right_overlap(const Pointing *p) { return overlap_of(p, false, INFINITY); }
static float iou(Overlap o) { return o.both / (o.chosen + o.area - o.both); }

static float grade(const Pointing *p) { return map_iou(p->map, p->side, p->side, p->mask, p->side); }
static float of_mask(const Pointing *p) { return right_overlap(p).both / right_overlap(p).area; }
static float of_twice(const Pointing *p) { return of_mask(p) / 2; }
static float of_smallest(const Pointing *p) { return iou(overlap_of(p, true, INFINITY)); }
static float of_above_mean(const Pointing *p) {
    float n = (float)(p->side * p->side), mean = 0;
    for (size_t i = 0; i < p->side * p->side; i++) mean += p->map[i] / n;
    return iou(overlap_of(p, false, mean));
}
static float of_only_one(const Pointing *p) {
    Overlap o = right_overlap(p);
    return o.both / (2 * (o.area - o.both));
}

static void right_grade(const void *q, float *out) { each(q, grade, out); }
static void share_of_mask(const void *q, float *out) { each(q, of_mask, out); }
static void both_counted_twice(const void *q, float *out) { each(q, of_twice, out); }
static void smallest_places(const void *q, float *out) { each(q, of_smallest, out); }
static void above_mean(const void *q, float *out) { each(q, of_above_mean, out); }
static void only_in_one(const void *q, float *out) { each(q, of_only_one, out); }

static const CheckMistake GRADE_MISTAKES[] = {
    {"You divided by the mask alone: places that were chosen beside it count, too. Divide by those in one at least.",
     share_of_mask},
    {"Places in both were counted twice below: in one at least are 2 * area - both.", both_counted_twice},
    {"You divided by those in one of them alone: those in both are in one at least, too.", only_in_one},
    {"You chose the smallest places: a map points where it is large.", smallest_places},
    {"You chose all above the mean: as many as the mask has are chosen, whatever their size.", above_mean},
    {NULL, NULL},
};

static void check_grade(Check *check) {
    uint8_t *mask = malloc(16 * 16);
    CHECK(mask, "no memory");
    for (size_t i = 0; i < CASES; i++) {
        Pointing p = {.side = check_pick(check, 8, 16), .mask = mask};
        size_t n = p.side * p.side, rare = check_pick(check, 3, 9);
        check_case(check, "%zu places, of which the mask has about one in %zu", n, rare);
        float *map = check_normal(check, "map", shape2(MAPS, n));
        mask[0] = 1;
        for (size_t j = 1; j < n; j++) mask[j] = check_pick(check, 1, rare) == 1;
        for (size_t j = 0; j < MAPS * n; j++) map[j] = fabsf(map[j]) + (mask[j % n] ? check_uniform(check, 0, 2) : 0);
        p.map = map;
        float *grades = check_output(check, "grades of four maps", shape1(MAPS));
        for (size_t m = 0; m < MAPS; m++) grades[m] = map_grade(map + m * n, mask, n);
        check_values(check, grades, &p, right_grade, GRADE_MISTAKES);
    }
    free(mask);
}

// ---- on a drawing ---------------------------------------------------------------------------------------------------

// The learner's deletion map of "top" while the default prompt with a hat is drawn, beside the right one
static void show(Check *check) {
    enum { N = LATENT_CHANNELS * 16 * 16, AREA = 16 * 16 };
    Error error = {0};
    check_seconds(check, 60);
    Model *model = demo_model();
    Settings settings = demo_settings(model);
    settings.prompt = "a pygmy hippo wearing sunglasses and a blue top hat on the beach";
    Run *run = demo_run(model, &settings);
    float with[N], without[N], yours[AREA] = {0}, right[AREA];
    for (size_t k = 0; k < 10; k++) demo_step(run);
    demo_needs(run_ask(run, NULL, with, &error), &error);
    demo_needs(run_ask(run, "a pygmy hippo wearing sunglasses and a blue hat on the beach", without, &error), &error);
    deletion_map(with, without, LATENT_CHANNELS, AREA, yours);
    right_deletion(&(Answers){with, without, LATENT_CHANNELS, AREA}, right);
    Image picture = demo_finish(run);
    Image your_map = heat(&picture, yours, 16, 16), right_map_of = heat(&picture, right, 16, 16);
    check_picture(check, "picture.png", &your_map, &right_map_of);
}

int main(void) {
    static const CheckPart PARTS[] = {{"word_map", check_word},
                                      {"word_map, of words in pieces", check_pieces},
                                      {"word_map, loud scores", check_loud},
                                      {"deletion_map", check_deletion},
                                      {"map_grade", check_grade}};
    return check_run("12-words", PARTS, sizeof PARTS / sizeof *PARTS, show);
}
