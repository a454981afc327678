// test_stages.c - what the stages do beside the numbers: planning, observing, stopping, and refusing strangers' files
//
// The numbers are in tests/parity/test_stages_parity.c, which reads the same small models.

#include "base/check.h"
#include "io/safetensors.h"
#include "parity/golden.h"
#include "stages/layers.h"
#include "stages/relay.h"
#include "stages/text_encoder.h"
#include "stages/unet.h"
#include "stages/vae.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- the relay ------------------------------------------------------------------------------------------------------

// Layers of 1, 2, 3 ... KB: while one runs, it and the one before it are there, and no other.
static void test_relay_keeps_two(void) {
    for (size_t layers = 1; layers <= 5; layers++) {
        Arena arena;
        arena_open_planning(&arena);
        arena_take(&arena, 1 << 20);  // what was there before
        Relay relay = relay_open(&arena, layers);
        for (size_t i = 0; i < layers; i++) {
            relay_pass(&relay);
            arena_take(&arena, (i + 1) << 10);
            size_t expected = (1 << 20) + ((i + 1 + i) << 10), used = arena.used[0] + arena.used[1];
            EXPECT(used == expected, "layer %zu of %zu: %zu bytes, not %zu", i, layers, used, expected);
        }
        relay_close(&relay);
        size_t expected = (1 << 20) + (layers << 10);
        EXPECT(arena.side == 0 && arena.used[0] == expected && arena.used[1] == 0, "%zu layers leave %zu and %zu",
               layers, arena.used[0], arena.used[1]);
    }
}

// ---- planning -------------------------------------------------------------------------------------------------------

typedef struct Models {
    TextEncoder *text_encoder;
    UNet *unet, *unet_lcm, *unet_no_mid;
    Vae *vae, *vae_tiny;
} Models;

static Models open_models(void) {
    Error error = {0};
    Models models = {text_encoder_open(GOLDEN "text_sd1", &error), unet_open(GOLDEN "unet_sd1", &error),
                     unet_open(GOLDEN "unet_lcm", &error),         unet_open(GOLDEN "unet_no_mid", &error),
                     vae_open(GOLDEN "vae_sd1", &error),           vae_open(GOLDEN "vae_tiny", &error)};
    CHECK(!error.message[0], "%s", error.message);
    return models;
}

static void close_models(Models *models) {
    text_encoder_close(models->text_encoder);
    unet_close(models->unet);
    unet_close(models->unet_lcm);
    unet_close(models->unet_no_mid);
    vae_close(models->vae);
    vae_close(models->vae_tiny);
}

static float noise(size_t i) { return sinf((float)(i * i) + 1); }

enum { STAGES = 8 };

// One call of one stage, on made-up inputs.
static Tensor forward(Context *ctx, const Models *models, int stage) {
    static int64_t ids[2 * 20];
    static float latents[2 * 4 * 13 * 6], text[2 * 5 * 16], pixels[3 * 32 * 16];
    static float timesteps[2] = {7, 800}, guidance[2] = {0.5f, 7};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) ids[i] = (int64_t)(i % 60);
    for (size_t i = 0; i < sizeof latents / sizeof *latents; i++) latents[i] = noise(i);
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) text[i] = noise(i + 7);
    for (size_t i = 0; i < sizeof pixels / sizeof *pixels; i++) pixels[i] = noise(i + 9);
    Tensor noisy = tensor_over(latents, shape4(2, 4, 13, 6)), small = tensor_over(latents, shape4(1, 4, 3, 5));
    Tensor image = tensor_over(pixels, shape4(1, 3, 32, 16)), words = tensor_over(text, shape3(2, 5, 16));
    Tensor times = tensor_over(timesteps, shape1(2)), guidances = tensor_over(guidance, shape1(2));
    switch (stage) {
    case 0: return text_encoder_forward(ctx, models->text_encoder, tensor_over_ids(ids, shape2(2, 20)), 0);
    case 1: return unet_forward(ctx, models->unet, noisy, times, tensor_absent(), tensor_over(text, shape3(2, 5, 12)));
    case 2: return unet_forward(ctx, models->unet_lcm, noisy, times, guidances, words);
    case 3: return unet_forward(ctx, models->unet_no_mid, noisy, times, tensor_absent(), words);
    case 4: return vae_encode(ctx, models->vae, image);
    case 5: return vae_decode(ctx, models->vae, small);
    case 6: return vae_encode(ctx, models->vae_tiny, image);
    default: return vae_decode(ctx, models->vae_tiny, small);
    }
}

// The plan isn't an estimate: an arena of exactly the planned size is enough, is used up, and the costs are the same.
static void test_planning_equals_executing(void) {
    Models models = open_models();
    for (int stage = 0; stage < STAGES; stage++) {
        Context plan;
        context_open_planning(&plan, NULL);
        Shape planned = forward(&plan, &models, stage).shape;
        EXPECT(plan.arena.used[1] == 0, "stage %d leaves temporaries", stage);

        Context ctx = golden_context(&(Setup){0}, plan.arena.high_water);
        Tensor out = forward(&ctx, &models, stage);
        EXPECT(shape_equal(out.shape, planned), "stage %d: %s, planned %s", stage, shape_text(out.shape).text,
               shape_text(planned).text);
        EXPECT(ctx.arena.high_water == plan.arena.high_water, "stage %d: %zu bytes, planned %zu", stage,
               ctx.arena.high_water, plan.arena.high_water);
        EXPECT(ctx.cost.flops == plan.cost.flops && ctx.cost.bytes == plan.cost.bytes && plan.cost.calls > 0,
               "stage %d: cost differs from the plan", stage);
        uint64_t flops = 0, bytes = 0;
        for (int op = 0; op < OP_COUNT; op++) {
            flops += plan.cost.ops[op].flops;
            bytes += plan.cost.ops[op].bytes;
        }
        EXPECT(flops == plan.cost.flops && bytes == plan.cost.bytes, "stage %d: the ops' costs don't add up", stage);
        EXPECT(ctx.arena.used[0] == (shape_count(out.shape) * sizeof(float) + 63) / 64 * 64 && ctx.arena.used[1] == 0,
               "stage %d leaves more than its result", stage);
        context_close(&ctx);
        context_close(&plan);
    }
    close_models(&models);
}

// ---- observing and stopping -----------------------------------------------------------------------------------------

typedef struct Listener {
    SafetensorsFile *golden;
    size_t shown, compared, attentions;
    double worst;
} Listener;

// Where the golden file has a tensor of this place, the two must agree.
static void compare(void *data, const char *place, Tensor tensor) {
    Listener *listener = data;
    listener->shown++;
    const SafetensorsEntry *entry = safetensors_find(listener->golden, place);
    if (!entry || entry->bytes != shape_count(tensor.shape) * sizeof(float)) return;
    listener->compared++;
    listener->worst = fmax(listener->worst, relative_l2(tensor_f32(tensor), entry->data, shape_count(tensor.shape)));
}

static bool wants(void *data, const char *place) {
    (void)data;
    return strcmp(place, "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2") == 0;
}

static void check_rows(void *data, const char *place, Tensor probabilities) {
    ((Listener *)data)->attentions++;
    EXPECT(shape_equal(probabilities.shape, shape4(1, 4, 16, 5)), "%s: %s", place,
           shape_text(probabilities.shape).text);
    for (size_t row = 0; row < 4 * 16; row++) {
        double sum = 0;
        for (size_t word = 0; word < 5; word++) sum += tensor_f32(probabilities)[row * 5 + word];
        EXPECT(fabs(sum - 1) < 1e-5, "row %zu adds up to %g", row, sum);
    }
}

static Tensor golden_tensor(SafetensorsFile *golden, const char *name, Shape shape) {
    const SafetensorsEntry *entry = safetensors_find(golden, name);
    CHECK(entry && entry->bytes == shape_count(shape) * sizeof(float), "%s", name);
    return tensor_over((float *)entry->data, shape);
}

static void test_every_block_is_shown(void) {
    Models models = open_models();
    Error error = {0};
    Listener listener = {.golden = safetensors_open(GOLDEN "unet_sd1/golden.safetensors", &error)};
    CHECK(listener.golden, "%s", error.message);
    Context ctx = golden_context(&(Setup){0}, 1 << 26);
    ctx.observer = compare;
    ctx.attention_observer = (AttentionObserver){wants, check_rows};
    ctx.listener = &listener;
    unet_forward(&ctx, models.unet, golden_tensor(listener.golden, "latents.0", shape4(1, 4, 8, 8)),
                 golden_tensor(listener.golden, "timesteps.0", shape1(1)), tensor_absent(),
                 golden_tensor(listener.golden, "text_embeddings.0", shape3(1, 5, 12)));
    EXPECT(listener.compared == 23, "%zu places were compared",
           listener.compared);  // 9 blocks, 8 ResNet blocks, 6 transformers
    EXPECT(listener.worst < 5e-6, "error %g", listener.worst);
    EXPECT(listener.attentions == 1, "%zu attentions were shown", listener.attentions);
    context_close(&ctx);
    safetensors_close(listener.golden);
    close_models(&models);
}

static void test_a_stopped_stage_ends(void) {
    Models models = open_models();
    atomic_bool stop = true;
    for (int stage = 0; stage < STAGES; stage++) {
        Context ctx = golden_context(&(Setup){0}, 1 << 26);
        Shape shape = forward(&ctx, &models, stage).shape;
        ctx.stop = &stop;
        Tensor out = forward(&ctx, &models, stage);
        EXPECT(shape_equal(out.shape, shape), "stage %d: %s", stage, shape_text(out.shape).text);
        context_close(&ctx);
    }
    close_models(&models);
}

static void test_parameters(void) {
    Models models = open_models();
    size_t text = text_encoder_parameters(models.text_encoder), vae = vae_parameters(models.vae);
    EXPECT(text == 60 * 16 + 20 * 16 + 2 * (4 * (16 * 16 + 16) + 4 * 16 + 2 * 16 * 64 + 64 + 16) + 2 * 16, "%zu", text);
    EXPECT(vae > 30000 && vae < 90000, "%zu", vae);
    EXPECT(vae_factor(models.vae) == 8, "factor %zu", vae_factor(models.vae));
    // Each block has three layers; of the convolutions between, those that halve and double have no bias.
    size_t C = 4, D = 6, tiny = vae_parameters(models.vae_tiny);
    size_t encoder = 3 * 3 * (9 * C * C + C) + 9 * 3 * C + C + 2 * 9 * C * C + 9 * 4 * C + 4;
    size_t decoder = 3 * 3 * (9 * D * D + D) + 9 * 4 * D + D + 2 * 9 * D * D + 9 * 3 * D + 3;
    EXPECT(tiny == encoder + decoder, "%zu, not %zu", tiny, encoder + decoder);
    EXPECT(vae_factor(models.vae_tiny) == 4, "factor %zu", vae_factor(models.vae_tiny));
    EXPECT(unet_config(models.unet)->attention_heads[2] == 4, "%zu heads",
           unet_config(models.unet)->attention_heads[2]);
    close_models(&models);
}

// ---- strangers' files -----------------------------------------------------------------------------------------------

static bool opens(const char *model, const char *folder, Error *error) {
    bool opened = false;
    if (model[0] == 't') {
        TextEncoder *encoder = text_encoder_open(folder, error);
        opened = encoder != NULL;
        text_encoder_close(encoder);
    } else if (model[0] == 'u') {
        UNet *unet = unet_open(folder, error);
        opened = unet != NULL;
        unet_close(unet);
    } else {
        Vae *vae = vae_open(folder, error);
        opened = vae != NULL;
        vae_close(vae);
    }
    return opened;
}

// One change to a config.json, and what the error must say.
static const struct {
    const char *model, *from, *to, *expected;
} REFUSED[] = {
    // sizes that are none
    {"unet_sd1", "\"norm_num_groups\": 4", "\"norm_num_groups\": 0", "norm_num_groups"},
    {"unet_sd1", "\"norm_num_groups\": 4", "\"norm_num_groups\": 3", "norm_num_groups"},
    {"unet_sd1", "\"attention_head_dim\": 4", "\"attention_head_dim\": 0", "attention_head_dim"},
    {"unet_sd1", "\"attention_head_dim\": 4", "\"attention_head_dim\": 3", "attention_head_dim"},
    {"unet_sd1", "\"attention_head_dim\": 4", "\"attention_head_dim\": [4, 4]", "attention_head_dim"},
    {"unet_sd1", "\"layers_per_block\": 1", "\"layers_per_block\": 0", "layers_per_block is 0"},
    {"unet_sd1", "\"layers_per_block\": 1", "\"layers_per_block\": 1e9", "layers_per_block"},
    {"unet_sd1", "\"layers_per_block\": 1", "\"layers_per_block\": -1", "layers_per_block"},
    {"unet_sd1", "\"layers_per_block\": 1", "\"layers_per_block\": \"many\"", "layers_per_block"},
    {"unet_sd1", "\"in_channels\": 4", "\"in_channels\": 0", "in_channels is 0"},
    {"unet_sd1", "\"out_channels\": 4", "\"out_channels\": 18446744073709551615", "out_channels"},
    {"unet_sd1", "\"cross_attention_dim\": 12", "\"cross_attention_dim\": [12, 12, 12, 6]", "cross_attention_dim"},
    {"unet_sd1", "\"sample_size\": 8", "\"sample_size\": [8, 9]", "sample_size"},
    {"unet_one_level", "\"block_out_channels\": [\n    8\n  ]", "\"block_out_channels\": []", "block_out_channels"},
    {"unet_one_level", "\"block_out_channels\": [\n    8\n  ]", "\"block_out_channels\": [4000000000]",
     "block_out_channels"},
    {"unet_one_level", "\"block_out_channels\": [\n    8\n  ]", "\"block_out_channels\": [2,2,2,2,2,2,2,2,2]",
     "block_out_channels"},
    {"unet_one_level", "\"block_out_channels\": [\n    8\n  ]", "\"block_out_channels\": [8, 8]", "down_block_types"},
    {"text_sd1", "\"num_attention_heads\": 2", "\"num_attention_heads\": 0", "num_attention_heads"},
    {"text_sd1", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1000000", "num_hidden_layers"},
    {"text_sd1", "\"max_position_embeddings\": 20", "\"max_position_embeddings\": 0", "max_position_embeddings"},
    {"vae_sd1", "\"norm_num_groups\": 4", "\"norm_num_groups\": 0", "norm_num_groups"},
    {"vae_sd1", "\"scaling_factor\": 0.18215", "\"scaling_factor\": 0", "scaling_factor"},
    {"vae_sd1", "\"layers_per_block\": 1", "\"layers_per_block\": 99", "layers_per_block is 99"},
    {"unet_sd1", "\"norm_eps\": 1e-05", "\"norm_eps\": -1", "norm_eps is -1"},
    {"text_sd1", "\"layer_norm_eps\": 1e-05", "\"layer_norm_eps\": 0", "layer_norm_eps is 0"},
    // what other models have
    {"text_sd1", "\"quick_gelu\"", "\"relu\"", "hidden_act is relu"},
    {"text_sd1", "\"quick_gelu\"", "\"quick_gelu\", \"use_attention_mask\": true", "use_attention_mask is true"},
    {"unet_sd1", "\"CrossAttnDownBlock2D\"", "\"KDownBlock2D\"", "down_block_types has a KDownBlock2D"},
    {"unet_sd1", "\"UpBlock2D\"", "\"CrossAttnDownBlock2D\"", "up_block_types has a CrossAttnDownBlock2D"},
    {"unet_sd1", "\"class_embed_type\": null", "\"class_embed_type\": \"timestep\"", "class_embed_type"},
    {"unet_sd1", "\"addition_embed_type\": null", "\"addition_embed_type\": \"text_time\"", "addition_embed_type"},
    {"unet_sd1", "\"time_cond_proj_dim\": null", "\"time_cond_proj_dim\": 3", "time_cond_proj_dim is 3"},
    {"unet_sd1", "\"encoder_hid_dim\": null", "\"encoder_hid_dim\": 8", "encoder_hid_dim"},
    {"unet_sd1", "\"dual_cross_attention\": false", "\"dual_cross_attention\": true", "dual_cross_attention is true"},
    {"unet_sd1", "\"UNetMidBlock2DCrossAttn\"", "\"UNetMidBlock2DSimpleCrossAttn\"",
     "mid_block_type is UNetMidBlock2DSimpleCrossAttn"},
    {"vae_sd1", "\"AutoencoderKL\"", "\"ConsistencyDecoderVAE\"", "is a ConsistencyDecoderVAE"},
    {"vae_tiny", "\"act_fn\": \"relu\"", "\"act_fn\": \"gelu\"", "act_fn is gelu"},
    {"vae_tiny", "\"nearest\"", "\"bilinear\"", "upsample_fn is bilinear"},
    {"vae_tiny", "\"upsampling_scaling_factor\": 2", "\"upsampling_scaling_factor\": 3",
     "upsampling_scaling_factor is 3"},
    {"vae_tiny", "\"shift_factor\": 0.0", "\"shift_factor\": 0.1159", "shift_factor is 0.1159"},
    {"vae_tiny", "\"scaling_factor\": 1.0", "\"scaling_factor\": 0", "scaling_factor"},
    {"vae_tiny", "\"num_encoder_blocks\": [\n    1,", "\"num_encoder_blocks\": [\n    1, 1,",
     "num_encoder_blocks has 4 values and num_decoder_blocks 3"},
    {"vae_tiny", "\"num_decoder_blocks\": [\n    2,", "\"num_decoder_blocks\": [\n    17,", "num_decoder_blocks is 17"},
    {"vae_tiny", "\"num_decoder_blocks\": [\n    2,\n    0,\n    1\n  ]", "\"num_decoder_blocks\": []",
     "num_decoder_blocks' length is 0"},
    {"vae_tiny", "\"encoder_block_out_channels\": [\n    4,", "\"encoder_block_out_channels\": [\n    8,",
     "encoder_block_out_channels has 8 and 4"},
    {"vae_tiny", "\"decoder_block_out_channels\": [\n    6,", "\"decoder_block_out_channels\": [\n    6, 6,",
     "decoder_block_out_channels has 4 values"},
    {"unet_sd1", "\"conv_in_kernel\": 3", "\"conv_in_kernel\": 5", "conv_in_kernel is 5"},
    {"unet_sd1", "\"act_fn\": \"silu\"", "\"act_fn\": \"mish\"", "act_fn is mish"},
    {"unet_sd1", "\"downsample_padding\": 1", "\"downsample_padding\": 2", "downsample_padding is 2"},
    {"vae_sd1", "\"act_fn\": \"silu\"", "\"act_fn\": \"gelu\"", "act_fn is gelu"},
    {"vae_sd1", "\"DownEncoderBlock2D\"", "\"AttnDownEncoderBlock2D\"", "AttnDownEncoderBlock2D"},
    {"vae_sd1", "\"shift_factor\": null", "\"shift_factor\": 0.1159", "shift_factor is 0.1159"},
    {"vae_sd1", "\"latents_mean\": null", "\"latents_mean\": [1, 2, 3, 4]", "latents_mean"},
    // configs of another model than the weights: the first weight that doesn't fit, and both shapes
    {"text_sd1", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3",
     "encoder.layers.2.layer_norm1.weight is missing"},
    {"text_sd2_old_names", "\"vocab_size\": 60", "\"vocab_size\": 61",
     "text_model.embeddings.token_embedding.weight has "
     "shape [60, 24], the config implies [61, 24]"},
    {"unet_sd1", "\"cross_attention_dim\": 12", "\"cross_attention_dim\": 13",
     "attn2.to_k.weight has shape [8, 12], the "
     "config implies [8, 13]"},
    {"unet_sd1", "\"use_linear_projection\": false", "\"use_linear_projection\": true",
     "proj_in.weight has shape "
     "[8, 8, 1, 1], the config implies [8, 8]"},
    {"unet_sd1", "\"layers_per_block\": 1", "\"layers_per_block\": 2",
     "down_blocks.0.attentions.1.norm.weight is missing"},
    {"vae_two_levels", "\"use_quant_conv\": false", "\"use_quant_conv\": true", "quant_conv.weight is missing"},
    {"unet_sd1", "\"time_cond_proj_dim\": null", "\"time_cond_proj_dim\": 256",
     "time_embedding.cond_proj.weight is missing"},
    {"unet_no_mid", "\"mid_block_type\": null", "\"mid_block_type\": \"UNetMidBlock2D\"",
     "mid_block.resnets.0.norm1.weight is missing"},
    {"vae_tiny", "\"num_decoder_blocks\": [\n    2,", "\"num_decoder_blocks\": [\n    1,",
     "decoder.layers.4.weight is missing"},
    {"vae_tiny", "\"latent_channels\": 4", "\"latent_channels\": 16", "encoder.layers.6.weight has shape"},
    {"vae_sd1", "\"AutoencoderKL\"", "\"AutoencoderTiny\"", "act_fn is silu"},
    {"vae_sd1", "\"latent_channels\": 4", "\"latent_channels\": 5", "encoder.conv_out.weight"},
    {"vae_sd1", "{", "[", "config.json"},
};

static void test_configs_are_refused(void) {
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
        Error error = {0};
        const char *folder = golden_edited(REFUSED[i].model, "refused", REFUSED[i].from, REFUSED[i].to);
        EXPECT(!opens(REFUSED[i].model, folder, &error), "%s with %s opened", REFUSED[i].model, REFUSED[i].to);
        EXPECT(strstr(error.message, REFUSED[i].expected), "%s with %s: '%s'", REFUSED[i].model, REFUSED[i].to,
               error.message);
        EXPECT(strstr(error.message, "; ") && strstr(error.message, "build/tmp/refused"),
               "says neither where nor what to do: '%s'", error.message);
    }
}

static void test_old_sample_size(void) {
    static const struct {
        const char *version;
        size_t expected;
    } files[] = {{"0.6.0", 64}, {"0.8.1", 64}, {"0.9.0", 8}, {"0.10.2", 8}, {"1.0.0", 8}, {"nightly", 8}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char line[80];
        snprintf(line, sizeof line, "\"_diffusers_version\": \"%s\"", files[i].version);
        Error error = {0};
        UNet *unet = unet_open(golden_edited("unet_sd1", "old", "\"_diffusers_version\": \"0.42.1\"", line), &error);
        EXPECT(unet, "%s", error.message);
        if (!unet) continue;
        EXPECT(unet_config(unet)->sample_size == files[i].expected, "of version %s sample_size is %zu",
               files[i].version, unet_config(unet)->sample_size);
        unet_close(unet);
    }
}

static void test_missing_files(void) {
    const char *const models[] = {"text_sd1", "unet_sd1", "vae_sd1"};
    for (size_t i = 0; i < 3; i++) {
        Error error = {0};
        EXPECT(!opens(models[i], "build/no/such/folder", &error), "opened nothing");
        EXPECT(strstr(error.message, "build/no/such/folder/config.json"), "'%s'", error.message);

        char path[256];
        const char *folder = golden_edited(models[i], "no_weights", "{", "{");
        snprintf(path, sizeof path, "%s/%s.safetensors", folder, i == 0 ? "model" : "diffusion_pytorch_model");
        EXPECT(remove(path) == 0, "can't remove %s", path);
        error = (Error){0};
        EXPECT(!opens(models[i], folder, &error), "opened a model without weights");
        EXPECT(strstr(error.message, path), "'%s'", error.message);
    }
}

int main(void) {
    TEST(test_relay_keeps_two);
    TEST(test_planning_equals_executing);
    TEST(test_every_block_is_shown);
    TEST(test_a_stopped_stage_ends);
    TEST(test_parameters);
    TEST(test_configs_are_refused);
    TEST(test_old_sample_size);
    TEST(test_missing_files);
    return test_summary();
}
