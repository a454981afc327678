// golden.c - see golden.h

#include "parity/golden.h"

#include "base/check.h"
#include "io/file.h"
#include "io/safetensors.h"
#include "stages/layers.h"
#include "stages/text_encoder.h"
#include "stages/unet.h"
#include "stages/vae.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARENA_BYTES = 1 << 28 };

Context golden_context(const Setup *setup, size_t arena_bytes) {
    Context ctx;
    Error error = {0};
    bool opened = context_open(&ctx, arena_bytes, 0, &error);
    CHECK(opened, "%s", error.message);
    for (int op = 0; setup->all && op < OP_COUNT; op++) {
        const Kernel *kernel = kernel_find((Op)op, setup->all);
        if (kernel && (!kernel->runs_here || kernel->runs_here())) ctx.kernels[op] = kernel;
    }
    for (size_t i = 0; i < 2 && setup->choices[i]; i++) {
        bool chosen = context_choose_kernel(&ctx, setup->choices[i], &error);
        CHECK(chosen, "%s", error.message);
    }
    if (setup->kernel) ctx.kernels[setup->kernel->op] = setup->kernel;
    return ctx;
}

// ---- the numbers in golden.safetensors ------------------------------------------------------------------------------

// "latents" and 0 is latents.0; false when there is no such case.
static bool find(SafetensorsFile *golden, const char *what, size_t k, Tensor *tensor) {
    const SafetensorsEntry *entry = safetensors_find(golden, name_of("%s.%zu", what, k).text);
    if (!entry) return false;
    *tensor = (Tensor){(void *)entry->data, {.rank = entry->rank}, entry->dtype, ON_HOST};
    for (size_t i = 0; i < 4; i++) tensor->shape.axis[i] = i < entry->rank ? entry->axis[i] : 1;
    return true;
}

static double error_of(Tensor output, SafetensorsFile *golden, const char *what, size_t k) {
    Tensor expected;
    bool found = find(golden, what, k, &expected) && shape_equal(output.shape, expected.shape);
    CHECK(found, "%s.%zu: got %s", what, k, shape_text(output.shape).text);
    return relative_l2(tensor_f32(output), tensor_f32(expected), shape_count(expected.shape));
}

// ---- the stages -----------------------------------------------------------------------------------------------------

static double text_encoder_error(const char *folder, SafetensorsFile *golden, const Setup *setup, Error *error) {
    TextEncoder *encoder = text_encoder_open(folder, error);
    if (!encoder) return INFINITY;
    double worst = 0;
    Tensor input_ids;
    for (size_t k = 0; find(golden, "input_ids", k, &input_ids); k++) {
        Context ctx = golden_context(setup, ARENA_BYTES);
        Tensor output = text_encoder_forward(&ctx, encoder, input_ids, 0);
        worst = fmax(worst, error_of(output, golden, "text_embeddings", k));
        context_close(&ctx);
    }
    text_encoder_close(encoder);
    return worst;
}

static double unet_error(const char *folder, SafetensorsFile *golden, const Setup *setup, Error *error) {
    UNet *unet = unet_open(folder, error);
    if (!unet) return INFINITY;
    double worst = 0;
    Tensor latents, timesteps, text;
    for (size_t k = 0; find(golden, "latents", k, &latents) && find(golden, "timesteps", k, &timesteps) &&
                       find(golden, "text_embeddings", k, &text);
         k++) {
        float shifted[8];
        Tensor guidance = tensor_absent();
        find(golden, "guidance", k, &guidance);
        CHECK(shape_count(timesteps.shape) <= 8, "%s timesteps", shape_text(timesteps.shape).text);
        for (size_t b = 0; b < timesteps.shape.axis[0]; b++) {
            shifted[b] = tensor_f32(timesteps)[b] + setup->timestep_shift;
        }
        Context ctx = golden_context(setup, ARENA_BYTES);
        Tensor output = unet_forward(&ctx, unet, latents, tensor_over(shifted, timesteps.shape), guidance, text);
        worst = fmax(worst, error_of(output, golden, "noise_pred", k));
        context_close(&ctx);
    }
    unet_close(unet);
    return worst;
}

static double vae_error(const char *folder, SafetensorsFile *golden, const Setup *setup, Error *error) {
    Vae *vae = vae_open(folder, error);
    if (!vae) return INFINITY;
    const char *encoded = vae_config(vae)->has_posterior ? "moments" : "encoded";
    double worst = 0;
    Tensor pixels, latents;
    for (size_t k = 0; find(golden, "pixels", k, &pixels) && find(golden, "latents", k, &latents); k++) {
        Context ctx = golden_context(setup, ARENA_BYTES);
        worst = fmax(worst, error_of(vae_encode(&ctx, vae, pixels), golden, encoded, k));
        worst = fmax(worst, error_of(vae_decode(&ctx, vae, latents), golden, "decoded", k));
        context_close(&ctx);
    }
    vae_close(vae);
    return worst;
}

double golden_error(const char *name, const char *model, const Setup *setup) {
    Error error = {0};
    char *folder = path_join(GOLDEN, name), *path = path_join(folder, "golden.safetensors");
    SafetensorsFile *golden = safetensors_open(path, &error);
    double worst = INFINITY;
    if (golden && !model) model = folder;
    if (golden && name[0] == 't') worst = text_encoder_error(model, golden, setup, &error);
    if (golden && name[0] == 'u') worst = unet_error(model, golden, setup, &error);
    if (golden && name[0] == 'v') worst = vae_error(model, golden, setup, &error);
    if (error.message[0]) printf("%s: %s\n", name, error.message);
    safetensors_close(golden);
    free(path);
    free(folder);
    return worst;
}

// ---- models that were tampered with ---------------------------------------------------------------------------------

static void link_into(const char *from_folder, const char *folder, const char *file) {
    char *from = path_join(from_folder, file), *to = path_join(folder, file);
    char *target = realpath(from, NULL);
    CHECK(!target || symlink(target, to) == 0, "can't link %s", to);
    free(target);
    free(to);
    free(from);
}

const char *golden_edited(const char *name, const char *folder, const char *from, const char *to) {
    char *original = path_join(GOLDEN, name), *path = path_join(original, "config.json");
    const char *edited = test_folder(folder);
    link_into(original, edited, "model.safetensors");
    link_into(original, edited, "diffusion_pytorch_model.safetensors");

    size_t size;
    char *text = file_read(path, &size, NULL), *at = text ? strstr(text, from) : NULL;
    CHECK(at, "%s isn't in %s", from, path);
    char *edited_path = path_join(edited, "config.json");
    FILE *file = fopen(edited_path, "w");
    CHECK(file, "can't write %s", edited_path);
    fprintf(file, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    fclose(file);
    free(edited_path);
    free(text);
    free(path);
    free(original);
    return edited;
}
