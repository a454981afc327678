// solution.c - lesson 11: the clock, and the ResNet block. core/ops/embedding.c and core/stages/resnet_block.c have the same,
// with norm and SiLU in one pass, and scopes that give memory back

#include "exercise.h"

#include <math.h>

void sinusoid(float t, size_t dim, bool flip_sin_to_cos, float freq_shift, float *out) {
    size_t half = dim / 2;
    float *sines = flip_sin_to_cos ? out + half : out, *cosines = flip_sin_to_cos ? out : out + half;
    for (size_t i = 0; i < half; i++) {
        float frequency = powf(10000, -(float)i / ((float)half - freq_shift));
        sines[i] = sinf(t * frequency);
        cosines[i] = cosf(t * frequency);
    }
    if (dim % 2 == 1) out[dim - 1] = 0;
}

Tensor resnet(Context *ctx, Tensor x, Tensor time, const ResnetBlock *block) {
    Tensor h = group_norm(ctx, x, &block->norm1, block->groups, block->eps);
    h = silu(ctx, h);
    h = conv2d(ctx, h, &block->conv1, 1, 1);
    if (layer_present(&block->time_emb_proj)) {
        h = add_per_channel_inplace(ctx, h, linear(ctx, time, &block->time_emb_proj));
    }
    h = group_norm(ctx, h, &block->norm2, block->groups, block->eps);
    h = silu(ctx, h);
    h = conv2d(ctx, h, &block->conv2, 1, 1);
    if (layer_present(&block->conv_shortcut)) x = conv2d(ctx, x, &block->conv_shortcut, 1, 0);
    return add(ctx, x, h);
}
