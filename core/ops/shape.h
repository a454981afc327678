// shape.h - the kernels that add, scale, join, enlarge and reorder; see shape.c

#pragma once

#include <stddef.h>

typedef struct PlanesShape {
    size_t B, C, H, W;
} PlanesShape;

typedef struct ConcatShape {
    size_t B, Ca, Cb, H, W;
} ConcatShape;

typedef struct UpsampleShape {
    size_t B, C, H, W;
    size_t Hout, Wout;
} UpsampleShape;

typedef void AddKernel(float *out, const float *a, const float *b, size_t n);  // out may be a or b
typedef void AddPerChannelKernel(float *out, const float *in, const float *per_channel,
                                 PlanesShape s);                                                 // out may be in
typedef void ScaleShiftKernel(float *out, const float *in, float scale, float shift, size_t n);  // out may be in
typedef void ConcatKernel(float *out, const float *a, const float *b, ConcatShape s);
typedef void PadKernel(float *out, const float *in, PlanesShape s);  // s is the shape of in
typedef void UpsampleKernel(float *out, const float *in, UpsampleShape s);
typedef void TokensKernel(float *out, const float *in, PlanesShape s);  // s is the picture's shape both ways

AddKernel add_naive, add_openmp;
AddPerChannelKernel add_per_channel_naive, add_per_channel_openmp;
ScaleShiftKernel scale_shift_naive, scale_shift_openmp;
ConcatKernel concat_channels_naive;
PadKernel pad_right_bottom_naive;
UpsampleKernel upsample_nearest_naive, upsample_nearest_openmp;
TokensKernel image_to_tokens_naive, image_to_tokens_openmp;
TokensKernel tokens_to_image_naive, tokens_to_image_openmp;
