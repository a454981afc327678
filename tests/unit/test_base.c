// test_base.c - tensors, half floats, the arena, errors, texts and the generator

#include "base/arena.h"
#include "base/error.h"
#include "base/rng.h"
#include "base/tensor.h"
#include "base/text.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void test_error_keeps_the_first_and_stays_one_line(void) {
    Error error = {0};
    EXPECT(!error_set(&error, "a%s", "\n\x1b[31mb"), "error_set returns false");
    EXPECT(strcmp(error.message, "a??[31mb") == 0, "got '%s'", error.message);
    error_set(&error, "an effect");
    EXPECT(strcmp(error.message, "a??[31mb") == 0, "the second message replaced the first: '%s'", error.message);
}

static void test_text_is_cut_between_characters(void) {
    const char *text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xb1";  // of 1, 2, 3 and 4 bytes
    const size_t whole[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};
    for (size_t n = 0; n <= 10; n++) EXPECT(text_whole(text, n) == whole[n], "of %zu: %zu", n, text_whole(text, n));
    EXPECT(text_characters(text) == 4, "%zu characters", text_characters(text));
    const char *none = "\xa9\xa9\xa9\xa9\xa9\xff";  // not UTF-8: nothing to keep together
    EXPECT(text_whole(none, 5) == 5 && text_whole(none, 2) == 2, "%zu, %zu", text_whole(none, 5), text_whole(none, 2));

    char longest[1201];
    for (size_t i = 0; i < 1200; i += 3) memcpy(longest + i, "\xe2\x82\xac", 4);
    for (size_t shift = 0; shift < 3; shift++) {
        Error error = {0};
        error_set(&error, "%.*s%s", (int)shift, "ab", longest);
        EXPECT((strlen(error.message) - shift) % 3 == 0 && strlen(error.message) > 1020, "%zu bytes",
               strlen(error.message));
    }
}

static void test_shapes(void) {
    Shape shape = shape4(1, 4, 16, 24);
    EXPECT(shape_count(shape) == 1536, "count %zu", shape_count(shape));
    EXPECT(strcmp(shape_text(shape).text, "[1, 4, 16, 24]") == 0, "text %s", shape_text(shape).text);
    EXPECT(!shape_equal(shape2(3, 1), shape1(3)), "[3, 1] is not [3]");
}

// Every one of the 65,536 halves goes to a float and back unchanged, NaNs as NaNs.
static void test_half_round_trip(void) {
    for (uint32_t h = 0; h < 65536; h++) {
        float x = f16_to_f32((uint16_t)h);
        uint16_t back = f32_to_f16(x);
        bool same = isnan(x) ? (back & 0x7fff) > 0x7c00 : back == h;
        EXPECT(same, "%04x became %g became %04x", h, (double)x, back);
        if (!same) return;
    }
}

static void test_half_rounding(void) {
    struct {
        float x;
        uint16_t half;
    } cases[] = {
        {1.0f, 0x3c00},           {-2.0f, 0xc000},    {65504.0f, 0x7bff}, {65519.9f, 0x7bff},
        {65520.0f, 0x7c00},       {0x1p-24f, 0x0001}, {0x1p-25f, 0x0000}, {0x1.8p-25f, 0x0001},
        {1.00048828125f, 0x3c00},  // halfway between 0x3c00 and 0x3c01: to even
        {1.00146484375f, 0x3c02},  // halfway between 0x3c01 and 0x3c02: to even
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        EXPECT(f32_to_f16(cases[i].x) == cases[i].half, "%a became %04x, not %04x", (double)cases[i].x,
               f32_to_f16(cases[i].x), cases[i].half);
    }
    EXPECT(f32_to_bf16(1.00390625f) == 0x3f80 && f32_to_bf16(1.01171875f) == 0x3f82, "bf16 rounds to even");
    EXPECT(bf16_to_f32(0xc040) == -3.0f, "got %g", (double)bf16_to_f32(0xc040));
}

static void test_arena_scopes(void) {
    Arena arena;
    EXPECT(arena_open(&arena, 64 * 6), "arena_open");
    char *input = arena_take(&arena, 60);  // low: 1
    Scope scope = scope_open(&arena);
    char *temporary = arena_take(&arena, 128);  // high: 2
    EXPECT(temporary > input, "temporaries come from the other end");
    {
        Scope inner = scope_open(&arena);
        char *deep = arena_take(&arena, 64);  // low again: 2
        EXPECT(deep == input + 64, "an inner scope's temporaries stack on the outer block's results");
        scope_result(&arena, &inner);
        EXPECT((char *)arena_take(&arena, 1) == temporary - 64, "an inner result is the outer scope's temporary");
        scope_close(&arena, &inner);
    }
    scope_result(&arena, &scope);
    char *result = arena_take(&arena, 128);  // low: 3
    scope_close(&arena, &scope);
    EXPECT(result == input + 64, "the result lies where the inner temporary was");
    EXPECT(arena.used[0] == 192 && arena.used[1] == 0, "left: %zu and %zu", arena.used[0], arena.used[1]);
    EXPECT(arena.high_water == 64 * 6, "high water %zu", arena.high_water);
    arena_close(&arena);
}

static void test_planning_arena_counts_without_memory(void) {
    Arena arena;
    arena_open_planning(&arena);
    EXPECT(arena_take(&arena, (size_t)1 << 50) == NULL, "a planning arena gave memory");
    EXPECT(arena.high_water == (size_t)1 << 50, "high water %zu", arena.high_water);
    arena_close(&arena);
}

// What torch.randn(n, generator=torch.Generator().manual_seed(1337)) gives, then three more from the same generator.
static void test_rng_is_torch(void) {
    struct {
        size_t n;
        float first[4], then[3];
    } cases[] = {
        {5, {-2.0259922f, -2.0655088f, -1.2053628f, -0.9122241f}, {0.8032337f, -0.2071246f, 0.0544157f}},
        {15, {-2.0259922f, -2.0655088f, -1.2053628f, -0.9122241f}, {-0.1744035f, -1.2221477f, 1.5786570f}},
        {16, {0.1807716f, -0.0699881f, -0.3596235f, -0.9152045f}, {0.1378420f, -0.3889147f, 0.5133247f}},
        {17, {0.1807716f, -0.1396417f, 0.2857972f, 0.9651205f}, {0.9459532f, -0.3637964f, -2.6026762f}},
        {33, {0.1807716f, -0.0699881f, -0.3596235f, -0.9152045f}, {0.6760544f, 0.8997868f, -0.1228070f}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Rng rng;
        float first[64], then[3];
        rng_seed(&rng, 1337);
        rng_normal(&rng, first, cases[i].n);
        rng_normal(&rng, then, 3);
        EXPECT(relative_max(first, cases[i].first, 4) < 2e-7, "n %zu begins %.7f", cases[i].n, (double)first[0]);
        EXPECT(relative_max(then, cases[i].then, 3) < 2e-7, "n %zu goes on %.7f", cases[i].n, (double)then[0]);
    }
}

static void test_rng_takes_the_seeds_low_32_bits(void) {
    Rng a, b;
    rng_seed(&a, 7);
    rng_seed(&b, 7 + ((uint64_t)1 << 32));
    for (int i = 0; i < 700; i++) EXPECT(rng_u32(&a) == rng_u32(&b), "word %d differs", i);
}

static void test_decimals(void) {
    EXPECT(as_written(0.7f) == 0.7, "0.7f is read as %.17g", as_written(0.7f));
    EXPECT(as_written(0.00085f) == 0.00085, "0.00085f is read as %.17g", as_written(0.00085f));
    EXPECT((int)(10 * as_written(0.7f)) == 7, "10 steps at strength 0.7 are %d", (int)(10 * as_written(0.7f)));
}

static void test_lists(void) {
    char list[16] = "";
    const char *const names[] = {"ddim", "euler", "heun"};
    for (size_t i = 0; i < 3; i++) list_append(list, sizeof list, names[i]);
    EXPECT(strcmp(list, "ddim, euler, he") == 0, "16 bytes of the list are \"%s\"", list);
}

int main(void) {
    TEST(test_error_keeps_the_first_and_stays_one_line);
    TEST(test_text_is_cut_between_characters);
    TEST(test_shapes);
    TEST(test_half_round_trip);
    TEST(test_half_rounding);
    TEST(test_arena_scopes);
    TEST(test_planning_arena_counts_without_memory);
    TEST(test_rng_is_torch);
    TEST(test_rng_takes_the_seeds_low_32_bits);
    TEST(test_decimals);
    TEST(test_lists);
    return test_summary();
}
