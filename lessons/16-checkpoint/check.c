// check.c - lesson 16: tensor_place, read_halves and lora_merge on random files and numbers, and what mistakes give
//
// What is right is taken from core: its reader of files, its half precision, and a LoRA that is written to a file and
// merged from there as any other.

#include "exercise.h"

#include "base/check.h"
#include "base/convert.h"
#include "check/check.h"
#include "demo/checkpoint.h"
#include "demo/demo.h"
#include "io/file.h"
#include "io/program.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Fenced bytes: the last of them ends where the fence begins.
static uint8_t *byte_input(Check *check, const char *name, size_t size) {
    size_t words = (size + 3) / 4;
    return (uint8_t *)check_input(check, name, shape1(words)) + (4 * words - size);
}

typedef struct TemporaryPath {
    char text[64];
} TemporaryPath;

// Of an empty file, to be unlinked
static TemporaryPath temporary_path(void) {
    TemporaryPath path = {"/tmp/sculpt-lesson-XXXXXX.safetensors"};
    int descriptor = mkstemps(path.text, (int)strlen(".safetensors"));
    CHECK(descriptor >= 0, "no file can be written in /tmp");
    close(descriptor);
    return path;
}

static void write_length(uint8_t *file, uint64_t length) {
    for (int i = 0; i < 8; i++) file[i] = (uint8_t)(length >> 8 * i);
}

// ---- tensor_place: where it is --------------------------------------------------------------------------------------

enum { CASES = 8 };

static const uint64_t UNTOUCHED = 0x5eed5eed5eed5eed;
static const size_t ENORMOUS = (size_t)1 << 62;  // so that lengths that were read wrongly fit, too, and are told apart

typedef struct Where {
    const uint8_t *file;
    uint64_t begin, end;
} Where;

static uint64_t length_of(const Where *q, int from, int to, bool upside_down) {
    uint64_t length = 0;
    for (int i = from; i < to; i++) length |= (uint64_t)q->file[i] << 8 * (upside_down ? 7 - i : i);
    return length;
}

static uint64_t true_length(const Where *q) { return length_of(q, 0, 8, false); }

static uint64_t right_place(const Where *q) { return 8 + true_length(q) + q->begin; }
static uint64_t highest_first(const Where *q) { return 8 + length_of(q, 0, 8, true) + q->begin; }
static uint64_t four_bytes(const Where *q) { return 8 + length_of(q, 0, 4, false) + q->begin; }
static uint64_t one_byte(const Where *q) { return 8 + length_of(q, 0, 1, false) + q->begin; }
static uint64_t without_eight(const Where *q) { return true_length(q) + q->begin; }
static uint64_t without_table(const Where *q) { return 8 + q->begin; }
static uint64_t begin_alone(const Where *q) { return q->begin; }
static uint64_t without_begin(const Where *q) { return 8 + true_length(q); }
static uint64_t at_end(const Where *q) { return 8 + true_length(q) + q->end; }
static uint64_t in_floats(const Where *q) { return 8 + true_length(q) + 4 * q->begin; }

static const struct {
    const char *sentence;
    uint64_t (*place)(const Where *q);
} PLACE_MISTAKES[] = {
    {"You read N with the highest byte first: the lowest is first, file[0] + 256 file[1] and so on.", highest_first},
    {"N has 8 bytes, and you read 4 of them.", four_bytes},
    {"You took the first byte for all of N: it has 8.", one_byte},
    {"The 8 bytes of N itself are missing: they stand before the table.", without_eight},
    {"The table is missing: begin is counted from behind it, so add N.", without_table},
    {"That is begin as the table has it: it is counted from where the numbers begin, which is at 8 + N.", begin_alone},
    {"There the numbers of all tensors begin: add this one's begin.", without_begin},
    {"There the tensor ends: it begins at begin.", at_end},
    {"begin is in bytes already: you counted in floats.", in_floats},
};

static void check_where(Check *check) {
    for (size_t i = 0; i < CASES; i++) {
        size_t length = check_pick(check, 1 << 17, 1 << 22) << (i % 2 ? 16 : 8) | check_pick(check, 1, 31);
        size_t begin = check_pick(check, 100, 1 << 20) * 2, end = begin + check_pick(check, 1, 5000) * 2;
        check_case(check, "a file of 2^62 bytes, N = %zu, data_offsets [%zu, %zu]", length, begin, end);
        uint8_t *file = byte_input(check, "file", 8);
        write_length(file, length);
        Where q = {file, begin, end};
        uint64_t place = UNTOUCHED, right = right_place(&q);
        if (!tensor_place(file, ENORMOUS, begin, end, &place)) {
            check_wrong(check, "You refused a file in which everything fits: N <= size - 8 and end <= size - 8 - N.");
        }
        if (place == UNTOUCHED) check_wrong(check, "You said true and wrote nothing into `place`.");
        for (size_t m = 0; m < sizeof PLACE_MISTAKES / sizeof *PLACE_MISTAKES; m++) {
            if (place != right && place == PLACE_MISTAKES[m].place(&q))
                check_wrong(check, "%s", PLACE_MISTAKES[m].sentence);
        }
        if (place != right) {
            check_wrong(check, "place is %llu, and should be 8 + N + begin = %llu.", (unsigned long long)place,
                        (unsigned long long)right);
        }
    }
}

// ---- tensor_place: what a file can say ------------------------------------------------------------------------------

typedef struct Said {
    size_t size;
    uint64_t length, begin, end;
    bool fits;
    const char *otherwise;  // said where the answer is the other one
} Said;

static void check_lies(Check *check) {
    static const Said SAID[] = {
        {1000, 200, 40, 792, true, "The last tensor ends with the file: end may be size - 8 - N."},
        {1000, 992, 0, 0, true,
         "A table may fill the file, and a tensor may be empty: N may be size - 8, and end begin."},
        {7, 0, 0, 0, false, "A file of 7 bytes hasn't got the 8 of N: look at size before you read them."},
        {1000, 993, 0, 0, false, "The table ends a byte behind the end of the file: N may be size - 8 and no more."},
        {1000, 5000, 0, 0, false, "The table ends behind the end of the file: N may be size - 8 and no more."},
        {1000, 200, 0, 793, false, "The tensor ends a byte behind the end of the file: end may be size - 8 - N."},
        {1000, 200, 5000, 6000, false, "The tensor is behind the end of the file: end may be size - 8 - N."},
        {1000, 200, 41, 40, false, "The tensor ends before it begins."},
        {1000, UINT64_MAX - 3, 0, 0, false,
         "8 + N is more than 64 bits hold, and wrapped round to a small number: ask whether N > size - 8."},
        {1000, 200, 40, UINT64_MAX - 100, false,
         "8 + N + end is more than 64 bits hold, and wrapped round to a small number: ask whether end > size - 8 - N."},
    };
    for (size_t i = 0; i < sizeof SAID / sizeof *SAID; i++) {
        Said s = SAID[i];
        check_case(check, "a file of %zu bytes, N = %llu, data_offsets [%llu, %llu]", s.size,
                   (unsigned long long)s.length, (unsigned long long)s.begin, (unsigned long long)s.end);
        uint8_t *file = byte_input(check, "file", s.size), length[8];
        write_length(length, s.length);
        memcpy(file, length, s.size < 8 ? s.size : 8);
        uint64_t place = UNTOUCHED;
        if (tensor_place(file, s.size, s.begin, s.end, &place) != s.fits) check_wrong(check, "%s", s.otherwise);
        if (!s.fits && place != UNTOUCHED)
            check_wrong(check, "You said false, and wrote into `place`: nothing is there.");
    }
}

// ---- read_halves ----------------------------------------------------------------------------------------------------

typedef struct Halves {
    const uint8_t *bytes;
    size_t n;
} Halves;

static void right_halves(const void *question, float *out) {
    const Halves *q = question;
    convert_to_f32(out, q->bytes, F16, q->n);
}

// The formula, with an exponent's bias, a 1 and a 1024 of one's own: for e = 1..30, and for e = 0
typedef struct Reading {
    int bias, small_bias;
    float one, small_one, divisor;
} Reading;

static float value_of(unsigned half, Reading r) {
    int e = half >> 10 & 31;
    float m = (float)(half & 1023) / r.divisor;
    float size = e ? ldexpf(r.one + m, e - r.bias) : ldexpf(r.small_one + m, -r.small_bias);
    return half >> 15 ? -size : size;
}

static void read_as(const void *question, Reading reading, float *out) {
    const Halves *q = question;
    for (size_t i = 0; i < q->n; i++) out[i] = value_of(q->bytes[2 * i] | (unsigned)q->bytes[2 * i + 1] << 8, reading);
}

static void no_bias(const void *q, float *out) { read_as(q, (Reading){0, 0, 1, 0, 1024}, out); }
static void a_floats_bias(const void *q, float *out) { read_as(q, (Reading){127, 126, 1, 0, 1024}, out); }
static void bias_is_16(const void *q, float *out) { read_as(q, (Reading){16, 14, 1, 0, 1024}, out); }
static void no_one(const void *q, float *out) { read_as(q, (Reading){15, 14, 0, 0, 1024}, out); }
static void m_undivided(const void *q, float *out) { read_as(q, (Reading){15, 14, 1, 0, 1}, out); }
static void small_as_others(const void *q, float *out) { read_as(q, (Reading){15, 15, 1, 1, 1024}, out); }
static void small_with_one(const void *q, float *out) { read_as(q, (Reading){15, 14, 1, 1, 1024}, out); }
static void small_by_15(const void *q, float *out) { read_as(q, (Reading){15, 15, 1, 0, 1024}, out); }
static void small_are_0(const void *q, float *out) { read_as(q, (Reading){15, 1000, 1, 0, 1024}, out); }

static void no_sign(const void *question, float *out) {
    right_halves(question, out);
    for (size_t i = 0; i < ((const Halves *)question)->n; i++) out[i] = fabsf(out[i]);
}

static void as_bf16(const void *question, float *out) {
    const Halves *q = question;
    convert_to_f32(out, q->bytes, BF16, q->n);
}

static void whole_number(const void *question, float *out) {
    const Halves *q = question;
    for (size_t i = 0; i < q->n; i++) out[i] = (float)(q->bytes[2 * i] | q->bytes[2 * i + 1] << 8);
}

static void highest_byte_first(const void *question, float *out) {
    const Halves *q = question;
    static const Reading RIGHT_ONE = {15, 14, 1, 0, 1024};
    for (size_t i = 0; i < q->n; i++) {
        out[i] = value_of((unsigned)q->bytes[2 * i] << 8 | q->bytes[2 * i + 1], RIGHT_ONE);
    }
}

static void a_byte_a_number(const void *question, float *out) {
    const Halves *q = question;
    for (size_t i = 0; i < q->n; i++) read_as(&(Halves){q->bytes + i, 1}, (Reading){15, 14, 1, 0, 1024}, out + i);
}

static const CheckMistake HALF_MISTAKES[] = {
    {"You took the higher byte first: the lower one is, bytes[2 i] | bytes[2 i + 1] << 8.", highest_byte_first},
    {"Number i begins at byte 2 i, not at byte i.", a_byte_a_number},
    {"You read bfloat16, the upper half of a float: half precision has 5 bits of exponent and not 8.", as_bf16},
    {"You took the 16 bits for a whole number.", whole_number},
    {"The sign is missing: it is the highest bit.", no_sign},
    {"The exponent's bias is missing: it is e - 15.", no_bias},
    {"You moved the bits to where a float has them, and left the exponent as it was: a float's is e - 127, a half's e "
     "- 15.",
     a_floats_bias},
    {"All is half as large: the exponent is e - 15, not e - 16.", bias_is_16},
    {"The 1 before m is missing: it stands in no file, since it is always there.", no_one},
    {"m is in 1024ths: divide it.", m_undivided},
    {"Where e = 0 it isn't as everywhere: no 1 before m, and the exponent is -14. So there is a 0.", small_as_others},
    {"Where e = 0 there is no 1 before m.", small_with_one},
    {"Where e = 0 the exponent is -14, as it is where e = 1.", small_by_15},
    {"Where e = 0 it isn't 0, unless m is: it is m / 1024 times 2^-14.", small_are_0},
    {NULL, NULL},
};

// Exponents from low to high
static void check_exponents(Check *check, size_t low, size_t high) {
    Halves q = {.n = check_pick(check, 5, 300)};
    check_case(check, "%zu numbers with e = %zu to %zu", q.n, low, high);
    uint8_t *bytes = byte_input(check, "bytes", 2 * q.n);
    for (size_t i = 0; i < q.n; i++) {
        size_t half = check_pick(check, 0, 1) << 15 | check_pick(check, low, high) << 10 | check_pick(check, 0, 1023);
        bytes[2 * i] = (uint8_t)half, bytes[2 * i + 1] = (uint8_t)(half >> 8);
    }
    q.bytes = bytes;
    float *out = check_output(check, "out", shape1(q.n));
    read_halves(bytes, out, q.n);
    check_values(check, out, &q, right_halves, HALF_MISTAKES);
}

static void check_halves(Check *check) {
    check_tolerance(check, 1e-6f);
    for (size_t i = 0; i < CASES; i++) check_exponents(check, 12, 15);
    for (size_t i = 0; i < CASES; i++) check_exponents(check, 0, 0);
    for (size_t i = 0; i < CASES; i++) check_exponents(check, 0, 30);
}

// ---- lora_merge -----------------------------------------------------------------------------------------------------

typedef struct Merge {
    const float *before, *up, *down;
    size_t O, I, k, r;
    float alpha, lora_weight;
} Merge;

// The LoRA as a file of kohya's, with an alpha beside the layer, and core's way to merge it
static void right_merge(const void *question, float *out) {
    const Merge *q = question;
    Shape shape = shape4(q->O, q->I, q->k, q->k);
    memcpy(out, q->before, shape_count(shape) * sizeof *out);
    const NamedTensor tensors[] = {
        {"lora_unet_conv_in.lora_up.weight", tensor_over((float *)q->up, shape4(q->O, q->r, 1, 1))},
        {"lora_unet_conv_in.lora_down.weight", tensor_over((float *)q->down, shape4(q->r, q->I, q->k, q->k))},
        {"lora_unet_conv_in.alpha", tensor_over((float *)&q->alpha, shape1(1))},
    };
    Error error = {0};
    TemporaryPath path = temporary_path();
    demo_needs(safetensors_write(path.text, tensors, 3, NULL, 0, &error), &error);
    Loras *loras = loras_open(&(LoraFile){path.text, q->lora_weight}, 1, &error);
    unlink(path.text);
    demo_needs(loras && loras_add(loras, "unet", "conv_in.weight", shape, out, &error), &error);
    loras_close(loras);
}

static size_t numbers_of_window(const Merge *q) { return q->I * q->k * q->k; }  // K: down is [r, K], weight [O, K]

// What a mistake takes of both matrices for the change of weight[o, p]
typedef float Product(const Merge *q, size_t o, size_t p);

static float product(const Merge *q, size_t o, size_t p) {
    float sum = 0;
    for (size_t j = 0; j < q->r; j++) sum += q->up[o * q->r + j] * q->down[j * numbers_of_window(q) + p];
    return sum;
}

static float product_up_transposed(const Merge *q, size_t o, size_t p) {
    float sum = 0;
    for (size_t j = 0; j < q->r; j++) sum += q->up[j * q->O + o] * q->down[j * numbers_of_window(q) + p];
    return sum;
}

static float product_down_transposed(const Merge *q, size_t o, size_t p) {
    float sum = 0;
    for (size_t j = 0; j < q->r; j++) sum += q->up[o * q->r + j] * q->down[p * q->r + j];
    return sum;
}

static float product_of_first(const Merge *q, size_t o, size_t p) { return q->up[o * q->r] * q->down[p]; }

static float product_of_last(const Merge *q, size_t o, size_t p) {
    return q->up[o * q->r + q->r - 1] * q->down[(q->r - 1) * numbers_of_window(q) + p];
}

static float product_one_place(const Merge *q, size_t o, size_t p) {
    return product(q, o, p / (q->k * q->k) * (q->k * q->k));
}

// [O, I] in place of [O, I, k, k]: the first O I numbers get something, the others nothing.
static float product_without_window(const Merge *q, size_t o, size_t p) {
    size_t n = o * numbers_of_window(q) + p;
    float sum = 0;
    for (size_t j = 0; n < q->O * q->I && j < q->r; j++) {
        sum += q->up[n / q->I * q->r + j] * q->down[j * q->I + n % q->I];
    }
    return sum;
}

static void merge_as(const void *question, float keep, float scale, Product *product_as, float *out) {
    const Merge *q = question;
    for (size_t o = 0, n = 0; o < q->O; o++) {
        for (size_t p = 0; p < numbers_of_window(q); p++, n++) {
            out[n] = keep * q->before[n] + scale * product_as(q, o, p);
        }
    }
}

static float weight_of(const void *question) { return ((const Merge *)question)->lora_weight; }
static float alpha_of(const void *question) { return ((const Merge *)question)->alpha; }
static float rank_of(const void *question) { return (float)((const Merge *)question)->r; }
static float scale_of(const void *q) { return weight_of(q) * alpha_of(q) / rank_of(q); }
static float inverted(const void *q) { return weight_of(q) * rank_of(q) / alpha_of(q); }
static float whole(const void *q) { return weight_of(q) * floorf(alpha_of(q) / rank_of(q)); }

static void unchanged(const void *q, float *out) { merge_as(q, 1, 0, product, out); }
static void whole_division(const void *q, float *out) { merge_as(q, 1, whole(q), product, out); }
static void replaced(const void *q, float *out) { merge_as(q, 0, scale_of(q), product, out); }
static void overwritten(const void *q, float *out) { merge_as(q, 0, scale_of(q), product_of_last, out); }
static void mixed(const void *q, float *out) { merge_as(q, 1 - weight_of(q), scale_of(q), product, out); }
static void taken_away(const void *q, float *out) { merge_as(q, 1, -scale_of(q), product, out); }
static void no_scale(const void *q, float *out) { merge_as(q, 1, 1, product, out); }
static void no_alpha(const void *q, float *out) { merge_as(q, 1, weight_of(q), product, out); }
static void no_rank(const void *q, float *out) { merge_as(q, 1, weight_of(q) * alpha_of(q), product, out); }
static void no_weight(const void *q, float *out) { merge_as(q, 1, scale_of(q) / weight_of(q), product, out); }
static void ratio_inverted(const void *q, float *out) { merge_as(q, 1, inverted(q), product, out); }
static void root_of_rank(const void *q, float *out) { merge_as(q, 1, scale_of(q) * sqrtf(rank_of(q)), product, out); }
static void up_transposed(const void *q, float *out) { merge_as(q, 1, scale_of(q), product_up_transposed, out); }
static void down_transposed(const void *q, float *out) { merge_as(q, 1, scale_of(q), product_down_transposed, out); }
static void only_first(const void *q, float *out) { merge_as(q, 1, scale_of(q), product_of_first, out); }
static void only_last(const void *q, float *out) { merge_as(q, 1, scale_of(q), product_of_last, out); }
static void one_place(const void *q, float *out) { merge_as(q, 1, scale_of(q), product_one_place, out); }
static void no_window(const void *q, float *out) { merge_as(q, 1, scale_of(q), product_without_window, out); }

static const CheckMistake MERGE_MISTAKES[] = {
    {"weight is as it was. If you did add something: alpha / r in whole numbers is 0 where alpha is less than r.",
     unchanged},
    {"You divided alpha / r in whole numbers: 12 / 8 is 1.5, so divide floats.", whole_division},
    {"That is the change alone: it is added to the weight.", replaced},
    {"The change of the last of the r channels is all that there is: add each to what weight has already.",
     overwritten},
    {"You mixed: W stays whole, however large lora_weight is.", mixed},
    {"You took the change away: it is added.", taken_away},
    {"Nothing scales the change: it is taken lora_weight * alpha / r times.", no_scale},
    {"alpha / r is missing: the trainer had it, and without it the change is of another size.", no_alpha},
    {"You forgot to divide by r: the change is taken lora_weight * alpha / r times.", no_rank},
    {"lora_weight is missing: the user's share of the change.", no_weight},
    {"The ratio is upside down: it is alpha / r.", ratio_inverted},
    {"You divided by the root of r: that is rank-stabilised LoRA, and this is the plain one.", root_of_rank},
    {"up is [O, r]: row o, column j is up[o * r + j].", up_transposed},
    {"down is [r, I, k, k]: the channel j comes first, not last.", down_transposed},
    {"You took the first of the r channels alone: sum over them.", only_first},
    {"You kept the last of the r channels alone: sum over them.", only_last},
    {"All places of the window got the change of the first: down has a number for each, down[j, i, y, x].", one_place},
    {"You left the windows out: a row of weight and of down has I * k * k numbers.", no_window},
    {NULL, NULL},
};

static void check_merge(Check *check) {
    for (size_t i = 0; i < 2 * CASES; i++) {
        Merge q = {.O = check_pick(check, 9, 14), .I = check_pick(check, 2, 6), .r = check_pick(check, 3, 7)};
        q.k = i < CASES ? 1 : 3;
        q.alpha = (float)q.r + (i % 2 ? -1.5f : 1.5f * (float)q.r + 0.5f);
        q.lora_weight = check_uniform(check, 0.4f, 0.9f) * (i % 4 == 3 ? -1 : 1);
        check_case(check, "weight [%zu, %zu, %zu, %zu], r %zu, alpha %g, lora_weight %.2f", q.O, q.I, q.k, q.k, q.r,
                   (double)q.alpha, (double)q.lora_weight);
        q.before = check_normal(check, "W", shape4(q.O, q.I, q.k, q.k));
        q.up = check_normal(check, "up", shape4(q.O, q.r, 1, 1));
        q.down = check_normal(check, "down", shape4(q.r, q.I, q.k, q.k));
        float *weight = check_output(check, "weight", shape4(q.O, q.I, q.k, q.k));
        memcpy(weight, q.before, q.O * q.I * q.k * q.k * sizeof *weight);
        lora_merge(weight, q.up, q.down, q.O, q.I, q.k, q.r, q.alpha, q.lora_weight);
        check_values(check, weight, &q, right_merge, MERGE_MISTAKES);
    }
}

// ---- a picture ------------------------------------------------------------------------------------------------------

typedef struct LoraBytes {
    SafetensorsFile *file;
    uint8_t *bytes;  // the same file, read as it is
    size_t size;
} LoraBytes;

// One of the LoRA's matrices, found and read by the learner; NULL where it wasn't found.
static float *matrix_of(const LoraBytes *lora, const SafetensorsEntry *entry) {
    uint64_t begin = (uint64_t)((const char *)entry->data - (const char *)safetensors_at(lora->file, 0)->data), place;
    if (!tensor_place(lora->bytes, lora->size, begin, begin + entry->bytes, &place)) return NULL;
    if (place > lora->size || entry->bytes > lora->size - place) return NULL;
    float *numbers = demo_floats(entry->bytes / 2);
    read_halves(lora->bytes + place, numbers, entry->bytes / 2);
    return numbers;
}

static bool merge_row(const LoraBytes *lora, const LoraPair *pair, CheckpointRow *row) {
    size_t O = pair->up->axis[0], r = pair->up->axis[1], I = pair->down->axis[1];
    float *up = matrix_of(lora, pair->up), *down = matrix_of(lora, pair->down), *weight = demo_floats(O * I);
    if (!up || !down) return false;
    read_halves(row->tensor.data, weight, O * I);
    lora_merge(weight, up, down, O, I, 1, r, (float)r, 1);  // a LoRA without alpha means that it is its rank
    row->tensor.data = weight, row->tensor.dtype = F32;
    free(up), free(down);
    return true;
}

// The blueprint LoRA, found, read and merged by the learner, written into a checkpoint of its own, and drawn with
static void show(Check *check) {
    check_seconds(check, 60);
    Error error = {0};
    LoraBytes lora;
    char *lora_path = shipped_path("data/models/critters-blueprint.safetensors");
    lora.file = safetensors_open(lora_path, &error);
    lora.bytes = (uint8_t *)file_read(lora_path, &lora.size, &error);
    demo_needs(lora.file && lora.bytes, &error);
    Checkpoint table = checkpoint_read(demo_model());
    for (size_t i = 0; i < table.count; i++) {
        LoraPair pair;
        if (checkpoint_lora_pair(lora.file, &table.rows[i], &pair) && !merge_row(&lora, &pair, &table.rows[i])) return;
    }
    TemporaryPath path = temporary_path();
    checkpoint_write(&table, path.text);
    Model *merged = checkpoint_open(path.text, NULL, 0, &error);
    unlink(path.text);
    Model *model = checkpoint_open(NULL, &(LoraFile){lora_path, 1}, 1, &error);
    demo_needs(merged && model, &error);
    Settings settings = demo_settings(model);
    settings.prompt = "a sad white rabbit in space, as a blueprint", settings.guidance_scale = 4;
    Image yours = demo_draw(merged, &settings), right = demo_draw(model, &settings);
    check_picture(check, "picture.png", &yours, &right);
}

int main(void) {
    static const CheckPart PARTS[] = {{"tensor_place: where the numbers are", check_where},
                                      {"tensor_place: files that lie", check_lies},
                                      {"read_halves", check_halves},
                                      {"lora_merge", check_merge}};
    return check_run("16-checkpoint", PARTS, sizeof PARTS / sizeof *PARTS, show);
}
