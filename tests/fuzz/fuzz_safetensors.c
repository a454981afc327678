// fuzz_safetensors.c - safetensors files that lie. What opens must hold what it says: every byte is read.

#include "base/error.h"
#include "fuzz/fuzz.h"
#include "io/weights.h"

#include <stdlib.h>
#include <string.h>

// Every tensor through weights.h, with the shape that the file gives it.
static void read_weights(const char *path, const SafetensorsFile *file) {
    Error error = {0};
    Weights weights;
    if (!weights_open(&weights, path, &error)) abort();
    for (size_t i = 0; i < safetensors_count(file); i++) {
        const SafetensorsEntry *entry = safetensors_at(file, i);
        Shape shape = {entry->rank, {1, 1, 1, 1}};
        if (entry->rank > 4 || strlen(entry->name) > 200) continue;
        memcpy(shape.axis, entry->axis, entry->rank * sizeof(size_t));
        Tensor t = weights_tensor(&weights, shape, "", entry->name);
        double sum = 0;
        for (size_t n = 0; t.place == ON_HOST && n < shape_count(shape); n++) sum += tensor_f32(t)[n];
        if (sum == 1e300) abort();
    }
    weights_close(&weights);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    FuzzFile memory = fuzz_file_open(data, size);
    Error error = {0};
    SafetensorsFile *file = safetensors_open(memory.path, &error);
    if (!file == !error.message[0]) abort();  // an error or a file, never both or neither
    if (file) {
        unsigned sum = 0;
        for (size_t i = 0; i < safetensors_count(file); i++) {
            const SafetensorsEntry *entry = safetensors_at(file, i);
            if (safetensors_find(file, entry->name) != entry) abort();
            for (size_t n = 0; n < entry->bytes; n++) sum += ((const uint8_t *)entry->data)[n];
        }
        const char *format = safetensors_metadata(file, "format");
        if (format && strlen(format) == sum + size) abort();
        read_weights(memory.path, file);
    }
    safetensors_close(file);
    fuzz_file_close(&memory);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t capacity) {
    static const struct {
        const char *header;
        size_t data_bytes;
    } SEEDS[] = {
        {"{\"__metadata__\":{\"format\":\"pt\"},\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
         "\"b\":{\"dtype\":\"F16\",\"shape\":[5],\"data_offsets\":[24,34]},"
         "\"c\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[34,42]},"
         "\"d\":{\"dtype\":\"BF16\",\"shape\":[1,1,1,2],\"data_offsets\":[42,46]}}",
         46},
        {"{\"odd\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
         "\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[1,9]},"
         "\"empty\":{\"dtype\":\"F32\",\"shape\":[0,4],\"data_offsets\":[9,9]}}  ",
         9},
        {"{}      ", 0},
    };
    if (index >= sizeof SEEDS / sizeof SEEDS[0]) return 0;
    return fuzz_safetensors(SEEDS[index].header, SEEDS[index].data_bytes, out, capacity);
}
