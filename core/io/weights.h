// weights.h - a stage's weights by name, checked by shape
//
// A stage asks for each of its tensors by the name diffusers gives it and the shape its config implies. The first that
// is missing or has another shape becomes the error, with both shapes; after that every further question answers with
// an absent tensor, so a loader reads as a list of layers and looks at the error once, at the end.
//
// Where the numbers lie is not the stage's business: in one file or several, and under diffusers' names or others; or
// nowhere, and each is drawn when it is asked for.

#pragma once

#include "base/error.h"
#include "base/tensor.h"
#include "io/lora.h"
#include "io/weight_files.h"

// Where a file keeps a tensor: under this name, and as one of several that are stacked along the first axis.
typedef struct StoredName {
    char text[256];
    size_t part, parts;  // 0 and 1: the stored tensor is the one
} StoredName;

// From diffusers' name to a file's own; false if it has no such tensor. NULL: the names are diffusers' own.
typedef bool StoredNaming(const void *context, const char *name, StoredName *stored);

enum { FLOAT_TYPES = BF16 + 1 };  // F32, F16, BF16

typedef struct Weights {
    WeightFiles files;
    bool borrowed;  // the files belong to somebody else, who closes them later
    StoredNaming *naming;
    const void *naming_context;
    bool random;        // there are no files: every tensor is there, of the shape that is asked for, and drawn
    DType matrix_type;  // F32, F16 or BF16: how matrices are kept in memory
    Loras *loras;       // what is added to the weights, or NULL
    const char *stage;  // how these call the stage
    Error *error;       // the first failure
    bool failed;
    void **converted;  // memory of tensors that aren't used as the file has them; freed by weights_close
    size_t converted_count;
    size_t granted;              // bytes that the system has been asked about and that aren't taken yet
    size_t parameters;           // numbers handed out so far
    size_t bytes;                // and the memory that they take
    size_t stored[FLOAT_TYPES];  // how many of them the files keep as F32, F16, BF16
} Weights;

// path is a .safetensors file. error stays with the Weights until weights_close and must outlive the loading.
bool weights_open(Weights *weights, const char *path, Error *error);
// What folder holds under stem (weight_files.h).
bool weights_open_folder(Weights *weights, const char *folder, const char *stem, Error *error);
// Files that stay open for longer than these Weights, under names of their own.
void weights_open_over(Weights *weights, const WeightFiles *files, StoredNaming *naming, const void *naming_context,
                       Error *error);
// No files, but random numbers, for those who want to know a network's speed and not its answers.
void weights_open_random(Weights *weights, Error *error);
void weights_close(Weights *weights);

// The tensor `prefix` + `name` (prefix may be ""), as F32: in place where the file holds aligned F32 (that memory can't
// be written), else a copy: converted from F32, F16 or BF16, or changed by LoRAs. Valid until weights_close.
Tensor weights_tensor(Weights *weights, Shape shape, const char *prefix, const char *name);
// The same for the weight of a linear layer or a convolution, in weights->matrix_type. Those are nearly all of a
// model's numbers; what else there is (biases, norms, embeddings) stays F32.
Tensor weights_matrix(Weights *weights, Shape shape, const char *prefix, const char *name);
bool weights_has(const Weights *weights, const char *prefix, const char *name);
// The axes of a tensor as the file has it; 0 if it isn't there.
size_t weights_rank(const Weights *weights, const char *prefix, const char *name);
bool weights_ok(const Weights *weights);  // nothing has failed so far
