// starting_point.h - the files that a run can begin with
//
// --init names a picture, --latents a safetensors file.

#pragma once

#include "sculpt.h"

// Latents [C, h, w] or [1, C, h, w] under the name "latents", of any float type. Their size decides the picture's, so
// settings->width and height (0: not asked for) are set or checked. On success settings->latents is malloc'ed.
bool latents_read(const char *path, const Model *model, Settings *settings, Error *error);
