// test_single_file.c - what is read off a single file's names and shapes (core/single_file/)
//
// The files are made by data/critters/train/single_file.py, whose names tests/reference_single_file.py has read back by
// diffusers; here without configs in them, so that all has to be recognised.

#include "single_file/single_file.h"

#include "io/file.h"
#include "test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A model's folder as a single file without configs; NULL if it can't be made or opened.
static SingleFile *open_plain(const char *folder) {
    char command[512];
    Error error = {0};
    snprintf(command, sizeof command,
             "mkdir -p build/tmp && python3 data/critters/train/single_file.py %s build/tmp/plain.safetensors", folder);
    EXPECT(system(command) == 0, "%s", command);
    SingleFile *file = single_file_open("build/tmp/plain.safetensors", &error);
    EXPECT(file, "%s: %s", folder, error.message);
    return file;
}

static json_t *folder_config(const char *folder, const char *part) {
    char name[64];
    snprintf(name, sizeof name, "%s/config.json", part);
    char *path = path_join(folder, name);
    json_t *config = json_load_file(path, 0, NULL);
    EXPECT(config, "%s", path);
    free(path);
    return config;
}

// A list of equal values says what one says.
static bool equal(json_t *found, json_t *wanted) {
    size_t i;
    json_t *value;
    if (json_is_array(found) == json_is_array(wanted)) return json_equal(found, wanted);
    json_t *list = json_is_array(found) ? found : wanted, *one = list == found ? wanted : found;
    bool same = true;
    json_array_foreach(list, i, value) same = same && json_equal(value, one);
    return same;
}

// Of these keys, ended by NULL, the file's config must say what the folder's does.
static void compare(const SingleFile *file, const char *folder, const char *part, const char *const *keys) {
    json_t *found = json_loads(single_file_config(file, part), 0, NULL), *wanted = folder_config(folder, part);
    for (; *keys; keys++) {
        json_t *a = json_object_get(found, *keys), *b = json_object_get(wanted, *keys);
        char *text = json_dumps(a, JSON_ENCODE_ANY), *wanted_text = json_dumps(b, JSON_ENCODE_ANY);
        EXPECT(a && b && equal(a, b), "%s, %s: %s is %s, not %s", folder, part, *keys, text ? text : "absent",
               wanted_text ? wanted_text : "absent");
        free(text);
        free(wanted_text);
    }
    json_decref(found);
    json_decref(wanted);
}

static const char *const UNET_KEYS[] = {"in_channels",
                                        "out_channels",
                                        "layers_per_block",
                                        "block_out_channels",
                                        "down_block_types",
                                        "up_block_types",
                                        "cross_attention_dim",
                                        "use_linear_projection",
                                        "transformer_layers_per_block",
                                        NULL};
static const char *const VAE_KEYS[] = {
    "in_channels",    "out_channels",   "latent_channels",    "layers_per_block",    "down_block_types",
    "up_block_types", "use_quant_conv", "block_out_channels", "use_post_quant_conv", NULL};
static const char *const TEXT_KEYS[] = {"vocab_size",        "hidden_size", "max_position_embeddings",
                                        "intermediate_size", "hidden_act",  NULL};

static void test_recognised(void) {
    static const char *const FOLDERS[] = {"tests/golden/runs/sd1", "tests/golden/runs/sd2", "data/models/critters"};
    for (size_t i = 0; i < sizeof FOLDERS / sizeof *FOLDERS; i++) {
        SingleFile *file = open_plain(FOLDERS[i]);
        if (!file) continue;
        compare(file, FOLDERS[i], "unet", UNET_KEYS);
        compare(file, FOLDERS[i], "vae", VAE_KEYS);
        compare(file, FOLDERS[i], "text_encoder", TEXT_KEYS);
        // OpenCLIP's files hold a layer that isn't used; it is known by their being 24
        if (!single_file_pad_token(file)) {
            compare(file, FOLDERS[i], "text_encoder", (const char *const[]){"num_hidden_layers", NULL});
        }
        single_file_close(file);
    }
}

// What the weights can't tell follows from the family, 1.x or 2.x.
static void test_assumed(void) {
    SingleFile *file = open_plain("tests/golden/runs/sd1");
    if (!file) return;
    EXPECT(strstr(single_file_config(file, "scheduler"), "PNDMScheduler"), "1.x: PLMS");
    EXPECT(strstr(single_file_config(file, "scheduler"), "epsilon"), "1.x predicts epsilon");
    EXPECT(strstr(single_file_config(file, "unet"), "\"sample_size\": 64"), "1.x: 512 pixels");
    EXPECT(!single_file_pad_token(file) && !*single_file_note(file), "1.x: nothing is doubtful");
    single_file_close(file);

    file = open_plain("tests/golden/runs/sd2");
    if (!file) return;
    EXPECT(strstr(single_file_config(file, "scheduler"), "v_prediction"), "2.x is taken for the one with v");
    EXPECT(strstr(single_file_config(file, "unet"), "\"sample_size\": 96"), "2.x: 768 pixels");
    EXPECT(strcmp(single_file_pad_token(file), "!") == 0, "2.x pads with id 0");
    EXPECT(strstr(single_file_note(file), "prediction_type=epsilon"), "what to do about a base model isn't said");
    single_file_close(file);
}

// Each weight under its own name: the tensor that the folder has, bit for bit.
static void test_weights(void) {
    static const struct {
        const char *part, *stem, *name;
        Shape shape;
    } CASES[] = {
        {"text_encoder", "model", "encoder.layers.1.self_attn.v_proj.weight", {2, {16, 16, 1, 1}}},
        {"text_encoder", "model", "encoder.layers.1.self_attn.k_proj.bias", {1, {16, 1, 1, 1}}},
        {"vae", "diffusion_pytorch_model", "decoder.up_blocks.0.resnets.1.conv2.bias", {1, {8, 1, 1, 1}}},
        {"unet", "diffusion_pytorch_model", "mid_block.resnets.1.norm2.bias", {1, {16, 1, 1, 1}}},
    };
    SingleFile *file = open_plain("tests/golden/runs/sd2");
    for (size_t i = 0; file && i < sizeof CASES / sizeof *CASES; i++) {
        Error error = {0};
        Weights single, folder;
        char path[128];
        snprintf(path, sizeof path, "tests/golden/runs/sd2/%s", CASES[i].part);
        EXPECT(weights_open_folder(&folder, path, CASES[i].stem, &error), "%s", error.message);
        single_file_weights(file, CASES[i].part, &single, &error);
        Tensor a = weights_tensor(&single, CASES[i].shape, "", CASES[i].name),
               b = weights_tensor(&folder, CASES[i].shape, "", CASES[i].name);
        bool ok = weights_ok(&single) && weights_ok(&folder);
        EXPECT(ok && memcmp(a.data, b.data, shape_count(CASES[i].shape) * sizeof(float)) == 0, "%s: %s", CASES[i].name,
               error.message);
        EXPECT(!weights_has(&single, "", "no.such.weight"), "has what isn't there");
        weights_close(&single);
        weights_close(&folder);
    }
    single_file_close(file);
}

int main(void) {
    TEST(test_recognised);
    TEST(test_assumed);
    TEST(test_weights);
    return test_summary();
}
