// cost.c - what a run will take, found by running the stages without computing anything
//
// A planning context makes every op add up its shape and skip its arithmetic (ops/context.h), so there is no second
// description of the networks that could disagree with the first. Peak memory is exact: a run opens an arena of just
// this size.

#include "run/run.h"

#include "io/memory.h"

#include <stdio.h>
#include <string.h>

static void plan(Context *ctx, const Kernel *const kernels[OP_COUNT], const RunShape *shape) {
    context_open_planning(ctx, kernels);
    ctx->attention_observer = shape->attention;
    ctx->listener = shape->listener;
}

// Adds what was planned to a stage's cost and closes the context.
static void planned(Context *ctx, Cost *cost, RunCost *total) {
    cost_add(cost, &ctx->cost, 1);
    if (ctx->arena.high_water > total->activation_bytes) total->activation_bytes = ctx->arena.high_water;
    context_close(ctx);
}

RunShape cost_shape(const Model *model, const Settings *settings) {
    size_t factor = vae_factor(model->vae);
    LatentChoice all = {NULL, settings->exact ? settings->exact->set.count : 0};
    return (RunShape){.rows = settings_guided(model, settings) ? 2 : 1,
                      .height = settings->height / factor,
                      .width = settings->width / factor,
                      .has_init = settings->init != NULL,
                      .deep_cache = settings->deep_cache > 1,
                      .clip_skip = settings->clip_skip,
                      .exact = settings->exact,
                      .choices = {all, all},
                      .attention = settings->attention_observer,
                      .listener = settings->listener};
}

static size_t text_length(const Model *model) {
    return model->tokenizer ? model->tokenizer->length
                            : text_encoder_config(model->text_encoder)->max_position_embeddings;
}

// The prompts through the text encoder, and what every layer of the U-Net makes of them: read, to be freed
static void plan_text(const Model *model, const Kernel *const kernels[OP_COUNT], const RunShape *shape, RunCost *cost,
                      TextMemory *read) {
    size_t length = text_length(model), width = text_encoder_config(model->text_encoder)->hidden_size;
    Context ctx;
    plan(&ctx, kernels, shape);
    prompts_forward(&ctx, model->text_encoder, NULL, shape->rows, length, shape->clip_skip, NULL);
    planned(&ctx, &cost->text, cost);

    *read = (TextMemory){0};
    if (shape->exact) return;
    plan(&ctx, kernels, shape);
    text_memory_make(read, &ctx, model->unet, tensor_over(NULL, shape3(shape->rows, length, width)), NULL);
    planned(&ctx, &cost->text, cost);
}

// What answers at a step: the U-Net, or the training set
static void plan_answer(Context *ctx, const Model *model, const RunShape *shape, const TextMemory *read,
                        StepWork work) {
    size_t rows = work.rows, h = shape->height, w = shape->width;
    size_t in_channels = unet_config(model->unet)->in_channels,
           width = text_encoder_config(model->text_encoder)->hidden_size;
    if (shape->exact) {
        exact_forward(ctx, shape->exact, shape->choices + shape->rows - rows, rows,
                      tensor_over(NULL, shape4(1, LATENT_CHANNELS, h, w)), 0, PREDICTION_EPSILON);
        return;
    }
    UNetShared shared = {.keys_values = read->layers, .deep_known = work.shallow};
    if (shape->deep_cache) shared.deep = tensor_over(NULL, unet_deep_shape(model->unet, rows, h, w));
    unet_forward_with(ctx, model->unet, tensor_over(NULL, shape4(rows, in_channels, h, w)),
                      tensor_over(NULL, shape1(rows)), tensor_over(NULL, shape1(rows)),
                      tensor_over(NULL, shape3(rows, text_length(model), width)), shared);
}

static void plan_step(const Model *model, const Kernel *const kernels[OP_COUNT], const RunShape *shape,
                      const TextMemory *read, StepWork work, Cost *step, RunCost *cost) {
    Context ctx;
    plan(&ctx, kernels, shape);
    plan_answer(&ctx, model, shape, read, work);
    planned(&ctx, step, cost);
}

void cost_plan(const Model *model, const Kernel *const kernels[OP_COUNT], RunShape shape, RunCost *cost) {
    size_t rows = shape.rows, h = shape.height, w = shape.width, factor = vae_factor(model->vae);
    TextMemory read;
    Context ctx;
    plan_text(model, kernels, &shape, cost, &read);
    plan_step(model, kernels, &shape, &read, (StepWork){.rows = rows}, &cost->step, cost);
    cost->kept_bytes = read.bytes;
    if (shape.deep_cache) cost->kept_bytes += shape_count(unet_deep_shape(model->unet, rows, h, w)) * sizeof(float);
    text_memory_free(&read);

    plan(&ctx, kernels, &shape);
    vae_decode(&ctx, model->vae, tensor_over(NULL, shape4(1, LATENT_CHANNELS, h, w)));
    planned(&ctx, &cost->decode, cost);

    if (model->preview_vae) {  // which nobody observes
        context_open_planning(&ctx, kernels);
        vae_decode(&ctx, model->preview_vae, tensor_over(NULL, shape4(1, LATENT_CHANNELS, h, w)));
        planned(&ctx, &cost->preview, cost);
    }

    if (!shape.has_init) return;
    plan(&ctx, kernels, &shape);
    vae_encode(&ctx, model->vae, tensor_over(NULL, shape4(1, 3, h * factor, w * factor)));
    planned(&ctx, &cost->encode, cost);
}

// One by one, as a run takes them: which are guided, and which take deep features over?
static void plan_steps(const Model *model, const Kernel *const kernels[OP_COUNT], const RunShape *shape,
                       const Settings *settings, const Scheduler *scheduler, size_t first, RunCost *cost) {
    size_t counts[2][2] = {0};  // by rows - 1 and whether they are shallow
    DeepAge age = {0};
    for (size_t k = first; k < scheduler->timestep_count; k++) {
        StepWork work = step_work(settings, scheduler, k, shape->rows, age);
        counts[work.rows - 1][work.shallow]++;
        age = deep_age_after(age, work);
    }
    TextMemory read;
    RunCost text = {0};
    plan_text(model, kernels, shape, &text, &read);
    for (size_t rows = 1; rows <= 2; rows++) {
        for (int shallow = 0; shallow < 2; shallow++) {
            Cost step = {0};
            size_t count = counts[rows - 1][shallow];
            if (count == 0) continue;
            plan_step(model, kernels, shape, &read, (StepWork){rows, shallow}, &step, cost);
            cost_add(&cost->steps, &step, count);
            *(shape->exact ? &cost->exact_answers : &cost->unet_calls) += count * rows;
        }
    }
    text_memory_free(&read);
    cost->timestep_count = scheduler->timestep_count - first;
    cost->unguided_steps = shape->rows == 2 ? counts[0][0] + counts[0][1] : 0;
    cost->shallow_steps = counts[0][1] + counts[1][1];
    cost->first_sigma = scheduler_sigma(scheduler, first);
    cost->last_sigma = scheduler_sigma(scheduler, scheduler->timestep_count - 1);
}

bool cost_fits(const Settings *settings, size_t activation_bytes, Error *error) {
    size_t limit = settings->memory_limit ? settings->memory_limit : memory_available("");
    if (activation_bytes <= limit) return true;
    return error_set(
        error, "memory: a picture of %zux%zu needs %.2f GB for activations and %.2f GB are free; draw a smaller one",
        settings->width, settings->height, (double)activation_bytes / 1e9, (double)limit / 1e9);
}

// A U-Net of 9 channels is shown the picture masked; whole it is needed, too, unless the run begins with noise alone.
static size_t encode_count(const Model *model, const Settings *settings) {
    if (!settings->init) return 0;
    return model_inpaints(model) && settings->strength < 1 ? 2 : 1;
}

// What is known without the schedule
static void count_all_else(const Model *model, const Settings *settings, RunCost *cost) {
    cost->encodes = encode_count(model, settings);
    cost->parameters =
        text_encoder_parameters(model->text_encoder) + unet_parameters(model->unet) + vae_parameters(model->vae);
    cost->weight_bytes =
        text_encoder_weight_bytes(model->text_encoder) + unet_weight_bytes(model->unet) + vae_weight_bytes(model->vae);
    if (model->preview_vae) cost->weight_bytes += vae_weight_bytes(model->preview_vae);
}

bool run_cost(const Model *model, const Settings *settings, RunCost *cost, Error *error) {
    const Kernel *kernels[OP_COUNT];
    *cost = (RunCost){0};
    if (!settings_check(model, settings, error) || !settings_check_start(model, settings, error)) return false;
    if (!settings_kernels(settings, kernels, error)) return false;

    size_t first;
    Scheduler *scheduler = settings_scheduler(model, settings, error);
    if (!scheduler) return false;
    RunShape shape = cost_shape(model, settings);
    Prompts meant = {.rows = shape.rows};
    bool ok = settings_first_step(settings, scheduler, &first, error);
    if (ok && settings->exact) {
        ok = exact_choices_make(&meant, settings, error);
        memcpy(shape.choices, meant.choices, sizeof shape.choices);
    }
    if (ok) {
        plan_steps(model, kernels, &shape, settings, scheduler, first, cost);
        cost_plan(model, kernels, shape, cost);
        count_all_else(model, settings, cost);
    }
    cost->scheduler = scheduler->kind;
    snprintf(cost->scheduler_note, sizeof cost->scheduler_note, "%s", scheduler->note);
    scheduler_free(scheduler);
    exact_choices_free(&meant);
    return ok;
}
