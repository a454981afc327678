// weights.h - a stage's weights by name, checked by shape
//
// A stage asks for each of its tensors by the name diffusers gives it and the shape its config implies. The first that
// is missing or has another shape becomes the error, with both shapes; after that every further question answers with
// an absent tensor, so a loader reads as a list of layers and looks at the error once, at the end.

#pragma once

#include "base/error.h"
#include "base/tensor.h"
#include "io/safetensors.h"

typedef struct Weights {
    SafetensorsFile *file;
    char *path;    // a copy, for messages
    Error *error;  // the first failure
    bool failed;
    void **converted;  // memory of tensors that weren't f32 in the file, or not aligned; freed by weights_close
    size_t converted_count;
    size_t parameters;  // numbers handed out so far
} Weights;

// path is a .safetensors file. error stays with the Weights until weights_close and must outlive the loading.
bool weights_open(Weights *weights, const char *path, Error *error);
void weights_close(Weights *weights);

// The tensor `prefix` + `name` (prefix may be ""), as F32: in place where the file holds aligned F32 (that memory can't
// be written), else converted from F32, F16 or BF16. Valid until weights_close.
Tensor weights_tensor(Weights *weights, Shape shape, const char *prefix, const char *name);
bool weights_has(const Weights *weights, const char *prefix, const char *name);
bool weights_ok(const Weights *weights);  // nothing has failed so far
