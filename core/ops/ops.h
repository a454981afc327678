// ops.h - the vocabulary that the stages are written in
//
// Every function takes tensors, makes its output in ctx's arena and returns it. Shapes stand beside each; a mismatch is
// a bug in the caller and CHECKed. Weights keep the layout that PyTorch saves.
//
// Each op family is one file, ordered for a learner: the maths, then naive (the definition), then what is faster:
// conv2d.c  linear.c  attention.c  norm.c  activation.c  shape.c  embedding.c. Its header declares the kernels.

#pragma once

#include "base/tensor.h"
#include "ops/context.h"

// A layer's learnt numbers. bias is absent (place NOWHERE, rank 0) where the layer has none.
typedef struct Layer {
    Tensor weight, bias;
} Layer;

// x [B, Cin, H, W], weight [Cout, Cin, K, K], bias [Cout] -> [B, Cout, H', W'], H' = (H + 2 padding - K) / stride + 1
Tensor conv2d(Context *ctx, Tensor x, const Layer *layer, size_t stride, size_t padding);

// x [..., Cin], weight [Cout, Cin], bias [Cout] -> [..., Cout]. A weight [Cout, Cin, 1, 1] counts as [Cout, Cin].
Tensor linear(Context *ctx, Tensor x, const Layer *layer);

// sum [..., Cout] += linear(x), in one pass; gives sum. x is another tensor.
Tensor linear_add_inplace(Context *ctx, Tensor sum, Tensor x, const Layer *layer);

// q [B, Tq, heads d], k and v [B, Tk, heads d] -> [B, Tq, heads d]: softmax(q k^T / sqrt(d)) v, each head for itself.
// causal: a token doesn't see those after it. place names this layer for the attention observer.
Tensor attention(Context *ctx, Tensor q, Tensor k, Tensor v, size_t heads, bool causal, const char *place);

// x [B, C, H, W], weight and bias [C] -> the same shape
Tensor group_norm(Context *ctx, Tensor x, const Layer *layer, size_t groups, float eps);
Tensor group_norm_silu(Context *ctx, Tensor x, const Layer *layer, size_t groups, float eps);  // silu of it, in one

// x [..., C], weight and bias [C] -> the same shape
Tensor layer_norm(Context *ctx, Tensor x, const Layer *layer, float eps);

// Element by element, the same shape. The _inplace forms overwrite x, which nobody else may read, and return it.
Tensor silu(Context *ctx, Tensor x);
Tensor silu_inplace(Context *ctx, Tensor x);
Tensor gelu_inplace(Context *ctx, Tensor x);        // exact: x/2 (1 + erf(x / sqrt 2))
Tensor quick_gelu_inplace(Context *ctx, Tensor x);  // x sigmoid(1.702 x)
Tensor relu_inplace(Context *ctx, Tensor x);        // max(x, 0)
Tensor tanh_inplace(Context *ctx, Tensor x);

// x [..., 2C] -> [..., C]: first half times gelu(second half)
Tensor geglu(Context *ctx, Tensor x);

// a + b, same shapes
Tensor add(Context *ctx, Tensor a, Tensor b);
Tensor add_inplace(Context *ctx, Tensor a, Tensor b);  // into a

// x [B, C, H, W] += per_channel [B, C]
Tensor add_per_channel_inplace(Context *ctx, Tensor x, Tensor per_channel);

// x scale + shift, the same shape
Tensor scale_shift(Context *ctx, Tensor x, float scale, float shift);
Tensor scale_shift_inplace(Context *ctx, Tensor x, float scale, float shift);

// [B, Ca, H, W], [B, Cb, H, W] -> [B, Ca + Cb, H, W]
Tensor concat_channels(Context *ctx, Tensor a, Tensor b);

// [B, C, H, W] -> [B, C, H + 1, W + 1], zeros at the right and the bottom
Tensor pad_right_bottom(Context *ctx, Tensor x);

// [B, C, H, W] -> [B, C, H', W'], each pixel the nearest old one: y -> floor(y H / H')
Tensor upsample_nearest(Context *ctx, Tensor x, size_t H, size_t W);

// [B, C, H, W] -> [B, H W, C] and back
Tensor image_to_tokens(Context *ctx, Tensor x);
Tensor tokens_to_image(Context *ctx, Tensor x, size_t H, size_t W);

// x's numbers into kept, memory of the caller's that outlives this pass; the same shape. No kernel: nothing is computed.
void keep_tensor(Context *ctx, Tensor kept, Tensor x);

// ids [B, L] (I64), tokens [V, D], positions [at least L, D] -> [B, L, D]. Ids are CHECKed to be in the table.
Tensor embedding(Context *ctx, Tensor ids, Tensor tokens, Tensor positions);

// timesteps [B] -> [B, dim]: sines and cosines of falling frequency (Vaswani et al. 2017, section 3.5; diffusers:
// get_timestep_embedding). flip_sin_to_cos: cosines first, as all Stable Diffusion models have it.
Tensor timestep_embedding(Context *ctx, Tensor timesteps, size_t dim, bool flip_sin_to_cos, float freq_shift);

// guidance [B], each guidance_scale - 1 -> [B, dim]: the same for the guidance (diffusers:
// get_guidance_scale_embedding). dim is at least 4.
Tensor guidance_embedding(Context *ctx, Tensor guidance, size_t dim);
