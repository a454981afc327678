// loras.c - see loras.h

#include "loras.h"

#include "io/file.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

float UP[] = {10, 100}, DOWN[] = {1, 2, 3};
const float PRODUCT[] = {10, 20, 30, 100, 200, 300};

char *loras_put(const char *name, const NamedTensor *tensors, size_t count, const char *metadata) {
    Error error = {0};
    char *path = path_join(LORA_FOLDER, name);
    Metadata row = {"lora_adapter_metadata", metadata};
    if (!safetensors_write(path, tensors, count, &row, metadata != NULL, &error)) {
        printf("%s\n", error.message);
        exit(1);
    }
    return path;
}

char *loras_put_pair(const char *down, const char *up, const char *metadata) {
    NamedTensor tensors[] = {{down, tensor_over(DOWN, shape2(1, 3))}, {up, tensor_over(UP, shape2(2, 1))}};
    return loras_put("pair.safetensors", tensors, 2, metadata);
}

Loras *loras_open_one(const char *path, float weight) {
    Error error = {0};
    Loras *loras = loras_open(&(LoraFile){path, weight}, 1, &error);
    EXPECT(loras, "%s", error.message);
    return loras;
}
