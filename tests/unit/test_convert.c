// test_convert.c - whole arrays from one number format to another, bit for bit as one number at a time (base/tensor.c)
//
// With F16C and without, from odd addresses, and with a length that leaves some behind the last eight.

#include "test.h"

#include "base/convert.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HALVES = 65536, FLOATS = 1 << 20, ODD = 1 };

static const DType TYPES[] = {F32, F16, BF16};

// Number i of an array as a float, and a float as such a number's bits
static float wide(const void *numbers, DType type, size_t i) {
    const char *at = (const char *)numbers + i * dtype_size(type);
    uint16_t half;
    float x;
    if (type == F32) {
        memcpy(&x, at, sizeof x);
        return x;
    }
    memcpy(&half, at, sizeof half);
    return type == F16 ? f16_to_f32(half) : bf16_to_f32(half);
}

static uint32_t narrow(float x, DType type) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return type == F32 ? bits : type == F16 ? f32_to_f16(x) : f32_to_bf16(x);
}

static size_t count_wrong(const void *out, DType to, const void *in, DType from, size_t n) {
    size_t wrong = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = 0;
        memcpy(&bits, (const char *)out + i * dtype_size(to), dtype_size(to));
        wrong += bits != narrow(wide(in, from, i), to);
    }
    return wrong;
}

// numbers [n] at an odd address, of type from, to each of the other types
static void expect_conversions(const void *numbers, DType from, size_t n) {
    char *out = malloc(n * sizeof(float) + 4);
    for (size_t t = 0; t < sizeof TYPES / sizeof *TYPES; t++) {
        DType to = TYPES[t];
        if (to == from) continue;
        for (int f16c = 0; f16c <= convert_has_f16c(); f16c++) {
            memset(out, 0xee, n * sizeof(float) + 4);
            convert_piece(out, to, numbers, from, n, f16c);
            size_t wrong = count_wrong(out, to, numbers, from, n);
            EXPECT(wrong == 0, "%zu of %zu from %s to %s, F16C %d", wrong, n, dtype_name(from), dtype_name(to), f16c);
            EXPECT(out[n * dtype_size(to)] == (char)0xee, "written behind the end, from %s to %s, F16C %d",
                   dtype_name(from), dtype_name(to), f16c);
        }
        convert(out, to, numbers, from, n);
        size_t wrong = count_wrong(out, to, numbers, from, n);
        EXPECT(wrong == 0, "%zu of %zu from %s to %s, by the threads", wrong, n, dtype_name(from), dtype_name(to));
    }
    free(out);
}

static void test_every_half(void) {
    static char numbers[2 * HALVES + ODD];
    for (unsigned i = 0; i < HALVES; i++) memcpy(numbers + ODD + 2 * i, &(uint16_t){(uint16_t)i}, 2);
    expect_conversions(numbers + ODD, F16, HALVES);
    expect_conversions(numbers + ODD, BF16, HALVES);
    for (size_t n = 0; n < 19; n++) expect_conversions(numbers + ODD + 2 * 0x3c00, F16, n);
}

// All bits are drawn, so that there are NaNs, infinities and subnormals among them; and numbers as weights are, most of
// which lie within half precision's range.
static void test_random_floats(void) {
    char *numbers = malloc(sizeof(float) * FLOATS + ODD);
    float *normal = malloc(sizeof(float) * FLOATS);
    Rng rng;
    rng_seed(&rng, 11);
    for (size_t i = 0; i < FLOATS; i++) {
        uint32_t bits = (uint32_t)rand() << 16 ^ (uint32_t)rand();
        memcpy(numbers + ODD + 4 * i, &bits, sizeof bits);
    }
    expect_conversions(numbers + ODD, F32, FLOATS);
    rng_normal(&rng, normal, FLOATS);
    memcpy(numbers + ODD, normal, sizeof(float) * FLOATS);
    expect_conversions(numbers + ODD, F32, FLOATS - 3);
    free(normal);
    free(numbers);
}

// Exactly between two, and around the ends of each format
static void test_edges(void) {
    const uint32_t bits[] = {0x3f800000, 0x3f801000, 0x3f803000, 0x3f808000, 0x3f818000, 0x477fefff, 0x477ff000,
                             0x477fffff, 0x33000000, 0x33000001, 0x387fc000, 0x387fe000, 0x7f7fffff, 0x7f7f8000,
                             0x7f800000, 0xff800000, 0x7f800001, 0xffffffff, 0x7fc00000, 0x80000000, 0x00000001,
                             0x807fffff, 0x00007fff, 0x00008000, 0x00018000};
    expect_conversions(bits, F32, sizeof bits / sizeof *bits);
    EXPECT(f32_to_bf16(wide(bits, F32, 12)) == 0x7f80, "what rounds beyond bf16's range isn't infinite");
    EXPECT(isnan(f16_to_f32(f32_to_f16(wide(bits, F32, 16)))), "a NaN whose upper bits are 0 is none as F16");
    EXPECT(isnan(bf16_to_f32(f32_to_bf16(wide(bits, F32, 16)))), "a NaN whose upper bits are 0 is none as BF16");
}

int main(void) {
    TEST(test_every_half);
    TEST(test_random_floats);
    TEST(test_edges);
    return test_summary();
}
