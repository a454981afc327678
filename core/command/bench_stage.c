// bench_stage.c - one network alone, on random input
//
// What goes in doesn't matter for the time that it takes, nor do the weights: with --arch they are drawn, of the shapes
// that the published model has. Read next: bench_measure.c.

#include "command/bench.h"

#include "base/check.h"
#include "command/bench_arch.h"
#include "command/commands.h"
#include "io/file.h"
#include "io/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROMPT_TOKENS = 77, VAE_LATENTS = 64 };  // CLIP's; 512 x 512 pixels of Stable Diffusion

typedef struct StageBench {
    SingleFile *single_file;
    UNet *unet;  // one of these three
    Vae *vae;
    TextEncoder *text_encoder;
    TextMemory text;              // the U-Net's keys and values of the prompt, which a run works out once for all steps
    size_t batch, height, width;  // of the latents
    Context ctx;
    float *numbers;  // what goes in, normally distributed; NULL while it is planned
    int64_t *ids;    // [batch, PROMPT_TOKENS]
} StageBench;

// ---- a pass ---------------------------------------------------------------------------------------------------------

static Tensor input(const StageBench *s, Shape shape) { return tensor_over(s->numbers, shape); }

static size_t prompt_length(const StageBench *s) {
    size_t most = text_encoder_config(s->text_encoder)->max_position_embeddings;
    return most < PROMPT_TOKENS ? most : PROMPT_TOKENS;
}

static Tensor text_input(const StageBench *s) {
    return input(s, shape3(s->batch, PROMPT_TOKENS, unet_config(s->unet)->cross_attention_dim));
}

static void forward(Context *ctx, const StageBench *s) {
    if (s->unet) {
        const UNetConfig *config = unet_config(s->unet);
        unet_forward_with(ctx, s->unet, input(s, shape4(s->batch, config->in_channels, s->height, s->width)),
                          input(s, shape1(s->batch)), input(s, shape1(s->batch)), text_input(s),
                          (UNetShared){.keys_values = s->text.layers});
    } else if (s->vae) {
        vae_decode(ctx, s->vae, input(s, shape4(s->batch, vae_config(s->vae)->latent_channels, s->height, s->width)));
    } else {
        Tensor input_ids = tensor_over_ids(s->ids, shape2(s->batch, prompt_length(s)));
        text_encoder_forward(ctx, s->text_encoder, input_ids, 0);
    }
}

static bool stage_pass(void *subject, Profile *profile, Error *error) {
    (void)error;
    StageBench *s = subject;
    s->ctx.profile = profile;
    Scope scope = scope_open(&s->ctx.arena);
    int threads_before = context_enter(&s->ctx);
    forward(&s->ctx, s);
    context_leave(threads_before);
    scope_close(&s->ctx.arena, &scope);
    return true;
}

// ---- what it takes --------------------------------------------------------------------------------------------------

static void fill_input(StageBench *s) {
    size_t channels = s->unet ? unet_config(s->unet)->in_channels : s->vae ? vae_config(s->vae)->latent_channels : 0;
    size_t width = s->unet ? unet_config(s->unet)->cross_attention_dim : 0, prompts = s->batch * PROMPT_TOKENS;
    size_t count = s->batch * channels * s->height * s->width + prompts * width + 1;  // each input fits
    s->numbers = malloc(count * sizeof *s->numbers);
    s->ids = malloc(prompts * sizeof *s->ids);
    CHECK(s->numbers && s->ids, "no memory for %zu numbers", count);
    Rng rng;
    rng_seed(&rng, 0);
    rng_normal(&rng, s->numbers, count);
    size_t words = s->text_encoder ? text_encoder_config(s->text_encoder)->vocab_size : 1;
    for (size_t i = 0; i < prompts; i++) s->ids[i] = rng_u32(&rng) % words;
}

// The pass, and what the U-Net reads of the prompt before it. Gives the memory that the larger of them needs.
static size_t plan_pass(Bench *bench, StageBench *s, Context *plan) {
    Context before;
    context_open_planning(&before, plan->kernels);
    if (s->unet) text_memory_make(&s->text, &before, s->unet, text_input(s), NULL);
    size_t before_bytes = before.arena.high_water;
    context_close(&before);
    forward(plan, s);
    bench->planned = plan->cost;
    bench->activation_bytes = plan->arena.high_water;
    return before_bytes > bench->activation_bytes ? before_bytes : bench->activation_bytes;
}

static bool read_text(StageBench *s, Error *error) {
    if (!s->unet) return true;
    text_memory_free(&s->text);
    int threads_before = context_enter(&s->ctx);
    bool ok = text_memory_make(&s->text, &s->ctx, s->unet, text_input(s), error);
    context_leave(threads_before);
    return ok;
}

static bool activations_open(StageBench *s, const Context *plan, size_t wanted, int threads, Error *error) {
    size_t available = memory_available("");
    if (wanted > available) {
        return error_set(error,
                         "memory: a pass needs %.2f GB for activations and %.2f GB are free; take fewer latents, or a "
                         "smaller batch",
                         (double)wanted / 1e9, (double)available / 1e9);
    }
    if (!context_open(&s->ctx, wanted, threads, error)) return false;
    memcpy(s->ctx.kernels, plan->kernels, sizeof plan->kernels);
    return true;
}

static bool measure(Bench *bench, StageBench *s, Error *error) {
    Context plan;
    context_open_planning(&plan, NULL);
    const Options *o = bench->options;
    bool ok = context_choose_kernels(&plan, o->precision, o->kernels, o->kernel_count, error);
    if (ok) {
        size_t wanted = plan_pass(bench, s, &plan);
        ok = activations_open(s, &plan, wanted, bench->threads, error);
    }
    context_close(&plan);
    if (!ok) return false;
    fill_input(s);
    return read_text(s, error) && bench_measure(bench, stage_pass, s, error);
}

static void stage_close(StageBench *s) {
    text_memory_free(&s->text);
    unet_close(s->unet);
    vae_close(s->vae);
    text_encoder_close(s->text_encoder);
    single_file_close(s->single_file);
    if (s->numbers) context_close(&s->ctx);
    free(s->numbers);
    free(s->ids);
}

// ---- which network --------------------------------------------------------------------------------------------------

// Where the network lies: in a folder of the model's, in a single file, or nowhere.
typedef struct StageSource {
    StageFiles files;
    char *model, *folder;
} StageSource;

static bool source_open(StageSource *source, StageBench *s, const Options *o, const char *part, Error *error) {
    *source = (StageSource){.files = {.matrix_type = matrix_type_asked(o)}};
    if (o->arch) {
        source->files.random_config = arch_config(part);
        return true;
    }
    source->model = model_folder(o);
    if (path_is_single_file(source->model)) {
        s->single_file = single_file_open(source->model, error);
        source->files.single_file = s->single_file;
        return s->single_file != NULL;
    }
    source->folder = path_join(source->model, part);
    source->files.folder = source->folder;
    return true;
}

static void source_close(StageSource *source) {
    free(source->model);
    free(source->folder);
}

// Opens the one network, and fills in what wasn't asked for.
static bool network_open(Bench *bench, StageBench *s, const StageFiles *files, const char *part, Error *error) {
    if (strcmp(part, "unet") == 0) {
        if (!(s->unet = unet_open_from(files, error))) return false;
        bench->weight_bytes = unet_weight_bytes(s->unet);
        if (s->height == 0) s->height = s->width = unet_config(s->unet)->sample_size;
    } else if (strcmp(part, "vae") == 0) {
        if (!(s->vae = vae_open_from(files, error))) return false;
        bench->weight_bytes = vae_weight_bytes(s->vae);
        if (s->height == 0) s->height = s->width = VAE_LATENTS;
    } else {
        if (!(s->text_encoder = text_encoder_open_from(files, error))) return false;
        bench->weight_bytes = text_encoder_weight_bytes(s->text_encoder);
    }
    return true;
}

static void describe(Bench *bench, const StageBench *s, const StageSource *source) {
    size_t room = sizeof bench->subject;
    int used = snprintf(bench->subject, room, "%s of %.200s, batch %zu", bench->options->text,
                        source->model ? source->model : "random weights", s->batch);
    if (s->text_encoder)
        snprintf(bench->subject + used, room - (size_t)used, ", %zu tokens", prompt_length(s));
    else
        snprintf(bench->subject + used, room - (size_t)used, ", %zu x %zu latents", s->height, s->width);
}

bool bench_stage(Bench *bench, const char *part, Error *error) {
    const Options *o = bench->options;
    StageBench s = {.batch = o->batch ? o->batch : 1, .height = o->latent_height, .width = o->latent_width};
    StageSource source;
    bool ok = source_open(&source, &s, o, part, error) && network_open(bench, &s, &source.files, part, error);
    if (ok) describe(bench, &s, &source);
    ok = ok && measure(bench, &s, error);
    stage_close(&s);
    source_close(&source);
    return ok;
}
