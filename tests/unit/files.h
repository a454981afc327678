// files.h - what tests of reading and writing need: a file with given bytes, a disk that is full

#pragma once

#include <stddef.h>

// FOLDER/NAME with these bytes in it; the path is valid until the next call.
const char *files_put(const char *folder, const char *name, const void *bytes, size_t size);

// From now on no file of this process can grow beyond so many bytes, as on a full disk; 0 lifts that.
void files_limit(size_t bytes);

size_t files_count(const char *folder);  // entries in it, whatever they are
