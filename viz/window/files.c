// files.c - see files.h

#include "window/files.h"

#include "io/safetensors.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static bool ends_in(const char *path, const char *ending) {
    size_t length = strlen(path), tail = strlen(ending);
    return length > tail && strcasecmp(path + length - tail, ending) == 0;
}

FileKind file_kind(const char *path) {
    struct stat status;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) return FILE_MODEL;
    if (ends_in(path, ".png")) return FILE_PICTURE;
    if (!ends_in(path, ".safetensors")) return FILE_UNKNOWN;
    SafetensorsFile *file = safetensors_open(path, NULL);
    bool trace = file && safetensors_find(file, "timesteps");
    safetensors_close(file);
    return trace ? FILE_TRACE : FILE_MODEL;
}
