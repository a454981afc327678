// pipeline.c - Stable Diffusion: prompt to picture, one step at a time
//
//     prompt -> tokenizer -> text_encoder -> embeddings [2, L, D] --------.
//     seed   -> noise [4, h, w] = latents ----> scale_model_input --> unet --> guidance --> scheduler step --> latents
//                                          ^                                                                     |
//                                          '---------------------------- once a step ----------------------------'
//     latents -> vae_decode -> picture
//
// Elsewhere: diffusers.StableDiffusionPipeline.__call__, of which this is the loop turned inside out: the caller owns
// it, looks at every step, stops, copies, changes.
// Papers: Rombach et al. 2022 (arXiv 2112.10752); Ho & Salimans 2022 (arXiv 2207.12598) for the guidance.
// Read next: run/run.h for what a Run holds, schedulers/ddim.c for what a step is, stages/unet.c for what happens in
// one, run/start.c and run/decode.c for the two ends, run/inpaint.c for a step that keeps a part of a picture,
// run/replay.c for one whose answer is known already, run/exact.c for one without the U-Net.

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "run/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- begin ----------------------------------------------------------------------------------------------------------

bool run_take_memory(Run *run, Error *error) {
    size_t n = run->n;
    run->memory_count = 7 * n + 2 * run->input_n;
    run->memory = calloc(run->memory_count, sizeof *run->memory);
    if (!run->memory) return error_set(error, "memory: none for %zu latents; draw a smaller picture", n);
    run->latents = run->memory;
    run->other_latents = run->memory + n;
    run->noise_pred = run->memory + 2 * n;
    run->pred_original_sample = run->memory + 3 * n;
    run->fresh_noise = run->memory + 4 * n;
    run->model_output = run->memory + 5 * n;  // [2, n]
    run->model_input = run->memory + 7 * n;   // [2, input_n]
    return true;
}

// What an arena has already is the run's own, and no longer among what the machine has free.
bool run_make_room(Run *run, const Settings *settings, size_t bytes, Error *error) {
    Arena *arena = &run->ctx.arena, larger;
    CHECK(arena->used[0] + arena->used[1] == 0, "%zu and %zu bytes are in use", arena->used[0], arena->used[1]);
    if (bytes <= arena->capacity) return true;
    if (!cost_fits(settings, bytes, error)) return false;
    if (!arena_open(&larger, bytes)) {
        return error_set(error, "memory: the system refused %.2f GB for activations; draw a smaller picture",
                         (double)bytes / 1e9);
    }
    larger.high_water = arena->high_water;
    arena_close(arena);
    *arena = larger;
    return true;
}

bool run_reserve(Run *run, const Settings *settings, const Kernel *const kernels[OP_COUNT], Error *error) {
    RunCost cost = {0};
    RunShape shape = cost_shape(run->model, settings);
    shape.has_init = false;
    shape.attention = run->ctx.attention_observer;
    shape.listener = run->ctx.listener;
    cost_plan(run->model, kernels, shape, &cost);
    return run_make_room(run, settings, cost.activation_bytes, error);
}

// Everything that can be refused is looked at before anything is computed.
static bool prepare(Run *run, const Settings *settings, Error *error) {
    const Model *model = run->model;
    RunCost cost = {0};
    const Kernel *kernels[OP_COUNT];
    if (!settings_check(model, settings, error) || !settings_check_start(model, settings, error)) return false;
    if (!settings_kernels(settings, kernels, error)) return false;
    run->settings = *settings;
    run->from_image = settings->init != NULL;
    if (!settings_own_strings(&run->settings, error)) return false;

    run->scheduler = settings_scheduler(model, settings, error);
    if (!run->scheduler || !settings_first_step(settings, run->scheduler, &run->next, error)) return false;

    RunShape shape = cost_shape(model, settings);
    run->height = shape.height;
    run->width = shape.width;
    run->n = LATENT_CHANNELS * run->height * run->width;
    run->input_n = unet_config(model->unet)->in_channels * run->height * run->width;
    cost_plan(model, kernels, shape, &cost);
    if (!cost_fits(settings, cost.activation_bytes + cost.kept_bytes, error)) return false;
    if (!context_open(&run->ctx, cost.activation_bytes, settings->threads, error)) return false;
    memcpy(run->ctx.kernels, kernels, sizeof run->ctx.kernels);
    run->ctx.stop = &run->stop;
    run->ctx.observer = settings->observer;
    run->ctx.attention_observer = settings->attention_observer;
    run->ctx.listener = settings->listener;
    run->ctx.profile = settings->profile;
    return run_take_memory(run, error);
}

Run *run_begin(const Model *model, const Settings *settings, Error *error) {
    double start = seconds_now();
    Run *run = calloc(1, sizeof *run);
    CHECK(run, "out of memory");
    run->model = model;
    rng_seed(&run->rng, settings->seed);
    bool ok = prepare(run, settings, error) && prompts_encode(&run->prompts, &run->ctx, model, settings, error) &&
              deep_cache_take(&run->deep, run, settings, run->prompts.rows, error);
    double text_done = seconds_now();
    run->times.text = text_done - start;
    if (ok && settings->init) {
        ok = settings->mask ? start_from_mask(run, settings->init, settings->mask, error)
                            : start_from_image(run, settings->init, error);
        run->times.encode = seconds_now() - text_done;
    } else if (ok) {
        ok = start_from_noise(run, settings->latents, error);
    }
    if (!ok) {
        run_free(run);
        return NULL;
    }
    run_note_settings(run);
    return run;
}

void run_free(Run *run) {
    if (!run) return;
    for (size_t i = 0; i < run->metadata_count; i++) free((char *)run->metadata[i].value);
    settings_free_strings(&run->settings);
    prompts_free(&run->prompts);
    inpaint_free(&run->inpaint);
    deep_cache_free(&run->deep);
    scheduler_free(run->scheduler);
    context_close(&run->ctx);
    free(run->memory);
    free(run);
}

// ---- step -----------------------------------------------------------------------------------------------------------

// The U-Net is asked once for each row of embeddings (in an unguided step only for the last, the prompt's), about the
// same latents and in one batch: model_input [rows, in_channels, h, w], embeddings [rows, L, D] -> [rows, 4, h, w]
Tensor run_ask_unet(Run *run, const Prompts *prompts, size_t rows, Tensor deep, bool deep_known) {
    size_t in_channels = unet_config(run->model->unet)->in_channels;
    float timestep = run->scheduler->timesteps[run->next], timesteps[2] = {timestep, timestep};
    float guidance = (float)(as_written(run->settings.guidance_scale) - 1), guidances[2] = {guidance, guidance};
    run->scheduler->kind->scale_model_input(run->scheduler, run->next, run->latents, run->model_input, run->n);
    if (run->settings.exact) return exact_ask(run, prompts, rows);
    if (model_inpaints(run->model)) inpaint_show(run, run->model_input);
    if (rows == 2) memcpy(run->model_input + run->input_n, run->model_input, run->input_n * sizeof *run->model_input);

    int threads_before = context_enter(&run->ctx);
    UNetShared shared = {prompts->text.layers, deep, deep_known};
    Tensor answer = unet_forward_with(&run->ctx, run->model->unet,
                                      tensor_over(run->model_input, shape4(rows, in_channels, run->height, run->width)),
                                      tensor_over(timesteps, shape1(rows)), tensor_over(guidances, shape1(rows)),
                                      prompts_embeddings(prompts, rows), shared);
    context_leave(threads_before);
    return answer;
}

// How far numbers spread around their mean: the square root of their variance
static double deviation(const float *values, size_t n) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) sum += values[i];
    double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++) squares += (values[i] - mean) * (values[i] - mean);
    return sqrt(squares / (double)n);
}

// Guidance goes beyond what the U-Net says, so what comes of it spreads wider than the U-Net's own answers, and pictures
// may be overexposed. Lin et al. 2023 (arXiv 2305.08891), section 3.4, bring the spread back to that of the answer about
// the prompt, guidance_rescale of the way: all of it, they say, makes pictures plain. Elsewhere: rescale_noise_cfg in
// diffusers. (It takes torch.std, which divides by n - 1; in the ratio that makes no difference.) text, noise_pred [n]
static void rescale_guided(float guidance_rescale, const float *text, float *noise_pred, size_t n) {
    if (guidance_rescale == 0) return;
    double spread = deviation(noise_pred, n);
    if (spread == 0) return;  // the same number everywhere: nothing to take back
    float scale = guidance_rescale * (float)(deviation(text, n) / spread) + (1 - guidance_rescale);
    for (size_t i = 0; i < n; i++) noise_pred[i] *= scale;
}

// Classifier-free guidance (Ho & Salimans 2022, eq. 6): go from what the U-Net says without the prompt (or with the
// negative one) towards what it says with it, and guidance_scale times as far. With 1 or less nothing is to be gained
// from the first answer, and only the second is asked for; so too of a U-Net that was told the scale and has guided
// already. answer [rows, n] -> noise_pred [n]
static void guide(const Run *run, size_t rows, const float *answer, float *noise_pred) {
    const float *uncond = answer, *text = answer + run->n;
    float guidance_scale = run->settings.guidance_scale;
    if (rows == 1) {
        memcpy(noise_pred, answer, run->n * sizeof *noise_pred);
        return;
    }
    for (size_t i = 0; i < run->n; i++) noise_pred[i] = uncond[i] + guidance_scale * (text[i] - uncond[i]);
    rescale_guided(run->settings.guidance_rescale, text, noise_pred, run->n);
}

// The last step's record points to model_output and noise_pred, so nothing is written there before all of it is known
// to be finite. Until then the guided answer stands in model_input, which the U-Net has read by now.
static bool take_answer(Run *run, size_t rows, const float *answer, Error *error) {
    float *guided = run->model_input;
    guide(run, rows, answer, guided);
    if (!all_finite(guided, run->n)) {
        return error_set(error, "step %zu: the U-Net's answer is not finite; try other kernels, or check the weights",
                         run->done + 1);
    }
    memcpy(run->model_output, answer, rows * run->n * sizeof *answer);
    memcpy(run->noise_pred, guided, run->n * sizeof *guided);
    return true;
}

static void take_down_step(Run *run, StepWork work) {
    bool guided = work.rows == 2;
    run->last = (StepRecord){.k = run->done,
                             .timestep = run->scheduler->timesteps[run->next],
                             .latents = run->latents,
                             .noise_pred_uncond = guided ? run->model_output : NULL,
                             .noise_pred_text = guided ? run->model_output + run->n : NULL,
                             .noise_pred = run->noise_pred,
                             .pred_original_sample = run->pred_original_sample,
                             .prev_sample = run->other_latents,
                             .channels = LATENT_CHANNELS,
                             .height = run->height,
                             .width = run->width,
                             .shallow = work.shallow};
}

void run_advance(Run *run, StepWork work) {
    Scheduler *scheduler = run->scheduler;
    bool draws = scheduler->kind->draws_noise(scheduler, run->next);
    if (draws) rng_normal(&run->rng, run->fresh_noise, run->n);
    scheduler->kind->step(scheduler, run->next, run->latents, run->noise_pred, draws ? run->fresh_noise : NULL,
                          run->other_latents, run->pred_original_sample, run->n);
    if (inpaint_blends(run)) inpaint_blend(run, run->next + 1, run->other_latents);

    take_down_step(run, work);
    float *before = run->latents;
    run->latents = run->other_latents;
    run->other_latents = before;
    run->next++;
    run->done++;
}

StepResult run_step(Run *run, Error *error) {
    if (run->next == run->scheduler->timestep_count) return STEP_NONE_LEFT;

    double start = seconds_now();
    StepWork work = step_work(&run->settings, run->scheduler, run->next, run->prompts.rows, run->deep.age);
    Scope scope = scope_open(&run->ctx.arena);
    Tensor answer = run_ask_unet(run, &run->prompts, work.rows, deep_cache_rows(&run->deep, work.rows), work.shallow);
    bool stopped = atomic_exchange(&run->stop, false);
    bool taken = !stopped && take_answer(run, work.rows, tensor_f32(answer), error);
    scope_close(&run->ctx.arena, &scope);
    if (!taken) return stopped ? STEP_CANCELLED : STEP_FAILED;

    run_advance(run, work);
    run->deep.age = deep_age_after(run->deep.age, work);
    run->last.seconds = seconds_now() - start;
    run->times.steps += run->last.seconds;
    return STEP_DONE_ONE;
}

// ---- look inside ----------------------------------------------------------------------------------------------------

const StepRecord *run_last_step(const Run *run) { return run->done > 0 ? &run->last : NULL; }
void run_stop(Run *run) { atomic_store(&run->stop, true); }
size_t run_step_count(const Run *run) { return run->done + run->scheduler->timestep_count - run->next; }
size_t run_steps_done(const Run *run) { return run->done; }
const float *run_latents(const Run *run) { return run->latents; }
const Scheduler *run_scheduler(const Run *run) { return run->scheduler; }
const Model *run_model(const Run *run) { return run->model; }
const TokenIds *run_tokens(const Run *run, int row) { return &run->prompts.tokens[row]; }

void run_latent_size(const Run *run, size_t *height, size_t *width) {
    *height = run->height;
    *width = run->width;
}

RunTimes run_times(const Run *run) { return run->times; }
size_t run_peak_activation_bytes(const Run *run) { return run->ctx.arena.high_water; }

const float *run_text_embeddings(const Run *run, size_t *rows, size_t *length, size_t *width) {
    *rows = run->prompts.rows;
    *length = run->prompts.length;
    *width = run->prompts.width;
    return run->prompts.embeddings;
}

const Metadata *run_metadata(const Run *run, size_t *count) {
    *count = run->metadata_count;
    return run->metadata;
}

bool run_observe(Run *run, Observer *observer, AttentionObserver attention, void *listener, Error *error) {
    Context before = run->ctx, *ctx = &run->ctx;
    ctx->observer = observer;
    ctx->attention_observer = attention;
    ctx->listener = listener;
    if (!attention.wants || run_reserve(run, &run->settings, ctx->kernels, error)) return true;
    *ctx = before;
    return false;
}
