// ops.c - from tensors to kernels: what every op does around the arithmetic
//
// Where: between the stages, which speak in tensors, and the kernels, which speak in pointers and sizes.
// Elsewhere: PyTorch's dispatcher.
// Read next: conv2d.c, for what is called in the end.
//
// Every op here goes the same way: check that the shapes fit, add to the cost, take the output from the arena, and,
// unless the context is only planning or has been told to stop, call the kernel that the context has chosen; then tell the
// profile, if there is one. Scratch is taken from the arena's other end and given back at once. Planning goes the same
// way up to the call, and so counts the same.

#include "ops/ops.h"

#include "ops/activation.h"
#include "ops/attention.h"
#include "ops/conv2d.h"
#include "ops/embedding.h"
#include "ops/linear.h"
#include "ops/norm.h"
#include "ops/profile.h"
#include "ops/shape.h"

#include "base/check.h"
#include "base/convert.h"

#include <string.h>

// ---- what they share ------------------------------------------------------------------------------------------------

static bool is_absent(Tensor t) { return t.place == NOWHERE && t.shape.rank == 0; }

static size_t bytes_of(Tensor t) { return is_absent(t) ? 0 : shape_count(t.shape) * dtype_size(t.dtype); }

// Every op says what it will cost, and from here on its time counts.
static void op_begin(Context *ctx, Op op, size_t flops, size_t bytes) {
    Cost *cost = &ctx->cost;
    cost->flops += flops;
    cost->bytes += bytes;
    cost->calls++;
    cost->ops[op].flops += flops;
    cost->ops[op].bytes += bytes;
    if (ctx->profile) profile_begin(ctx->profile, op, ctx->kernels[op], flops, bytes);
}

// Every op that was executed says on what. with: its weight, or the other tensor that it read; or nothing.
static void op_end(Context *ctx, Shape x, Shape with, Shape out) {
    if (ctx->profile) profile_end(ctx->profile, x, with, out);
}

static const Shape NOTHING = {0};

static bool executes(const Context *ctx) { return !ctx->planning && !context_stopped(ctx); }

static Tensor take(Context *ctx, Shape shape) {
    float *data = arena_take(&ctx->arena, shape_count(shape) * sizeof(float));
    return ctx->planning ? (Tensor){NULL, shape, F32, NOWHERE} : tensor_over(data, shape);
}

// To be called inside a scope of its own. shape: the op's Shape struct.
static void *take_scratch(Context *ctx, Op op, const void *shape) {
    const Kernel *kernel = ctx->kernels[op];
    size_t bytes = kernel->scratch_size ? kernel->scratch_size(shape) : 0;
    return bytes > 0 ? arena_take(&ctx->arena, bytes) : NULL;
}

static size_t last_axis(Tensor t) {
    CHECK(t.shape.rank >= 1 && shape_count(t.shape) > 0, "an op was given %s", shape_text(t.shape).text);
    return t.shape.axis[t.shape.rank - 1];
}

static PlanesShape planes_of(Tensor image) {
    CHECK(image.shape.rank == 4, "%s is not [B, C, H, W]", shape_text(image.shape).text);
    return (PlanesShape){image.shape.axis[0], image.shape.axis[1], image.shape.axis[2], image.shape.axis[3]};
}

static void check_per_channel(Tensor t, size_t C, const char *what) {
    CHECK(shape_equal(t.shape, shape1(C)), "%s %s for %zu channels", what, shape_text(t.shape).text, C);
}

// The layer's weight as the op's kernel reads it. One that is kept in another format is converted in scratch memory, each
// time anew: what weights in half precision cost in time for the memory that they save. To be called inside a scope of
// its own.
static const void *take_weight(Context *ctx, Op op, const Layer *layer) {
    const Kernel *kernel = ctx->kernels[op];
    Tensor weight = layer->weight;
    if (weight.dtype == kernel->weight_type) return weight.data;
    size_t n = shape_count(weight.shape);
    void *converted = arena_take(&ctx->arena, n * dtype_size(kernel->weight_type));
    if (executes(ctx)) convert(converted, kernel->weight_type, weight.data, weight.dtype, n);
    return converted;
}

static const float *bias_of(const Layer *layer) { return is_absent(layer->bias) ? NULL : tensor_f32(layer->bias); }

// ---- the layers with large weights ----------------------------------------------------------------------------------

Tensor conv2d(Context *ctx, Tensor x, const Layer *layer, size_t stride, size_t padding) {
    PlanesShape in = planes_of(x);
    const size_t *w = layer->weight.shape.axis;
    CHECK(layer->weight.shape.rank == 4 && w[1] == in.C && w[2] == w[3], "weight %s on x %s",
          shape_text(layer->weight.shape).text, shape_text(x.shape).text);
    Conv2dShape s = {in.B, in.C, in.H, in.W, .Cout = w[0], .K = w[2], .stride = stride, .padding = padding};
    CHECK(stride > 0 && in.H + 2 * padding >= s.K && in.W + 2 * padding >= s.K,
          "weight %s, stride %zu, padding %zu on %s", shape_text(layer->weight.shape).text, stride, padding,
          shape_text(x.shape).text);
    if (!is_absent(layer->bias)) check_per_channel(layer->bias, s.Cout, "bias");
    s.Hout = (in.H + 2 * padding - s.K) / stride + 1;
    s.Wout = (in.W + 2 * padding - s.K) / stride + 1;

    Tensor out = take(ctx, shape4(s.B, s.Cout, s.Hout, s.Wout));
    op_begin(ctx, OP_CONV2D, 2 * shape_count(out.shape) * s.Cin * s.K * s.K,
             bytes_of(x) + bytes_of(layer->weight) + bytes_of(layer->bias) + bytes_of(out));
    Scope scope = scope_open(&ctx->arena);
    const void *weight = take_weight(ctx, OP_CONV2D, layer);
    void *scratch = take_scratch(ctx, OP_CONV2D, &s);
    if (executes(ctx)) {
        Conv2dKernel *kernel = (Conv2dKernel *)ctx->kernels[OP_CONV2D]->function;
        kernel(tensor_f32(out), tensor_f32(x), weight, bias_of(layer), s, scratch);
        op_end(ctx, x.shape, layer->weight.shape, out.shape);
    }
    scope_close(&ctx->arena, &scope);
    return out;
}

static LinearShape linear_shape(Tensor x, const Layer *layer) {
    size_t Cin = last_axis(x), rank = layer->weight.shape.rank;
    const size_t *w = layer->weight.shape.axis;
    CHECK((rank == 2 || (rank == 4 && w[2] == 1 && w[3] == 1)) && w[1] == Cin, "weight %s on x %s",
          shape_text(layer->weight.shape).text, shape_text(x.shape).text);
    if (!is_absent(layer->bias)) check_per_channel(layer->bias, w[0], "bias");
    return (LinearShape){.N = shape_count(x.shape) / Cin, .Cin = Cin, .Cout = w[0]};
}

static void linear_into(Context *ctx, Tensor out, Tensor x, const Layer *layer, LinearShape s) {
    size_t sums = s.N * s.Cout;
    op_begin(ctx, OP_LINEAR, 2 * sums * s.Cin + (s.add ? sums : 0),
             bytes_of(x) + bytes_of(layer->weight) + bytes_of(layer->bias) + (s.add ? 2 : 1) * bytes_of(out));
    Scope scope = scope_open(&ctx->arena);
    const void *weight = take_weight(ctx, OP_LINEAR, layer);
    void *scratch = take_scratch(ctx, OP_LINEAR, &s);
    if (executes(ctx)) {
        LinearKernel *kernel = (LinearKernel *)ctx->kernels[OP_LINEAR]->function;
        kernel(tensor_f32(out), tensor_f32(x), weight, bias_of(layer), s, scratch);
        op_end(ctx, x.shape, layer->weight.shape, out.shape);
    }
    scope_close(&ctx->arena, &scope);
}

Tensor linear(Context *ctx, Tensor x, const Layer *layer) {
    LinearShape s = linear_shape(x, layer);
    Shape shape = x.shape;
    shape.axis[shape.rank - 1] = s.Cout;
    Tensor out = take(ctx, shape);
    linear_into(ctx, out, x, layer, s);
    return out;
}

Tensor linear_add_inplace(Context *ctx, Tensor sum, Tensor x, const Layer *layer) {
    LinearShape s = linear_shape(x, layer);
    Shape shape = x.shape;
    shape.axis[shape.rank - 1] = s.Cout;
    CHECK(shape_equal(sum.shape, shape), "sum %s, weight %s on x %s", shape_text(sum.shape).text,
          shape_text(layer->weight.shape).text, shape_text(x.shape).text);
    s.add = true;
    linear_into(ctx, sum, x, layer, s);
    return sum;
}

// ---- attention ------------------------------------------------------------------------------------------------------

// For an observer who asked: the whole matrix, made beside the kernel and gone again afterwards. Counted when planning,
// if the planning context has the same observer; not part of the cost, since the picture doesn't need it.
static void show_probabilities(Context *ctx, Tensor q, Tensor k, AttentionShape s, const char *place) {
    const AttentionObserver *observer = &ctx->attention_observer;
    if (!observer->wants || !observer->wants(ctx->listener, place)) return;
    Scope scope = scope_open(&ctx->arena);
    Tensor probabilities = take(ctx, shape4(s.B, s.heads, s.Tq, s.Tk));
    if (executes(ctx)) {
        attention_probabilities(tensor_f32(probabilities), tensor_f32(q), tensor_f32(k), s);
        observer->probabilities(ctx->listener, place, probabilities);
    }
    scope_close(&ctx->arena, &scope);
}

Tensor attention(Context *ctx, Tensor q, Tensor k, Tensor v, size_t heads, bool causal, const char *place) {
    size_t C = last_axis(q);
    CHECK(q.shape.rank == 3 && k.shape.rank == 3 && shape_equal(k.shape, v.shape) &&
              k.shape.axis[0] == q.shape.axis[0] && k.shape.axis[2] == C,
          "%s: q %s, k %s, v %s", place, shape_text(q.shape).text, shape_text(k.shape).text, shape_text(v.shape).text);
    CHECK(heads > 0 && C % heads == 0, "%s: %zu heads, q %s", place, heads, shape_text(q.shape).text);
    AttentionShape s = {q.shape.axis[0], heads, q.shape.axis[1], k.shape.axis[1], C / heads, causal};
    CHECK(s.Tk > 0 && (!causal || s.Tq == s.Tk), "%s: causal %d, q %s, k %s", place, causal, shape_text(q.shape).text,
          shape_text(k.shape).text);

    // Each (query, key) that see each other costs d multiply-adds for the score and d for the value.
    size_t pairs = s.B * (causal ? s.Tq * (s.Tq + 1) / 2 : s.Tq * s.Tk);
    Tensor out = take(ctx, q.shape);
    op_begin(ctx, OP_ATTENTION, 2 * 2 * pairs * C, bytes_of(q) + bytes_of(k) + bytes_of(v) + bytes_of(out));
    Scope scope = scope_open(&ctx->arena);
    void *scratch = take_scratch(ctx, OP_ATTENTION, &s);
    if (executes(ctx)) {
        AttentionKernel *kernel = (AttentionKernel *)ctx->kernels[OP_ATTENTION]->function;
        kernel(tensor_f32(out), tensor_f32(q), tensor_f32(k), tensor_f32(v), s, scratch);
        op_end(ctx, shape4(s.B, heads, s.Tq, s.d), shape4(s.B, heads, s.Tk, s.d), shape4(s.B, heads, s.Tq, s.d));
    }
    scope_close(&ctx->arena, &scope);
    show_probabilities(ctx, q, k, s, place);
    return out;
}

// ---- norms ----------------------------------------------------------------------------------------------------------

// A norm: subtract, square, add; then subtract, scale, shift, and the rest of it once a group. An activation: negate,
// exponential, add, divide; for geglu also the product. An exponential, erf or tanh counts as one, and so does the
// comparison that is all of ReLU.
enum { NORM_FLOPS = 7, ACTIVATION_FLOPS = 4 };

static Tensor normalise_groups(Context *ctx, Op op, size_t flops, Tensor x, const Layer *layer, size_t groups,
                               float eps) {
    PlanesShape in = planes_of(x);
    CHECK(groups > 0 && in.C % groups == 0, "%zu groups on %s", groups, shape_text(x.shape).text);
    check_per_channel(layer->weight, in.C, "weight");
    check_per_channel(layer->bias, in.C, "bias");
    GroupNormShape s = {in.B, in.C, in.H, in.W, groups};

    Tensor out = take(ctx, x.shape);
    op_begin(ctx, op, flops * shape_count(x.shape), 2 * bytes_of(x) + 2 * bytes_of(layer->weight));
    if (!executes(ctx)) return out;
    GroupNormKernel *kernel = (GroupNormKernel *)ctx->kernels[op]->function;
    kernel(tensor_f32(out), tensor_f32(x), tensor_f32(layer->weight), tensor_f32(layer->bias), s, eps);
    op_end(ctx, x.shape, NOTHING, out.shape);
    return out;
}

Tensor group_norm(Context *ctx, Tensor x, const Layer *layer, size_t groups, float eps) {
    return normalise_groups(ctx, OP_GROUP_NORM, NORM_FLOPS, x, layer, groups, eps);
}

Tensor group_norm_silu(Context *ctx, Tensor x, const Layer *layer, size_t groups, float eps) {
    return normalise_groups(ctx, OP_GROUP_NORM_SILU, NORM_FLOPS + ACTIVATION_FLOPS, x, layer, groups, eps);
}

Tensor layer_norm(Context *ctx, Tensor x, const Layer *layer, float eps) {
    size_t C = last_axis(x);
    check_per_channel(layer->weight, C, "weight");
    check_per_channel(layer->bias, C, "bias");
    LayerNormShape s = {shape_count(x.shape) / C, C};

    Tensor out = take(ctx, x.shape);
    op_begin(ctx, OP_LAYER_NORM, NORM_FLOPS * shape_count(x.shape), 2 * bytes_of(x) + 2 * bytes_of(layer->weight));
    if (!executes(ctx)) return out;
    LayerNormKernel *kernel = (LayerNormKernel *)ctx->kernels[OP_LAYER_NORM]->function;
    kernel(tensor_f32(out), tensor_f32(x), tensor_f32(layer->weight), tensor_f32(layer->bias), s, eps);
    op_end(ctx, x.shape, NOTHING, out.shape);
    return out;
}

// ---- activations ----------------------------------------------------------------------------------------------------

static Tensor activate(Context *ctx, Op op, size_t flops, Tensor out, Tensor x) {
    op_begin(ctx, op, flops * shape_count(x.shape), 2 * bytes_of(x));
    if (!executes(ctx)) return out;
    ActivationKernel *kernel = (ActivationKernel *)ctx->kernels[op]->function;
    kernel(tensor_f32(out), tensor_f32(x), shape_count(x.shape));
    op_end(ctx, x.shape, NOTHING, out.shape);
    return out;
}

Tensor silu(Context *ctx, Tensor x) { return activate(ctx, OP_SILU, ACTIVATION_FLOPS, take(ctx, x.shape), x); }
Tensor silu_inplace(Context *ctx, Tensor x) { return activate(ctx, OP_SILU, ACTIVATION_FLOPS, x, x); }
Tensor gelu_inplace(Context *ctx, Tensor x) { return activate(ctx, OP_GELU, ACTIVATION_FLOPS, x, x); }
Tensor quick_gelu_inplace(Context *ctx, Tensor x) { return activate(ctx, OP_QUICK_GELU, ACTIVATION_FLOPS, x, x); }
Tensor relu_inplace(Context *ctx, Tensor x) { return activate(ctx, OP_RELU, 1, x, x); }
Tensor tanh_inplace(Context *ctx, Tensor x) { return activate(ctx, OP_TANH, 1, x, x); }

Tensor geglu(Context *ctx, Tensor x) {
    CHECK(last_axis(x) % 2 == 0, "%s has no two halves", shape_text(x.shape).text);
    GegluShape s = {shape_count(x.shape) / last_axis(x), last_axis(x) / 2};

    Shape shape = x.shape;
    shape.axis[shape.rank - 1] = s.C;
    Tensor out = take(ctx, shape);
    op_begin(ctx, OP_GEGLU, (ACTIVATION_FLOPS + 1) * s.N * s.C, bytes_of(x) + bytes_of(out));
    if (!executes(ctx)) return out;
    GegluKernel *kernel = (GegluKernel *)ctx->kernels[OP_GEGLU]->function;
    kernel(tensor_f32(out), tensor_f32(x), s);
    op_end(ctx, x.shape, NOTHING, out.shape);
    return out;
}

// ---- add, scale, join, enlarge, reorder -----------------------------------------------------------------------------

static Tensor add_into(Context *ctx, Tensor out, Tensor a, Tensor b) {
    op_begin(ctx, OP_ADD, shape_count(a.shape), 3 * bytes_of(a));
    if (!executes(ctx)) return out;
    AddKernel *kernel = (AddKernel *)ctx->kernels[OP_ADD]->function;
    kernel(tensor_f32(out), tensor_f32(a), tensor_f32(b), shape_count(a.shape));
    op_end(ctx, a.shape, NOTHING, out.shape);
    return out;
}

Tensor add(Context *ctx, Tensor a, Tensor b) {
    CHECK(shape_equal(a.shape, b.shape), "a %s, b %s", shape_text(a.shape).text, shape_text(b.shape).text);
    return add_into(ctx, take(ctx, a.shape), a, b);
}

Tensor add_inplace(Context *ctx, Tensor a, Tensor b) {
    CHECK(shape_equal(a.shape, b.shape), "a %s, b %s", shape_text(a.shape).text, shape_text(b.shape).text);
    return add_into(ctx, a, a, b);
}

Tensor add_per_channel_inplace(Context *ctx, Tensor x, Tensor per_channel) {
    PlanesShape s = planes_of(x);
    CHECK(shape_equal(per_channel.shape, shape2(s.B, s.C)), "x %s, per_channel %s", shape_text(x.shape).text,
          shape_text(per_channel.shape).text);
    op_begin(ctx, OP_ADD_PER_CHANNEL, shape_count(x.shape), 2 * bytes_of(x) + bytes_of(per_channel));
    if (!executes(ctx)) return x;
    AddPerChannelKernel *kernel = (AddPerChannelKernel *)ctx->kernels[OP_ADD_PER_CHANNEL]->function;
    kernel(tensor_f32(x), tensor_f32(x), tensor_f32(per_channel), s);
    op_end(ctx, x.shape, per_channel.shape, x.shape);
    return x;
}

static Tensor scale_shift_into(Context *ctx, Tensor out, Tensor x, float scale, float shift) {
    op_begin(ctx, OP_SCALE_SHIFT, 2 * shape_count(x.shape), 2 * bytes_of(x));
    if (!executes(ctx)) return out;
    ScaleShiftKernel *kernel = (ScaleShiftKernel *)ctx->kernels[OP_SCALE_SHIFT]->function;
    kernel(tensor_f32(out), tensor_f32(x), scale, shift, shape_count(x.shape));
    op_end(ctx, x.shape, NOTHING, out.shape);
    return out;
}

Tensor scale_shift(Context *ctx, Tensor x, float scale, float shift) {
    return scale_shift_into(ctx, take(ctx, x.shape), x, scale, shift);
}

Tensor scale_shift_inplace(Context *ctx, Tensor x, float scale, float shift) {
    return scale_shift_into(ctx, x, x, scale, shift);
}

Tensor concat_channels(Context *ctx, Tensor a, Tensor b) {
    PlanesShape sa = planes_of(a), sb = planes_of(b);
    CHECK(sa.B == sb.B && sa.H == sb.H && sa.W == sb.W, "a %s, b %s", shape_text(a.shape).text,
          shape_text(b.shape).text);
    ConcatShape s = {sa.B, sa.C, sb.C, sa.H, sa.W};

    Tensor out = take(ctx, shape4(s.B, s.Ca + s.Cb, s.H, s.W));
    op_begin(ctx, OP_CONCAT_CHANNELS, 0, 2 * bytes_of(out));
    if (!executes(ctx)) return out;
    ConcatKernel *kernel = (ConcatKernel *)ctx->kernels[OP_CONCAT_CHANNELS]->function;
    kernel(tensor_f32(out), tensor_f32(a), tensor_f32(b), s);
    op_end(ctx, a.shape, b.shape, out.shape);
    return out;
}

Tensor pad_right_bottom(Context *ctx, Tensor x) {
    PlanesShape s = planes_of(x);
    Tensor out = take(ctx, shape4(s.B, s.C, s.H + 1, s.W + 1));
    op_begin(ctx, OP_PAD_RIGHT_BOTTOM, 0, bytes_of(x) + bytes_of(out));
    if (!executes(ctx)) return out;
    PadKernel *kernel = (PadKernel *)ctx->kernels[OP_PAD_RIGHT_BOTTOM]->function;
    kernel(tensor_f32(out), tensor_f32(x), s);
    op_end(ctx, x.shape, NOTHING, out.shape);
    return out;
}

Tensor upsample_nearest(Context *ctx, Tensor x, size_t H, size_t W) {
    PlanesShape in = planes_of(x);
    CHECK(H > 0 && W > 0, "%s to %zu x %zu", shape_text(x.shape).text, H, W);
    UpsampleShape s = {in.B, in.C, in.H, in.W, .Hout = H, .Wout = W};

    Tensor out = take(ctx, shape4(s.B, s.C, H, W));
    op_begin(ctx, OP_UPSAMPLE_NEAREST, 0, bytes_of(x) + bytes_of(out));
    if (!executes(ctx)) return out;
    UpsampleKernel *kernel = (UpsampleKernel *)ctx->kernels[OP_UPSAMPLE_NEAREST]->function;
    kernel(tensor_f32(out), tensor_f32(x), s);
    op_end(ctx, x.shape, NOTHING, out.shape);
    return out;
}

static Tensor reorder(Context *ctx, Op op, Shape shape, Tensor x, PlanesShape image) {
    Tensor out = take(ctx, shape);
    op_begin(ctx, op, 0, 2 * bytes_of(x));
    if (!executes(ctx)) return out;
    TokensKernel *kernel = (TokensKernel *)ctx->kernels[op]->function;
    kernel(tensor_f32(out), tensor_f32(x), image);
    op_end(ctx, x.shape, NOTHING, out.shape);
    return out;
}

Tensor image_to_tokens(Context *ctx, Tensor x) {
    PlanesShape s = planes_of(x);
    return reorder(ctx, OP_IMAGE_TO_TOKENS, shape3(s.B, s.H * s.W, s.C), x, s);
}

Tensor tokens_to_image(Context *ctx, Tensor x, size_t H, size_t W) {
    CHECK(x.shape.rank == 3 && x.shape.axis[1] == H * W, "%s to %zu x %zu", shape_text(x.shape).text, H, W);
    PlanesShape s = {x.shape.axis[0], x.shape.axis[2], H, W};
    return reorder(ctx, OP_TOKENS_TO_IMAGE, shape4(s.B, s.C, H, W), x, s);
}

void keep_tensor(Context *ctx, Tensor kept, Tensor x) {
    CHECK(shape_equal(kept.shape, x.shape), "%s into %s", shape_text(x.shape).text, shape_text(kept.shape).text);
    if (executes(ctx)) memcpy(tensor_f32(kept), tensor_f32(x), bytes_of(x));
}

// ---- embeddings -----------------------------------------------------------------------------------------------------

Tensor embedding(Context *ctx, Tensor ids, Tensor tokens, Tensor positions) {
    CHECK(ids.shape.rank == 2 && tokens.shape.rank == 2 && positions.shape.rank == 2 &&
              positions.shape.axis[0] >= ids.shape.axis[1] && positions.shape.axis[1] == tokens.shape.axis[1],
          "ids %s, tokens %s, positions %s", shape_text(ids.shape).text, shape_text(tokens.shape).text,
          shape_text(positions.shape).text);
    EmbeddingShape s = {ids.shape.axis[0], ids.shape.axis[1], tokens.shape.axis[1]};
    size_t V = tokens.shape.axis[0];

    Tensor out = take(ctx, shape3(s.B, s.L, s.D));
    op_begin(ctx, OP_EMBEDDING, shape_count(out.shape), bytes_of(ids) + 3 * bytes_of(out));
    if (!executes(ctx)) return out;
    for (size_t i = 0; i < s.B * s.L; i++) {
        int64_t id = tensor_i64(ids)[i];
        CHECK(id >= 0 && (uint64_t)id < V, "id %lld at %zu, tokens %s", (long long)id, i,
              shape_text(tokens.shape).text);
    }
    EmbeddingKernel *kernel = (EmbeddingKernel *)ctx->kernels[OP_EMBEDDING]->function;
    kernel(tensor_f32(out), tensor_i64(ids), tensor_f32(tokens), tensor_f32(positions), s);
    op_end(ctx, ids.shape, tokens.shape, out.shape);
    return out;
}

Tensor timestep_embedding(Context *ctx, Tensor timesteps, size_t dim, bool flip_sin_to_cos, float freq_shift) {
    CHECK(timesteps.shape.rank == 1, "timesteps %s are not [B]", shape_text(timesteps.shape).text);
    TimestepEmbeddingShape s = {timesteps.shape.axis[0], dim, flip_sin_to_cos, freq_shift};

    Tensor out = take(ctx, shape2(s.B, dim));
    op_begin(ctx, OP_TIMESTEP_EMBEDDING, 4 * shape_count(out.shape), bytes_of(timesteps) + bytes_of(out));
    if (!executes(ctx)) return out;
    TimestepEmbeddingKernel *kernel = (TimestepEmbeddingKernel *)ctx->kernels[OP_TIMESTEP_EMBEDDING]->function;
    kernel(tensor_f32(out), tensor_f32(timesteps), s);
    op_end(ctx, timesteps.shape, NOTHING, out.shape);
    return out;
}

Tensor guidance_embedding(Context *ctx, Tensor guidance, size_t dim) {
    CHECK(guidance.shape.rank == 1 && dim >= 4, "guidance %s to %zu numbers", shape_text(guidance.shape).text, dim);
    GuidanceEmbeddingShape s = {guidance.shape.axis[0], dim};

    Tensor out = take(ctx, shape2(s.B, dim));
    op_begin(ctx, OP_GUIDANCE_EMBEDDING, 4 * shape_count(out.shape), bytes_of(guidance) + bytes_of(out));
    if (!executes(ctx)) return out;
    GuidanceEmbeddingKernel *kernel = (GuidanceEmbeddingKernel *)ctx->kernels[OP_GUIDANCE_EMBEDDING]->function;
    kernel(tensor_f32(out), tensor_f32(guidance), s);
    op_end(ctx, guidance.shape, NOTHING, out.shape);
    return out;
}
