// fuzz_png.c - pictures that are damaged, cut or made up. Half get true checksums, or libpng would look no further.

#include "fuzz/fuzz.h"
#include "io/png.h"
#include "unit/png_maker.h"

#include <stdlib.h>
#include <string.h>

static void read_picture(const uint8_t *data, size_t size) {
    FuzzFile memory = fuzz_file_open(data, size);
    Error error = {0};
    Image image;
    bool ok = png_read(memory.path, &image, &error);
    if (ok != !error.message[0] || ok != (image.pixels != NULL)) abort();
    if (ok && image.width * image.height < 10000) {
        Image other = image_resize(&image, 7, 3);
        image_free(&other);
    }
    image_free(&image);
    free(png_read_text(memory.path, "a"));
    fuzz_file_close(&memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    // Sides over 255 pixels are left out: they take long and reach no other code.
    if (size > 24 && (data[16] || data[17] || data[18] || data[20] || data[21] || data[22])) return 0;
    read_picture(data, size);
    uint8_t *mended = malloc(size + 1);
    if (size > 0) memcpy(mended, data, size);
    maker_mend_crcs(mended, size);
    read_picture(mended, size);
    free(mended);
    return 0;
}

// A row of 9 pixels or fewer in each colour type, some interlaced, with palettes and texts where they belong.
size_t fuzz_seed(size_t index, uint8_t *out, size_t capacity) {
    static const PngKind KINDS[] = {
        {9, 1, 1, 0, 0}, {3, 1, 16, 0, 0}, {2, 2, 8, 2, 0},  {1, 1, 16, 2, 0}, {4, 1, 4, 3, 0},
        {2, 1, 8, 4, 0}, {2, 1, 8, 6, 0},  {1, 1, 16, 6, 0}, {3, 3, 8, 2, 1},  {9, 9, 1, 3, 1},
    };
    if (index >= sizeof KINDS / sizeof KINDS[0]) return 0;
    uint8_t rows[64] = {0};  // more than any of them needs
    PngBytes png;
    maker_begin(&png, KINDS[index]);
    maker_chunk(&png, "gAMA", "\0\0\xb1\x8f", 4);
    maker_chunk(&png, "tEXt", "a\0one", 5);
    if (KINDS[index].colour == 3) maker_chunk(&png, "PLTE", "abcdef", 6);
    if (KINDS[index].colour == 3) maker_chunk(&png, "tRNS", "\xff\x80", 2);
    maker_packed(&png, "zTXt", "b", "two two two two two", 19);
    maker_packed(&png, "IDAT", "", rows, sizeof rows);
    maker_chunk(&png, "iTXt", "c\0\0\0\0\0three", 11);
    maker_chunk(&png, "IEND", NULL, 0);
    if (png.size > capacity) abort();
    memcpy(out, png.bytes, png.size);
    return png.size;
}
