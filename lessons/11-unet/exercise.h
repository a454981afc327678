// exercise.h - lesson 11: the functions to be written, as their check calls them

#pragma once

#include "ops/ops.h"
#include "stages/resnet_block.h"

// A timestep as the U-Net gets it: cosines and sines of falling frequency, a clock with many hands.
//
//     frequency[i] = 10000^(-i / (half - freq_shift)),  i = 0 .. half - 1,  half = dim / 2, rounded down
//     out          = sin(t frequency[0]), sin(t frequency[1]), ..., cos(t frequency[0]), cos(t frequency[1]), ...
//
// with all cosines before all sines if flip_sin_to_cos. If dim is odd, the last number is 0. Angles are in radians.
//
//     t    0 to 999
//     out  [dim]  to be filled
void sinusoid(float t, size_t dim, bool flip_sin_to_cos, float freq_shift, float *out);

// The block that a U-Net is built of (stages/resnet_block.h describes its layers), written with the ops of ops/ops.h:
// group_norm, silu, conv2d, linear, add_per_channel_inplace, add.
//
//     h   = conv1(silu(norm1(x)))                 3x3, stride 1, padding 1: [B, Cin, H, W] -> [B, Cout, H, W]
//     h  += time_emb_proj(time)                   one number a channel, at all its pixels
//     h   = conv2(silu(norm2(h)))                 3x3 once more: [B, Cout, H, W]
//     out = conv_shortcut(x) + h                  1x1, stride 1, padding 0
//
// Where a block has no time_emb_proj (the VAE's haven't), nothing is added there; where it has no conv_shortcut (Cin is
// Cout), x itself is. layer_present(&block->conv_shortcut) says whether a layer is there.
//
//     x     [B, Cin, H, W]  not yours: don't overwrite it
//     time  [B, T]          has been through SiLU already
//
// Returns [B, Cout, H, W], in ctx's arena. What you take from there needn't be given back.
Tensor resnet(Context *ctx, Tensor x, Tensor time, const ResnetBlock *block);
