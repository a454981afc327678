// test_pipeline_refuse.c - what no run can be made of: settings, beginnings, folders, memory

#include "files.h"
#include "io/file.h"
#include "io/memory.h"
#include "parity/family.h"
#include "runs.h"
#include "stages/vae_weights.h"
#include "test.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// ---- refusing -------------------------------------------------------------------------------------------------------

static void expect_refused(const Model *model, const Settings *settings, const char *word) {
    Error error = {0};
    Run *run = run_begin(model, settings, &error);
    EXPECT(!run, "a run began that should be refused for \"%s\"", word);
    EXPECT(strstr(error.message, word) && !strchr(error.message, '\n'), "the error is \"%s\", without \"%s\"",
           error.message, word);
    run_free(run);
    RunCost cost;
    if (strcmp(word, "memory") != 0) EXPECT(!run_cost(model, settings, &cost, NULL), "run_cost accepts it: %s", word);
}

static void test_bad_settings(void) {
    Model *model = runs_model();
    Settings s = runs_usual(model);
    s.width = 25;
    expect_refused(model, &s, "multiple of 4");
    s.width = 0;
    expect_refused(model, &s, "width");
    s.width = SIZE_MAX - 3;
    expect_refused(model, &s, "16384");
    s = runs_usual(model);
    s.num_inference_steps = 0;
    expect_refused(model, &s, "0 steps");
    s.num_inference_steps = SIZE_MAX;
    expect_refused(model, &s, "1 to 1000");
    s = runs_usual(model);
    s.guidance_scale = NAN;
    expect_refused(model, &s, "guidance");
    s = runs_usual(model);
    s.scheduler = "dimm";
    expect_refused(model, &s, "ddim, euler");
    s = runs_usual(model);
    s.kernels[0] = "conv2d=nothing";
    s.kernel_count = 1;
    expect_refused(model, &s, "conv2d");
    s = runs_usual(model);
    s.prompt = NULL;
    expect_refused(model, &s, "prompt");
    model_close(model);
}

static void test_too_small_to_halve(void) {
    Model *model = runs_model();
    UNetConfig *unet = (UNetConfig *)unet_config(model->unet);
    unet->downsample_padding = 0;
    Settings s = runs_usual(model);
    s.width = 4;
    expect_refused(model, &s, "8 is the least");
    s.width = 8;
    s.height = 12;
    Run *run = runs_begin(model, &s);
    runs_finish(run);
    run_free(run);
    model_close(model);
}

static void test_bad_beginnings(void) {
    Model *model = runs_model();
    Image picture = image_new(7, 5);
    float latents[LATENTS] = {[17] = INFINITY};
    Settings s = runs_usual(model);
    s.init = &picture;
    s.strength = 1.5f;
    expect_refused(model, &s, "strength");
    s.strength = NAN;
    expect_refused(model, &s, "strength");
    s.strength = 0.1f;
    expect_refused(model, &s, "less than one step");
    s.strength = 0.5f;
    s.latents = latents;
    expect_refused(model, &s, "not both");
    s = runs_usual(model);
    s.latents = latents;
    Error error = {0};
    EXPECT(!run_begin(model, &s, &error) && strstr(error.message, "not finite"), "%s", error.message);
    s = runs_usual(model);
    s.memory_limit = 10000;
    expect_refused(model, &s, "memory");
    s = runs_usual(model);
    s.init = &(Image){SIZE_MAX / 8, SIZE_MAX / 8, NULL};
    error = (Error){0};
    EXPECT(!run_begin(model, &s, &error) && strstr(error.message, "init: no memory"), "%s", error.message);
    image_free(&picture);
    model_close(model);
}

// What isn't finite is said of the network that it comes from.
static void test_broken_encoder(void) {
    Model *model = runs_model();
    Image picture = image_new(7, 5);
    Settings s = runs_usual(model);
    s.init = &picture;
    float bias[8] = {[3] = NAN};
    model->vae->quant_conv.bias = tensor_over(bias, shape1(8));
    Error error = {0};
    EXPECT(!run_begin(model, &s, &error) && strstr(error.message, "init: the VAE's answer is not finite"), "%s",
           error.message);
    image_free(&picture);
    model_close(model);
}

// A mask without a picture, and U-Nets that need both without one or the other
static void test_bad_inpainting(void) {
    Error error = {0};
    Model *blending = runs_model(), *seeing = model_open(family_folder("inpaint"), &error);
    EXPECT(seeing, "%s", error.message);
    if (!seeing) return;
    Image picture = image_new(7, 5), empty = {0};
    Settings s = runs_usual(blending);
    s.mask = &picture;
    expect_refused(blending, &s, "mask: it says what of a picture");
    expect_refused(seeing, &s, "9 channels");
    s.init = &picture;
    s.mask = NULL;
    expect_refused(seeing, &s, "9 channels");
    s.mask = &empty;
    expect_refused(blending, &s, "mask: a picture without pixels");
    s.mask = &picture;
    s.strength = 0.1f;
    expect_refused(blending, &s, "less than one step");
    s.strength = 1;
    s.mask = &(Image){SIZE_MAX / 8, SIZE_MAX / 8, NULL};
    error = (Error){0};
    EXPECT(!run_begin(blending, &s, &error) && strstr(error.message, "mask: no memory"), "%s", error.message);
    image_free(&picture);
    model_close(blending);
    model_close(seeing);
}

// An inpainting model's U-Net with a conv_in for five channels: depth to image has that many.
static void write_unet_of_five(const char *folder) {
    static const char UNET[] = "tests/golden/stages/unet_inpaint";
    static const float NUMBERS[4 * 5 * 3 * 3] = {0};
    NamedTensor tensors[256];
    Error error = {0};
    char *from = path_join(UNET, "diffusion_pytorch_model.safetensors");
    char *to = path_join(folder, "diffusion_pytorch_model.safetensors"), *config = path_join(UNET, "config.json");
    SafetensorsFile *file = safetensors_open(from, &error);
    size_t size, count = file ? safetensors_count(file) : 0;
    for (size_t i = 0; i < count; i++) {
        const SafetensorsEntry *entry = safetensors_at(file, i);
        Tensor tensor = {(void *)entry->data, {.rank = entry->rank}, entry->dtype, ON_HOST};
        for (size_t d = 0; d < 4; d++) tensor.shape.axis[d] = d < entry->rank ? entry->axis[d] : 1;
        if (strcmp(entry->name, "conv_in.weight") == 0) tensor = tensor_over((float *)NUMBERS, shape4(4, 5, 3, 3));
        tensors[i] = (NamedTensor){entry->name, tensor};
    }
    EXPECT(safetensors_write(to, tensors, count, NULL, 0, &error), "%s", error.message);
    safetensors_close(file);

    char *text = file_read(config, &size, &error), *nine = text ? strstr(text, "\"in_channels\": 9") : NULL;
    EXPECT(nine, "the config has no nine channels: %s", error.message);
    if (nine) nine[strlen("\"in_channels\": ")] = '5';
    if (nine) files_put(folder, "config.json", text, size);
    free(text);
    free(config);
    free(to);
    free(from);
}

static void test_other_channels(void) {
    const char *folder = family_folder("inpaint");
    char *unet = path_join(folder, "unet");
    EXPECT(unlink(unet) == 0 && mkdir(unet, 0777) == 0, "can't put another U-Net to %s", unet);
    write_unet_of_five(unet);
    Error error = {0};
    Model *model = model_open(folder, &error);
    EXPECT(!model && strstr(error.message, "takes 5 channels"), "%s", error.message);
    model_close(model);
    free(unet);
}

static void test_bad_folders(void) {
    const char *folder = test_folder("pipeline");
    char *index = path_join(folder, "model_index.json");
    Error error = {0};
    EXPECT(!model_open("no/such/model", &error) && strstr(error.message, "no/such/model"), "%s", error.message);
    error = (Error){0};
    FILE *file = fopen(index, "w");
    fputs("{\"_class_name\": \"StableDiffusionXLPipeline\"}", file);
    fclose(file);
    EXPECT(!model_open(folder, &error) && strstr(error.message, "XL"), "%s", error.message);
    error = (Error){0};
    file = fopen(index, "w");
    fputs("{\"_class_name\": \"StableDiffusionPipeline\"}", file);
    fclose(file);
    EXPECT(!model_open(folder, &error) && strstr(error.message, "tokenizer"), "%s", error.message);
    free(index);
}

// ---- how much memory there is ---------------------------------------------------------------------------------------

static void write_file(const char *root, const char *name, const char *text) {
    char *path = path_join(root, name);
    for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0777);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    EXPECT(file, "%s can't be written", path);
    if (file) {
        fputs(text, file);
        fclose(file);
    }
    free(path);
}

static void test_memory_available(void) {
    const char *root = test_folder("memory");
    EXPECT(memory_available(root) == SIZE_MAX, "a system that tells nothing has %zu", memory_available(root));
    write_file(root, "proc/meminfo", "MemTotal: 4000 kB\nMemFree: 10 kB\nMemAvailable:    3000 kB\n");
    EXPECT(memory_available(root) == 3000 * 1024, "%zu", memory_available(root));

    write_file(root, "proc/self/cgroup", "0::/user/unit\n");
    write_file(root, "sys/fs/cgroup/user/unit/memory.max", "max\n");
    EXPECT(memory_available(root) == 3000 * 1024, "\"max\" is no limit: %zu", memory_available(root));
    write_file(root, "sys/fs/cgroup/user/memory.max", "1000000\n");
    write_file(root, "sys/fs/cgroup/user/memory.current", "600000\n");
    write_file(root, "sys/fs/cgroup/user/memory.stat", "anon 5\ninactive_file 100000\n");
    EXPECT(memory_available(root) == 500000, "a limit on the group around: %zu", memory_available(root));

    write_file(root, "proc/self/cgroup", "5:cpu:/\n4:memory:/old\n");
    write_file(root, "sys/fs/cgroup/memory/old/memory.limit_in_bytes", "9223372036854771712\n");
    EXPECT(memory_available(root) == 3000 * 1024, "the old way of no limit: %zu", memory_available(root));
    write_file(root, "sys/fs/cgroup/memory/memory.limit_in_bytes", "2000\n");
    write_file(root, "sys/fs/cgroup/memory/memory.usage_in_bytes", "2500\n");
    EXPECT(memory_available(root) == 0, "more in use than allowed: %zu", memory_available(root));
    EXPECT(memory_available("") > 0, "this machine has none");
}

int main(void) {
    TEST(test_bad_settings);
    TEST(test_too_small_to_halve);
    TEST(test_bad_beginnings);
    TEST(test_broken_encoder);
    TEST(test_bad_inpainting);
    TEST(test_other_channels);
    TEST(test_bad_folders);
    TEST(test_memory_available);
    return test_summary();
}
