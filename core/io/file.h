// file.h - whole files in, and files out that are never half-written

#pragma once

#include "base/error.h"

#include <stddef.h>
#include <stdio.h>

// A file to read from, opened; NULL and an error that names it where it is missing, a folder, a device or a pipe (which
// could keep us waiting for ever).
FILE *file_open(const char *path, Error *error);
// The same as a descriptor (-1 and an error), to be closed with close(); size: its bytes.
int file_open_descriptor(const char *path, size_t *size, Error *error);

// A whole file as text with a '\0' behind it (*size doesn't count it; size may be NULL), malloc'ed; NULL and an error
// that names the file: missing, a folder, larger than 256 MB.
char *file_read(const char *path, size_t *size, Error *error);

// An output is written to a temporary name beside its own, then renamed over it: either the old file stands or the
// whole new one. file_commit flushes, checks every write that came before and renames; file_abandon removes the
// temporary. A link is followed; what exists and isn't a regular file (a folder, /dev/null) is refused.
typedef struct OutputFile {
    FILE *stream;
    char *path, *temporary;
} OutputFile;

bool file_create(OutputFile *file, const char *path, Error *error);
bool file_commit(OutputFile *file, Error *error);  // on failure it has abandoned
void file_abandon(OutputFile *file);

// folder + "/" + name, malloc'ed. A folder that is "" or ends with '/' gets no further '/'.
char *path_join(const char *folder, const char *name);
bool path_exists(const char *path);
