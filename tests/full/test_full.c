// test_full.c - Stable Diffusion 1.5 and 2.1 in full size, from folder and single file, against diffusers
//
//     build/gcc/tests/full/test_full [FOLDER]           (default: ~/.cache/sculpt-full-size)
//
// tests/make_full_size.py makes the models and the reference numbers; `make test-full` runs both. What is shown of each
// model: how far each stage's output is from diffusers' and how long it took, with the fastest kernels; and the most
// memory that the process held, mapped weights included. Each is opened in a process of its own, since a process's
// peak never falls.

#include "base/check.h"
#include "base/clock.h"
#include "io/file.h"
#include "sculpt.h"
#include "stages/layers.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const double BOUND = 1e-4;

static char *root;  // where the models are, and this program goes

// ---- the stages, fed from the reference -----------------------------------------------------------------------------

static Tensor reference_tensor(const SafetensorsFile *reference, const char *name) {
    const SafetensorsEntry *entry = safetensors_find(reference, name);
    CHECK(entry && entry->rank <= 4, "the reference has no %s of rank 4 or less", name);
    Tensor tensor = {(void *)entry->data, {.rank = entry->rank}, entry->dtype, ON_HOST};
    for (size_t i = 0; i < 4; i++) tensor.shape.axis[i] = i < entry->rank ? entry->axis[i] : 1;
    return tensor;
}

static Tensor run_text_encoder(Context *ctx, const Model *model, const SafetensorsFile *reference) {
    return text_encoder_forward(ctx, model->text_encoder, reference_tensor(reference, "input_ids"), 0);
}

static Tensor run_unet(Context *ctx, const Model *model, const SafetensorsFile *reference) {
    return unet_forward(ctx, model->unet, reference_tensor(reference, "latents"),
                        reference_tensor(reference, "timesteps"), tensor_absent(),
                        reference_tensor(reference, "text_embeddings"));
}

static Tensor run_vae_decoder(Context *ctx, const Model *model, const SafetensorsFile *reference) {
    return vae_decode(ctx, model->vae, reference_tensor(reference, "vae_latents"));
}

typedef struct Stage {
    const char *name, *output;  // output: its name in the reference
    Tensor (*run)(Context *ctx, const Model *model, const SafetensorsFile *reference);
} Stage;

static const Stage STAGES[] = {{"text encoder", "text_embeddings", run_text_encoder},
                               {"U-Net", "noise_pred", run_unet},
                               {"VAE decoder", "decoded", run_vae_decoder}};

// Whether it is within the bound
static bool stage_right(const char *what, const Stage *stage, const Model *model, const SafetensorsFile *reference) {
    Error error = {0};
    Context plan, ctx;
    context_open_planning(&plan, NULL);
    stage->run(&plan, model, reference);
    size_t bytes = plan.arena.high_water;
    double flops = (double)plan.cost.flops;
    context_close(&plan);
    bool opened = context_open(&ctx, bytes, 0, &error);
    CHECK(opened, "%s", error.message);

    double start = seconds_now();
    Tensor output = stage->run(&ctx, model, reference);
    double seconds = seconds_now() - start;
    Tensor expected = reference_tensor(reference, stage->output);
    CHECK(shape_equal(output.shape, expected.shape), "%s of %s: %s", stage->output, what,
          shape_text(output.shape).text);
    double distance = relative_l2(tensor_f32(output), tensor_f32(expected), shape_count(expected.shape));
    printf("%-16s %-14s %10.2e %9.0e %8.1f s %8.2f TFLOP %8.0f MB\n", what, stage->name, distance, BOUND, seconds,
           flops / 1e12, (double)bytes / 1e6);
    fflush(stdout);
    context_close(&ctx);
    return distance <= BOUND;
}

// ---- a model in a process of its own --------------------------------------------------------------------------------

// In the child
static bool model_right(const char *what, const char *path, const ModelOptions *options, const char *reference_path) {
    Error error = {0};
    Model *model = model_open_with(path, options, &error);
    SafetensorsFile *reference = model ? safetensors_open(reference_path, &error) : NULL;
    if (!reference) {
        printf("%s\n", error.message);
        return false;
    }
    printf("%-16s %-14s %10s %9s %8.1f s\n", what, "opened", "", "", model->load_seconds);
    fflush(stdout);
    bool right = true;
    for (size_t i = 0; i < sizeof STAGES / sizeof *STAGES; i++) {
        right = stage_right(what, &STAGES[i], model, reference) && right;
    }
    safetensors_close(reference);
    model_close(model);
    return right;
}

typedef enum Form { FOLDER, SINGLE_FILE, SINGLE_FILE_HALF_WEIGHTS } Form;

static void test_model(const char *name, Form form) {
    static const char *const FORMS[] = {"folder", "file", "file, f16"};
    Name reference = name_of("%s.reference.safetensors", name), tokenizer = name_of("%s/tokenizer", name);
    Name path = form == FOLDER ? name_of("%s", name) : name_of("%s.safetensors", name);
    Name what = name_of("%s %s", name, FORMS[form]);
    ModelOptions options = {.tokenizer = form == FOLDER ? NULL : tokenizer.text,
                            .matrix_type = form == SINGLE_FILE_HALF_WEIGHTS ? F16 : F32};
    if (!path_exists(reference.text)) SKIP("%s/%s isn't there; `make test-full` makes it", root, reference.text);

    pid_t child = fork();
    CHECK(child >= 0, "can't start a process");
    if (child == 0) {
        bool right = model_right(what.text, path.text, &options, reference.text);
        fflush(stdout);
        _exit(right ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    int status;
    struct rusage usage;
    wait4(child, &status, 0, &usage);
    printf("%-16s %-14s %61.2f GB\n", what.text, "peak memory", (double)usage.ru_maxrss * 1024 / 1e9);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS, "%s: wrong, or ended by signal %d", what.text,
           WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

static void test_sd15_folder(void) { test_model("sd15", FOLDER); }
static void test_sd15_single_file(void) { test_model("sd15", SINGLE_FILE); }
static void test_sd21_folder(void) { test_model("sd21", FOLDER); }
static void test_sd21_single_file(void) { test_model("sd21", SINGLE_FILE); }
// Its file holds f16, so keeping these loses nothing.
static void test_sd21_half_weights(void) { test_model("sd21", SINGLE_FILE_HALF_WEIGHTS); }

int main(int argc, char **argv) {
    const char *home = getenv("HOME");
    root = argc > 1 ? strdup(argv[1]) : path_join(home ? home : "", ".cache/sculpt-full-size");
    CHECK(root, "out of memory");
    if (chdir(root) != 0) printf("%s isn't there\n", root);
    printf("%-16s %-14s %10s %9s %10s %13s %11s\n", "model", "stage", "error", "bound", "time", "work", "activations");
    fflush(stdout);
    TEST(test_sd15_folder);
    TEST(test_sd15_single_file);
    TEST(test_sd21_folder);
    TEST(test_sd21_single_file);
    TEST(test_sd21_half_weights);
    free(root);
    return test_summary();
}
