// test_lora_refuse.c - LoRA files that aren't added: other kinds, damaged ones, those of another model
// (core/io/lora.c, lora_scale.c)

#include "files.h"
#include "loras.h"
#include "sculpt.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- refused at once ------------------------------------------------------------------------------------------------

static void expect_refused(const char *path, const char *word) {
    Error error = {0};
    Loras *loras = loras_open(&(LoraFile){path, 1}, 1, &error);
    EXPECT(!loras, "opened a file that should be refused for \"%s\"", word);
    EXPECT(strstr(error.message, word) && strstr(error.message, path) && strstr(error.message, "; "),
           "the error is \"%s\", without \"%s\"", error.message, word);
    loras_close(loras);
}

static void test_other_kinds(void) {
    static const char *const KINDS[][2] = {
        {KOHYA ".hada_w1_a", "LoHa"},
        {KOHYA ".lokr_w1", "LoKr"},
        {KOHYA ".dora_scale", "DoRA"},
        {"unet." LAYER ".lora_magnitude_vector", "DoRA"},
        {"lora_unet_down_blocks_0_attn1_to_k.on_input", "IA3"},
        {"unet." LAYER ".ia3_l.weight", "IA3"},
        {KOHYA ".oft_blocks", "OFT"},
        {KOHYA ".diff", "whole changes of weights"},
        {KOHYA ".diff_b", "whole changes of biases"},
        {KOHYA ".lora_mid.weight", "Tucker"},
        {"unet." LAYER ".lora_B.bias", "biases"},
        {"lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_down.weight", "SDXL"},
        {"text_encoder_2.text_model.encoder.layers.0.mlp.fc1.lora_A.weight", "SDXL"},
        {"transformer.transformer_blocks.0.attn.to_q.lora_A.weight", "transformer"},
        {"lora_transformer_single_transformer_blocks_0_attn_to_k.lora_down.weight", "transformer"},
        {"base_model.model." LAYER ".lora_A.weight", "save_lora_weights"},
        {"model.diffusion_model.out.2.weight", "--model"},
    };
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        NamedTensor tensors[] = {{KOHYA ".lora_down.weight", tensor_over(DOWN, shape2(1, 3))},
                                 {KINDS[i][0], tensor_over(UP, shape2(2, 1))}};
        char *path = loras_put("kind.safetensors", tensors, 2, NULL);
        expect_refused(path, KINDS[i][1]);
        free(path);
    }
}

static void test_no_loras(void) {
    const char *folder = LORA_FOLDER;
    expect_refused(LORA_FOLDER "/nowhere.safetensors", "can't be opened");
    expect_refused(folder, "is a folder");
    expect_refused(files_put(folder, "text.safetensors", "no tensors at all", 17), "safetensors");
    expect_refused(files_put(folder, "lora.pt", "anything", 8), "is a pickle");
    expect_refused(files_put(folder, "lora.bin", "", 0), "anything to this computer");
    expect_refused(files_put(folder, "lora.ckpt", "x", 1), "safetensors.torch.save_file");
    char *path = loras_put("empty.safetensors", NULL, 0, NULL);
    expect_refused(path, "no tensors");
    free(path);
}

static void test_bad_settings(void) {
    static const char *const METADATA[][2] = {
        {"{\"unet.r\": ", "line 1"},
        {"[1]", "no object"},
        {"{\"unet.r\": 1, \"unet.r\": 2}", "duplicate"},
        {"{\"unet.peft_type\": \"LOHA\"}", "LOHA"},
        {"{\"text_encoder.use_dora\": true}", "DoRA"},
        {"{\"unet.init_lora_weights\": \"pissa_niter_4\"}", "pissa_niter_4"},
    };
    for (size_t i = 0; i < sizeof METADATA / sizeof METADATA[0]; i++) {
        char *path = loras_put_pair("unet." LAYER ".lora_A.weight", "unet." LAYER ".lora_B.weight", METADATA[i][0]);
        expect_refused(path, METADATA[i][1]);
        free(path);
    }
}

// ---- refused by the model -------------------------------------------------------------------------------------------

static void expect_not_added(const char *path, Shape shape, const char *word) {
    Error error = {0};
    Loras *loras = loras_open_one(path, 1);
    if (!loras) return;
    float numbers[64] = {0};
    EXPECT(!loras_add(loras, "unet", LAYER ".weight", shape, numbers, &error),
           "added what should be refused for \"%s\"", word);
    EXPECT(strstr(error.message, word) && strstr(error.message, path) && strstr(error.message, "; "),
           "the error is \"%s\", without \"%s\"", error.message, word);
    for (size_t i = 0; i < 64; i++) EXPECT(numbers[i] == 0, "number %zu was changed all the same", i);
    loras_close(loras);
}

static void test_bad_pairs(void) {
    float numbers[16] = {0}, wrong[3] = {1, NAN, 3};
    int64_t whole[3] = {1, 2, 3};
    const struct {
        Tensor down, up;
        const char *word;
    } CASES[] = {
        {tensor_over(DOWN, shape2(1, 3)), tensor_over(numbers, shape2(4, 1)),
         "of shape [4, 3], and this model's has [2, 3]"},
        {tensor_over(DOWN, shape2(1, 2)), tensor_over(UP, shape2(2, 1)),
         "of shape [2, 2], and this model's has [2, 3]"},
        {tensor_over(numbers, shape4(1, 3, 2, 2)), tensor_over(UP, shape2(2, 1)), "of shape [2, 3, 2, 2]"},
        {tensor_over(DOWN, shape2(1, 3)), tensor_over(numbers, shape2(2, 2)), "[2, 2] can't be multiplied by a down"},
        {tensor_over(DOWN, shape2(1, 3)), tensor_over(numbers, shape4(2, 1, 2, 2)), "can't be multiplied by a down"},
        {tensor_over(DOWN, shape2(0, 3)), tensor_over(UP, shape2(2, 0)), "can't be multiplied by a down"},
        {tensor_over(DOWN, shape1(3)), tensor_over(UP, shape2(2, 1)), "neither 2 axes nor 4"},
        {tensor_over(DOWN, shape2(1, 3)), tensor_over(UP, shape3(2, 1, 1)), "neither 2 axes nor 4"},
        {tensor_over_ids(whole, shape2(1, 3)), tensor_over(UP, shape2(2, 1)), "stored as I64"},
        {tensor_over(wrong, shape2(1, 3)), tensor_over(UP, shape2(2, 1)), "finite"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        NamedTensor tensors[] = {{"unet." LAYER ".lora_A.weight", CASES[i].down},
                                 {"unet." LAYER ".lora_B.weight", CASES[i].up}};
        char *path = loras_put("bad.safetensors", tensors, 2, NULL);
        expect_not_added(path, shape2(2, 3), CASES[i].word);
        free(path);
    }
    NamedTensor alone = {"unet." LAYER ".lora_A.weight", tensor_over(DOWN, shape2(1, 3))};
    char *path = loras_put("alone.safetensors", &alone, 1, NULL);
    expect_not_added(path, shape2(2, 3), "no up");
    free(path);
    alone = (NamedTensor){"unet." LAYER ".lora_B.weight", tensor_over(UP, shape2(2, 1))};
    path = loras_put("alone.safetensors", &alone, 1, NULL);
    expect_not_added(path, shape2(2, 3), "no down");
    free(path);
}

static void test_bad_scales(void) {
    float alphas[2] = {INFINITY, 1};
    for (size_t count = 1; count <= 2; count++) {
        NamedTensor tensors[] = {{KOHYA ".lora_up.weight", tensor_over(UP, shape2(2, 1))},
                                 {KOHYA ".lora_down.weight", tensor_over(DOWN, shape2(1, 3))},
                                 {KOHYA ".alpha", tensor_over(alphas, shape1(count))}};
        char *path = loras_put("alpha.safetensors", tensors, 3, NULL);
        expect_not_added(path, shape2(2, 3), count == 1 ? "alpha is inf" : "isn't one number");
        free(path);
    }
    static const char *const METADATA[][2] = {
        {"{\"unet.r\": 4, \"unet.lora_alpha\": 4}", "rank 1 and lora_adapter_metadata says 4"},
        {"{\"unet.lora_alpha\": 4}", "rank 1 and lora_adapter_metadata says 8"},
        {"{\"unet.r\": 1, \"unet.lora_alpha\": \"4\"}", "unet.lora_alpha is no number"},
        {"{\"unet.r\": 1, \"unet.alpha_pattern\": {\"to_q\": true}}", "unet.lora_alpha is no number"},
        {"{\"unet.r\": 1, \"unet.alpha_pattern\": [1]}", "unet.alpha_pattern is no object"},
        {"{\"unet.r\": 1, \"unet.alpha_pattern\": {\"to_(q\": 1}}", "regular expression"},
        {"{\"unet.r\": 1, \"unet.rank_pattern\": {\"(([a-z_.0-9]+)+)+[!?]\": 1}}", "regular expression"},
    };
    for (size_t i = 0; i < sizeof METADATA / sizeof METADATA[0]; i++) {
        char *path = loras_put_pair("unet." LAYER ".lora_A.weight", "unet." LAYER ".lora_B.weight", METADATA[i][0]);
        expect_not_added(path, shape2(2, 3), METADATA[i][1]);
        free(path);
    }
}

static void expect_no_model(const LoraFile *loras, size_t count, const char *word) {
    Error error = {0};
    ModelOptions options = {.loras = loras, .lora_count = count};
    Model *model = model_open_with("tests/golden/runs/sd1", &options, &error);
    EXPECT(!model, "opened with a LoRA that should be refused for \"%s\"", word);
    EXPECT(strstr(error.message, word) && strstr(error.message, "another model"), "the error is \"%s\", without \"%s\"",
           error.message, word);
    model_close(model);
}

static void test_made_for_another_model(void) {
    const LoraFile good = {"tests/golden/lora/attention.safetensors", 1};
    char *path = loras_put_pair("unet.down_blocks.7.attn1.to_q.lora_A.weight",
                                "unet.down_blocks.7.attn1.to_q.lora_B.weight", NULL);
    expect_no_model(
        (LoraFile[]){good, {path, 1}}, 2,
        "2 of its 2 tensors belong to no layer of this model, the first is unet.down_blocks.7.attn1.to_q.lora_");
    free(path);
    path = loras_put_pair("unet.conv_in.lora_A.weight", "unet.conv_in.lora_B.weight", NULL);
    expect_no_model((LoraFile[]){{path, 0}, good}, 2,
                    "changes unet.conv_in.weight of shape [2, 3], and this model's has [8, 4, 3, 3]");
    free(path);
}

int main(void) {
    test_folder("lora");
    TEST(test_other_kinds);
    TEST(test_no_loras);
    TEST(test_bad_settings);
    TEST(test_bad_pairs);
    TEST(test_bad_scales);
    TEST(test_made_for_another_model);
    return test_summary();
}
