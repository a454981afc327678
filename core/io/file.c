// file.c - see file.h

#include "io/file.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const size_t LARGEST_TEXT = (size_t)256 << 20;  // bytes; the largest tokenizer.json around has a tenth of that

// ---- in -------------------------------------------------------------------------------------------------------------

// The stream's bytes in a buffer that doubles, with room for the '\0'. Sizes aren't asked for beforehand, since /proc's
// files have none.
static char *read_all(FILE *stream, const char *path, size_t *size, Error *error) {
    char *text = NULL;
    size_t used = 0, capacity = 16384;
    for (;;) {
        char *grown = realloc(text, capacity);
        if (!grown) {
            error_set(error, "%s: not enough memory for %zu bytes; close other programs", path, capacity);
            break;
        }
        text = grown;
        used += fread(text + used, 1, capacity - used - 1, stream);
        if (ferror(stream)) {
            error_set(error, "%s: can't be read: %s; name a file that can be read", path, strerror(errno));
            break;
        }
        if (used > LARGEST_TEXT) {
            error_set(error, "%s: larger than %zu bytes; is this the right file?", path, LARGEST_TEXT);
            break;
        }
        if (feof(stream)) {
            text[used] = '\0';
            if (size) *size = used;
            return text;
        }
        capacity = capacity < LARGEST_TEXT ? 2 * capacity : LARGEST_TEXT + 2;  // a byte too many, and the '\0'
    }
    free(text);
    return NULL;
}

int file_open_descriptor(const char *path, size_t *size, Error *error) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // an empty pipe would block
    if (descriptor < 0) {
        error_set(error, "%s: can't be opened: %s; check the path", path, strerror(errno));
        return -1;
    }
    struct stat status;
    bool known = fstat(descriptor, &status) == 0;
    if (known && S_ISREG(status.st_mode)) {
        *size = (size_t)status.st_size;
        return descriptor;
    }
    const char *kind = known && S_ISDIR(status.st_mode) ? "a folder" : "no regular file";
    error_set(error, "%s: is %s; name a file to read", path, kind);
    close(descriptor);
    return -1;
}

FILE *file_open(const char *path, Error *error) {
    size_t size;
    int descriptor = file_open_descriptor(path, &size, error);
    if (descriptor < 0) return NULL;
    FILE *stream = fdopen(descriptor, "rb");
    CHECK(stream, "out of memory");
    return stream;
}

char *file_read(const char *path, size_t *size, Error *error) {
    FILE *stream = file_open(path, error);
    if (!stream) return NULL;
    char *text = read_all(stream, path, size, error);
    fclose(stream);
    return text;
}

// ---- out ------------------------------------------------------------------------------------------------------------

bool file_create(OutputFile *file, const char *path, Error *error) {
    *file = (OutputFile){0};
    if (!*path) return error_set(error, "the output's name is empty; name a file to write");
    struct stat status;
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        const char *kind = S_ISDIR(status.st_mode) ? "a folder" : "a device or a pipe";
        return error_set(error, "%s: is %s; name a file to write", path, kind);
    }
    file->path = realpath(path, NULL);
    if (!file->path && lstat(path, &status) == 0) {
        return error_set(error, "%s: is a link that leads nowhere; remove it or name another file", path);
    }
    if (!file->path) file->path = strdup(path);
    CHECK(file->path, "out of memory");

    // The process id keeps two programs apart, O_EXCL two writers in one. open() and not mkstemp(), whose files only
    // their owner may read: this one gets 0666 less the umask, as any new file.
    for (int attempt = 0; attempt < 100 && !file->stream; attempt++) {
        free(file->temporary);
        CHECK(asprintf(&file->temporary, "%s.%ld-%d.part", file->path, (long)getpid(), attempt) > 0, "out of memory");
        int descriptor = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor >= 0)
            file->stream = fdopen(descriptor, "wb");
        else if (errno != EEXIST)
            break;
    }
    if (file->stream) return true;

    error_set(error, "%s: can't be created: %s; check that its folder exists and can be written", path,
              strerror(errno));
    free(file->temporary);
    free(file->path);
    *file = (OutputFile){0};
    return false;
}

bool file_commit(OutputFile *file, Error *error) {
    // ferror tells of a write that failed earlier and was followed by ones that didn't; fsync of a disk that filled up
    // after the data had been taken into memory; fclose of what only a network file system knows.
    bool written = !ferror(file->stream) && fflush(file->stream) == 0 && fsync(fileno(file->stream)) == 0;
    int cause = errno;
    if (fclose(file->stream) != 0 && written) {
        written = false;
        cause = errno;
    }
    file->stream = NULL;
    if (written && rename(file->temporary, file->path) != 0) {
        written = false;
        cause = errno;
    }
    if (!written) {
        error_set(error, "%s: can't be written: %s; free some space or name another place", file->path,
                  strerror(cause));
        file_abandon(file);
        return false;
    }
    free(file->temporary);
    free(file->path);
    *file = (OutputFile){0};
    return true;
}

void file_abandon(OutputFile *file) {
    if (file->stream) fclose(file->stream);
    if (file->temporary) unlink(file->temporary);
    free(file->temporary);
    free(file->path);
    *file = (OutputFile){0};
}

// ---- paths ----------------------------------------------------------------------------------------------------------

char *path_join(const char *folder, const char *name) {
    size_t length = strlen(folder);
    const char *separator = length == 0 || folder[length - 1] == '/' ? "" : "/";
    char *path;
    CHECK(asprintf(&path, "%s%s%s", folder, separator, name) >= 0, "out of memory");
    return path;
}

bool path_exists(const char *path) { return access(path, F_OK) == 0; }
