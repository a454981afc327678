// memory_file.c - a file in memory, see fuzz.h

#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

FuzzFile fuzz_file_open(const uint8_t *data, size_t size) {
    FuzzFile file = {.descriptor = memfd_create("fuzz", MFD_CLOEXEC)};
    snprintf(file.path, sizeof file.path, "/proc/self/fd/%d", file.descriptor);
    if (file.descriptor < 0 || write(file.descriptor, data, size) != (ssize_t)size) {
        perror("a file in memory");
        exit(1);
    }
    return file;
}

void fuzz_file_close(FuzzFile *file) { close(file->descriptor); }
