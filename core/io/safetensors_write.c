// safetensors_write.c - tensors and a few words about them into one file
//
// Where: behind --trace and whatever saves weights or latents.
// Elsewhere: safetensors.torch.save_file, which reads what this writes.
// Read next: safetensors_read.c, which draws the format and checks it.

#include "io/safetensors.h"

#include "base/check.h"
#include "io/file.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static size_t tensor_bytes(Tensor t) { return shape_count(t.shape) * dtype_size(t.dtype); }

// The header of one tensor whose numbers begin at byte `begin` of the data.
static json_t *describe(Tensor t, size_t begin) {
    json_t *shape = json_array();
    for (size_t i = 0; i < t.shape.rank; i++) json_array_append_new(shape, json_integer((json_int_t)t.shape.axis[i]));
    json_int_t end = (json_int_t)(begin + tensor_bytes(t));
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtype_name(t.dtype), "shape", shape, "data_offsets",
                     (json_int_t)begin, end);
}

// The JSON text, malloc'ed; NULL and an error where a string isn't UTF-8.
static char *make_header(const char *path, const NamedTensor *tensors, size_t tensor_count, const Metadata *metadata,
                         size_t metadata_count, Error *error) {
    json_t *header = json_object(), *about = json_object();
    bool ok = true;
    if (metadata_count > 0) json_object_set(header, "__metadata__", about);
    for (size_t i = 0; i < metadata_count && ok; i++) {
        ok = json_object_set_new(about, metadata[i].key, json_string(metadata[i].value)) == 0;
        if (!ok) error_set(error, "%s: metadata %s isn't UTF-8; spell it in UTF-8", path, metadata[i].key);
    }
    for (size_t i = 0, begin = 0; i < tensor_count && ok; i++) {
        const char *name = tensors[i].name;
        CHECK(strcmp(name, "__metadata__") != 0 && !json_object_get(header, name), "tensor name %s is taken", name);
        ok = json_object_set_new(header, name, describe(tensors[i].tensor, begin)) == 0;
        if (!ok) error_set(error, "%s: tensor name %s isn't UTF-8; spell it in UTF-8", path, name);
        begin += tensor_bytes(tensors[i].tensor);
    }
    char *text = ok ? json_dumps(header, JSON_COMPACT) : NULL;
    json_decref(about);
    json_decref(header);
    return text;
}

bool safetensors_write(const char *path, const NamedTensor *tensors, size_t tensor_count, const Metadata *metadata,
                       size_t metadata_count, Error *error) {
    char *header = make_header(path, tensors, tensor_count, metadata, metadata_count, error);
    OutputFile file;
    if (!header || !file_create(&file, path, error)) {
        free(header);
        return false;
    }
    size_t length = strlen(header), padded = (length + 7) / 8 * 8;
    for (int i = 0; i < 8; i++) fputc((int)((uint64_t)padded >> 8 * i & 0xff), file.stream);
    fprintf(file.stream, "%s%*s", header, (int)(padded - length), "");
    for (size_t i = 0; i < tensor_count; i++) {
        size_t bytes = tensor_bytes(tensors[i].tensor);
        if (bytes > 0) fwrite(tensors[i].tensor.data, 1, bytes, file.stream);
    }
    free(header);
    return file_commit(&file, error);
}
