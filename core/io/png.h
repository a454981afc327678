// png.h - pictures in and out
//
// What a run was asked for is written into the picture's text chunks, as the web UIs do, so that a picture can tell how
// to make it again.

#pragma once

#include "base/error.h"
#include "io/image.h"
#include "io/safetensors.h"

// Any PNG (palette, grey, alpha, 16 bits, interlaced) as RGB; alpha is laid over white. Refuses what isn't a PNG, is
// truncated or damaged (checksums are looked at), or has a side above LARGEST_SIDE. On failure *image is 0 x 0.
bool png_read(const char *path, Image *image, Error *error);

// The value of a text chunk (tEXt, zTXt or iTXt) of a PNG, malloc'ed; NULL if there is none or the file can't be read.
// The first chunk of that key; as the file has it (UTF-8 from iTXt, Latin-1 from the others).
char *png_read_text(const char *path, const char *key);

// Written beside its final name and renamed into place. text: key/value pairs for iTXt chunks (UTF-8; a key is 1 to 79
// Latin letters, digits and single spaces).
bool png_write(const char *path, const Image *image, const Metadata *text, size_t text_count, Error *error);
