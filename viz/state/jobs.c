// jobs.c - see jobs.h

#include "state/jobs.h"

#include "base/check.h"
#include "base/clock.h"
#include "critters/grade/words_grade.h"
#include "run/recorder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- results --------------------------------------------------------------------------------------------------------

Result *result_new(ResultKind kind, const Job *job) {
    Result *result = calloc(1, sizeof *result);
    CHECK(result, "out of memory");
    result->kind = kind;
    result->job = job->kind;
    result->branch = job->branch;
    result->k = job->k;
    result->word = job->word;
    result->picture = job->picture;
    return result;
}

void result_free(Result *result) {
    if (!result) return;
    trace_free(result->trace);
    trace_step_free(&result->step);
    attention_maps_free(&result->attention);
    text_attention_free(&result->text_attention);
    image_free(&result->image);
    if (result->grades) word_grades_free(result->grades);
    free(result->grades);
    free(result->sigmas);
    free(result->pixels);
    free(result->map);
    free(result);
}

static void send(const Outlet *outlet, Result *result) { outlet->send(outlet->engine, result); }

// The job's last word
static void fail(Task *task, const Outlet *outlet, const Error *error) {
    Result *result = result_new(RESULT_FAILED, &task->job);
    result->error = *error;
    send(outlet, result);
    task->finished = true;
}

// A result if it went well, else its failure, which a cancelled job doesn't report: the engine does.
static void conclude(Task *task, const Outlet *outlet, bool ok, Result *result, const Error *error) {
    if (ok) {
        send(outlet, result);
    } else {
        result_free(result);
        if (strcmp(error->message, "cancelled") != 0) fail(task, outlet, error);
    }
    task->finished = true;
}

// ---- the workshop ---------------------------------------------------------------------------------------------------

void workshop_forget_runs(Workshop *shop) {
    run_free(shop->decoder);
    run_free(shop->standing);
    shop->decoder = shop->standing = NULL;
}

void workshop_close(Workshop *shop) {
    workshop_forget_runs(shop);
    for (size_t i = 0; i < shop->model_count; i++) model_close(shop->models[i]);
}

// Opened at the first time. A single file without a tokenizer is taken for one of CLIP's words, if they are here.
static const Model *model_named(Workshop *shop, const char *path, Error *error) {
    for (size_t i = 0; i < shop->model_count; i++) {
        if (strcmp(shop->models[i]->path, path) == 0) return shop->models[i];
    }
    if (shop->model_count == SHOP_MODELS) {
        error_set(error, "%s: %d models are open, and each takes memory; close the window and open it anew", path,
                  SHOP_MODELS);
        return NULL;
    }
    Model *model = model_open(path, error);
    if (model) shop->models[shop->model_count++] = model;
    return model;
}

// Between these two the run can be stopped from the window. False: it was cancelled before.
static bool expose(const Outlet *outlet, Run *run) { return outlet->stoppable(outlet->engine, run); }
static void cover(const Outlet *outlet) { outlet->stoppable(outlet->engine, NULL); }

// ---- what turns latents into pictures --------------------------------------------------------------------------------

// Only the size of its pictures matters, so it begins with as little as a run can.
static Run *decoder_of(Workshop *shop, const Model *model, const Job *job, Error *error) {
    size_t factor = vae_factor(model->vae), width = job->width * factor, height = job->height * factor;
    if (shop->decoder && shop->decoder_model == model && shop->decoder_width == width && shop->decoder_height == height)
        return shop->decoder;
    run_free(shop->decoder);
    Settings settings = settings_default(model);
    settings.num_inference_steps = 1;
    settings.guidance_scale = 1;
    settings.width = width;
    settings.height = height;
    shop->decoder = run_begin(model, &settings, error);
    shop->decoder_model = model;
    shop->decoder_width = width;
    shop->decoder_height = height;
    return shop->decoder;
}

// ---- a run, step by step --------------------------------------------------------------------------------------------

static void send_beginning(Task *task, const Model *model, float *sigmas, const Outlet *outlet, double seconds) {
    Error error = {0};
    const Knobs *knobs = &task->job.past.chapters[task->job.past.chapter_count - 1].knobs;
    SettingsRoom room;
    Settings settings = knobs_settings(knobs, model, &room);
    Result *result = result_new(RESULT_BEGAN, &task->job);
    result->model = model;
    result->sigmas = sigmas;
    result->step_count = run_step_count(task->run);
    result->trace = trace_begin(task->run, &error);
    result->has_latent_rgb = run_latent_rgb(task->run, result->latent_rgb, &error);
    result->has_cost = run_cost(model, &settings, &result->cost, &error);
    result->seconds = seconds;
    send(outlet, result);
}

// A walk that can't be taken up again is still to be seen: by its model's map, and through its decoder.
static void send_map(Task *task, Workshop *shop, const Model *model, const Outlet *outlet) {
    Error error = {0};
    Run *run = decoder_of(shop, model, &task->job, &error);
    Result *result = result_new(RESULT_MAP, &task->job);
    result->model = model;
    result->has_latent_rgb = run && run_latent_rgb(run, result->latent_rgb, &error);
    send(outlet, result);
}

static void run_start(Task *task, Workshop *shop, const Outlet *outlet) {
    Error error = {0};
    float *sigmas = NULL;
    double start = seconds_now();
    const Model *model = model_named(shop, task->job.model, &error);
    if (model) task->run = past_resume(&task->job.past, model, (AttentionObserver){0}, NULL, &sigmas, &error);
    if (!task->run) {
        if (model && task->job.height) send_map(task, shop, model, outlet);
        fail(task, outlet, &error);
        return;
    }
    send_beginning(task, model, sigmas, outlet, seconds_now() - start);
}

static void run_one_step(Task *task, const Outlet *outlet) {
    Error error = {0};
    StepResult done = run_step(task->run, &error);
    if (done == STEP_CANCELLED) return;  // the engine knows
    const StepRecord *record = run_last_step(task->run);
    Result *result = result_new(RESULT_STEP, &task->job);
    bool ok = done == STEP_DONE_ONE && trace_step_copy(&result->step, record, &error);
    if (!ok) {
        result_free(result);
        fail(task, outlet, &error);
        return;
    }
    result->k = record->k;
    result->unet_calls = record->noise_pred_uncond ? 2 : 1;
    result->seconds = record->seconds;
    send(outlet, result);
}

static void run_end(Task *task, const Outlet *outlet) {
    Error error = {0};
    Result *result = result_new(RESULT_DONE, &task->job);
    size_t factor = vae_factor(run_model(task->run)->vae), height, width;
    run_latent_size(task->run, &height, &width);
    double start = seconds_now();
    result->pixels = malloc(3 * height * factor * width * factor * sizeof *result->pixels);
    bool ok = result->pixels || error_set(&error, "no memory for the picture; close other programs");
    ok = ok && run_decode(task->run, run_latents(task->run), &result->image, result->pixels, &error);
    result->seconds = seconds_now() - start;
    conclude(task, outlet, ok, result, &error);
}

static void run_work(Task *task, Workshop *shop, const Outlet *outlet) {
    if (!task->run) {
        run_start(task, shop, outlet);
        return;
    }
    if (!expose(outlet, task->run)) return;
    if (run_steps_done(task->run) < run_step_count(task->run))
        run_one_step(task, outlet);
    else
        run_end(task, outlet);
    cover(outlet);
}

// ---- a picture of latents -------------------------------------------------------------------------------------------

static void decode_work(Task *task, Workshop *shop, const Outlet *outlet) {
    Error error = {0};
    Result *result = result_new(RESULT_DECODED, &task->job);
    const Model *model = model_named(shop, task->job.model, &error);
    Run *run = model ? decoder_of(shop, model, &task->job, &error) : NULL;
    bool ok = run != NULL;
    if (ok && !expose(outlet, run)) ok = error_set(&error, "cancelled");
    ok = ok && run_decode(run, task->job.numbers, &result->image, NULL, &error);
    cover(outlet);
    conclude(task, outlet, ok, result, &error);
}

// ---- questions about a step -----------------------------------------------------------------------------------------

// The run at the step that is asked about: often several words of one step are asked for.
static Run *standing_at(Workshop *shop, const Job *job, Error *error) {
    if (shop->standing && shop->standing_branch == job->branch && shop->standing_k == job->k) return shop->standing;
    run_free(shop->standing);
    const Model *model = model_named(shop, job->model, error);
    shop->standing = model ? past_resume(&job->past, model, (AttentionObserver){0}, NULL, NULL, error) : NULL;
    shop->standing_branch = job->branch;
    shop->standing_k = job->k;
    return shop->standing;
}

static bool find_deletion(Run *run, const Job *job, float **map, Error *error) {
    PromptWord words[PROMPT_WORDS_MAX];
    size_t height, width, count = prompt_words(run_tokens(run, 1), words, PROMPT_WORDS_MAX);
    run_latent_size(run, &height, &width);
    *map = malloc(height * width * sizeof **map);
    CHECK(*map, "out of memory");
    if (job->word >= count || job->word >= PROMPT_WORDS_MAX)
        return error_set(error, "the prompt has no word number %zu", job->word + 1);
    return run_deletion_map(run, &words[job->word], job->numbers, *map, error);
}

static void deletion_work(Task *task, Workshop *shop, const Outlet *outlet) {
    Error error = {0};
    Result *result = result_new(RESULT_DELETION, &task->job);
    Run *run = standing_at(shop, &task->job, &error);
    bool ok = run != NULL;
    if (ok && !expose(outlet, run)) ok = error_set(&error, "cancelled");
    ok = ok && find_deletion(run, &task->job, &result->map, &error);
    result->unet_calls = task->job.numbers ? 1 : 2;
    cover(outlet);
    conclude(task, outlet, ok, result, &error);
}

// A run of its own, since the text encoder's maps are only to be had while it reads the prompt.
static void attention_work(Task *task, Workshop *shop, const Outlet *outlet) {
    Error error = {0};
    Result *result = result_new(RESULT_ATTENTION, &task->job);
    const Job *job = &task->job;
    const Model *model = model_named(shop, job->model, &error);
    Run *run = NULL;
    float *answer = NULL;
    bool ok = model != NULL;
    if (ok) {
        Recorder recorder;
        SettingsRoom room;
        Settings settings = knobs_settings(&job->past.chapters[0].knobs, model, &room);
        recorder_open(&recorder, model, &settings, true);
        run = past_resume(&job->past, model, recorder.observer, &recorder, NULL, &error);
        ok = run && expose(outlet, run);
        if (run && !ok) error_set(&error, "cancelled");
        size_t height, width;
        if (ok) run_latent_size(run, &height, &width);
        if (ok) answer = malloc(LATENT_CHANNELS * height * width * sizeof *answer);
        ok = ok && (answer || error_set(&error, "no memory; close other programs")) &&
             run_ask(run, NULL, answer, &error) && recorder_take(&recorder, &result->attention, &error) &&
             recorder_take_text(&recorder, &result->text_attention, &error);
        cover(outlet);
        run_free(run);
        recorder_close(&recorder);
    }
    free(answer);
    result->unet_calls = 1;
    conclude(task, outlet, ok, result, &error);
}

static void grades_work(Task *task, Workshop *shop, const Outlet *outlet) {
    Error error = {0};
    SettingsRoom room;
    Result *result = result_new(RESULT_GRADES, &task->job);
    const Model *model = model_named(shop, task->job.model, &error);
    bool ok = model != NULL;
    if (ok) {
        Settings settings = knobs_settings(&task->job.knobs, model, &room);
        result->grades = calloc(1, sizeof *result->grades);
        CHECK(result->grades, "out of memory");
        ok = words_grade(model, &settings, task->job.k, settings.seed, result->grades, &error);
    }
    if (!ok) {
        free(result->grades);
        result->grades = NULL;
    }
    conclude(task, outlet, ok, result, &error);
}

// ---- models and costs -----------------------------------------------------------------------------------------------

static void model_work(Task *task, Workshop *shop, const Outlet *outlet) {
    Error error = {0};
    Result *result = result_new(RESULT_MODEL, &task->job);
    result->model = model_named(shop, task->job.model, &error);
    if (result->model) result->knobs = knobs_default(result->model, "");
    conclude(task, outlet, result->model != NULL, result, &error);
}

static void cost_work(Task *task, Workshop *shop, const Outlet *outlet) {
    Error error = {0};
    SettingsRoom room;
    Result *result = result_new(RESULT_COST, &task->job);
    const Model *model = model_named(shop, task->job.model, &error);
    result->knobs = task->job.knobs;
    result->model = model;
    if (model) {
        Settings settings = knobs_settings(&task->job.knobs, model, &room), twice = settings;
        twice.width *= 2;
        twice.height *= 2;
        result->has_cost = run_cost(model, &settings, &result->cost, &error);
        result->has_double_cost = result->has_cost && run_cost(model, &twice, &result->double_cost, NULL);
    }
    result->error = error;
    conclude(task, outlet, true, result, &error);
}

// ---- all of them ----------------------------------------------------------------------------------------------------

void task_work(Task *task, Workshop *shop, const Outlet *outlet) {
    switch (task->job.kind) {
    case JOB_MODEL: model_work(task, shop, outlet); break;
    case JOB_COST: cost_work(task, shop, outlet); break;
    case JOB_RUN: run_work(task, shop, outlet); break;
    case JOB_DECODE: decode_work(task, shop, outlet); break;
    case JOB_DELETION: deletion_work(task, shop, outlet); break;
    case JOB_ATTENTION: attention_work(task, shop, outlet); break;
    case JOB_GRADES: grades_work(task, shop, outlet); break;
    }
}

void task_free(Task *task) {
    run_free(task->run);
    past_free(&task->job.past);
    free(task->job.numbers);
    free(task);
}
