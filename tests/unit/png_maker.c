// png_maker.c - see png_maker.h. The format: www.w3.org/TR/png, sections 5 and 11.

#include "png_maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static void put_u32(uint8_t *to, uint32_t x) {
    for (int i = 0; i < 4; i++) to[i] = (uint8_t)(x >> (24 - 8 * i));
}

void maker_chunk(PngBytes *png, const char *type, const void *data, size_t size) {
    if (png->size + 12 + size > sizeof png->bytes) {
        printf("a %s chunk of %zu bytes is too large for a test\n", type, size);
        exit(1);
    }
    uint8_t *to = png->bytes + png->size;
    put_u32(to, (uint32_t)size);
    memcpy(to + 4, type, 4);
    if (size > 0) memcpy(to + 8, data, size);
    put_u32(to + 8 + size, (uint32_t)crc32(0, to + 4, (uInt)size + 4));
    png->size += 12 + size;
}

void maker_packed(PngBytes *png, const char *type, const char *key, const void *data, size_t size) {
    size_t key_size = strlen(key) + 2;  // '\0' and the compression method, 0
    uLongf packed_size = compressBound(size);
    uint8_t *packed = calloc(key_size + packed_size, 1);
    memcpy(packed, key, key_size - 1);
    if (!*key) key_size = 0;
    compress2(packed + key_size, &packed_size, data, size, 9);
    maker_chunk(png, type, packed, key_size + packed_size);
    free(packed);
}

void maker_begin(PngBytes *png, PngKind kind) {
    uint8_t header[13] = {[8] = kind.depth, kind.colour, 0, 0, kind.interlaced};
    put_u32(header, kind.width);
    put_u32(header + 4, kind.height);
    memcpy(png->bytes, "\x89PNG\r\n\x1a\n", 8);
    png->size = 8;
    maker_chunk(png, "IHDR", header, sizeof header);
}

PngBytes maker_simple(PngKind kind, const void *rows, size_t size) {
    PngBytes png;
    maker_begin(&png, kind);
    maker_packed(&png, "IDAT", "", rows, size);
    maker_chunk(&png, "IEND", NULL, 0);
    return png;
}

void maker_mend_crcs(uint8_t *bytes, size_t size) {
    for (size_t at = 8; at + 12 <= size;) {
        size_t length = (size_t)bytes[at] << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3];
        if (length > size - at - 12) return;
        put_u32(bytes + at + 8 + length, (uint32_t)crc32(0, bytes + at + 4, (uInt)length + 4));
        at += 12 + length;
    }
}
