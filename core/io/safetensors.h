// safetensors.h - the file format that weights, traces and latents are kept in
//
// An 8-byte little-endian header length, a JSON header {"name": {"dtype", "shape", "data_offsets"}} with "__metadata__"
// of strings, then the numbers. Nothing in it can run code, which is why the ecosystem left pickles for it; but a
// header can lie, so every field is checked against the file before anything is believed.
// Elsewhere: the safetensors package. Format: github.com/huggingface/safetensors, README.

#pragma once

#include "base/error.h"
#include "base/tensor.h"

typedef struct SafetensorsFile SafetensorsFile;

typedef struct SafetensorsEntry {
    const char *name;
    const char *dtype_name;  // as the file spells it
    bool supported;  // false for dtypes that are listed but that we don't compute with: I32, U8, F64, F8_E4M3 ...
    DType dtype;     // only where supported
    size_t rank;     // may be more than a Tensor's 4 in strangers' files
    size_t axis[8];
    const void *data;  // in the mapped file, valid until safetensors_close; aligned to the number's size or not
    size_t bytes;
} SafetensorsEntry;

typedef struct Metadata {
    const char *key, *value;
} Metadata;

// Maps a file and checks its whole header: length, JSON, duplicate keys, dtypes that nobody defined, shapes whose
// product overflows, offsets beyond the end, overlaps, holes, bytes that no tensor covers. NULL and an error that names
// the file and the tensor. A defined dtype that is not ours is no error here (checkpoints hold the odd I32 counter);
// weights.h refuses it when it is asked for.
SafetensorsFile *safetensors_open(const char *path, Error *error);
void safetensors_close(SafetensorsFile *file);  // NULL is fine

size_t safetensors_count(const SafetensorsFile *file);
const SafetensorsEntry *safetensors_at(const SafetensorsFile *file, size_t index);        // in the file's order
const SafetensorsEntry *safetensors_find(const SafetensorsFile *file, const char *name);  // NULL if absent
const char *safetensors_metadata(const SafetensorsFile *file, const char *key);           // NULL if absent
const Metadata *safetensors_all_metadata(const SafetensorsFile *file, size_t *count);     // in the file's order

// These numbers of an entry were used and won't be soon: the memory that holds the file's pages goes back to the system.
// Looked at again, they are read from the file again.
void safetensors_release(const void *data, size_t bytes);

typedef struct NamedTensor {
    const char *name;
    Tensor tensor;
} NamedTensor;

// Writes a whole file beside its final name and renames it into place: a full disk leaves no half-written file. Tensors
// stand in the order given, the data at a multiple of 8. Names, keys and values that aren't UTF-8 are an error; a name
// given twice is a bug.
bool safetensors_write(const char *path, const NamedTensor *tensors, size_t tensor_count, const Metadata *metadata,
                       size_t metadata_count, Error *error);
