// test_lora.c - LoRA files: what is added to a weight, and every name that it may have
// (core/io/lora.c, lora_names.c, lora_scale.c)

#include "base/convert.h"
#include "io/weights.h"
#include "loras.h"
#include "runs.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What the file adds to a weight [2, 3] of zeros must be PRODUCT times scale, and use up all that is in the file.
static void expect_added(const char *path, const char *stage, const char *layer, float scale) {
    Error error = {0};
    Loras *loras = loras_open_one(path, 1);
    if (!loras) return;
    loras_set_layers_per_block(loras, 2);
    char name[256];
    float numbers[6] = {0};
    snprintf(name, sizeof name, "%s.weight", layer);
    EXPECT(loras_change(loras, stage, name), "%s: nothing for %s", path, name);
    EXPECT(loras_add(loras, stage, name, shape2(2, 3), numbers, &error), "%s", error.message);
    for (size_t i = 0; i < 6; i++) {
        EXPECT(fabsf(numbers[i] - PRODUCT[i] * scale) <= 1e-5f * PRODUCT[i], "%s: number %zu is %g, not %g", layer, i,
               (double)numbers[i], (double)(PRODUCT[i] * scale));
    }
    EXPECT(loras_all_used(loras, &error) && loras_layers(loras, 0) == 1, "%s", error.message);
    loras_close(loras);
}

// ---- names ----------------------------------------------------------------------------------------------------------

static void test_names(void) {
    static const char *const NAMES[][4] = {
        {"unet", LAYER, "unet." LAYER ".lora_A.weight", "unet." LAYER ".lora_B.weight"},
        {"unet", LAYER, "unet." LAYER ".lora.down.weight", "unet." LAYER ".lora.up.weight"},
        {"unet", LAYER, LAYER ".lora_A.weight", LAYER ".lora_B.weight"},
        {"unet", LAYER, LAYER ".lora.down.weight", LAYER ".lora.up.weight"},
        {"unet", LAYER, KOHYA ".lora_down.weight", KOHYA ".lora_up.weight"},
        {"unet", "a.attn1.to_k", "unet.a.attn1.to_k_lora.down.weight", "unet.a.attn1.to_k_lora.up.weight"},
        {"unet", "a.attn1.to_out.0", "a.attn1.processor.to_out_lora.down.weight",
         "a.attn1.processor.to_out_lora.up.weight"},
        {"unet", "a.attn2.to_v", "a.attn2.to_v_lora.down.weight", "a.attn2.to_v_lora.up.weight"},
        {"text_encoder", "encoder.layers.0.mlp.fc1", "text_encoder.encoder.layers.0.mlp.fc1.lora_A.weight",
         "text_encoder.encoder.layers.0.mlp.fc1.lora_B.weight"},
        {"text_encoder", "text_model.encoder.layers.0.mlp.fc1",
         "text_encoder.text_model.encoder.layers.0.mlp.fc1.lora_linear_layer.down.weight",
         "text_encoder.text_model.encoder.layers.0.mlp.fc1.lora_linear_layer.up.weight"},
        {"text_encoder", "text_model.encoder.layers.0.mlp.fc1",
         "text_encoder.encoder.layers.0.mlp.fc1.lora.down.weight",
         "text_encoder.encoder.layers.0.mlp.fc1.lora.up.weight"},
        {"text_encoder", "encoder.layers.3.self_attn.out_proj",
         "text_encoder.text_model.encoder.layers.3.self_attn.to_out_lora.down.weight",
         "text_encoder.text_model.encoder.layers.3.self_attn.to_out_lora.up.weight"},
        {"text_encoder", "encoder.layers.3.self_attn.q_proj",
         "lora_te_text_model_encoder_layers_3_self_attn_q_proj.lora_down.weight",
         "lora_te_text_model_encoder_layers_3_self_attn_q_proj.lora_up.weight"},
        {"text_encoder", "encoder.layers.3.self_attn.q_proj",
         "lora_te_encoder_layers_3_self_attn_q_proj.lora_down.weight",
         "lora_te_encoder_layers_3_self_attn_q_proj.lora_up.weight"},
        {"text_encoder", "encoder.layers.3.self_attn.q_proj",
         "lora_te1_text_model_encoder_layers_3_self_attn_q_proj.lora_down.weight",
         "lora_te1_text_model_encoder_layers_3_self_attn_q_proj.lora_up.weight"},
    };
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        char *path = loras_put_pair(NAMES[i][2], NAMES[i][3], NULL);
        expect_added(path, NAMES[i][0], NAMES[i][1], 1);
        free(path);
    }
}

// Where the layers of Stable Diffusion 1.5's U-Net, of two a level, stand in LDM's lists.
static void test_ldm_names(void) {
    static const char *const NAMES[][2] = {
        {"conv_in", "input_blocks_0_0"},
        {"time_embedding.linear_2", "time_embed_2"},
        {"down_blocks.0.resnets.1.conv1", "input_blocks_2_0_in_layers_2"},
        {"down_blocks.0.downsamplers.0.conv", "input_blocks_3_0_op"},
        {"down_blocks.1.attentions.0.proj_in", "input_blocks_4_1_proj_in"},
        {"down_blocks.1.resnets.0.conv_shortcut", "input_blocks_4_0_skip_connection"},
        {"down_blocks.2.downsamplers.0.conv", "input_blocks_9_0_op"},
        {"down_blocks.3.resnets.1.time_emb_proj", "input_blocks_11_0_emb_layers_1"},
        {"mid_block.resnets.0.conv2", "middle_block_0_out_layers_3"},
        {"mid_block.attentions.0.transformer_blocks.0.ff.net.0.proj",
         "middle_block_1_transformer_blocks_0_ff_net_0_proj"},
        {"mid_block.resnets.1.conv1", "middle_block_2_in_layers_2"},
        {"up_blocks.0.resnets.2.conv1", "output_blocks_2_0_in_layers_2"},
        {"up_blocks.0.upsamplers.0.conv", "output_blocks_2_1_conv"},
        {"up_blocks.1.upsamplers.0.conv", "output_blocks_5_2_conv"},
        {"up_blocks.3.attentions.2.transformer_blocks.0.attn2.to_out.0",
         "output_blocks_11_1_transformer_blocks_0_attn2_to_out_0"},
        {"conv_out", "out_2"},
    };
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        char down[160], up[160];
        snprintf(down, sizeof down, "lora_unet_%s.lora_down.weight", NAMES[i][1]);
        snprintf(up, sizeof up, "lora_unet_%s.lora_up.weight", NAMES[i][1]);
        char *path = loras_put_pair(down, up, NULL);
        expect_added(path, "unet", NAMES[i][0], 1);
        free(path);
    }
}

static void test_other_layers_stay(void) {
    char *path = loras_put_pair("unet." LAYER ".lora_A.weight", "unet." LAYER ".lora_B.weight", NULL);
    Loras *loras = loras_open_one(path, 1);
    EXPECT(!loras_change(loras, "unet", LAYER ".bias"), "a bias is changed");
    EXPECT(!loras_change(loras, "unet", "down_blocks.0.resnets.0.conv1.weight"), "another layer is changed");
    EXPECT(!loras_change(loras, "text_encoder", LAYER ".weight"), "another stage is changed");
    EXPECT(!loras_change(loras, "unet", LAYER) && !loras_change(loras, "unet", ".weight"), "no weight is changed");
    EXPECT(!loras_change(NULL, "unet", LAYER ".weight"), "no LoRAs change something");
    loras_close(loras);
    free(path);
}

// ---- alpha / rank ---------------------------------------------------------------------------------------------------

static void test_alphas(void) {
    float single = 0.5f;
    int64_t whole = 3;
    uint16_t half = f32_to_f16(0.25f), brain = f32_to_bf16(1.5f);
    const struct {
        Tensor tensor;
        float alpha;
    } ALPHAS[] = {
        {tensor_over(&single, (Shape){.rank = 0, .axis = {1, 1, 1, 1}}), 0.5f},
        {tensor_over(&single, shape1(1)), 0.5f},
        {tensor_over_ids(&whole, (Shape){.rank = 0, .axis = {1, 1, 1, 1}}), 3},
        {{&half, {.rank = 0, .axis = {1, 1, 1, 1}}, F16, ON_HOST}, 0.25f},
        {{&brain, {.rank = 0, .axis = {1, 1, 1, 1}}, BF16, ON_HOST}, 1.5f},
    };
    for (size_t i = 0; i < sizeof ALPHAS / sizeof ALPHAS[0]; i++) {
        NamedTensor tensors[] = {{KOHYA ".lora_up.weight", tensor_over(UP, shape2(2, 1))},
                                 {KOHYA ".lora_down.weight", tensor_over(DOWN, shape2(1, 3))},
                                 {KOHYA ".alpha", ALPHAS[i].tensor}};
        char *path = loras_put("alpha.safetensors", tensors, 3, NULL);
        expect_added(path, "unet", LAYER, ALPHAS[i].alpha);
        free(path);
    }
}

static void test_settings(void) {
    const struct {
        const char *prefix, *metadata;
        float scale;
    } CASES[] = {
        {"unet.", "{\"unet.r\": 1, \"unet.lora_alpha\": 2.5}", 2.5f},
        {"unet.", "{\"text_encoder.r\": 1, \"text_encoder.lora_alpha\": 2.5}", 1},
        {"unet.", "{}", 1},
        {"unet.", "{\"unet.r\": 1}", 8},  // peft's own default
        {"", "{\"r\": 1, \"lora_alpha\": 3}", 3},
        {"unet.", "{\"unet.r\": 1, \"unet.lora_alpha\": 2, \"unet.alpha_pattern\": {\"to_k\": 5, \"to_q\": 6}}", 6},
        {"unet.", "{\"unet.r\": 1, \"unet.lora_alpha\": 2, \"unet.alpha_pattern\": {\"o_q\": 5}}", 2},
        {"unet.", "{\"unet.r\": 1, \"unet.lora_alpha\": 2, \"unet.alpha_pattern\": {\"mid_block.*to_[qk]\": 7}}", 7},
        {"unet.", "{\"unet.r\": 1, \"unet.lora_alpha\": 2, \"unet.alpha_pattern\": {\"^" LAYER "\": 5, \"to_q\": 6}}",
         5},
        {"unet.", "{\"unet.r\": 4, \"unet.lora_alpha\": 2, \"unet.rank_pattern\": {\"to_q\": 1}}", 2},
        {"unet.", "{\"unet.r\": 1, \"unet.lora_alpha\": 2, \"unet.alpha_pattern\": null, \"unet.use_dora\": false}", 2},
        {"unet.", "{\"unet.r\": 1, \"unet.lora_alpha\": 2, \"unet.init_lora_weights\": \"gaussian\"}", 2},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char down[160], up[160];
        snprintf(down, sizeof down, "%s" LAYER ".lora_A.weight", CASES[i].prefix);
        snprintf(up, sizeof up, "%s" LAYER ".lora_B.weight", CASES[i].prefix);
        char *path = loras_put_pair(down, up, CASES[i].metadata);
        expect_added(path, "unet", LAYER, CASES[i].scale);
        free(path);
    }
}

// The name of a layer of the text encoder has "text_model." in some patterns, and has none in others.
static void test_text_model_in_settings(void) {
    static const char *const PATTERNS[] = {"text_model.encoder.layers.0.mlp.fc1", "encoder.layers.0.mlp.fc1", "fc1"};
    for (size_t i = 0; i < sizeof PATTERNS / sizeof PATTERNS[0]; i++) {
        char metadata[200];
        snprintf(metadata, sizeof metadata,
                 "{\"text_encoder.r\": 1, \"text_encoder.lora_alpha\": 1, \"text_encoder.alpha_pattern\": {\"%s\": 4}}",
                 PATTERNS[i]);
        char *path = loras_put_pair("text_encoder.encoder.layers.0.mlp.fc1.lora_A.weight",
                                    "text_encoder.encoder.layers.0.mlp.fc1.lora_B.weight", metadata);
        expect_added(path, "text_encoder", "encoder.layers.0.mlp.fc1", 4);
        free(path);
    }
}

// Rank 4, rank-stabilised: alpha / 2
static void test_rank_stabilised(void) {
    float up[8] = {10, 0, 0, 0, 100, 0, 0, 0}, down[12] = {1, 2, 3};
    NamedTensor tensors[] = {{"unet." LAYER ".lora_A.weight", tensor_over(down, shape2(4, 3))},
                             {"unet." LAYER ".lora_B.weight", tensor_over(up, shape2(2, 4))}};
    char *path = loras_put("rslora.safetensors", tensors, 2,
                           "{\"unet.r\": 4, \"unet.lora_alpha\": 3, \"unet.use_rslora\": true}");
    expect_added(path, "unet", LAYER, 1.5f);
    free(path);
}

// ---- what is added --------------------------------------------------------------------------------------------------

static void test_convolution(void) {
    float up[2] = {2, -1}, down[9], numbers[18];
    for (size_t i = 0; i < 9; i++) down[i] = (float)i;
    for (size_t i = 0; i < 18; i++) numbers[i] = 1;
    NamedTensor tensors[] = {{"lora_unet_conv_in.lora_down.weight", tensor_over(down, shape4(1, 1, 3, 3))},
                             {"lora_unet_conv_in.lora_up.weight", tensor_over(up, shape4(2, 1, 1, 1))}};
    char *path = loras_put("conv.safetensors", tensors, 2, NULL);
    Error error = {0};
    Loras *loras = loras_open_one(path, -2);
    EXPECT(loras_add(loras, "unet", "conv_in.weight", shape4(2, 1, 3, 3), numbers, &error), "%s", error.message);
    for (size_t i = 0; i < 18; i++) {
        float expected = 1 - 2 * up[i / 9] * down[i % 9];
        EXPECT(numbers[i] == expected, "number %zu is %g, not %g", i, (double)numbers[i], (double)expected);
    }
    loras_close(loras);
    free(path);
}

// A matrix for a layer of single pixels, and the other way round
static void test_single_pixels(void) {
    const Shape matrix = shape2(2, 3), convolution = shape4(2, 3, 1, 1);
    for (size_t i = 0; i < 2; i++) {
        NamedTensor tensors[] = {
            {"unet.conv_in.lora_A.weight", tensor_over(DOWN, i ? shape2(1, 3) : shape4(1, 3, 1, 1))},
            {"unet.conv_in.lora_B.weight", tensor_over(UP, i ? shape2(2, 1) : shape4(2, 1, 1, 1))}};
        char *path = loras_put("pixel.safetensors", tensors, 2, NULL);
        Error error = {0};
        float numbers[6] = {0};
        Loras *loras = loras_open_one(path, 1);
        EXPECT(loras_add(loras, "unet", "conv_in.weight", i ? convolution : matrix, numbers, &error), "%s",
               error.message);
        EXPECT(memcmp(numbers, PRODUCT, sizeof numbers) == 0, "%g %g ...", (double)numbers[0], (double)numbers[1]);
        loras_close(loras);
        free(path);
    }
}

// As a stage reads them: from F32, which is otherwise left in the file, and from F16; as F32, F16 and BF16.
static void test_through_weights(void) {
    float own[6] = {1, 1, 1, 1, 1, 1}, bias[2] = {5, 6};
    uint16_t halves[6];
    for (size_t i = 0; i < 6; i++) halves[i] = f32_to_f16(1);
    char *lora = loras_put_pair("unet.conv_in.lora_A.weight", "unet.conv_in.lora_B.weight", NULL);
    const LoraFile files[] = {{lora, 1}, {lora, 0.5f}, {lora, 0}};
    static const DType KEPT[] = {F32, F16, BF16};
    static const float LAST[] = {451, 451, 452};  // bf16 counts in twos there, and 451 lies in the middle: to even
    for (size_t i = 0; i < 6; i++) {
        Tensor weight = i % 2 ? (Tensor){halves, shape2(2, 3), F16, ON_HOST} : tensor_over(own, shape2(2, 3));
        NamedTensor tensors[] = {{"conv_in.weight", weight}, {"conv_in.bias", tensor_over(bias, shape1(2))}};
        char *path = loras_put("model.safetensors", tensors, 2, NULL);
        Error error = {0};
        Weights weights;
        Loras *loras = loras_open(files, 3, &error);
        EXPECT(loras && weights_open(&weights, path, &error), "%s", error.message);
        weights.loras = loras;
        weights.stage = "unet";
        weights.matrix_type = KEPT[i / 2];
        Tensor changed = weights_matrix(&weights, shape2(2, 3), "", "conv_in.weight");
        Tensor kept = weights_tensor(&weights, shape1(2), "", "conv_in.bias");
        EXPECT(weights_ok(&weights) && changed.dtype == weights.matrix_type, "%s", error.message);
        float numbers[6];
        convert_to_f32(numbers, changed.data, changed.dtype, 6);
        EXPECT(numbers[5] == LAST[i / 2], "1 and 1.5 times 300 are %g as %s", (double)numbers[5],
               dtype_name(changed.dtype));
        EXPECT(kept.data == weight_files_find(&weights.files, "conv_in.bias")->data, "the bias was copied");
        weights_close(&weights);
        loras_close(loras);
        free(path);
    }
    free(lora);
}

// ---- how a picture tells what it was made with ----------------------------------------------------------------------

static void test_notes(void) {
    Error error = {0};
    const LoraFile files[] = {{"tests/golden/lora/attention.safetensors", 0.7f},
                              {"tests/golden/lora/other.safetensors", -1}};
    ModelOptions options = {.loras = files, .lora_count = 2};
    Model *model = model_open_with("tests/golden/runs/sd1", &options, &error);
    EXPECT(model, "%s", error.message);
    if (!model) return;
    EXPECT(model->lora_count == 2 && model->loras[0].layers == 8 && model->loras[1].layers == 4, "%zu and %zu layers",
           model->loras[0].layers, model->loras[1].layers);
    Settings settings = runs_usual(model);
    Run *run = runs_begin(model, &settings), *copy = run_copy(run, &error);
    EXPECT(copy, "%s", error.message);
    const Run *runs[] = {run, copy};
    for (size_t i = 0; copy && i < 2; i++) {
        size_t count;
        const Metadata *rows = run_metadata(runs[i], &count);
        const char *noted = "";
        for (size_t k = 0; k < count; k++) {
            if (strcmp(rows[k].key, "loras") == 0) noted = rows[k].value;
        }
        EXPECT(strcmp(noted, "tests/golden/lora/attention.safetensors:0.7\ntests/golden/lora/other.safetensors:-1") ==
                   0,
               "noted: %s", noted);
    }
    run_free(copy);
    run_free(run);
    model_close(model);
}

int main(void) {
    test_folder("lora");
    TEST(test_names);
    TEST(test_ldm_names);
    TEST(test_other_layers_stay);
    TEST(test_alphas);
    TEST(test_settings);
    TEST(test_text_model_in_settings);
    TEST(test_rank_stabilised);
    TEST(test_convolution);
    TEST(test_single_pixels);
    TEST(test_through_weights);
    TEST(test_notes);
    return test_summary();
}
