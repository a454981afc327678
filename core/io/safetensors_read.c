// safetensors_read.c - open a file of tensors and believe nothing in it
//
// Where: under weights.c (a stage's weights), --latents and the viewer (traces).
// Elsewhere: safetensors.safe_open.
// Read next: safetensors_write.c for the same format from the other side, weights.c for who asks.
//
//     [ 8 bytes: N, little-endian ][ N bytes: JSON header ][ the numbers of all tensors, back to back ]
//
// Loaders have been broken by every lie a header can tell: offsets past the end, a shape whose product wraps round to a
// small number, two tensors over the same bytes. So a file is checked once, here, in the order in which its parts
// depend on each other; afterwards an entry's data, bytes and shape agree with each other and with the file.

#include "io/safetensors.h"

#include "io/file.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct SafetensorsFile {
    const char *path;  // the caller's, for messages while opening
    const uint8_t *map;
    size_t size;                       // bytes, of the whole file
    const uint8_t *data;               // where the numbers begin
    size_t data_bytes;                 // from there to the end of the file
    json_t *header;                    // owns names and metadata
    SafetensorsEntry *entries;         // sorted by place in the file
    const SafetensorsEntry **by_name;  // the same, sorted by name
    size_t count;
    Metadata *metadata;  // strings the header's
    size_t metadata_count;
};

static const uint64_t LARGEST_HEADER = 100000000;  // bytes; the format's own limit

typedef struct KnownDType {
    const char *name;
    size_t size;  // bytes a number
    bool supported;
    DType dtype;
} KnownDType;

static const KnownDType KNOWN_DTYPES[] = {
    {"F32", 4, true, F32},
    {"F16", 2, true, F16},
    {"BF16", 2, true, BF16},
    {"I64", 8, true, I64},
    {.name = "F64", .size = 8},
    {.name = "C64", .size = 8},
    {.name = "U64", .size = 8},
    {.name = "I32", .size = 4},
    {.name = "U32", .size = 4},
    {.name = "I16", .size = 2},
    {.name = "U16", .size = 2},
    {.name = "I8", .size = 1},
    {.name = "U8", .size = 1},
    {.name = "BOOL", .size = 1},
    {.name = "F8_E4M3", .size = 1},
    {.name = "F8_E5M2", .size = 1},
    {.name = "F8_E8M0", .size = 1},
    {.name = "F8_E4M3FNUZ", .size = 1},
    {.name = "F8_E5M2FNUZ", .size = 1},
};

// "FILE: why; what to do". What is wrong with a header is nearly always that the download stopped.
__attribute__((format(printf, 3, 4))) static bool refuse(const SafetensorsFile *file, Error *error, const char *format,
                                                         ...) {
    char why[640];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    return error_set(error, "%s: %s; the file is damaged or no safetensors file, get it again", file->path, why);
}

// ---- the file, then its header --------------------------------------------------------------------------------------

static bool map_file(SafetensorsFile *file, Error *error) {
    int descriptor = file_open_descriptor(file->path, &file->size, error);
    if (descriptor < 0) return false;
    if (file->size < 8) {
        close(descriptor);
        return refuse(file, error, "%zu bytes are too few for the 8 of the header's length", file->size);
    }
    void *map = mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    int cause = errno;
    close(descriptor);
    if (map == MAP_FAILED) {
        return error_set(error, "%s: can't be mapped: %s; copy it to a local disk", file->path, strerror(cause));
    }
    file->map = map;
    return true;
}

static bool parse_header(SafetensorsFile *file, Error *error) {
    uint64_t length = 0;
    for (int i = 7; i >= 0; i--) length = length << 8 | file->map[i];
    if (length == 0) return refuse(file, error, "the header's length is 0");
    if (length > LARGEST_HEADER) {
        return refuse(file, error, "the header's length of %" PRIu64 " bytes is over the format's limit of %" PRIu64,
                      length, LARGEST_HEADER);
    }
    if (length > file->size - 8) {
        return refuse(file, error, "the header's length of %" PRIu64 " bytes is beyond the end of the file (%zu bytes)",
                      length, file->size);
    }
    if (file->map[8] != '{') return refuse(file, error, "the header doesn't begin with '{'");

    // Parsed from a copy: the mapped bytes are other programs' to change, and a parser may look twice.
    char *copy = malloc(length);
    if (!copy) return error_set(error, "%s: not enough memory for its header; close other programs", file->path);
    memcpy(copy, file->map + 8, length);
    json_error_t why;
    file->header = json_loadb(copy, length, JSON_REJECT_DUPLICATES, &why);
    free(copy);
    if (!file->header) return refuse(file, error, "the header isn't JSON: %s", why.text);

    file->data = file->map + 8 + length;
    file->data_bytes = file->size - 8 - length;
    return true;
}

static bool read_metadata(SafetensorsFile *file, Error *error) {
    json_t *metadata = json_object_get(file->header, "__metadata__");
    if (!metadata) return true;
    if (!json_is_object(metadata)) return refuse(file, error, "__metadata__ is no object");
    file->metadata = calloc(json_object_size(metadata) + 1, sizeof *file->metadata);
    if (!file->metadata)
        return error_set(error, "%s: not enough memory for its metadata; close other programs", file->path);
    const char *key;
    json_t *value;
    json_object_foreach(metadata, key, value) {
        if (!json_is_string(value)) return refuse(file, error, "__metadata__: %.100s is no string", key);
        file->metadata[file->metadata_count++] = (Metadata){key, json_string_value(value)};
    }
    return true;
}

// ---- one tensor -----------------------------------------------------------------------------------------------------

static const KnownDType *find_dtype(const char *name) {
    for (size_t i = 0; i < sizeof KNOWN_DTYPES / sizeof KNOWN_DTYPES[0]; i++) {
        if (strcmp(KNOWN_DTYPES[i].name, name) == 0) return &KNOWN_DTYPES[i];
    }
    return NULL;
}

// The shape, and in *bytes what that many numbers of this size take.
static bool read_shape(const SafetensorsFile *file, SafetensorsEntry *entry, const json_t *shape, size_t number_size,
                       size_t *bytes, Error *error) {
    if (!json_is_array(shape)) return refuse(file, error, "tensor %.100s: shape is no list", entry->name);
    entry->rank = json_array_size(shape);
    if (entry->rank > 8) {
        return refuse(file, error, "tensor %.100s: shape has %zu axes, more than 8", entry->name, entry->rank);
    }
    *bytes = number_size;
    for (size_t i = 0; i < entry->rank; i++) {
        const json_t *axis = json_array_get(shape, i);
        if (!json_is_integer(axis)) {
            return refuse(file, error, "tensor %.100s: axis %zu of its shape is no whole number", entry->name, i);
        }
        json_int_t size = json_integer_value(axis);
        if (size < 0) {
            return refuse(file, error, "tensor %.100s: axis %zu of its shape is negative, %" JSON_INTEGER_FORMAT,
                          entry->name, i, size);
        }
        entry->axis[i] = (size_t)size;
        if (__builtin_mul_overflow(*bytes, entry->axis[i], bytes)) {
            return refuse(file, error, "tensor %.100s: the product of its shape overflows at axis %zu of size %zu",
                          entry->name, i, entry->axis[i]);
        }
    }
    return true;
}

static bool read_offsets(const SafetensorsFile *file, SafetensorsEntry *entry, const json_t *offsets, Error *error) {
    const json_t *first = json_array_get(offsets, 0), *last = json_array_get(offsets, 1);  // NULL if it is no list
    if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(last)) {
        return refuse(file, error, "tensor %.100s: data_offsets isn't a list of two whole numbers", entry->name);
    }
    json_int_t begin = json_integer_value(first), end = json_integer_value(last);
    if (begin < 0 || begin > end) {
        return refuse(file, error,
                      "tensor %.100s: data_offsets [%" JSON_INTEGER_FORMAT ", %" JSON_INTEGER_FORMAT
                      "] are negative or run backwards",
                      entry->name, begin, end);
    }
    if ((uint64_t)end > file->data_bytes) {
        return refuse(file, error,
                      "tensor %.100s: its data ends at byte %" JSON_INTEGER_FORMAT
                      ", beyond the end of the file's %zu bytes of data",
                      entry->name, end, file->data_bytes);
    }
    entry->data = file->data + begin;
    entry->bytes = (size_t)(end - begin);
    return true;
}

static bool read_entry(const SafetensorsFile *file, SafetensorsEntry *entry, const json_t *fields, Error *error) {
    const char *dtype_name = json_string_value(json_object_get(fields, "dtype"));
    const json_t *shape = json_object_get(fields, "shape"), *offsets = json_object_get(fields, "data_offsets");
    if (json_object_size(fields) != 3 || !dtype_name || !shape || !offsets) {
        return refuse(file, error, "tensor %.100s: isn't exactly a dtype (a string), a shape and data_offsets",
                      entry->name);
    }
    const KnownDType *known = find_dtype(dtype_name);
    if (!known) return refuse(file, error, "tensor %.100s: unknown dtype %.40s", entry->name, dtype_name);
    entry->dtype_name = known->name;
    entry->supported = known->supported;
    entry->dtype = known->dtype;

    size_t bytes = 0;
    if (!read_shape(file, entry, shape, known->size, &bytes, error)) return false;
    if (!read_offsets(file, entry, offsets, error)) return false;
    if (entry->bytes != bytes) {
        return refuse(file, error, "tensor %.100s: its shape takes %zu bytes as %s, its data_offsets hold %zu",
                      entry->name, bytes, entry->dtype_name, entry->bytes);
    }
    return true;
}

// ---- all tensors ----------------------------------------------------------------------------------------------------

static int compare_places(const void *a, const void *b) {
    const SafetensorsEntry *x = a, *y = b;
    if (x->data != y->data) return x->data < y->data ? -1 : 1;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? -1 : 1;  // an empty tensor before the one that begins there
    return strcmp(x->name, y->name);
}

static int compare_names(const void *a, const void *b) {
    const SafetensorsEntry *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static bool read_entries(SafetensorsFile *file, Error *error) {
    size_t most = json_object_size(file->header);
    file->entries = calloc(most + 1, sizeof *file->entries);  // + 1: calloc(0) may answer NULL
    file->by_name = calloc(most + 1, sizeof *file->by_name);
    if (!file->entries || !file->by_name) {
        return error_set(error, "%s: not enough memory to list %zu tensors; close other programs", file->path, most);
    }
    const char *name;
    json_t *fields;
    json_object_foreach(file->header, name, fields) {
        if (strcmp(name, "__metadata__") == 0) continue;
        SafetensorsEntry *entry = &file->entries[file->count];
        entry->name = name;
        if (!read_entry(file, entry, fields, error)) return false;
        file->count++;
    }
    qsort(file->entries, file->count, sizeof *file->entries, compare_places);
    for (size_t i = 0; i < file->count; i++) file->by_name[i] = &file->entries[i];
    qsort(file->by_name, file->count, sizeof *file->by_name, compare_names);
    return true;
}

// In the order of their places, each tensor begins where the one before it ended, and the last ends with the file.
static bool check_coverage(const SafetensorsFile *file, Error *error) {
    size_t covered = 0;
    for (size_t i = 0; i < file->count; i++) {
        const SafetensorsEntry *entry = &file->entries[i];
        size_t begin = (size_t)((const uint8_t *)entry->data - file->data);
        if (begin < covered) {
            return refuse(file, error, "tensor %.100s: begins at byte %zu and overlaps %.100s, which ends at %zu",
                          entry->name, begin, entry[-1].name, covered);
        }
        if (begin > covered) {
            return refuse(file, error, "tensor %.100s: begins at byte %zu and leaves a hole from byte %zu", entry->name,
                          begin, covered);
        }
        covered = begin + entry->bytes;
    }
    if (covered < file->data_bytes) {
        return refuse(file, error, "no tensor covers the file's last %zu of %zu bytes of data",
                      file->data_bytes - covered, file->data_bytes);
    }
    return true;
}

// ---- the file -------------------------------------------------------------------------------------------------------

SafetensorsFile *safetensors_open(const char *path, Error *error) {
    SafetensorsFile *file = calloc(1, sizeof *file);
    if (!file) {
        error_set(error, "%s: not enough memory to open it; close other programs", path);
        return NULL;
    }
    file->path = path;
    if (!map_file(file, error) || !parse_header(file, error) || !read_metadata(file, error) ||
        !read_entries(file, error) || !check_coverage(file, error)) {
        safetensors_close(file);
        return NULL;
    }
    return file;
}

void safetensors_close(SafetensorsFile *file) {
    if (!file) return;
    if (file->map) munmap((void *)file->map, file->size);
    json_decref(file->header);
    free(file->entries);
    free(file->by_name);
    free(file->metadata);
    free(file);
}

void safetensors_release(const void *data, size_t bytes) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = ((uintptr_t)data + page - 1) / page * page,
              end = ((uintptr_t)data + bytes) / page * page;
    if (end > start) madvise((void *)start, end - start, MADV_DONTNEED);
}

size_t safetensors_count(const SafetensorsFile *file) { return file->count; }

const SafetensorsEntry *safetensors_at(const SafetensorsFile *file, size_t index) { return &file->entries[index]; }

const SafetensorsEntry *safetensors_find(const SafetensorsFile *file, const char *name) {
    SafetensorsEntry wanted = {.name = name};
    const SafetensorsEntry *key = &wanted;
    const SafetensorsEntry **found = bsearch(&key, file->by_name, file->count, sizeof *file->by_name, compare_names);
    return found ? *found : NULL;
}

const char *safetensors_metadata(const SafetensorsFile *file, const char *key) {
    return json_string_value(json_object_get(json_object_get(file->header, "__metadata__"), key));
}

const Metadata *safetensors_all_metadata(const SafetensorsFile *file, size_t *count) {
    *count = file->metadata_count;
    return file->metadata;
}
