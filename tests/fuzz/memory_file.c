// memory_file.c - files for readers, see fuzz.h

#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

size_t fuzz_safetensors(const char *header, size_t data_bytes, uint8_t *out, size_t capacity) {
    size_t length = strlen(header), size = 8 + length + data_bytes;
    if (size > capacity) abort();
    memcpy(out, &(uint64_t){length}, 8);
    memcpy(out + 8, header, length);
    for (size_t i = 8 + length; i < size; i++) out[i] = (uint8_t)(i * 37);
    return size;
}
