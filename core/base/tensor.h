// tensor.h - numbers with a shape
//
// A Tensor is a small struct passed by value: it says where numbers lie and how they are counted, it does not own them.
// Always contiguous, row-major, at most four axes: no strides, no views that surprise.
// Elsewhere: torch.Tensor, of which this is the part that inference needs.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum DType { F32, F16, BF16, I64 } DType;

typedef struct Shape {
    size_t rank;     // 0..4; rank 0 is a single number
    size_t axis[4];  // outermost first; axes at and beyond rank are 1
} Shape;

typedef enum Place {
    NOWHERE,  // the absent tensor (a layer without bias), or one that is only planned: it has a shape and no memory
    ON_HOST,
} Place;

typedef struct Tensor {
    void *data;
    Shape shape;
    DType dtype;
    Place place;
} Tensor;

Shape shape1(size_t a);
Shape shape2(size_t a, size_t b);
Shape shape3(size_t a, size_t b, size_t c);
Shape shape4(size_t a, size_t b, size_t c, size_t d);

bool shape_equal(Shape a, Shape b);

// How many numbers a shape holds. CHECKs that the product fits a size_t (a file's shapes are checked by its reader).
size_t shape_count(Shape shape);

// "[1, 4, 16, 16]" in a buffer inside the returned struct, for messages: printf("%s", shape_text(s).text)
typedef struct ShapeText {
    char text[112];
} ShapeText;
ShapeText shape_text(Shape shape);

size_t dtype_size(DType dtype);       // bytes a number: 4, 2, 2, 8
const char *dtype_name(DType dtype);  // as in safetensors: "F32" "F16" "BF16" "I64"

// f16 and bf16 to f32, one number (exact) and back (round to nearest even).
float f16_to_f32(uint16_t half);
uint16_t f32_to_f16(float x);
float bf16_to_f32(uint16_t brain);
uint16_t f32_to_bf16(float x);

bool all_finite(const float *values, size_t n);  // no infinity among them, and no NaN

// A tensor over memory that the caller owns.
Tensor tensor_over(float *data, Shape shape);
Tensor tensor_over_ids(int64_t *ids, Shape shape);
static inline Tensor tensor_absent(void) { return (Tensor){0}; }
// The last rows of a tensor's outermost axis, where they are: of [2, L, D] the second [1, L, D]
Tensor tensor_last_rows(Tensor t, size_t rows);

// The numbers. CHECKs dtype and place.
float *tensor_f32(Tensor t);
const int64_t *tensor_i64(Tensor t);
