// op_cases.c - see op_cases.h

#include "ops/op_cases.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// ---- shapes that break careless loops -------------------------------------------------------------------------------
//
// Single numbers stand last of each op: what is wrong everywhere says more about itself where there are several.

static const OpCase ODD[] = {
    {OP_CONV2D, .x = {2, 3, 7, 5}, .with = {4, 3, 3, 3}, .stride = 1, .padding = 1},
    {OP_CONV2D, .x = {1, 5, 13, 11}, .with = {7, 5, 3, 3}, .stride = 2, .padding = 1},
    {OP_CONV2D, .x = {2, 4, 9, 9}, .with = {3, 4, 3, 3}, .stride = 2},
    {OP_CONV2D, .x = {1, 3, 3, 3}, .with = {2, 3, 3, 3}, .stride = 1},
    {OP_CONV2D, .x = {1, 7, 5, 1}, .with = {2, 7, 3, 3}, .stride = 1, .padding = 1},
    {OP_CONV2D, .x = {1, 7, 1, 5}, .with = {2, 7, 3, 3}, .stride = 2, .padding = 1},
    {OP_CONV2D, .x = {2, 6, 4, 4}, .with = {5, 6, 1, 1}, .stride = 1},
    {OP_CONV2D, .x = {1, 4, 6, 6}, .with = {4, 4, 1, 1}, .stride = 2},
    {OP_CONV2D, .x = {1, 2, 4, 4}, .with = {3, 2, 1, 1}, .stride = 1, .padding = 1},
    {OP_CONV2D, .x = {1, 2, 4, 5}, .with = {3, 2, 2, 2}, .stride = 1, .padding = 1},
    {OP_CONV2D, .x = {1, 64, 16, 16}, .with = {5, 64, 3, 3}, .stride = 1, .padding = 1},
    {OP_CONV2D, .x = {1, 320, 3, 300}, .with = {1, 320, 3, 3}, .stride = 1, .padding = 1},
    {OP_CONV2D, .x = {1, 2, 200, 170}, .with = {3, 2, 3, 3}, .stride = 1, .padding = 1},
    {OP_CONV2D, .x = {1, 2, 5, 5}, .with = {3, 2, 5, 5}, .stride = 1, .padding = 2},
    {OP_CONV2D, .x = {2, 17, 37, 70}, .with = {9, 17, 3, 3}, .stride = 1, .padding = 1},
    {OP_CONV2D, .x = {1, 16, 64, 131}, .with = {66, 16, 3, 3}, .stride = 1, .padding = 1},
    {OP_CONV2D, .x = {3, 33, 18, 9}, .with = {2, 33, 3, 3}, .stride = 1, .padding = 1},
    {OP_CONV2D, .x = {1, 16, 1, 640}, .with = {3, 16, 3, 3}, .stride = 1, .padding = 1},
    {OP_CONV2D, .x = {1, 640, 40, 36}, .with = {65, 640, 3, 3}, .stride = 1, .padding = 1},
    {OP_CONV2D, .x = {1, 1, 1, 1}, .with = {1, 1, 1, 1}, .stride = 1},
    {OP_CONV2D, .x = {1, 1, 1, 1}, .with = {1, 1, 3, 3}, .stride = 1, .padding = 1},
    {OP_LINEAR, .x = {1, 1, 320}, .with = {17, 320}},
    {OP_LINEAR, .x = {1, 7, 1}, .with = {5, 1}},
    {OP_LINEAR, .x = {1, 77, 13}, .with = {31, 13}},
    {OP_LINEAR, .x = {1, 3, 257}, .with = {2, 257, 1, 1}},
    {OP_LINEAR, .x = {1, 256, 64}, .with = {192, 64}},
    {OP_LINEAR, .x = {1, 61, 1300}, .with = {33, 1300, 1, 1}},
    {OP_LINEAR, .x = {1, 9, 9000}, .with = {35, 9000}},
    {OP_LINEAR, .x = {1, 1, 1}, .with = {1, 1}},
    {OP_ATTENTION, .x = {2, 3, 5, 7}, .with = {2, 3, 77, 7}},
    {OP_ATTENTION, .x = {2, 3, 77, 4}, .with = {2, 3, 77, 4}, .causal = true},
    {OP_ATTENTION, .x = {1, 5, 1, 16}, .with = {1, 5, 77, 16}},
    {OP_ATTENTION, .x = {1, 3, 13, 5}, .with = {1, 3, 13, 5}, .causal = true},
    {OP_ATTENTION, .x = {1, 7, 64, 2}, .with = {1, 7, 1, 2}},
    {OP_ATTENTION, .x = {1, 1, 67, 40}, .with = {1, 1, 67, 40}},
    {OP_ATTENTION, .x = {1, 1, 9, 129}, .with = {1, 1, 9, 129}},
    {OP_ATTENTION, .x = {1, 2, 300, 8}, .with = {1, 2, 1009, 8}},
    {OP_ATTENTION, .x = {1, 1, 1, 3}, .with = {1, 1, 1, 3}, .causal = true},
    {OP_ATTENTION, .x = {1, 2, 129, 33}, .with = {1, 2, 257, 33}},
    {OP_ATTENTION, .x = {2, 1, 260, 7}, .with = {2, 1, 260, 7}, .causal = true},
    {OP_ATTENTION, .x = {1, 1, 600, 3}, .with = {1, 1, 600, 3}, .causal = true},
    {OP_ATTENTION, .x = {1, 2, 300, 8}, .with = {1, 2, 2500, 8}},
    {OP_ATTENTION, .x = {1, 2, 9, 3}, .with = {1, 2, 11, 3}, .mean = 12, .deviation = 1},  // e^ of scores overflows
    {OP_ATTENTION, .x = {1, 1, 1, 1}, .with = {1, 1, 1, 1}},
    {OP_GROUP_NORM, .x = {1, 4, 1, 1}, .groups = 2},
    {OP_GROUP_NORM, .x = {2, 6, 5, 7}, .groups = 3},
    {OP_GROUP_NORM, .x = {1, 7, 3, 3}, .groups = 7},
    {OP_GROUP_NORM, .x = {2, 64, 16, 16}, .groups = 32},
    {OP_GROUP_NORM, .x = {1, 5, 61, 67}, .groups = 1},
    {OP_GROUP_NORM, .x = {2, 6, 5, 7}, .groups = 3, .mean = 5, .deviation = 0.01f},  // eps counts
    {OP_GROUP_NORM, .x = {1, 1, 1, 1}, .groups = 1},
    {OP_LAYER_NORM, .x = {1, 4}},
    {OP_LAYER_NORM, .x = {70, 6}},
    {OP_LAYER_NORM, .x = {9, 7}},
    {OP_LAYER_NORM, .x = {512, 64}},
    {OP_LAYER_NORM, .x = {4087, 5}},
    {OP_LAYER_NORM, .x = {70, 6}, .mean = 5, .deviation = 0.01f},
    {OP_LAYER_NORM, .x = {1, 1}},
    {OP_SILU, .x = {3}},
    {OP_SILU, .x = {17}, .inplace = true},
    {OP_SILU, .x = {2, 17, 241, 7}},
    {OP_SILU, .x = {2, 17, 241, 7}, .inplace = true},
    {OP_SILU, .x = {1}, .mean = 2, .deviation = 0.1f},
    {OP_ADD, .x = {17}, .with = {17}},
    {OP_ADD, .x = {2, 17, 241, 7}, .with = {2, 17, 241, 7}},
    {OP_ADD, .x = {2, 17, 241, 7}, .with = {2, 17, 241, 7}, .inplace = true},
    {OP_ADD, .x = {1}, .with = {1}},
    {OP_ADD_PER_CHANNEL, .x = {2, 1, 1, 7}, .with = {2, 1}},
    {OP_ADD_PER_CHANNEL, .x = {2, 3, 5, 7}, .with = {2, 3}},
    {OP_ADD_PER_CHANNEL, .x = {2, 17, 241, 7}, .with = {2, 17}},
    {OP_SCALE_SHIFT, .x = {1000}, .inplace = true},
    {OP_SCALE_SHIFT, .x = {40001}},
    {OP_SCALE_SHIFT, .x = {1}},
    {OP_GEGLU, .x = {1, 6}},
    {OP_GEGLU, .x = {17, 6}},
    {OP_GEGLU, .x = {1, 77, 34}},
    {OP_GEGLU, .x = {40001, 6}},
    {OP_CONCAT_CHANNELS, .x = {2, 1, 1, 1}, .with = {2, 2, 1, 1}},
    {OP_CONCAT_CHANNELS, .x = {2, 3, 5, 7}, .with = {2, 4, 5, 7}},
    {OP_CONCAT_CHANNELS, .x = {2, 37, 33, 31}, .with = {2, 1, 33, 31}},
    {OP_UPSAMPLE_NEAREST, .x = {2, 1, 1, 1}, .H = 2, .W = 2},
    {OP_UPSAMPLE_NEAREST, .x = {2, 3, 5, 7}, .H = 10, .W = 14},
    {OP_UPSAMPLE_NEAREST, .x = {2, 3, 5, 7}, .H = 9, .W = 13},
    {OP_UPSAMPLE_NEAREST, .x = {2, 3, 5, 7}, .H = 8, .W = 14},
    {OP_UPSAMPLE_NEAREST, .x = {2, 37, 33, 31}, .H = 83, .W = 93},
    {OP_PAD_RIGHT_BOTTOM, .x = {2, 1, 1, 1}},
    {OP_PAD_RIGHT_BOTTOM, .x = {2, 3, 5, 7}},
    {OP_PAD_RIGHT_BOTTOM, .x = {2, 17, 3, 1}},
    {OP_PAD_RIGHT_BOTTOM, .x = {2, 37, 33, 31}},
    {OP_IMAGE_TO_TOKENS, .x = {2, 1, 1, 1}},
    {OP_IMAGE_TO_TOKENS, .x = {2, 3, 5, 7}},
    {OP_IMAGE_TO_TOKENS, .x = {2, 16, 16, 16}},
    {OP_IMAGE_TO_TOKENS, .x = {2, 37, 33, 31}},
    {OP_TOKENS_TO_IMAGE, .x = {2, 1, 1}, .H = 1, .W = 1},
    {OP_TOKENS_TO_IMAGE, .x = {2, 35, 3}, .H = 5, .W = 7},
    {OP_TOKENS_TO_IMAGE, .x = {2, 256, 16}, .H = 16, .W = 16},
    {OP_TOKENS_TO_IMAGE, .x = {2, 1023, 37}, .H = 33, .W = 31},
    {OP_EMBEDDING, .x = {2, 7}, .with = {50, 3}},
    {OP_EMBEDDING, .x = {3, 77}, .with = {500, 33}},
    {OP_EMBEDDING, .x = {1, 1}, .with = {1, 1}},
    {OP_TIMESTEP_EMBEDDING, .x = {1}, .dim = 2},
    {OP_TIMESTEP_EMBEDDING, .x = {3}, .dim = 5},
    {OP_TIMESTEP_EMBEDDING, .x = {2}, .dim = 320},
    {OP_GUIDANCE_EMBEDDING, .x = {1}, .dim = 4},
    {OP_GUIDANCE_EMBEDDING, .x = {3}, .dim = 9},
    {OP_GUIDANCE_EMBEDDING, .x = {2}, .dim = 256},
};
enum { ODD_COUNT = sizeof ODD / sizeof *ODD };

// Several ops are tried on the shapes of one.
static Op shapes_of(Op op) {
    switch (op) {
    case OP_GROUP_NORM_SILU: return OP_GROUP_NORM;
    case OP_GELU:
    case OP_QUICK_GELU:
    case OP_RELU:
    case OP_TANH: return OP_SILU;
    default: return op;
    }
}

// A layer's shapes are tried without and with a bias, and linear's also with a sum to add to.
static size_t variants_of(Op op) { return op == OP_LINEAR ? 4 : op == OP_CONV2D ? 2 : 1; }

bool op_case_odd(Op op, size_t index, OpCase *c) {
    size_t variants = variants_of(op), row = 0, left = index / variants;
    for (; row < ODD_COUNT; row++) {
        if (ODD[row].op == shapes_of(op) && left-- == 0) break;
    }
    if (row == ODD_COUNT) return false;
    *c = ODD[row];
    c->op = op;
    c->bias = index % variants % 2 == 1;
    c->add = index % variants >= 2;
    return true;
}

// ---- shapes to measure on -------------------------------------------------------------------------------------------

static const OpCase USUAL[OP_COUNT] = {
    [OP_CONV2D] = {.x = {1, 128, 32, 32}, .with = {128, 128, 3, 3}, .stride = 1, .padding = 1, .bias = true},
    [OP_LINEAR] = {.x = {1, 1024, 192}, .with = {768, 192}, .bias = true},
    [OP_ATTENTION] = {.x = {1, 4, 512, 32}, .with = {1, 4, 512, 32}},
    [OP_GROUP_NORM] = {.x = {1, 128, 64, 64}, .groups = 16},
    [OP_GROUP_NORM_SILU] = {.x = {1, 128, 64, 64}, .groups = 16},
    [OP_LAYER_NORM] = {.x = {4096, 128}},
    [OP_SILU] = {.x = {1, 128, 64, 64}},
    [OP_GELU] = {.x = {1, 128, 64, 64}},
    [OP_QUICK_GELU] = {.x = {1, 128, 64, 64}},
    [OP_RELU] = {.x = {1, 128, 64, 64}},
    [OP_TANH] = {.x = {1, 128, 64, 64}},
    [OP_GEGLU] = {.x = {1024, 1024}},
    [OP_ADD] = {.x = {1, 128, 64, 64}, .with = {1, 128, 64, 64}},
    [OP_ADD_PER_CHANNEL] = {.x = {1, 128, 64, 64}, .with = {1, 128}},
    [OP_SCALE_SHIFT] = {.x = {1, 128, 64, 64}},
    [OP_CONCAT_CHANNELS] = {.x = {1, 128, 64, 64}, .with = {1, 64, 64, 64}},
    [OP_PAD_RIGHT_BOTTOM] = {.x = {1, 128, 64, 64}},
    [OP_UPSAMPLE_NEAREST] = {.x = {1, 128, 32, 32}, .H = 64, .W = 64},
    [OP_IMAGE_TO_TOKENS] = {.x = {1, 128, 64, 64}},
    [OP_TOKENS_TO_IMAGE] = {.x = {1, 4096, 128}, .H = 64, .W = 64},
    [OP_EMBEDDING] = {.x = {2, 77}, .with = {1000, 768}},
    [OP_TIMESTEP_EMBEDDING] = {.x = {2}, .dim = 320},
    [OP_GUIDANCE_EMBEDDING] = {.x = {2}, .dim = 256},
};

OpCase op_case_usual(Op op) {
    OpCase c = USUAL[op];
    c.op = op;
    return c;
}

// ---- what a case reads ----------------------------------------------------------------------------------------------

static Shape shape_of(const size_t axis[4]) {
    Shape shape = {0, {1, 1, 1, 1}};
    while (shape.rank < 4 && axis[shape.rank] > 0) shape.axis[shape.rank] = axis[shape.rank], shape.rank++;
    return shape;
}

// [B, heads, T, d] -> [B, T, heads d], as the op wants it
static Shape heads_side_by_side(const size_t axis[4]) { return shape3(axis[0], axis[2], axis[1] * axis[3]); }

static Tensor ids_of(const OpCase *c, int64_t *memory) {
    Shape shape = shape_of(c->x);
    for (size_t i = 0; memory && i < shape_count(shape); i++) memory[i] = (int64_t)(i * 2654435761u % c->with[0]);
    if (memory && shape_count(shape) > 1) memory[1] = (int64_t)c->with[0] - 1;
    return tensor_over_ids(memory, shape);
}

OpInputs op_case_inputs(const OpCase *c, OpInput *make, void *maker, int64_t *ids_memory) {
    OpInputs in = {0};
    Shape x = shape_of(c->x), with = shape_of(c->with);
    bool given = c->deviation > 0;
    float mean = c->mean, deviation = c->deviation;
    switch (c->op) {
    case OP_CONV2D:
    case OP_LINEAR:
        in.x = make(maker, "in", x, given ? mean : 0.3f, given ? deviation : 1);
        in.layer.weight = make(maker, "weight", with, 0, 0.1f);
        if (c->bias) in.layer.bias = make(maker, "bias", shape1(c->with[0]), 0, 1);
        x.axis[x.rank - 1] = c->with[0];
        if (c->add) in.y = make(maker, "out", x, 0, 1);
        break;
    case OP_ATTENTION:
        in.x = make(maker, "q", heads_side_by_side(c->x), given ? mean : 0.5f, given ? deviation : 2);
        in.y = make(maker, "k", heads_side_by_side(c->with), given ? mean : 0.5f, given ? deviation : 2);
        in.z = make(maker, "v", heads_side_by_side(c->with), 0, 1);
        break;
    case OP_GROUP_NORM:
    case OP_GROUP_NORM_SILU:
    case OP_LAYER_NORM:
        in.x = make(maker, "in", x, mean, given ? deviation : 1);
        in.layer.weight = make(maker, "weight", shape1(c->x[1]), 1, 0.3f);
        in.layer.bias = make(maker, "bias", shape1(c->x[1]), 0, 0.3f);
        break;
    case OP_EMBEDDING:
        in.x = ids_of(c, ids_memory);
        in.y = make(maker, "tokens", with, 0, 1);
        in.z = make(maker, "positions", shape2(c->x[1], c->with[1]), 0, 1);
        break;
    case OP_TIMESTEP_EMBEDDING: in.x = make(maker, "timesteps", x, 400, 200); break;
    case OP_GUIDANCE_EMBEDDING: in.x = make(maker, "guidance", x, 7, 2); break;
    case OP_ADD:
    case OP_CONCAT_CHANNELS:
        in.x = make(maker, "a", x, mean, given ? deviation : 3);
        in.y = make(maker, "b", with, 0, 3);
        break;
    case OP_ADD_PER_CHANNEL: in.y = make(maker, "per_channel", with, 0, 1);  // fall through
    default: in.x = make(maker, "in", x, mean, given ? deviation : 3);
    }
    return in;
}

// ---- the call -------------------------------------------------------------------------------------------------------

// What an op overwrites is a copy, or the tenth call would find numbers that nine have changed.
static Tensor copy_of(Context *ctx, Tensor x) {
    Tensor copy = ctx->planning ? (Tensor){NULL, x.shape, F32, NOWHERE} : tensor_over(NULL, x.shape);
    copy.data = arena_take(&ctx->arena, shape_count(x.shape) * sizeof(float));
    if (!ctx->planning) memcpy(copy.data, x.data, shape_count(x.shape) * sizeof(float));
    return copy;
}

Tensor op_case_run(Context *ctx, const OpCase *c, const OpInputs *in) {
    const float EPS = 1e-5f, SCALE = 2.5f, SHIFT = -0.7f;
    Tensor x = in->x;
    switch (c->op) {
    case OP_CONV2D: return conv2d(ctx, x, &in->layer, c->stride, c->padding);
    case OP_LINEAR:
        return c->add ? linear_add_inplace(ctx, copy_of(ctx, in->y), x, &in->layer) : linear(ctx, x, &in->layer);
    case OP_ATTENTION: return attention(ctx, x, in->y, in->z, c->x[1], c->causal, "case");
    case OP_GROUP_NORM: return group_norm(ctx, x, &in->layer, c->groups, EPS);
    case OP_GROUP_NORM_SILU: return group_norm_silu(ctx, x, &in->layer, c->groups, EPS);
    case OP_LAYER_NORM: return layer_norm(ctx, x, &in->layer, EPS);
    case OP_SILU: return c->inplace ? silu_inplace(ctx, copy_of(ctx, x)) : silu(ctx, x);
    case OP_GELU: return gelu_inplace(ctx, copy_of(ctx, x));
    case OP_QUICK_GELU: return quick_gelu_inplace(ctx, copy_of(ctx, x));
    case OP_RELU: return relu_inplace(ctx, copy_of(ctx, x));
    case OP_TANH: return tanh_inplace(ctx, copy_of(ctx, x));
    case OP_GEGLU: return geglu(ctx, x);
    case OP_ADD: return c->inplace ? add_inplace(ctx, copy_of(ctx, x), in->y) : add(ctx, x, in->y);
    case OP_ADD_PER_CHANNEL: return add_per_channel_inplace(ctx, copy_of(ctx, x), in->y);
    case OP_SCALE_SHIFT:
        return c->inplace ? scale_shift_inplace(ctx, copy_of(ctx, x), SCALE, SHIFT) : scale_shift(ctx, x, SCALE, SHIFT);
    case OP_CONCAT_CHANNELS: return concat_channels(ctx, x, in->y);
    case OP_PAD_RIGHT_BOTTOM: return pad_right_bottom(ctx, x);
    case OP_UPSAMPLE_NEAREST: return upsample_nearest(ctx, x, c->H, c->W);
    case OP_IMAGE_TO_TOKENS: return image_to_tokens(ctx, x);
    case OP_TOKENS_TO_IMAGE: return tokens_to_image(ctx, x, c->H, c->W);
    case OP_EMBEDDING: return embedding(ctx, x, in->y, in->z);
    case OP_TIMESTEP_EMBEDDING: return timestep_embedding(ctx, x, c->dim, true, 0);
    case OP_GUIDANCE_EMBEDDING: return guidance_embedding(ctx, x, c->dim);
    case OP_COUNT: break;
    }
    CHECK(false, "op %d has no case", (int)c->op);
    return tensor_absent();
}

// ---- in words -------------------------------------------------------------------------------------------------------

static void say(OpCaseText *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(OpCaseText *out, const char *format, ...) {
    size_t used = strlen(out->text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out->text + used, sizeof out->text - used, format, arguments);
    va_end(arguments);
}

OpCaseText op_case_text(const OpCase *c) {
    OpCaseText out = {""};
    bool layer = c->op == OP_CONV2D || c->op == OP_LINEAR, attends = c->op == OP_ATTENTION;
    say(&out, "%s %s",
        attends                 ? "q"
        : c->op == OP_EMBEDDING ? "ids"
                                : "in",
        shape_text(attends ? heads_side_by_side(c->x) : shape_of(c->x)).text);
    if (c->with[0] > 0)
        say(&out, ", %s %s",
            layer                   ? "weight"
            : attends               ? "k and v"
            : c->op == OP_EMBEDDING ? "tokens"
                                    : "with",
            shape_text(attends ? heads_side_by_side(c->with) : shape_of(c->with)).text);
    if (c->op == OP_CONV2D) say(&out, ", stride %zu, padding %zu", c->stride, c->padding);
    if (layer) say(&out, c->bias ? ", with bias" : ", no bias (NULL)");
    if (c->add) say(&out, ", added to out");
    if (attends) say(&out, ", %zu head%s%s", c->x[1], c->x[1] == 1 ? "" : "s", c->causal ? ", causal" : "");
    if (c->groups > 0) say(&out, ", %zu group%s", c->groups, c->groups == 1 ? "" : "s");
    if (c->H > 0) say(&out, " to %zu x %zu", c->H, c->W);
    if (c->dim > 0) say(&out, " to %zu numbers", c->dim);
    if (c->inplace) say(&out, ", in place (out is in)");
    return out;
}
