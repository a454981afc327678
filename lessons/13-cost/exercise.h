// exercise.h - lesson 13: the six functions to be written, which count without computing anything
//
// A multiplication and an addition are two FLOPs. Counted are those of convolutions, linear layers and attention's two
// products. Biases, shortcuts, norms, activations and softmax are left out: about one in a hundred.

#pragma once

#include "ops/attention.h"
#include "ops/conv2d.h"
#include "ops/linear.h"

// out [B, Cout, Hout, Wout]: each of its numbers is a sum over a K x K window of all Cin channels.
double conv2d_flops(Conv2dShape s);

// How many bytes it reads and writes: input [B, Cin, H, W], weight [Cout, Cin, K, K], bias [Cout] and output, each once,
// in float32.
double conv2d_bytes(Conv2dShape s);

// [N, Cin] -> [N, Cout]. s.add, whether the result is added to something, is not looked at.
double linear_flops(LinearShape s);

// For each of B pictures and each of `heads` heads: q k^T with q [Tq, d], k [Tk, d], then those [Tq, Tk] times v [Tk, d].
// causal: a token sees only itself and those before it (and Tq = Tk), and what isn't seen isn't computed.
double attention_flops(AttentionShape s);

// A ResNet block of the U-Net: a 3x3 convolution from Cin to Cout channels, a linear layer that makes Cout numbers of the
// time embedding [B, time], another 3x3 convolution, and where Cin isn't Cout a 1x1 convolution as the shortcut.
typedef struct ResnetSizes {
    size_t B, Cin, H, W, Cout, time;
} ResnetSizes;
double resnet_block_flops(ResnetSizes s);

// A transformer of the U-Net, with one block, on the H W pixels of a picture as tokens of C numbers:
//
//     proj_in                           C -> C
//     attn1, pixels look at pixels      to_q, to_k, to_v: C -> C; attention; to_out: C -> C
//     attn2, pixels look at words       to_q: C -> C; to_k, to_v: words [B, text_length, text_width] -> C; attention;
//                                       to_out: C -> C
//     feed-forward                      C -> 8 C; then, since GEGLU halves it, 4 C -> C
//     proj_out                          C -> C
typedef struct TransformerSizes {
    size_t B, C, H, W, heads, text_length, text_width;
} TransformerSizes;
double transformer_flops(TransformerSizes s);
