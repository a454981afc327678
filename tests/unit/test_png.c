// test_png.c - pictures in, out and resized (core/io/png.c, image.c)

#include "io/png.h"

#include "files.h"
#include "io/file.h"
#include "png_maker.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *put(const PngBytes *png) { return files_put(test_folder("png"), "x.png", png->bytes, png->size); }

static void expect_pixels(const char *what, const char *path, size_t width, size_t height, const uint8_t *pixels) {
    Error error = {0};
    Image image;
    EXPECT(png_read(path, &image, &error), "%s: %s", what, error.message);
    EXPECT(image.width == width && image.height == height, "%s: %zu x %zu", what, image.width, image.height);
    for (size_t i = 0; image.pixels && i < width * height * 3; i++) {
        EXPECT(image.pixels[i] == pixels[i], "%s: byte %zu is %d, not %d", what, i, image.pixels[i], pixels[i]);
    }
    image_free(&image);
}

static void expect_refused(const char *what, const char *path, const char *cause) {
    Error error = {0};
    Image image;
    EXPECT(!png_read(path, &image, &error), "read: %s", what);
    EXPECT(!image.pixels && image.width == 0, "%s: an image is left", what);
    EXPECT(strstr(error.message, path) && strstr(error.message, cause), "%s: \"%s\"", what, error.message);
    image_free(&image);
}

// ---- in -------------------------------------------------------------------------------------------------------------

static void test_kinds(void) {
    const struct {
        const char *what;
        PngKind kind;
        const char *rows;  // each with its filter byte, 0
        size_t size;
        uint8_t pixels[18];
    } cases[] = {
        {"grey, 2 bits", {3, 1, 2, 0, 0}, "\0\x1c", 2, {0, 0, 0, 85, 85, 85, 255, 255, 255}},
        {"grey and alpha", {2, 1, 8, 4, 0}, "\0\x64\xff\x64\0", 5, {100, 100, 100, 255, 255, 255}},
        {"RGB, 16 bits", {1, 1, 16, 2, 0}, "\0\x80\0\xff\xff\1\x7f", 7, {128, 255, 1}},
        {"RGBA", {2, 1, 8, 6, 0}, "\0\x0a\x14\x1e\xff\0\x64\xc8\x80", 9, {10, 20, 30, 127, 177, 227}},
        // Adam7 gives pixel (0,0) first, then (2,0), then (1,0), then the second row.
        {"interlaced", {3, 2, 8, 2, 1}, "\0abc\0ghi\0def\0jklmnopqr", 22, "abcdefghijklmnopqr"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        PngBytes png = maker_simple(cases[i].kind, cases[i].rows, cases[i].size);
        expect_pixels(cases[i].what, put(&png), cases[i].kind.width, cases[i].kind.height, cases[i].pixels);
    }
}

static void test_palette_with_alpha(void) {
    PngBytes png;
    maker_begin(&png, (PngKind){2, 1, 1, 3, 0});
    maker_chunk(&png, "PLTE", "\xff\0\0\0\0\xff", 6);
    maker_chunk(&png, "tRNS", "\xff\x80", 2);
    maker_packed(&png, "IDAT", "", "\0\x40", 2);
    maker_chunk(&png, "IEND", NULL, 0);
    expect_pixels("palette", put(&png), 2, 1, (uint8_t[]){255, 0, 0, 127, 127, 255});
}

static void test_refuses(void) {
    const char *folder = test_folder("png");
    expect_refused("a folder", folder, "is a folder");
    expect_refused("a missing file", "build/tmp/nowhere.png", "can't be opened: No such file");
    expect_refused("an empty file", files_put(folder, "x", "", 0), "isn't a PNG");
    expect_refused("a JPEG", files_put(folder, "x", "\xff\xd8\xff\xe0\0\x10JFIF\0", 11), "isn't a PNG");
    expect_refused("a mere signature", files_put(folder, "x", "\x89PNG\r\n\x1a\n", 8), "ends without an IEND");

    PngBytes huge = maker_simple((PngKind){16385, 1, 8, 0, 0}, "", 1),
             flat = maker_simple((PngKind){0, 1, 8, 0, 0}, "", 1);
    expect_refused("16385 pixels wide", put(&huge), "damaged or too large");
    expect_refused("no pixels wide", put(&flat), "damaged or too large");

    PngBytes liar;
    maker_begin(&liar, (PngKind){1, 1, 8, 0, 0});
    maker_chunk(&liar, "tEXt", "a\0b", 3);
    maker_chunk(&liar, "IEND", NULL, 0);
    liar.bytes[33] = 0x30;
    expect_refused("a text of 800 MB", put(&liar), "a chunk of 805306371 bytes ends beyond the file's 60 bytes");

    PngBytes few = maker_simple((PngKind){2, 2, 8, 0, 0}, "\0ab", 3);
    expect_refused("a row too few", put(&few), "damaged");
    PngBytes order;
    maker_begin(&order, (PngKind){1, 1, 8, 3, 0});
    maker_packed(&order, "IDAT", "", "\0\0", 2);
    maker_chunk(&order, "IEND", NULL, 0);
    expect_refused("a palette picture without a palette", put(&order), "PLTE");
}

// Every shorter version, and every version with one bit flipped, is refused: PNG has a checksum over everything.
static void test_damaged_anywhere(void) {
    PngBytes good = maker_simple((PngKind){3, 2, 8, 2, 1}, "\0abc\0ghi\0def\0jklmnopqr", 22);
    const char *folder = test_folder("png");
    for (size_t size = 0; size < good.size; size++) {
        expect_refused("cut", files_put(folder, "x.png", good.bytes, size), "PNG");
    }
    for (size_t i = 0; i < good.size; i++) {
        PngBytes bad = good;
        bad.bytes[i] ^= 0x10;
        expect_refused("one bit flipped", files_put(folder, "x.png", bad.bytes, bad.size), "PNG");
    }
}

// A small chunk can unpack to a large text. 7 MB are read, 35 MB are left out; the picture is read either way.
static void test_text_bomb(void) {
    for (size_t size = 7000000; size <= 35000000; size *= 5) {
        char *text = malloc(size);
        memset(text, 'x', size);
        PngBytes png;
        maker_begin(&png, (PngKind){1, 1, 8, 0, 0});
        maker_packed(&png, "zTXt", "bomb", text, size);
        maker_packed(&png, "IDAT", "", "\0\7", 2);
        maker_chunk(&png, "IEND", NULL, 0);
        free(text);
        expect_pixels("a text bomb", put(&png), 1, 1, (uint8_t[]){7, 7, 7});
        char *value = png_read_text(put(&png), "bomb");
        if (size == 7000000)
            EXPECT(value && strlen(value) == size, "%zu letters", value ? strlen(value) : 0);
        else
            EXPECT(!value, "unpacked %zu letters", size);
        free(value);
    }
}

// ---- text -----------------------------------------------------------------------------------------------------------

static void test_text_kinds(void) {
    PngBytes png;
    maker_begin(&png, (PngKind){1, 1, 8, 0, 0});
    maker_chunk(&png, "tEXt", "plain\0one", 9);
    maker_packed(&png, "zTXt", "packed", "two", 3);
    maker_packed(&png, "IDAT", "", "\0\7", 2);
    maker_chunk(&png, "iTXt", "behind\0\0\0\0\0dr\xc3\xa9", 15);
    maker_chunk(&png, "IEND", NULL, 0);
    const char *path = put(&png);
    const char *cases[][2] = {{"plain", "one"}, {"packed", "two"}, {"behind", "dr\xc3\xa9"}};
    for (size_t i = 0; i < 3; i++) {
        char *value = png_read_text(path, cases[i][0]);
        EXPECT(value && strcmp(value, cases[i][1]) == 0, "%s: %s", cases[i][0], value ? value : "(none)");
        free(value);
    }
    EXPECT(!png_read_text(path, "absent"), "found what isn't there");
    EXPECT(!png_read_text("build/tmp/nowhere.png", "plain"), "found it nowhere");
}

// ---- out ------------------------------------------------------------------------------------------------------------

static void test_round_trip(void) {
    Image image = image_new(13, 7);
    for (size_t i = 0; i < 13 * 7 * 3; i++) image.pixels[i] = (uint8_t)(i * 89 + i * i);
    Metadata text[] = {{"parameters", "ein \"H\xc3\xbct\" \xf0\x9f\x90\xb1\nSteps: 20"}, {"empty", ""}};
    char *path = path_join(test_folder("png"), "out.png");
    Error error = {0};
    EXPECT(png_write(path, &image, text, 2, &error), "%s", error.message);
    expect_pixels("round trip", path, 13, 7, image.pixels);
    for (size_t i = 0; i < 2; i++) {
        char *value = png_read_text(path, text[i].key);
        EXPECT(value && strcmp(value, text[i].value) == 0, "%s: %s", text[i].key, value ? value : "(none)");
        free(value);
    }
    EXPECT(png_write(path, &image, NULL, 0, &error), "%s", error.message);
    expect_pixels("without text", path, 13, 7, image.pixels);
    free(path);
    image_free(&image);
    image_free(&image);
}

static void test_write_refuses(void) {
    Image image = image_new(64, 64);
    for (size_t i = 0; i < 64 * 64 * 3; i++) image.pixels[i] = (uint8_t)(rand() >> 7);  // noise doesn't pack
    const char *folder = test_folder("png");
    char *path = path_join(folder, "out.png");
    Error error = {0};
    EXPECT(!png_write("build/tmp/no/folder/x.png", &image, NULL, 0, &error), "wrote into no folder");
    EXPECT(strstr(error.message, "can't be created"), "\"%s\"", error.message);
    for (size_t limit = 100; limit <= 10000; limit *= 100) {  // the buffer's end, the middle of the picture
        error = (Error){0};
        files_limit(limit);
        bool written = png_write(path, &image, NULL, 0, &error);
        files_limit(0);
        EXPECT(!written && strstr(error.message, "out.png: can't be written: "), "\"%s\"", error.message);
        EXPECT(files_count(folder) == 0, "%zu files are left", files_count(folder));
    }
    free(path);
    image_free(&image);
}

// ---- other sizes ----------------------------------------------------------------------------------------------------

// What Pillow 13.0.0's resize((width, height), Image.LANCZOS) makes of the picture in make_picture.
static const uint8_t DOWN_3X2[] = {33, 42,  232, 119, 133, 185, 213, 131, 138,
                                   58, 176, 200, 152, 150, 153, 197, 116, 106};
static const uint8_t UP_AND_DOWN_16X3[] = {
    0,   16,  253, 7,   16,  249, 22,  19,  241, 42,  26,  230, 61,  36,  220, 75,  50,  213, 90,  60,  204,
    108, 78,  195, 122, 112, 187, 140, 154, 178, 155, 176, 169, 170, 170, 162, 188, 139, 152, 206, 105, 141,
    219, 85,  133, 224, 73,  129, 18,  100, 231, 25,  100, 227, 40,  104, 219, 60,  109, 208, 79,  116, 198,
    93,  131, 191, 108, 157, 182, 126, 186, 173, 140, 211, 165, 158, 219, 156, 173, 177, 147, 186, 96,  140,
    205, 50,  130, 231, 96,  119, 251, 166, 111, 255, 211, 107, 36,  184, 209, 43,  184, 205, 58,  183, 197,
    78,  194, 186, 97,  218, 176, 111, 223, 169, 126, 196, 160, 144, 143, 151, 158, 88,  143, 171, 53,  134,
    194, 65,  125, 227, 114, 118, 227, 156, 108, 178, 144, 97,  126, 111, 89,  94,  89,  85};

static Image make_picture(void) {
    Image image = image_new(7, 5);
    for (size_t y = 0; y < 5; y++) {
        for (size_t x = 0; x < 7; x++) {
            uint8_t *pixel = image.pixels + (y * 7 + x) * 3;
            pixel[0] = (uint8_t)(x * 37 + y * 11);
            pixel[1] = (uint8_t)(x * x * 9 + y * 50);
            pixel[2] = (uint8_t)(255 - x * 20 - y * 13);
        }
    }
    return image;
}

static void expect_resized(size_t width, size_t height, const uint8_t *pixels) {
    Image image = make_picture(), other = image_resize(&image, width, height);
    EXPECT(other.width == width && other.height == height, "%zu x %zu", other.width, other.height);
    for (size_t i = 0; i < width * height * 3; i++) {
        EXPECT(abs(other.pixels[i] - pixels[i]) <= 1, "%zu x %zu, byte %zu is %d, not %d", width, height, i,
               other.pixels[i], pixels[i]);
    }
    image_free(&other);
    image_free(&image);
}

static void test_resize(void) {
    expect_resized(3, 2, DOWN_3X2);
    expect_resized(16, 3, UP_AND_DOWN_16X3);
    Image same = make_picture();
    expect_resized(7, 5, same.pixels);
    image_free(&same);
}

static void test_resize_keeps_white(void) {
    Image white = image_new(37, 3);
    memset(white.pixels, 255, 37 * 3 * 3);
    for (size_t size = 1; size < 90; size += 8) {
        Image other = image_resize(&white, size, 90 - size);
        size_t darker = 0;
        for (size_t i = 0; i < size * (90 - size) * 3; i++) darker += other.pixels[i] != 255;
        EXPECT(darker == 0, "%zu bytes of white changed at width %zu", darker, size);
        image_free(&other);
    }
    image_free(&white);
}

// More pixels than a size_t can count are more than there is memory for.
static void test_no_memory(void) {
    Image none = image_new(SIZE_MAX / 2, 2), vast = {SIZE_MAX / 8, SIZE_MAX / 8, NULL};
    EXPECT(!none.pixels && none.width == 0, "%zu x %zu pixels", none.width, none.height);
    none = image_resize(&vast, 9, 9);
    EXPECT(!none.pixels && none.width == 0, "%zu x %zu pixels", none.width, none.height);
}

int main(void) {
    TEST(test_kinds);
    TEST(test_palette_with_alpha);
    TEST(test_refuses);
    TEST(test_damaged_anywhere);
    TEST(test_text_bomb);
    TEST(test_text_kinds);
    TEST(test_round_trip);
    TEST(test_write_refuses);
    TEST(test_resize);
    TEST(test_resize_keeps_white);
    TEST(test_no_memory);
    return test_summary();
}
