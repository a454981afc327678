// check.c - lesson 13: FLOPs and bytes of layers and blocks, against what the planner counts
//
// The planner is a Context that executes nothing (core/ops/context.h): the layers that it is led through are core/'s own.
// Read next: check/check.h.

#include "exercise.h"

#include "check/check.h"

#include "stages/resnet_block.h"
#include "stages/transformer.h"

enum { CASES = 24 };

// A tensor that is only a shape
static Tensor planned(Shape shape) { return tensor_over(NULL, shape); }
static Layer layer_of(Shape weight, size_t outputs) { return (Layer){planned(weight), planned(shape1(outputs))}; }

typedef struct Question {
    Conv2dShape conv;
    LinearShape linear;
    AttentionShape attention;
    ResnetSizes resnet;
    TransformerSizes transformer;
} Question;

// ---- convolution ----------------------------------------------------------------------------------------------------

static Cost conv_cost(const Conv2dShape *s) {
    Context ctx;
    context_open_planning(&ctx, NULL);
    Layer layer = layer_of(shape4(s->Cout, s->Cin, s->K, s->K), s->Cout);
    conv2d(&ctx, planned(shape4(s->B, s->Cin, s->H, s->W)), &layer, s->stride, s->padding);
    Cost cost = ctx.cost;
    context_close(&ctx);
    return cost;
}

static float sums(const Conv2dShape *s) { return (float)(s->B * s->Cout * s->Hout * s->Wout); }
static float window(const Conv2dShape *s) { return (float)(s->Cin * s->K * s->K); }
static const Conv2dShape *conv_of(const void *question) { return &((const Question *)question)->conv; }

static void right_conv(const void *q, float *out) { *out = (float)conv_cost(conv_of(q)).flops; }
static void conv_half(const void *q, float *out) { *out = sums(conv_of(q)) * window(conv_of(q)); }

static void conv_by_inputs(const void *question, float *out) {
    const Conv2dShape *s = conv_of(question);
    *out = 2 * (float)(s->B * s->Cout * s->H * s->W) * window(s);
}

static void conv_line(const void *q, float *out) { right_conv(q, out), *out /= (float)conv_of(q)->K; }
static void conv_one_in(const void *q, float *out) { right_conv(q, out), *out /= (float)conv_of(q)->Cin; }
static void conv_one_out(const void *q, float *out) { right_conv(q, out), *out /= (float)conv_of(q)->Cout; }
static void conv_one_picture(const void *q, float *out) { right_conv(q, out), *out /= (float)conv_of(q)->B; }

static const CheckMistake CONV_MISTAKES[] = {
    {"A multiplication and an addition are two FLOPs: times 2.", conv_half},
    {"Count what comes out: Hout and Wout. With stride 2 that is a quarter of what goes in.", conv_by_inputs},
    {"The window has two sides: K * K.", conv_line},
    {"Each output sums over all Cin channels.", conv_one_in},
    {"There are Cout of these sums at every place.", conv_one_out},
    {"B pictures go through at once; with guidance there are two.", conv_one_picture},
    {NULL, NULL},
};

static void right_bytes(const void *q, float *out) { *out = (float)conv_cost(conv_of(q)).bytes; }
static void bytes_as_numbers(const void *q, float *out) { right_bytes(q, out), *out /= 4; }
static float weights(const void *q) { return 4 * (float)conv_of(q)->Cout * window(conv_of(q)); }
static void bytes_no_weight(const void *q, float *out) { right_bytes(q, out), *out -= weights(q); }
static void bytes_no_output(const void *q, float *out) { right_bytes(q, out), *out -= 4 * sums(conv_of(q)); }
static void bytes_no_bias(const void *q, float *out) { right_bytes(q, out), *out -= 4 * (float)conv_of(q)->Cout; }
static void bytes_weight_each(const void *q, float *out) {
    right_bytes(q, out), *out += weights(q) * (float)(conv_of(q)->B - 1);
}

static const CheckMistake BYTES_MISTAKES[] = {
    {"These are numbers, not bytes: a float has four bytes.", bytes_as_numbers},
    {"The weights are read, too: Cout * Cin * K * K of them.", bytes_no_weight},
    {"What comes out has to be written: count the output, too.", bytes_no_output},
    {"The weights are read once, for all pictures of the batch: that is why guidance does both at once.",
     bytes_weight_each},
    {"The bias is missing: Cout numbers.", bytes_no_bias},
    {NULL, NULL},
};

static Question conv_question(Check *check) {
    Conv2dShape s = {.B = 5,  // so that a factor tells what was forgotten
                     .Cin = check_pick(check, 6, 12),
                     .H = check_pick(check, 5, 19),
                     .W = check_pick(check, 5, 19),
                     .Cout = check_pick(check, 13, 20),
                     .K = 3,
                     .stride = check_pick(check, 1, 2),
                     .padding = check_pick(check, 0, 1)};
    s.Hout = (s.H + 2 * s.padding - s.K) / s.stride + 1, s.Wout = (s.W + 2 * s.padding - s.K) / s.stride + 1;
    check_case(check,
               "conv2d: [%zu, %zu, %zu, %zu] * [%zu, %zu, 3, 3], stride %zu, padding %zu -> [%zu, %zu, %zu, %zu]", s.B,
               s.Cin, s.H, s.W, s.Cout, s.Cin, s.stride, s.padding, s.B, s.Cout, s.Hout, s.Wout);
    return (Question){.conv = s};
}

static void check_conv(Check *check) {
    check_tolerance(check, 1e-6f);
    for (size_t i = 0; i < CASES; i++) {
        Question q = conv_question(check);
        check_number(check, "conv2d_flops()", (float)conv2d_flops(q.conv), &q, right_conv, CONV_MISTAKES);
    }
}

static void check_bytes(Check *check) {
    check_tolerance(check, 1e-6f);
    for (size_t i = 0; i < CASES; i++) {
        Question q = conv_question(check);
        check_number(check, "conv2d_bytes()", (float)conv2d_bytes(q.conv), &q, right_bytes, BYTES_MISTAKES);
    }
}

// ---- linear and attention -------------------------------------------------------------------------------------------

static void right_linear(const void *question, float *out) {
    LinearShape s = ((const Question *)question)->linear;
    Context ctx;
    context_open_planning(&ctx, NULL);
    Layer layer = layer_of(shape2(s.Cout, s.Cin), s.Cout);
    linear(&ctx, planned(shape2(s.N, s.Cin)), &layer);
    *out = (float)ctx.cost.flops;
    context_close(&ctx);
}

static void linear_half(const void *q, float *out) { right_linear(q, out), *out /= 2; }
static void linear_one_row(const void *q, float *out) {
    right_linear(q, out), *out /= (float)((const Question *)q)->linear.N;
}

static const CheckMistake LINEAR_MISTAKES[] = {
    {"A multiplication and an addition are two FLOPs: times 2.", linear_half},
    {"That is for one row: all Cin * Cout weights are used for each of the N rows.", linear_one_row},
    {NULL, NULL},
};

static void check_linear(Check *check) {
    check_tolerance(check, 1e-6f);
    for (size_t i = 0; i < CASES; i++) {
        Question q = {.linear = {.N = check_pick(check, 3, 90), .Cin = check_pick(check, 3, 90)}};
        q.linear.Cout = check_pick(check, 3, 90);
        check_case(check, "linear: [%zu, %zu] -> [%zu, %zu]", q.linear.N, q.linear.Cin, q.linear.N, q.linear.Cout);
        check_number(check, "linear_flops()", (float)linear_flops(q.linear), &q, right_linear, LINEAR_MISTAKES);
    }
}

static void right_attention(const void *question, float *out) {
    AttentionShape s = ((const Question *)question)->attention;
    Context ctx;
    context_open_planning(&ctx, NULL);
    Tensor q = planned(shape3(s.B, s.Tq, s.heads * s.d)), k = planned(shape3(s.B, s.Tk, s.heads * s.d));
    attention(&ctx, q, k, k, s.heads, s.causal, "check");
    *out = (float)ctx.cost.flops;
    context_close(&ctx);
}

static void attention_pairs(const void *question, size_t pairs, size_t heads, float factor, float *out) {
    AttentionShape s = ((const Question *)question)->attention;
    *out = factor * (float)(s.B * heads * pairs * s.d);
}

static AttentionShape shape_of(const void *question) { return ((const Question *)question)->attention; }
static size_t pairs_of(AttentionShape s) { return s.causal ? s.Tq * (s.Tq + 1) / 2 : s.Tq * s.Tk; }

static void attention_half(const void *q, float *out) { right_attention(q, out), *out /= 2; }
static void attention_quarter(const void *q, float *out) { right_attention(q, out), *out /= 4; }
static void one_head(const void *q, float *out) { attention_pairs(q, pairs_of(shape_of(q)), 1, 4, out); }
static void square(const void *q, float *out) {
    attention_pairs(q, shape_of(q).Tq * shape_of(q).Tq, shape_of(q).heads, 4, out);
}
static void not_itself(const void *q, float *out) {
    attention_pairs(q, shape_of(q).Tq * (shape_of(q).Tq - 1) / 2, shape_of(q).heads, 4, out);
}
static void half_square(const void *q, float *out) {
    attention_pairs(q, shape_of(q).Tq * shape_of(q).Tq, shape_of(q).heads, 2, out);
}

static const CheckMistake ATTENTION_MISTAKES[] = {
    {"Half of it. There are two products, q k^T and then times v; and a multiplication and an addition are two FLOPs.",
     attention_half},
    {"A quarter of it: there are two products, q k^T and then times v, and each multiplication has an addition.",
     attention_quarter},
    {"Every head does this: times heads.", one_head},
    {"A query looks at Tk keys, not at Tq: in cross-attention these are the words.", square},
    {NULL, NULL},
};

static const CheckMistake CAUSAL_MISTAKES[] = {
    {"Causal, a token sees nothing behind itself: 1 + 2 + ... + T pairs instead of T * T.", square},
    {"A token sees itself, too: 1 + 2 + ... + T is T (T + 1) / 2.", not_itself},
    {"Half the square leaves out half of the diagonal: 1 + 2 + ... + T is T (T + 1) / 2.", half_square},
    {NULL, NULL},
};

static void check_attention(Check *check) {
    check_tolerance(check, 1e-6f);
    for (size_t i = 0; i < 2 * CASES; i++) {
        bool causal = i >= CASES;
        AttentionShape s = {.B = check_pick(check, 1, 3), .heads = 2 * check_pick(check, 2, 4) + 1, .causal = causal};
        s.Tq = check_pick(check, 5, 40), s.Tk = causal ? s.Tq : s.Tq + check_pick(check, 1, 40);
        s.d = check_pick(check, 3, 40);
        Question q = {.attention = s};
        check_case(check, "attention: %zu pictures, %zu heads of %zu, %zu queries, %zu keys%s", s.B, s.heads, s.d, s.Tq,
                   s.Tk, causal ? ", causal" : "");
        check_number(check, "attention_flops()", (float)attention_flops(s), &q, right_attention,
                     causal ? CAUSAL_MISTAKES : ATTENTION_MISTAKES);
    }
}

// ---- a ResNet block -------------------------------------------------------------------------------------------------

// What the planner counts for the ops that the learner counts
static float counted(const Cost *cost) {
    return (float)(cost->ops[OP_CONV2D].flops + cost->ops[OP_LINEAR].flops + cost->ops[OP_ATTENTION].flops);
}

static ResnetSizes resnet_of(const void *question) { return ((const Question *)question)->resnet; }

static void right_resnet(const void *question, float *out) {
    ResnetSizes s = resnet_of(question);
    ResnetBlock block = {.groups = 1, .eps = 1e-5f};
    block.norm1 = layer_of(shape1(s.Cin), s.Cin), block.norm2 = layer_of(shape1(s.Cout), s.Cout);
    block.conv1 = layer_of(shape4(s.Cout, s.Cin, 3, 3), s.Cout);
    block.conv2 = layer_of(shape4(s.Cout, s.Cout, 3, 3), s.Cout);
    block.time_emb_proj = layer_of(shape2(s.Cout, s.time), s.Cout);
    if (s.Cin != s.Cout) block.conv_shortcut = layer_of(shape4(s.Cout, s.Cin, 1, 1), s.Cout);
    Context ctx;
    context_open_planning(&ctx, NULL);
    resnet_block_forward(&ctx, planned(shape4(s.B, s.Cin, s.H, s.W)), planned(shape2(s.B, s.time)), &block);
    *out = counted(&ctx.cost);
    context_close(&ctx);
}

static float conv_1x1(ResnetSizes s) { return 2 * (float)(s.B * s.H * s.W * s.Cin * s.Cout); }
static float time_layer(ResnetSizes s) { return 2 * (float)(s.B * s.time * s.Cout); }

static void no_shortcut(const void *q, float *out) { right_resnet(q, out), *out -= conv_1x1(resnet_of(q)); }
static void no_time(const void *q, float *out) { right_resnet(q, out), *out -= time_layer(resnet_of(q)); }
static void shortcut_always(const void *q, float *out) { right_resnet(q, out), *out += conv_1x1(resnet_of(q)); }

static void time_everywhere(const void *q, float *out) {
    ResnetSizes s = resnet_of(q);
    right_resnet(q, out), *out += time_layer(s) * (float)(s.H * s.W - 1);
}

static void second_from_Cin(const void *q, float *out) {
    ResnetSizes s = resnet_of(q);
    right_resnet(q, out), *out += 9 * conv_1x1(s) / (float)s.Cin * ((float)s.Cin - (float)s.Cout);
}

static const CheckMistake RESNET_MISTAKES[] = {
    {"The shortcut is missing: where Cin isn't Cout it is a 1x1 convolution.", no_shortcut},
    {"The time embedding's layer is missing: time -> Cout, once a picture.", no_time},
    {"The time embedding is one vector a picture, not one a pixel: N is B.", time_everywhere},
    {"The second convolution already has Cout channels coming in.", second_from_Cin},
    {NULL, NULL},
};

static const CheckMistake RESNET_SAME_MISTAKES[] = {
    {"Where Cin is Cout, the shortcut costs nothing: what came in is just added.", shortcut_always},
    {NULL, NULL},
};

static void check_resnet(Check *check) {
    check_tolerance(check, 1e-6f);
    for (size_t i = 0; i < 2 * CASES; i++) {
        bool same = i >= CASES;
        ResnetSizes s = {
            .B = check_pick(check, 1, 2), .Cin = check_pick(check, 3, 30), .time = check_pick(check, 30, 90)};
        s.H = check_pick(check, 3, 17), s.W = check_pick(check, 3, 17);
        s.Cout = same ? s.Cin : s.Cin + check_pick(check, 1, 30);
        Question q = {.resnet = s};
        check_case(check, "ResNet block: [%zu, %zu, %zu, %zu] -> %zu channels, time embedding of %zu", s.B, s.Cin, s.H,
                   s.W, s.Cout, s.time);
        check_number(check, "resnet_block_flops()", (float)resnet_block_flops(s), &q, right_resnet,
                     same ? RESNET_SAME_MISTAKES : RESNET_MISTAKES);
    }
}

// ---- a transformer --------------------------------------------------------------------------------------------------

static TransformerSizes sizes_of(const void *question) { return ((const Question *)question)->transformer; }
static size_t tokens_of(TransformerSizes s) { return s.B * s.H * s.W; }
static float linear_on(size_t N, size_t Cin, size_t Cout) { return 2 * (float)(N * Cin * Cout); }
static float square_layer(TransformerSizes s) { return linear_on(tokens_of(s), s.C, s.C); }

static AttentionLayer attention_layer(size_t C, size_t context, size_t heads) {
    Layer to_context = layer_of(shape2(C, context), C), to_C = layer_of(shape2(C, C), C);
    return (AttentionLayer){.heads = heads, .to_q = to_C, .to_k = to_context, .to_v = to_context, .to_out = to_C};
}

static void right_transformer(const void *question, float *out) {
    TransformerSizes s = sizes_of(question);
    size_t C = s.C;
    Layer norm = layer_of(shape1(C), C), to_C = layer_of(shape2(C, C), C);
    TransformerBlock block = {.norm1 = norm, .norm2 = norm, .norm3 = norm};
    block.attn1 = attention_layer(C, C, s.heads), block.attn2 = attention_layer(C, s.text_width, s.heads);
    block.ff_proj = layer_of(shape2(8 * C, C), 8 * C), block.ff_out = layer_of(shape2(C, 4 * C), C);
    Transformer2D transformer = {.groups = 1, .norm = norm, .proj_in = to_C, .proj_out = to_C};
    transformer.transformer_blocks = &block, transformer.transformer_block_count = 1;
    Text text = {.embeddings = planned(shape3(s.B, s.text_length, s.text_width))};
    Context ctx;
    context_open_planning(&ctx, NULL);
    transformer_2d_forward(&ctx, planned(shape4(s.B, C, s.H, s.W)), &text, &transformer);
    // The planner counts that three layers add to what was there, too.
    *out = counted(&ctx.cost) - 3 * (float)(tokens_of(s) * C);
    context_close(&ctx);
}

static void words_as_pixels(const void *q, float *out) {
    TransformerSizes s = sizes_of(q);
    right_transformer(q, out);
    *out += 2 * (linear_on(tokens_of(s), s.text_width, s.C) - linear_on(s.B * s.text_length, s.text_width, s.C));
}

static void cross_as_self(const void *q, float *out) {
    TransformerSizes s = sizes_of(q);
    right_transformer(q, out);
    *out += 4 * (float)(tokens_of(s) * s.C) * ((float)(s.H * s.W) - (float)s.text_length);
}

static void minus_squares(const void *q, float squares, float *out) {
    right_transformer(q, out), *out -= squares * square_layer(sizes_of(q));
}

static void no_feed_forward(const void *q, float *out) { minus_squares(q, 12, out); }
static void feed_forward_of_4(const void *q, float *out) { minus_squares(q, 4, out); }
static void no_projections(const void *q, float *out) { minus_squares(q, 2, out); }
static void no_to_out(const void *q, float *out) { minus_squares(q, 1, out); }

static void no_words(const void *q, float *out) {
    TransformerSizes s = sizes_of(q);
    right_transformer(q, out), *out -= 2 * linear_on(s.B * s.text_length, s.text_width, s.C);
}

static const CheckMistake TRANSFORMER_MISTAKES[] = {
    {"to_k and to_v of attn2 read words: B * text_length rows of text_width numbers.", words_as_pixels},
    {"attn2 has text_length keys, not as many as there are pixels.", cross_as_self},
    {"The feed-forward is missing: C -> 8 C, then 4 C -> C.", no_feed_forward},
    {"GEGLU halves what comes in, so 8 C have to come in: one half is the gate of the other.", feed_forward_of_4},
    {"proj_in and proj_out are missing (or to_out, twice): each is C -> C.", no_projections},
    {"One layer C -> C is missing: is it a to_out?", no_to_out},
    {"The words' to_k and to_v are missing.", no_words},
    {NULL, NULL},
};

static void check_transformer(Check *check) {
    check_tolerance(check, 1e-6f);
    for (size_t i = 0; i < CASES; i++) {
        TransformerSizes s = {.B = check_pick(check, 1, 2), .heads = check_pick(check, 2, 4)};
        s.C = s.heads * check_pick(check, 2, 8), s.H = check_pick(check, 3, 9), s.W = check_pick(check, 3, 9);
        s.text_length = check_pick(check, 5, 77), s.text_width = check_pick(check, 5, 40);
        Question q = {.transformer = s};
        check_case(check, "transformer: [%zu, %zu, %zu, %zu], %zu heads, %zu words of %zu", s.B, s.C, s.H, s.W, s.heads,
                   s.text_length, s.text_width);
        check_number(check, "transformer_flops()", (float)transformer_flops(s), &q, right_transformer,
                     TRANSFORMER_MISTAKES);
    }
}

int main(void) {
    static const CheckPart PARTS[] = {
        {"conv2d_flops", check_conv},         {"conv2d_bytes", check_bytes},
        {"linear_flops", check_linear},       {"attention_flops", check_attention},
        {"resnet_block_flops", check_resnet}, {"transformer_flops", check_transformer},
    };
    return check_run("13-cost", PARTS, sizeof PARTS / sizeof *PARTS, NULL);
}
