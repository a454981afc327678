// registry.c - the table of ops and their variants; see registry.h
//
// To add a variant: write the function in its family's file, add a row here, after the slower ones. The row's `about`
// should tell somebody who reads `sculpt kernels` for the first time why this variant exists.

#include "ops/registry.h"

#include "ops/activation.h"
#include "ops/attention.h"
#include "ops/conv2d.h"
#include "ops/embedding.h"
#include "ops/linear.h"
#include "ops/norm.h"
#include "ops/shape.h"

#include "base/check.h"
#include "base/machine.h"

#include <string.h>

static const struct {
    const char *name, *about;
} ops[OP_COUNT] = {
    [OP_CONV2D] = {"conv2d", "each pixel becomes a weighted sum of its neighbours, in all channels"},
    [OP_LINEAR] = {"linear", "each token's numbers become weighted sums of each other"},
    [OP_ATTENTION] = {"attention", "each token gathers from the tokens that matter to it; where words meet pixels"},
    [OP_GROUP_NORM] = {"group_norm", "groups of channels shifted and scaled to mean 0, variance 1"},
    [OP_GROUP_NORM_SILU] = {"group_norm_silu", "group_norm, then silu: what stands before every convolution"},
    [OP_LAYER_NORM] = {"layer_norm", "each token's numbers shifted and scaled to mean 0, variance 1"},
    [OP_SILU] = {"silu", "x sigmoid(x): the bend in the timestep's layers, and between convolutions"},
    [OP_GELU] = {"gelu", "x P(normal < x): the bend in SD 2.x's text encoder"},
    [OP_QUICK_GELU] = {"quick_gelu", "x sigmoid(1.702 x): the bend in SD 1.x's text encoder"},
    [OP_RELU] = {"relu", "x, or 0 where it is below: the bend in the tiny autoencoder"},
    [OP_TANH] = {"tanh", "pulls far numbers back to -1..1: how the tiny decoder bounds its latents"},
    [OP_GEGLU] = {"geglu", "one half of the channels, gated by the gelu of the other"},
    [OP_ADD] = {"add", "two tensors, number by number: closes every shortcut"},
    [OP_ADD_PER_CHANNEL] = {"add_per_channel", "one number added to a whole channel: how the U-Net learns the time"},
    [OP_SCALE_SHIFT] = {"scale_shift", "every number times one, plus another: from -1..1 to 0..1 and the like"},
    [OP_CONCAT_CHANNELS] = {"concat_channels", "two pictures' channels put together: the U-Net's skip connections"},
    [OP_PAD_RIGHT_BOTTOM] = {"pad_right_bottom", "a line of zeros on two sides, before the VAE halves a picture"},
    [OP_UPSAMPLE_NEAREST] = {"upsample_nearest", "a larger picture, each pixel the nearest old one"},
    [OP_IMAGE_TO_TOKENS] = {"image_to_tokens", "pixels become tokens: planes to rows of channels"},
    [OP_TOKENS_TO_IMAGE] = {"tokens_to_image", "tokens become pixels again"},
    [OP_EMBEDDING] = {"embedding", "token ids become vectors, plus one for the place in the prompt"},
    [OP_TIMESTEP_EMBEDDING] = {"timestep_embedding", "the timestep as a clock with many hands: sines and cosines"},
    [OP_GUIDANCE_EMBEDDING] = {"guidance_embedding",
                               "the guidance as such a clock: for U-Nets that were taught to guide"},
};

// A kernel of any type: the op that calls it casts it back.
typedef void Any(void);

static const Kernel kernels[] = {
    {OP_CONV2D, "naive", "the definition: seven nested loops, summed in double", .function = (Any *)conv2d_naive,
     .weight_type = F32},
    {OP_CONV2D, "openmp", "a weight times a whole plane at a time; threads share the output channels",
     .function = (Any *)conv2d_openmp, .weight_type = F32},
    {OP_CONV2D, "blas", "windows written out as columns (im2col), a tile of rows at a time; then matrix products",
     .function = (Any *)conv2d_blas, .weight_type = F32, .scratch_size = conv2d_blas_scratch_size},
    {OP_CONV2D, "packed", "the same product, with the columns written in the order in which it reads them",
     .function = (Any *)conv2d_packed, .fast_here = machine_has_avx2, .weight_type = F32,
     .scratch_size = conv2d_packed_scratch_size},
    {OP_CONV2D, "winograd", "3x3: sums of pixels first, then a quarter of the multiplications; else as packed",
     .function = (Any *)conv2d_winograd, .fast_here = machine_has_avx2, .weight_type = F32,
     .scratch_size = conv2d_winograd_scratch_size},
    {OP_CONV2D, "bf16", "3x3 as winograd, in f32; others with weights and pixels rounded to bf16, added up in f32",
     .function = (Any *)conv2d_bf16, .weight_type = BF16, .precision = BF16, .scratch_size = conv2d_bf16_scratch_size},
    {OP_LINEAR, "naive", "the definition: three nested loops, summed in double", .function = (Any *)linear_naive,
     .weight_type = F32},
    {OP_LINEAR, "openmp", "threads share the weight's rows; sums split over vector lanes",
     .function = (Any *)linear_openmp, .weight_type = F32},
    {OP_LINEAR, "blas", "one matrix product (sgemm), which works in blocks that fit the caches",
     .function = (Any *)linear_blas, .weight_type = F32},
    {OP_LINEAR, "packed", "the same product, with the weight packed for it a piece at a time",
     .function = (Any *)linear_packed, .fast_here = machine_has_avx2, .weight_type = F32,
     .scratch_size = linear_packed_scratch_size},
    {OP_LINEAR, "bf16", "weights and inputs are rounded to bf16, 8 bits that count; their products are added up in f32",
     .function = (Any *)linear_bf16, .weight_type = BF16, .precision = BF16, .scratch_size = linear_bf16_scratch_size},
    {OP_ATTENTION, "naive", "the definition: one query after the other, in double", .function = (Any *)attention_naive,
     .scratch_size = attention_naive_scratch_size},
    {OP_ATTENTION, "openmp", "threads share the queries, each with one row of scores",
     .function = (Any *)attention_openmp, .scratch_size = attention_openmp_scratch_size},
    {OP_ATTENTION, "blas", "two matrix products and a softmax between, for a tile of queries at a time",
     .function = (Any *)attention_blas, .scratch_size = attention_blas_scratch_size},
    {OP_ATTENTION, "flash", "a few keys at a time, and sums that are corrected: the matrix of scores never exists",
     .function = (Any *)attention_flash, .fast_here = machine_has_avx2, .scratch_size = attention_flash_scratch_size},
    {OP_ATTENTION, "bf16", "the same, with queries, keys, values and shares rounded to bf16, added up in f32",
     .function = (Any *)attention_bf16, .precision = BF16, .scratch_size = attention_bf16_scratch_size},
    {OP_GROUP_NORM, "naive", "the definition: mean, variance, result; three passes, in double",
     .function = (Any *)group_norm_naive, .weight_type = F32},
    {OP_GROUP_NORM, "openmp", "threads share the groups; mean and variance in one pass",
     .function = (Any *)group_norm_openmp, .weight_type = F32},
    {OP_GROUP_NORM, "avx2", "the same, in registers of 8 numbers", .function = (Any *)group_norm_avx2,
     .runs_here = machine_has_avx2, .weight_type = F32},
    {OP_GROUP_NORM_SILU, "naive", "the definitions, one after the other", .function = (Any *)group_norm_silu_naive,
     .weight_type = F32},
    {OP_GROUP_NORM_SILU, "openmp", "in one: what the norm makes is bent before it goes to memory",
     .function = (Any *)group_norm_silu_openmp, .weight_type = F32},
    {OP_GROUP_NORM_SILU, "avx2", "the same, in registers of 8 numbers", .function = (Any *)group_norm_silu_avx2,
     .runs_here = machine_has_avx2, .weight_type = F32},
    {OP_GROUP_NORM_SILU, "avx512", "the same, in registers of 16 numbers", .function = (Any *)group_norm_silu_avx512,
     .runs_here = machine_has_avx512, .weight_type = F32},
    {OP_LAYER_NORM, "naive", "the definition: mean, variance, result; three passes, in double",
     .function = (Any *)layer_norm_naive, .weight_type = F32},
    {OP_LAYER_NORM, "openmp", "threads share the rows; sums split over vector lanes",
     .function = (Any *)layer_norm_openmp, .weight_type = F32},
    {OP_LAYER_NORM, "avx2", "the same, in registers of 8 numbers", .function = (Any *)layer_norm_avx2,
     .runs_here = machine_has_avx2, .weight_type = F32},
    {OP_SILU, "naive", "the definition, one expf call a number", .function = (Any *)silu_naive},
    {OP_SILU, "openmp", "threads share the numbers; several exponentials at a time (exp.h)",
     .function = (Any *)silu_openmp},
    {OP_GELU, "naive", "the definition, one erff call a number", .function = (Any *)gelu_naive},
    {OP_GELU, "openmp", "threads share the numbers; several of the normal distribution at a time (normal_cdf.h)",
     .function = (Any *)gelu_openmp},
    {OP_GELU, "avx2", "the same, in registers of 8 numbers", .function = (Any *)gelu_avx2,
     .runs_here = machine_has_avx2},
    {OP_QUICK_GELU, "naive", "the definition, one expf call a number", .function = (Any *)quick_gelu_naive},
    {OP_QUICK_GELU, "openmp", "threads share the numbers; several exponentials at a time (exp.h)",
     .function = (Any *)quick_gelu_openmp},
    {OP_QUICK_GELU, "avx2", "the same, in registers of 8 numbers", .function = (Any *)quick_gelu_avx2,
     .runs_here = machine_has_avx2},
    {OP_RELU, "naive", "the definition", .function = (Any *)relu_naive},
    {OP_RELU, "openmp", "threads share the numbers", .function = (Any *)relu_openmp},
    {OP_TANH, "naive", "the definition, one tanhf call a number", .function = (Any *)tanh_naive},
    {OP_TANH, "openmp", "threads share the numbers", .function = (Any *)tanh_openmp},
    {OP_GEGLU, "naive", "the definition, one erff call a number", .function = (Any *)geglu_naive},
    {OP_GEGLU, "openmp", "threads share the rows; several of the normal distribution at a time (normal_cdf.h)",
     .function = (Any *)geglu_openmp},
    {OP_GEGLU, "avx2", "the same, in registers of 8 numbers", .function = (Any *)geglu_avx2,
     .runs_here = machine_has_avx2},
    {OP_GEGLU, "avx512", "the same, in registers of 16 numbers", .function = (Any *)geglu_avx512,
     .runs_here = machine_has_avx512},
    {OP_ADD, "naive", "the definition", .function = (Any *)add_naive},
    {OP_ADD, "openmp", "threads share the numbers", .function = (Any *)add_openmp},
    {OP_ADD_PER_CHANNEL, "naive", "the definition", .function = (Any *)add_per_channel_naive},
    {OP_ADD_PER_CHANNEL, "openmp", "threads share the channels", .function = (Any *)add_per_channel_openmp},
    {OP_SCALE_SHIFT, "naive", "the definition", .function = (Any *)scale_shift_naive},
    {OP_SCALE_SHIFT, "openmp", "threads share the numbers", .function = (Any *)scale_shift_openmp},
    {OP_CONCAT_CHANNELS, "naive", "two copies a picture; nothing is faster", .function = (Any *)concat_channels_naive},
    {OP_PAD_RIGHT_BOTTOM, "naive", "the definition; three small calls a picture",
     .function = (Any *)pad_right_bottom_naive},
    {OP_UPSAMPLE_NEAREST, "naive", "the definition", .function = (Any *)upsample_nearest_naive},
    {OP_UPSAMPLE_NEAREST, "openmp", "threads share the planes; repeated rows are copied",
     .function = (Any *)upsample_nearest_openmp},
    {OP_IMAGE_TO_TOKENS, "naive", "the definition: a transposed matrix", .function = (Any *)image_to_tokens_naive},
    {OP_IMAGE_TO_TOKENS, "openmp", "in squares of 16 x 16, which use up a cache line at once",
     .function = (Any *)image_to_tokens_openmp},
    {OP_TOKENS_TO_IMAGE, "naive", "the definition: a transposed matrix", .function = (Any *)tokens_to_image_naive},
    {OP_TOKENS_TO_IMAGE, "openmp", "in squares of 16 x 16, which use up a cache line at once",
     .function = (Any *)tokens_to_image_openmp},
    {OP_EMBEDDING, "naive", "the definition: look up and add", .function = (Any *)embedding_naive, .weight_type = F32},
    {OP_TIMESTEP_EMBEDDING, "naive", "the definition, in float as the reference",
     .function = (Any *)timestep_embedding_naive},
    {OP_GUIDANCE_EMBEDDING, "naive", "the definition, in float as the reference",
     .function = (Any *)guidance_embedding_naive},
};

const char *op_name(Op op) { return ops[op].name; }

const char *op_about(Op op) { return ops[op].about; }

bool op_find(const char *name, size_t length, Op *op) {
    for (int i = 0; i < OP_COUNT; i++) {
        if (strlen(op_name((Op)i)) != length || memcmp(op_name((Op)i), name, length) != 0) continue;
        *op = (Op)i;
        return true;
    }
    return false;
}

size_t kernel_count(void) { return sizeof kernels / sizeof kernels[0]; }

const Kernel *kernel_at(size_t index) {
    CHECK(index < kernel_count(), "row %zu of %zu", index, kernel_count());
    return &kernels[index];
}

const Kernel *kernel_find(Op op, const char *variant) {
    for (size_t i = 0; i < kernel_count(); i++) {
        if (kernels[i].op == op && strcmp(kernels[i].variant, variant) == 0) return &kernels[i];
    }
    return NULL;
}

static const Kernel *fastest_of(Op op, DType precision) {
    const Kernel *last = NULL;
    for (size_t i = 0; i < kernel_count(); i++) {
        const Kernel *kernel = &kernels[i];
        if (kernel->op != op || kernel->precision != precision) continue;
        if (kernel->runs_here && !kernel->runs_here()) continue;
        if (!kernel->fast_here || kernel->fast_here()) last = kernel;
    }
    return last;
}

const Kernel *kernel_default(Op op, DType precision) {
    const Kernel *fastest = fastest_of(op, precision);
    return fastest ? fastest : fastest_of(op, F32);  // never NULL: naive runs everywhere
}
