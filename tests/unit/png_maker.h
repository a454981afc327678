// png_maker.h - PNG files put together chunk by chunk, also such as no encoder would write

#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct PngBytes {
    uint8_t bytes[65536];
    size_t size;
} PngBytes;

typedef struct PngKind {  // as in IHDR
    uint32_t width, height;
    uint8_t depth, colour;  // bits a sample; 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA
    uint8_t interlaced;
} PngKind;

void maker_begin(PngBytes *png, PngKind kind);                                     // signature and IHDR
void maker_chunk(PngBytes *png, const char *type, const void *data, size_t size);  // with its true CRC
void maker_packed(PngBytes *png, const char *type, const char *key, const void *data,
                  size_t size);                                      // key, then deflated
PngBytes maker_simple(PngKind kind, const void *rows, size_t size);  // a whole file; rows with their filter bytes

// Puts the true CRC behind every chunk of what may have been a PNG, so that changed bytes get past the first check.
void maker_mend_crcs(uint8_t *bytes, size_t size);
