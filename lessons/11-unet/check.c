// check.c - lesson 11: random timesteps, and blocks with random weights
//
// The right numbers are those of core/ops/embedding.c and core/stages/resnet_block.c. The mistakes are written as what they
// compute.
// Read next: check/check.h.

#include "exercise.h"

#include "check/check.h"

#include "base/check.h"
#include "demo/demo.h"
#include "demo/network.h"
#include "ops/embedding.h"

#include <math.h>
#include <string.h>

enum { CASES = 40 };

// ---- sinusoid -------------------------------------------------------------------------------------------------------

// Asked twice: without flip_sin_to_cos, and with it. out [2, dim]
typedef struct Time {
    float t;
    size_t dim;
    float freq_shift;
} Time;

static void embeddings(const void *question, bool first_flip, bool second_flip, float *out) {
    const Time *q = question;
    timestep_embedding_naive(out, &q->t, (TimestepEmbeddingShape){1, q->dim, first_flip, q->freq_shift});
    timestep_embedding_naive(out + q->dim, &q->t, (TimestepEmbeddingShape){1, q->dim, second_flip, q->freq_shift});
}

static void right_sinusoid(const void *q, float *out) { embeddings(q, false, true, out); }
static void sines_first(const void *q, float *out) { embeddings(q, false, false, out); }
static void cosines_first(const void *q, float *out) { embeddings(q, true, true, out); }
static void wrong_half_first(const void *q, float *out) { embeddings(q, true, false, out); }

static void interleaved(const void *question, float *out) {
    const Time *q = question;
    size_t half = q->dim / 2;
    float halves[2 * 120];
    right_sinusoid(q, halves);
    for (size_t row = 0; row < 2; row++) {
        const float *from = halves + row * q->dim;
        float *to = out + row * q->dim;
        for (size_t i = 0; i < half; i++) to[2 * i] = from[i], to[2 * i + 1] = from[half + i];
        if (q->dim % 2 == 1) to[q->dim - 1] = 0;
    }
}

// With angles t * base^(i / divisor). In float, as the exercise: where frequencies rise, other digits are other angles.
static void clocks(const void *question, float t, float base, float divisor, float *out) {
    const Time *q = question;
    size_t half = q->dim / 2;
    float *flipped = out + q->dim;
    for (size_t i = 0; i < half; i++) {
        float angle = t * powf(base, (float)i / divisor);
        out[i] = flipped[half + i] = sinf(angle);
        out[half + i] = flipped[i] = cosf(angle);
    }
    if (q->dim % 2 == 1) out[q->dim - 1] = flipped[q->dim - 1] = 0;
}

static float t_of(const void *q) { return ((const Time *)q)->t; }
static float shift_of(const void *q) { return ((const Time *)q)->freq_shift; }
static float half_of(const void *q) { return (float)(((const Time *)q)->dim / 2); }
static float dim_of(const void *q) { return (float)((const Time *)q)->dim; }

static void divides_by_dim(const void *q, float *out) { clocks(q, t_of(q), 10000, -(dim_of(q) - shift_of(q)), out); }
static void no_shift(const void *q, float *out) { clocks(q, t_of(q), 10000, -half_of(q), out); }
static void always_shifts(const void *q, float *out) { clocks(q, t_of(q), 10000, -(half_of(q) - 1), out); }
static void adds_shift(const void *q, float *out) { clocks(q, t_of(q), 10000, -(half_of(q) + shift_of(q)), out); }
static void whole_division(const void *q, float *out) { clocks(q, t_of(q), 1, 1, out); }
static void rises(const void *q, float *out) { clocks(q, t_of(q), 10000, half_of(q) - shift_of(q), out); }
static void base_is_1000(const void *q, float *out) { clocks(q, t_of(q), 1000, -(half_of(q) - shift_of(q)), out); }
static void divides_t(const void *q, float *out) { clocks(q, t_of(q) / 1000, 10000, -(half_of(q) - shift_of(q)), out); }

static void from_degrees(const void *q, float *out) {
    clocks(q, t_of(q) * (float)M_PI / 180, 10000, -(half_of(q) - shift_of(q)), out);
}

static const CheckMistake SINUSOID_MISTAKES[] = {
    {"The sines always come first: with flip_sin_to_cos, which all Stable Diffusion models have, the cosines do.",
     sines_first},
    {"The cosines always come first: they do only if flip_sin_to_cos is set.", cosines_first},
    {"flip_sin_to_cos is the wrong way round: set, it puts the cosines first.", wrong_half_first},
    {"Sines and cosines take turns, as in the paper on transformers: here one half is sines, the other cosines.",
     interleaved},
    {"You divided by dim: there are only dim / 2 frequencies, and they go from 1 down to 1/10000.", divides_by_dim},
    {"freq_shift is left out: the exponent is -i / (half - freq_shift).", no_shift},
    {"freq_shift was added to half: take it away.", adds_shift},
    {"You divided by half - 1: that is freq_shift 1, and Stable Diffusion's is 0.", always_shifts},
    {"All frequencies are 1: i / half in whole numbers is 0. Divide as floats.", whole_division},
    {"The frequencies rise: the exponent is negative.", rises},
    {"The base is 10000, not 1000.", base_is_1000},
    {"t was divided by 1000: timesteps go in as they are, 0 to 999.", divides_t},
    {"You turned the angle from degrees to radians: it is in radians already.", from_degrees},
    {NULL, NULL},
};

static void check_sinusoid(Check *check) {
    check_tolerance(check, 1e-3f);
    for (size_t i = 0; i < CASES; i++) {
        Time q = {.t = (float)check_pick(check, 1, 999), .dim = check_pick(check, 6, 120)};
        q.freq_shift = i < 2 ? 0 : (float)check_pick(check, 0, 2) / 2;
        check_case(check, "t = %.0f, dim = %zu, freq_shift %.1f; out[0, ] without flip_sin_to_cos, out[1, ] with it",
                   (double)q.t, q.dim, (double)q.freq_shift);
        float *out = check_output(check, "out", shape2(2, q.dim));
        sinusoid(q.t, q.dim, false, q.freq_shift, out);
        sinusoid(q.t, q.dim, true, q.freq_shift, out + q.dim);
        check_values(check, out, &q, right_sinusoid, SINUSOID_MISTAKES);
    }
}

// ---- resnet ---------------------------------------------------------------------------------------------------------

static const size_t ARENA_BYTES = (size_t)64 << 20;

typedef struct Question {
    Context *ctx;
    Tensor x, time;
    ResnetBlock block;
} Question;

static void give(Tensor answer, float *out) {
    memcpy(out, tensor_f32(answer), shape_count(answer.shape) * sizeof *out);
}

static void right_block(const void *question, float *out) {
    const Question *q = question;
    Scope scope = scope_open(&q->ctx->arena);
    give(resnet_block_forward(q->ctx, q->x, q->time, &q->block), out);
    scope_close(&q->ctx->arena, &scope);
}

// Where a block may go wrong; {0}: nowhere.
typedef enum When { BEFORE_NORM_2, NEVER, BEFORE_CONV_1, AFTER_NORM_2, AFTER_CONV_2 } When;

typedef struct Ways {
    When time_added;
    bool time_bent, no_norm_1, no_norm_2, no_silu_1, no_silu_2, silu_first, no_shortcut, shortcut_of_norm, bent_end;
    bool always_1e_5;  // for eps
    bool one_group;
} Ways;

static Tensor norm_of(const Question *q, Tensor h, const Layer *norm, const Ways *ways) {
    float eps = ways->always_1e_5 ? 1e-5f : q->block.eps;
    return group_norm(q->ctx, h, norm, ways->one_group ? 1 : q->block.groups, eps);
}

static Tensor add_time(const Question *q, Tensor h, const Ways *ways, When when) {
    if (ways->time_added != when || !layer_present(&q->block.time_emb_proj)) return h;
    Tensor time = ways->time_bent ? silu(q->ctx, q->time) : q->time;
    time = linear(q->ctx, time, &q->block.time_emb_proj);
    if (time.shape.axis[1] != h.shape.axis[1]) return h;
    return add_per_channel_inplace(q->ctx, scale_shift(q->ctx, h, 1, 0), time);
}

static void wrong_block(const void *question, Ways ways, float *out) {
    const Question *q = question;
    const ResnetBlock *block = &q->block;
    Context *ctx = q->ctx;
    Scope scope = scope_open(&ctx->arena);
    Tensor h = add_time(q, q->x, &ways, BEFORE_CONV_1);
    if (ways.silu_first) h = silu(ctx, h);
    if (!ways.no_norm_1) h = norm_of(q, h, &block->norm1, &ways);
    Tensor normed = h;
    if (!ways.no_silu_1 && !ways.silu_first) h = silu(ctx, h);
    h = conv2d(ctx, h, &block->conv1, 1, 1);
    h = add_time(q, h, &ways, BEFORE_NORM_2);
    if (ways.silu_first) h = silu(ctx, h);
    if (!ways.no_norm_2) h = norm_of(q, h, &block->norm2, &ways);
    h = add_time(q, h, &ways, AFTER_NORM_2);
    if (!ways.no_silu_2 && !ways.silu_first) h = silu(ctx, h);
    h = conv2d(ctx, h, &block->conv2, 1, 1);
    h = add_time(q, h, &ways, AFTER_CONV_2);

    Tensor x = ways.shortcut_of_norm ? normed : q->x;
    if (layer_present(&block->conv_shortcut)) x = conv2d(ctx, x, &block->conv_shortcut, 1, 0);
    if (!ways.no_shortcut) h = add(ctx, x, h);
    if (ways.bent_end) h = silu(ctx, h);
    give(h, out);
    scope_close(&ctx->arena, &scope);
}

static void no_time(const void *q, float *out) { wrong_block(q, (Ways){.time_added = NEVER}, out); }
static void time_too_early(const void *q, float *out) { wrong_block(q, (Ways){.time_added = BEFORE_CONV_1}, out); }
static void time_after_norm(const void *q, float *out) { wrong_block(q, (Ways){.time_added = AFTER_NORM_2}, out); }
static void time_at_end(const void *q, float *out) { wrong_block(q, (Ways){.time_added = AFTER_CONV_2}, out); }
static void time_bent(const void *q, float *out) { wrong_block(q, (Ways){.time_bent = true}, out); }
static void no_norm_1(const void *q, float *out) { wrong_block(q, (Ways){.no_norm_1 = true}, out); }
static void no_norm_2(const void *q, float *out) { wrong_block(q, (Ways){.no_norm_2 = true}, out); }
static void no_silu_1(const void *q, float *out) { wrong_block(q, (Ways){.no_silu_1 = true}, out); }
static void no_silu_2(const void *q, float *out) { wrong_block(q, (Ways){.no_silu_2 = true}, out); }
static void no_silu(const void *q, float *out) { wrong_block(q, (Ways){.no_silu_1 = true, .no_silu_2 = true}, out); }
static void silu_first(const void *q, float *out) { wrong_block(q, (Ways){.silu_first = true}, out); }
static void no_shortcut(const void *q, float *out) { wrong_block(q, (Ways){.no_shortcut = true}, out); }
static void shortcut_of_norm(const void *q, float *out) { wrong_block(q, (Ways){.shortcut_of_norm = true}, out); }
static void bent_end(const void *q, float *out) { wrong_block(q, (Ways){.bent_end = true}, out); }
static void always_1e_5(const void *q, float *out) { wrong_block(q, (Ways){.always_1e_5 = true}, out); }
static void one_group(const void *q, float *out) { wrong_block(q, (Ways){.one_group = true}, out); }

static const CheckMistake BLOCK_MISTAKES[] = {
    {"Nobody told the block the time: linear(time, time_emb_proj) is added to h, between conv1 and norm2.", no_time},
    {"The time was added to x, before the first convolution: add it behind conv1.", time_too_early},
    {"The time came after the second norm: add it before, right behind conv1.", time_after_norm},
    {"The time came at the end: add it between conv1 and norm2, so that the second half of the block can use it.",
     time_at_end},
    {"time has been through SiLU already: once is enough.", time_bent},
    {"norm1 is missing.", no_norm_1},
    {"norm2 is missing.", no_norm_2},
    {"The first SiLU is missing: norm, SiLU, convolution.", no_silu_1},
    {"The second SiLU is missing: norm, SiLU, convolution.", no_silu_2},
    {"Both SiLUs are missing: without them two convolutions in a row are no more than one.", no_silu},
    {"SiLU came before the norm: norm, SiLU, convolution.", silu_first},
    {"The shortcut is missing: x is added to what the convolutions made of it.", no_shortcut},
    {"What goes past the block is x as it came, not x after norm1.", shortcut_of_norm},
    {"There is no SiLU after the sum: x goes past unbent.", bent_end},
    {"You took 1e-5 for eps: it is block->eps, and the VAE's is 1e-6.", always_1e_5},
    {"You normed all channels as one group: there are block->groups of them.", one_group},
    {NULL, NULL},
};

static Layer random_layer(Check *check, const char *name, Shape shape, float mean) {
    size_t in = shape_count(shape) / shape.axis[0];
    float *weight = check_normal(check, name, shape), *bias = check_normal(check, "a bias", shape1(shape.axis[0]));
    for (size_t i = 0; i < shape_count(shape); i++) weight[i] = mean + weight[i] / sqrtf((float)in);
    return (Layer){tensor_over(weight, shape), tensor_over(bias, shape1(shape.axis[0]))};
}

// Cout is Cin where `same`. loudness: of x; where it is small, eps counts
static void make_question(Check *check, Question *q, bool same, bool has_time, float loudness) {
    static const float EPS[] = {1e-6f, 1e-4f};
    size_t B = check_pick(check, 1, 2), H = check_pick(check, 3, 7), W = check_pick(check, 3, 7);
    size_t groups = check_pick(check, 2, 4), T = check_pick(check, 5, 12);
    size_t Cin = groups * check_pick(check, 1, 3), Cout = same ? Cin : Cin + groups * check_pick(check, 1, 2);
    check_case(check, "x [%zu, %zu, %zu, %zu], %zu channels out, %zu groups, %s", B, Cin, H, W, Cout, groups,
               has_time ? "told the time" : "without time_emb_proj");
    q->block = (ResnetBlock){.groups = groups, .eps = EPS[check_pick(check, 0, 1)]};
    q->block.norm1 = random_layer(check, "norm1", shape1(Cin), 1);
    q->block.conv1 = random_layer(check, "conv1", shape4(Cout, Cin, 3, 3), 0);
    if (has_time) q->block.time_emb_proj = random_layer(check, "time_emb_proj", shape2(Cout, T), 0);
    q->block.norm2 = random_layer(check, "norm2", shape1(Cout), 1);
    q->block.conv2 = random_layer(check, "conv2", shape4(Cout, Cout, 3, 3), 0);
    if (!same) q->block.conv_shortcut = random_layer(check, "conv_shortcut", shape4(Cout, Cin, 1, 1), 0);
    q->x = tensor_over(check_normal(check, "x", shape4(B, Cin, H, W)), shape4(B, Cin, H, W));
    for (size_t i = 0; i < shape_count(q->x.shape); i++) tensor_f32(q->x)[i] *= loudness;
    q->time = tensor_over(check_normal(check, "time", shape2(B, T)), shape2(B, T));
}

static void check_block(Check *check, bool same, bool has_time, float loudness) {
    Error error = {0};
    Context ctx;
    CHECK(context_open(&ctx, ARENA_BYTES, 1, &error), "%s", error.message);
    for (size_t i = 0; i < CASES; i++) {
        Question q = {.ctx = &ctx};
        make_question(check, &q, same, has_time, loudness);
        Shape shape = q.x.shape;
        size_t n = shape_count(shape);
        float *before = check_output(check, "x before", shape);
        memcpy(before, tensor_f32(q.x), n * sizeof *before);
        shape.axis[1] = q.block.conv1.weight.shape.axis[0];

        Scope scope = scope_open(&ctx.arena);
        Tensor answer = resnet(&ctx, q.x, q.time, &q.block);
        if (memcmp(before, tensor_f32(q.x), n * sizeof *before) != 0) {
            check_wrong(check, "x was overwritten, and the shortcut still needs it: an _inplace op may only be used on "
                               "what your own lines have made.");
        }
        if (!shape_equal(answer.shape, shape)) {
            check_wrong(check, "The answer is %s, and should be %s.", shape_text(answer.shape).text,
                        shape_text(shape).text);
        }
        float *out = check_output(check, "the answer", shape);
        give(answer, out);
        scope_close(&ctx.arena, &scope);
        check_values(check, out, &q, right_block, BLOCK_MISTAKES);
    }
    context_close(&ctx);
}

static void check_same(Check *check) { check_block(check, true, true, 1); }
static void check_wider(Check *check) { check_block(check, false, true, 1); }
static void check_timeless(Check *check) { check_block(check, true, false, 1); }
static void check_quiet(Check *check) { check_block(check, false, true, 0.003f); }

// ---- what it does to a picture --------------------------------------------------------------------------------------

// A TimestepEmbeddingKernel that is made of the learner's function
static void learners_clock(float *out, const float *timesteps, TimestepEmbeddingShape s) {
    for (size_t b = 0; b < s.B; b++) {
        sinusoid(timesteps[b], s.dim, s.flip_sin_to_cos, s.freq_shift, out + b * s.dim);
    }
}

static void show(Check *check) {
    check_seconds(check, 60);
    Model *model = demo_model();
    Settings settings = demo_settings(model);
    Network *network = network_open(model, &settings);
    float *latents = demo_floats(network->n);
    network_draw(network, network_ask, network, latents);
    Image right = demo_decode(network->run, latents);
    Kernel mine = *network->ctx.kernels[OP_TIMESTEP_EMBEDDING];
    mine.function = (void (*)(void))learners_clock;
    network->ctx.kernels[OP_TIMESTEP_EMBEDDING] = &mine;
    network_draw(network, network_ask, network, latents);
    Image yours = demo_decode(network->run, latents);
    check_picture(check, "picture.png", &yours, &right);
}

int main(void) {
    static const CheckPart PARTS[] = {
        {"sinusoid", check_sinusoid},
        {"resnet: as many channels out as in", check_same},
        {"resnet: more channels out than in", check_wider},
        {"resnet: the VAE's, which isn't told a time", check_timeless},
        {"resnet: where x is small, and eps counts", check_quiet},
    };
    return check_run("11-unet", PARTS, sizeof PARTS / sizeof *PARTS, show);
}
