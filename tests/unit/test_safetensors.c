// test_safetensors.c - the file format of weights: what is read and written, and every lie that is refused
// (core/io/safetensors_read.c, safetensors_write.c, weights.c)

#include "io/safetensors.h"

#include "files.h"
#include "io/file.h"
#include "io/weights.h"
#include "test.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What safetensors.torch.save of Python's safetensors 0.8.0 makes of six tensors and metadata.
static const char FROM_PYTHON[] =
    "\x98\x01\x00\x00\x00\x00\x00\x00"
    "{\"__metadata__\":{\"what\":\"a test \xc3\xa9\",\"format\":\"pt\"},"
    "\"ids\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[0,16]},"
    "\"b.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[16,40]},"
    "\"empty\":{\"dtype\":\"F32\",\"shape\":[0,4],\"data_offsets\":[40,40]},"
    "\"count\":{\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[40,44]},"
    "\"brain\":{\"dtype\":\"BF16\",\"shape\":[2,1],\"data_offsets\":[44,48]},"
    "\"h\":{\"dtype\":\"F16\",\"shape\":[5],\"data_offsets\":[48,58]}} "
    "\xfe\xc0\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"
    "\x00\x00\x80\xbf\x00\x00\x00\xbf\x00\x00\x00\x00\x00\x00\x00?\x00\x00\x80?\x00\x00\xc0?"
    "\x07\x00\x00\x00"
    "\x80?I@"
    "\x00<\x00\xc1\xff{\x01\x00\x00|";

static const char *put_python(void) {
    return files_put(test_folder("safetensors"), "python.safetensors", FROM_PYTHON, sizeof FROM_PYTHON - 1);
}

// A file of this header, its true length before it, and so many bytes of data behind it.
static const char *put_header(const char *header, size_t data_bytes) {
    size_t length = strlen(header), size = 8 + length + data_bytes;
    char *bytes = calloc(size, 1);
    memcpy(bytes, &(uint64_t){length}, 8);
    memcpy(bytes + 8, header, length);
    const char *path = files_put(test_folder("safetensors"), "x.safetensors", bytes, size);
    free(bytes);
    return path;
}

// ---- reading --------------------------------------------------------------------------------------------------------

static void test_python_file(void) {
    Error error = {0};
    SafetensorsFile *file = safetensors_open(put_python(), &error);
    EXPECT(file, "%s", error.message);
    if (!file) return;
    EXPECT(safetensors_count(file) == 6, "%zu tensors", safetensors_count(file));
    EXPECT(strcmp(safetensors_metadata(file, "what"), "a test \xc3\xa9") == 0, "metadata");
    EXPECT(!safetensors_metadata(file, "author") && !safetensors_find(file, "__metadata__"), "found what isn't there");
    size_t rows;
    const Metadata *metadata = safetensors_all_metadata(file, &rows);
    EXPECT(rows == 2 && strcmp(metadata[0].key, "what") == 0 && strcmp(metadata[0].value, "a test \xc3\xa9") == 0 &&
               strcmp(metadata[1].key, "format") == 0,
           "%zu rows of metadata", rows);
    const char *order[] = {"ids", "b.weight", "empty", "count", "brain", "h"};
    for (size_t i = 0; i < 6; i++) {
        const SafetensorsEntry *entry = safetensors_at(file, i);
        EXPECT(strcmp(entry->name, order[i]) == 0, "%zu is %s, not %s", i, entry->name, order[i]);
        EXPECT(safetensors_find(file, order[i]) == entry, "%s isn't found", order[i]);
    }
    const SafetensorsEntry *weight = safetensors_find(file, "b.weight"), *count = safetensors_find(file, "count");
    EXPECT(weight->supported && weight->dtype == F32 && weight->rank == 2 && weight->bytes == 24, "b.weight");
    EXPECT(weight->axis[0] == 2 && weight->axis[1] == 3 && ((const float *)weight->data)[5] == 1.5f, "b.weight");
    EXPECT(!count->supported && strcmp(count->dtype_name, "I32") == 0 && count->rank == 0, "count");
    EXPECT(safetensors_find(file, "empty")->bytes == 0, "empty");
    safetensors_close(file);
}

static void test_odd_but_valid(void) {
    const struct {
        const char *header;
        size_t data_bytes, count;
    } cases[] = {
        {"{}", 0, 0},
        {"{}      ", 0, 0},
        {"{\"__metadata__\":{}}", 0, 0},
        {"{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[1,1,1,1,1,1,1,3],\"data_offsets\":[0,3]}}", 3, 1},
        {"{\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[1,5]},"
         "\"a\":{\"dtype\":\"BOOL\",\"shape\":[1],\"data_offsets\":[0,1]}}",
         5, 2},
        {"{\"b\":{\"dtype\":\"F32\",\"shape\":[0,9223372036854775807,9],\"data_offsets\":[4,4]},"
         "\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}",
         4, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Error error = {0};
        SafetensorsFile *file = safetensors_open(put_header(cases[i].header, cases[i].data_bytes), &error);
        EXPECT(file, "%s: %s", cases[i].header, error.message);
        EXPECT(file && safetensors_count(file) == cases[i].count, "%s: another count", cases[i].header);
        safetensors_close(file);
    }
}

// ---- lies -----------------------------------------------------------------------------------------------------------

static void expect_refused(const char *path, const char *what, const char *cause) {
    Error error = {0};
    SafetensorsFile *file = safetensors_open(path, &error);
    EXPECT(!file, "opened: %s", what);
    EXPECT(strstr(error.message, path), "the file isn't named: \"%s\"", error.message);
    EXPECT(strstr(error.message, cause), "%s: \"%s\"", cause, error.message);
    EXPECT(strstr(error.message, "; "), "no advice: \"%s\"", error.message);
    EXPECT(!strpbrk(error.message, "\n\r\t\x1b"), "control characters: \"%s\"", error.message);
    safetensors_close(file);
}

#define ENTRY(name, dtype, shape, begin, end)                                                                          \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}"
#define GOOD ENTRY("a", "F32", "[2]", "0", "8")

static void test_lying_headers(void) {
    const struct {
        const char *header;
        size_t data_bytes;
        const char *cause;
    } cases[] = {
        {"{" GOOD, 8, "the header isn't JSON"},
        {"{" GOOD "} x", 8, "the header isn't JSON: end of file expected"},
        {" {" GOOD "}", 8, "doesn't begin with '{'"},
        {"[1]", 0, "doesn't begin with '{'"},
        {"{" GOOD "," GOOD "}", 8, "duplicate object key"},
        {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
         "duplicate object key"},
        {"{\"a\xff\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "unable to decode byte 0xff"},
        {"{\"a\\u0000b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "NUL byte in object key"},
        {"{\"__metadata__\":3}", 0, "__metadata__ is no object"},
        {"{\"__metadata__\":{\"k\":1}}", 0, "__metadata__: k is no string"},
        {"{\"a\":[]}", 0, "tensor a: isn't exactly"},
        {"{\"a\":{}}", 0, "tensor a: isn't exactly"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 0, "tensor a: isn't exactly"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"offsets\":[0,8]}}", 8, "tensor a: isn't exactly"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"extra\":1}}", 8, "tensor a: isn't exactly"},
        {"{\"a\":{\"dtype\":32,\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "tensor a: isn't exactly"},
        {"{" ENTRY("a", "F33", "[2]", "0", "8") "}", 8, "tensor a: unknown dtype F33"},
        {"{" ENTRY("a", "f32", "[2]", "0", "8") "}", 8, "tensor a: unknown dtype f32"},
        {"{" ENTRY("a", "F32", "2", "0", "8") "}", 8, "tensor a: shape is no list"},
        {"{" ENTRY("a", "F32", "[1,1,1,1,1,1,1,1,2]", "0", "8") "}", 8, "tensor a: shape has 9 axes, more than 8"},
        {"{" ENTRY("a", "F32", "[2.0]", "0", "8") "}", 8, "tensor a: axis 0 of its shape is no whole number"},
        {"{" ENTRY("a", "F32", "[1,null]", "0", "4") "}", 4, "tensor a: axis 1 of its shape is no whole number"},
        {"{" ENTRY("a", "F32", "[-1,-2]", "0", "8") "}", 8, "tensor a: axis 0 of its shape is negative, -1"},
        {"{" ENTRY("a", "F32", "[4294967296,4294967296]", "0", "0") "}", 0, "product of its shape overflows at axis 1"},
        {"{" ENTRY("a", "F32", "[4611686018427387904]", "0", "0") "}", 0, "product of its shape overflows at axis 0"},
        {"{" ENTRY("a", "F32", "[18446744073709551616]", "0", "0") "}", 0, "too big integer"},
        {"{" ENTRY("a", "F32", "[3]", "0", "8") "}", 8,
         "tensor a: its shape takes 12 bytes as F32, its data_offsets hold 8"},
        {"{" ENTRY("a", "F16", "[2]", "0", "8") "}", 8,
         "tensor a: its shape takes 4 bytes as F16, its data_offsets hold 8"},
        {"{" ENTRY("a", "F32", "[]", "0", "8") "}", 8, "takes 4 bytes as F32, its data_offsets hold 8"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":8}}", 8, "data_offsets isn't a list of two"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8]}}", 8, "data_offsets isn't a list of two"},
        {"{" ENTRY("a", "F32", "[2]", "0.0", "8") "}", 8, "data_offsets isn't a list of two"},
        {"{" ENTRY("a", "F32", "[2]", "-8", "0") "}", 8, "tensor a: data_offsets [-8, 0] are negative"},
        {"{" ENTRY("a", "F32", "[2]", "8", "0") "}", 8, "tensor a: data_offsets [8, 0] are negative or run backwards"},
        {"{" ENTRY("a", "F32", "[2]", "0", "8") "}", 7, "ends at byte 8, beyond the end of the file's 7 bytes"},
        {"{" ENTRY("a", "F32", "[2]", "9223372036854775799", "9223372036854775807") "}", 8, "beyond the end"},
        {"{" GOOD "," ENTRY("b", "F32", "[2]", "4", "12") "}", 12, "tensor b: begins at byte 4 and overlaps a"},
        {"{" GOOD "," ENTRY("b", "F32", "[2]", "0", "8") "}", 8, "tensor b: begins at byte 0 and overlaps a"},
        {"{" GOOD "," ENTRY("b", "F32", "[0]", "4", "4") "}", 8, "tensor b: begins at byte 4 and overlaps a"},
        {"{" GOOD "," ENTRY("b", "F32", "[1]", "12", "16") "}", 16,
         "tensor b: begins at byte 12 and leaves a hole from byte 8"},
        {"{" ENTRY("a", "F32", "[2]", "4", "12") "}", 12, "tensor a: begins at byte 4 and leaves a hole from byte 0"},
        {"{" GOOD "}", 11, "no tensor covers the file's last 3 of 11 bytes"},
        {"{}", 1, "no tensor covers the file's last 1 of 1 bytes"},
        {"{" ENTRY("\\u001b[31m\\n", "F33", "[2]", "0", "8") "}", 8, "tensor ?[31m?: unknown dtype"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_refused(put_header(cases[i].header, cases[i].data_bytes), cases[i].header, cases[i].cause);
    }
}

static void test_lying_lengths(void) {
    const struct {
        uint64_t length;
        const char *cause;
    } cases[] = {
        {0, "the header's length is 0"},
        {3, "beyond the end of the file (10 bytes)"},
        {100000000, "beyond the end of the file"},
        {100000001, "length of 100000001 bytes is over the format's limit of 100000000"},
        {(uint64_t)1 << 63, "length of 9223372036854775808 bytes is over"},
        {UINT64_MAX, "length of 18446744073709551615 bytes is over"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char bytes[10] = "........{}";
        memcpy(bytes, &cases[i].length, 8);
        expect_refused(files_put(test_folder("safetensors"), "x.safetensors", bytes, 10), cases[i].cause,
                       cases[i].cause);
    }
}

static void test_no_such_files(void) {
    const char *folder = test_folder("safetensors");
    expect_refused(folder, "a folder", "is a folder");
    expect_refused("/dev/zero", "a device", "is no regular file");
    expect_refused("build/tmp/nowhere.safetensors", "a missing file", "No such file");
    expect_refused(files_put(folder, "x", "", 0), "an empty file", "0 bytes are too few");
    expect_refused(files_put(folder, "x", "\2\0\0\0\0\0\0", 7), "7 bytes", "7 bytes are too few");
    expect_refused(files_put(folder, "x", "\2\0\0\0\0\0\0\0", 8), "no header", "beyond the end");
}

// Every shorter version of a good file is refused, whichever part the cut falls in.
static void test_truncated_anywhere(void) {
    const char *folder = test_folder("safetensors");
    for (size_t size = 0; size < sizeof FROM_PYTHON - 1; size++) {
        Error error = {0};
        SafetensorsFile *file = safetensors_open(files_put(folder, "cut", FROM_PYTHON, size), &error);
        EXPECT(!file && error.message[0], "opened the first %zu bytes", size);
        safetensors_close(file);
    }
}

static void test_nesting(void) {
    static char header[500001];
    memset(header, '[', 500000);
    memcpy(header, "{\"a\":", 5);
    expect_refused(put_header(header, 0), "500,000 brackets", "maximum parsing depth");
}

static void test_long_name(void) {
    static char header[200000];
    size_t used = (size_t)snprintf(header, sizeof header, "{\"");
    memset(header + used, 'n', 100000);
    snprintf(header + used + 100000, 200, "\":{\"dtype\":\"F33\",\"shape\":[],\"data_offsets\":[0,4]}}");
    expect_refused(put_header(header, 4), "a name of 100,000 letters", "unknown dtype F33");
}

// ---- writing --------------------------------------------------------------------------------------------------------

static void test_round_trip(void) {
    float latents[6] = {0, -1.5f, 2, 3, INFINITY, 5};
    int64_t ids[3] = {49406, -1, 49407};
    uint16_t halves[1] = {0x3c00};
    NamedTensor tensors[] = {
        {"half", {halves, shape1(1), F16, ON_HOST}},
        {"latents.0", tensor_over(latents, shape4(1, 2, 1, 3))},
        {"input_ids", tensor_over_ids(ids, shape2(1, 3))},
        {"q\"uote \xc3\xa9", {latents, (Shape){0, {1, 1, 1, 1}}, F32, ON_HOST}},
        {"empty", {NULL, shape2(0, 4), F32, ON_HOST}},
    };
    Metadata metadata[] = {{"prompt", "a \"red\" cat\n\xf0\x9f\x90\xb1"}, {"seed", "1"}};
    char *path = path_join(test_folder("safetensors"), "out.safetensors");
    Error error = {0};
    EXPECT(safetensors_write(path, tensors, 5, metadata, 2, &error), "%s", error.message);

    SafetensorsFile *file = safetensors_open(path, &error);
    EXPECT(file, "%s", error.message);
    if (file) {
        EXPECT(strcmp(safetensors_metadata(file, "prompt"), metadata[0].value) == 0, "prompt");
        for (size_t i = 0; i < 5; i++) {
            const SafetensorsEntry *entry = safetensors_find(file, tensors[i].name);
            Tensor t = tensors[i].tensor;
            EXPECT(entry && entry->dtype == t.dtype && entry->rank == t.shape.rank, "%s", tensors[i].name);
            bool same = entry && (entry->bytes == 0 || memcmp(entry->data, t.data, entry->bytes) == 0);
            EXPECT(same && entry->bytes == shape_count(t.shape) * dtype_size(t.dtype), "%s", tensors[i].name);
        }
        EXPECT(safetensors_at(file, 0)->data == safetensors_find(file, "half")->data, "another order");
        EXPECT((uintptr_t)safetensors_at(file, 0)->data % 8 == 0, "the data isn't aligned");
    }
    safetensors_close(file);
    free(path);
}

static void test_write_nothing(void) {
    char *path = path_join(test_folder("safetensors"), "out.safetensors");
    Error error = {0};
    EXPECT(safetensors_write(path, NULL, 0, NULL, 0, &error), "%s", error.message);
    SafetensorsFile *file = safetensors_open(path, &error);
    EXPECT(file && safetensors_count(file) == 0, "%s", error.message);
    safetensors_close(file);
    free(path);
}

static void test_write_refuses(void) {
    const char *folder = test_folder("safetensors");
    char *path = path_join(folder, "out.safetensors");
    float x[1000] = {0};
    NamedTensor tensor = {"x", tensor_over(x, shape1(1000))}, strange = {"\xff", tensor_over(x, shape1(1))};
    Error error = {0};
    EXPECT(!safetensors_write(path, &tensor, 1, &(Metadata){"prompt", "\xff"}, 1, &error), "wrote what isn't UTF-8");
    EXPECT(strstr(error.message, "metadata prompt isn't UTF-8"), "\"%s\"", error.message);
    error = (Error){0};
    EXPECT(!safetensors_write(path, &strange, 1, NULL, 0, &error), "wrote what isn't UTF-8");
    EXPECT(strstr(error.message, "isn't UTF-8"), "\"%s\"", error.message);
    error = (Error){0};
    EXPECT(!safetensors_write("build/tmp/no/folder/x", &tensor, 1, NULL, 0, &error), "wrote into no folder");
    EXPECT(strstr(error.message, "can't be created"), "\"%s\"", error.message);
    error = (Error){0};
    files_limit(1000);
    bool written = safetensors_write(path, &tensor, 1, NULL, 0, &error);
    files_limit(0);
    EXPECT(!written && strstr(error.message, "out.safetensors: can't be written: "), "\"%s\"", error.message);
    EXPECT(files_count(folder) == 0, "%zu files are left", files_count(folder));
    free(path);
}

// ---- weights --------------------------------------------------------------------------------------------------------

static void test_weights(void) {
    Error error = {0};
    Weights weights;
    EXPECT(weights_open(&weights, put_python(), &error), "%s", error.message);
    EXPECT(weights_has(&weights, "b.", "weight") && !weights_has(&weights, "", "weight"), "has");
    const float *w = tensor_f32(weights_tensor(&weights, shape2(2, 3), "b.", "weight"));
    const float *h = tensor_f32(weights_tensor(&weights, shape1(5), "", "h"));
    const float *brain = tensor_f32(weights_tensor(&weights, shape2(2, 1), "", "brain"));
    EXPECT(w[0] == -1 && w[5] == 1.5f, "F32: %g %g", w[0], w[5]);
    EXPECT(h[0] == 1 && h[1] == -2.5f && h[2] == 65504 && h[3] == 0x1p-24f && h[4] == INFINITY, "F16: %g %g %g %g %g",
           h[0], h[1], h[2], h[3], h[4]);
    EXPECT(brain[0] == 1 && brain[1] == 3.140625f, "BF16: %g %g", brain[0], brain[1]);
    EXPECT(weights_ok(&weights) && weights.parameters == 13, "%zu parameters", weights.parameters);
    weights_close(&weights);
}

// All 65536 halves and bf16s, at an odd address, against the one-number conversions of base/tensor.c.
static void test_conversions(void) {
    static char bytes[8 + 200 + 4 * 65536 + 1];
    size_t length =
        (size_t)sprintf(bytes + 8, "{%s,%s,%s}", ENTRY("odd", "U8", "[1]", "0", "1"),
                        ENTRY("h", "F16", "[65536]", "1", "131073"), ENTRY("b", "BF16", "[65536]", "131073", "262145"));
    memcpy(bytes, &(uint64_t){length}, 8);
    for (unsigned i = 0; i < 65536; i++) {
        memcpy(bytes + 8 + length + 1 + 2 * i, &(uint16_t){(uint16_t)i}, 2);
        memcpy(bytes + 8 + length + 131073 + 2 * i, &(uint16_t){(uint16_t)i}, 2);
    }
    Error error = {0};
    Weights weights;
    const char *path = files_put(test_folder("safetensors"), "x.safetensors", bytes, 8 + length + 262145);
    EXPECT(weights_open(&weights, path, &error), "%s", error.message);
    Tensor h = weights_tensor(&weights, shape1(65536), "", "h"), b = weights_tensor(&weights, shape1(65536), "", "b");
    size_t wrong = 0;
    for (unsigned i = 0; i < 65536 && weights_ok(&weights); i++) {
        float half = f16_to_f32((uint16_t)i), brain = bf16_to_f32((uint16_t)i);
        wrong += memcmp(&half, &tensor_f32(h)[i], 4) != 0;
        wrong += memcmp(&brain, &tensor_f32(b)[i], 4) != 0;
    }
    EXPECT(weights_ok(&weights) && wrong == 0, "%zu differ; %s", wrong, error.message);
    weights_close(&weights);
}

// F32 at an address that is no multiple of 4 is copied, not read in place.
static void test_unaligned_weight(void) {
    Error error = {0};
    Weights weights;
    const char *path =
        put_header("{" ENTRY("odd", "U8", "[1]", "0", "1") "," ENTRY("w", "F32", "[2]", "1", "9") "}  ", 9);
    EXPECT(weights_open(&weights, path, &error), "%s", error.message);
    Tensor w = weights_tensor(&weights, shape1(2), "", "w");
    EXPECT(weights_ok(&weights) && (uintptr_t)w.data % 4 == 0 && tensor_f32(w)[1] == 0, "%s", error.message);
    weights_close(&weights);
}

static void test_weights_refuse(void) {
    const struct {
        Shape shape;
        const char *prefix, *name, *cause;
    } cases[] = {
        {shape2(2, 3), "b.", "bias",
         "python.safetensors: weight b.bias is missing, the config implies one of shape [2, 3]; "},
        {shape2(3, 2), "b.", "weight", "weight b.weight has shape [2, 3], the config implies [3, 2]; "},
        {shape4(2, 3, 1, 1), "b.", "weight", "has shape [2, 3], the config implies [2, 3, 1, 1]; "},
        {shape1(2), "", "ids", "weight ids is stored as I64; convert it"},
        {(Shape){0, {1, 1, 1, 1}}, "", "count", "weight count is stored as I32; convert it"},
        {shape1(2), "", "__metadata__", "weight __metadata__ is missing"},
    };
    const char *path = put_python();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Error error = {0};
        Weights weights;
        EXPECT(weights_open(&weights, path, &error), "%s", error.message);
        Tensor t = weights_tensor(&weights, cases[i].shape, cases[i].prefix, cases[i].name);
        EXPECT(t.place == NOWHERE && !weights_ok(&weights), "%s was handed out", cases[i].name);
        EXPECT(strstr(error.message, cases[i].cause), "%s: \"%s\"", cases[i].cause, error.message);
        t = weights_tensor(&weights, shape2(2, 3), "", "b.weight");
        EXPECT(t.place == NOWHERE && weights.parameters == 0, "handed out after a failure");
        EXPECT(strstr(error.message, cases[i].cause), "the first error is gone: \"%s\"", error.message);
        weights_close(&weights);
    }
    Error error = {0};
    Weights weights;
    EXPECT(!weights_open(&weights, "nowhere.safetensors", &error) && !weights_ok(&weights), "%s", error.message);
    EXPECT(weights_tensor(&weights, shape1(1), "", "x").place == NOWHERE, "a tensor out of nothing");
    EXPECT(!weights_has(&weights, "", "x"), "has");
    weights_close(&weights);
}

int main(void) {
    TEST(test_python_file);
    TEST(test_odd_but_valid);
    TEST(test_lying_headers);
    TEST(test_lying_lengths);
    TEST(test_no_such_files);
    TEST(test_truncated_anywhere);
    TEST(test_nesting);
    TEST(test_long_name);
    TEST(test_round_trip);
    TEST(test_write_nothing);
    TEST(test_write_refuses);
    TEST(test_weights);
    TEST(test_conversions);
    TEST(test_unaligned_weight);
    TEST(test_weights_refuse);
    return test_summary();
}
