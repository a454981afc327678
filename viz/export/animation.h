// animation.h - a run as a moving picture: WebP, which browsers play, every pixel as it was

#pragma once

#include "base/error.h"
#include "io/image.h"
#include "io/safetensors.h"

typedef struct AnimationFrame {
    const Image *image;  // all of the same size
    int milliseconds;    // it is shown
} AnimationFrame;

// Played for ever. The metadata stands in an XMP chunk, each row an element <sculpt:KEY>; keys that can't be names in XML
// are left out. Errors name the file: it can't be written, no memory, sides above 16383.
bool animation_write(const char *path, const AnimationFrame *frames, size_t count, const Metadata *metadata,
                     size_t metadata_count, Error *error);

// The packet that stands there, malloc'ed; NULL without memory.
char *xmp_packet(const Metadata *metadata, size_t count);
