// honest.c - see honest.h

#include "honest.h"

#include "demo/demo.h"
#include "demo/network.h"
#include "record.h"

#include <stdlib.h>

// The U-Net's two answers about a step of a trace
typedef struct Answers {
    const Trace *trace;  // NULL: there are none yet
    size_t k;
    float *both;  // [2, n]
} Answers;

struct Honest {
    const Model *model;
    const Settings *order;
    Network *network;  // and its run, at its beginning
    size_t n;          // numbers of latents
    size_t first;      // the scheduler's step that the run begins with
    Answers answers;
    Trace *whole;
};

static Run *run_of(const Honest *honest) { return honest->network->run; }

Honest *honest_open(const Model *model, const Settings *order) {
    Honest *honest = calloc(1, sizeof *honest);
    demo_needs(honest, &(Error){0});
    honest->model = model;
    honest->order = order;
    honest->network = network_open(model, order);
    honest->n = honest->network->n;
    honest->first = run_scheduler(run_of(honest))->timestep_count - run_step_count(run_of(honest));
    honest->answers.both = demo_floats(2 * honest->n);
    return honest;
}

void honest_close(Honest *honest) {
    if (!honest) return;
    trace_free(honest->whole);
    network_close(honest->network);
    free(honest->answers.both);
    free(honest);
}

const Trace *honest_trace(Honest *honest) {
    if (!honest->whole) honest->whole = record(honest->model, honest->order, &(Fault){0});
    return honest->whole;
}

const Tokenizer *honest_tokenizer(const Honest *honest) { return honest->model->tokenizer; }
Image honest_preview(Honest *honest, const float *latents) { return demo_preview(run_of(honest), latents); }
Image honest_decode(Honest *honest, const float *latents) { return demo_decode(run_of(honest), latents); }

// ---- words ----------------------------------------------------------------------------------------------------------

static float *ids(Honest *honest, const Trace *trace) {
    float *values = demo_floats(trace->rows * trace->length);
    for (size_t row = 0; row < trace->rows; row++) {
        const TokenIds *tokens = run_tokens(run_of(honest), (int)row);
        for (size_t i = 0; i < tokens->length; i++) values[row * trace->length + i] = (float)tokens->ids[i];
    }
    return values;
}

static float *embeddings(Honest *honest, const Trace *trace) {
    Scope scope = scope_open(&honest->network->ctx.arena);
    Tensor input_ids = tensor_over_ids(trace->input_ids, shape2(trace->rows, trace->length));
    Tensor out = text_encoder_forward(&honest->network->ctx, honest->model->text_encoder, input_ids, 0);
    float *values = demo_copy(tensor_f32(out), shape_count(out.shape));
    scope_close(&honest->network->ctx.arena, &scope);
    return values;
}

// ---- the U-Net ------------------------------------------------------------------------------------------------------

// As it was ordered, but with the timesteps that the trace has
static Scheduler *scheduler_of(Honest *honest, const Trace *trace) {
    Scheduler *scheduler = scheduler_copy(run_scheduler(run_of(honest)));
    demo_needs(scheduler, &(Error){0});
    for (size_t k = 0; k < trace->step_count; k++) {
        scheduler->timesteps[honest->first + k] = trace->steps[k].timestep;
    }
    return scheduler;
}

static void ask(Honest *honest, const Trace *trace, size_t k) {
    Answers *answers = &honest->answers;
    if (answers->trace == trace && answers->k == k) return;
    const TraceStep *step = &trace->steps[k];
    float *model_input = demo_floats(honest->n);
    Scheduler *scheduler = scheduler_of(honest, trace);
    scheduler->kind->scale_model_input(scheduler, honest->first + k, step->latents, model_input, honest->n);
    honest->network->text = tensor_over(trace->text_embeddings, shape3(2, trace->length, trace->text_width));
    network_answers(honest->network, model_input, step->timestep, answers->both);
    answers->trace = trace;
    answers->k = k;
    scheduler_free(scheduler);
    free(model_input);
}

static float *answer(Honest *honest, const Trace *trace, size_t k, size_t row) {
    ask(honest, trace, k);
    return demo_copy(honest->answers.both + row * honest->n, honest->n);
}

// ---- the step -------------------------------------------------------------------------------------------------------

// The scheduler's answer at step k: of steps before it only what a scheduler remembers, and the generator's draws. The
// run's start draws one set of numbers, or two where it encodes a picture (core/run/start.c).
static float *step(Honest *honest, const Trace *trace, size_t k, bool wants_x0) {
    size_t n = honest->n;
    float *prev = demo_floats(n), *x0 = demo_floats(n), *fresh = demo_floats(n);
    Scheduler *scheduler = scheduler_of(honest, trace);
    Rng rng;
    rng_seed(&rng, honest->order->seed);
    for (size_t i = 0; i < (honest->order->init ? 2u : 1u); i++) rng_normal(&rng, fresh, n);
    for (size_t i = 0; i <= k; i++) {
        size_t at = honest->first + i;
        bool draws = scheduler->kind->draws_noise(scheduler, at);
        if (draws) rng_normal(&rng, fresh, n);
        scheduler->kind->step(scheduler, at, trace->steps[i].latents, trace->steps[i].noise_pred, draws ? fresh : NULL,
                              prev, x0, n);
    }
    scheduler_free(scheduler);
    free(fresh);
    free(wants_x0 ? prev : x0);
    return wants_x0 ? x0 : prev;
}

static float *guided(Honest *honest, const TraceStep *step) {
    float *values = demo_floats(honest->n);
    guide(honest->order->guidance_scale, step->noise_pred_uncond, step->noise_pred_text, values, honest->n);
    return values;
}

static float *pixels(Honest *honest, const float *latents) {
    Error error = {0};
    float *values = demo_floats(3 * honest->order->width * honest->order->height);
    Image image;
    demo_needs(run_decode(run_of(honest), latents, &image, values, &error), &error);
    image_free(&image);
    return values;
}

float *honest_values(Honest *honest, const Trace *trace, Exhibit exhibit) {
    size_t k = exhibit.k;
    const Scheduler *scheduler = run_scheduler(run_of(honest));
    switch (exhibit.matter) {
    case INPUT_IDS: return ids(honest, trace);
    case TEXT_EMBEDDINGS: return embeddings(honest, trace);
    case TIMESTEPS: return demo_copy(scheduler->timesteps + honest->first, trace->step_count);
    case NOISE_PRED_UNCOND: return answer(honest, trace, k, 0);
    case NOISE_PRED_TEXT: return answer(honest, trace, k, 1);
    case NOISE_PRED: return guided(honest, &trace->steps[k]);
    case PRED_ORIGINAL_SAMPLE: return step(honest, trace, k, true);
    case IMAGE: return pixels(honest, trace->steps[trace->step_count - 1].prev_sample);
    default: return k == 0 ? demo_copy(run_latents(run_of(honest)), honest->n) : step(honest, trace, k - 1, false);
    }
}
