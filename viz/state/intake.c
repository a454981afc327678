// intake.c - what becomes of the engine's results
//
// Where: called once a frame, before anything is drawn. A result for a branch that was forgotten meanwhile is dropped.

#include "state/inside.h"

#include "base/check.h"
#include "critters/grade/words_grade.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double seconds_shown(const Viewer *viewer, double measured) {
    return viewer->pretend_seconds > 0 ? viewer->pretend_seconds : measured;
}

// ---- a walk ---------------------------------------------------------------------------------------------------------

// The steps that a branch shares with its parent are in its own trace, too.
static bool take_shared_steps(Branch *branch, const Branch *parent, Error *error) {
    for (size_t i = 0; parent && i < branch->left_at; i++) {
        StepRecord record = trace_record(parent->trace, i);
        TraceStep step = {0};
        if (!trace_step_copy(&step, &record, error) || !trace_take_step(branch->trace, &step, error)) {
            trace_step_free(&step);
            return false;
        }
    }
    return true;
}

static void take_beginning(Viewer *viewer, Branch *branch, Result *result) {
    branch->model = result->model;
    branch->step_count = result->step_count;
    if (!branch->trace) {
        branch->trace = result->trace;
        result->trace = NULL;
        branch->state = BRANCH_RUNNING;
    }
    free(branch->sigmas);
    branch->sigmas = result->sigmas;
    result->sigmas = NULL;
    branch->has_latent_rgb = result->has_latent_rgb;
    memcpy(branch->latent_rgb, result->latent_rgb, sizeof branch->latent_rgb);
    branch->cost = result->cost;
    branch->has_cost = result->has_cost;
    branch->begin_seconds = seconds_shown(viewer, result->seconds);
    if (!branch->pictures)
        branch->pictures = calloc((branch->step_count + 1) * PICTURE_KINDS, sizeof *branch->pictures);
    CHECK(branch->pictures, "out of memory");
    Error error = {0};
    if (!branch->from_file && !take_shared_steps(branch, viewer_branch_by_id(viewer, branch->parent), &error)) {
        branch->state = BRANCH_FAILED;
        snprintf(branch->message, sizeof branch->message, "%s", error.message);
        engine_cancel(viewer->engine, branch->id);
    }
}

static void take_map(Branch *branch, const Result *result) {
    branch->model = result->model;
    branch->has_latent_rgb = result->has_latent_rgb;
    memcpy(branch->latent_rgb, result->latent_rgb, sizeof branch->latent_rgb);
}

static void take_step(Viewer *viewer, Branch *branch, Result *result) {
    Error error = {0};
    double seconds = seconds_shown(viewer, result->seconds);
    result->step.seconds = seconds;
    if (!trace_take_step(branch->trace, &result->step, &error)) {
        viewer_complain(viewer, &error);
        engine_cancel(viewer->engine, branch->id);
        return;
    }
    branch->step_seconds += seconds;
    branch->own_steps++;
    branch->unet_calls += result->unet_calls;
    if (branch == viewer_shown(viewer) && viewer->following && !viewer->playing) viewer_seek(viewer, result->k);
}

static void take_end(Viewer *viewer, Branch *branch, Result *result) {
    Error error = {0};
    branch->state = BRANCH_DONE;
    branch->decode_seconds = seconds_shown(viewer, result->seconds);
    StepPicture *last = &branch->pictures[branch->step_count * PICTURE_KINDS + PICTURE_START];
    picture_free(&last->picture);
    last->picture = picture_of(result->image);
    last->decoded = true;
    if (!branch->from_file &&
        !trace_set_image(branch->trace, result->pixels, result->image.height, result->image.width, &error))
        viewer_complain(viewer, &error);
    result->image = (Image){0};
    if (branch != viewer_shown(viewer) || branch->from_file) return;
    if (viewer->following && !viewer->playing) viewer_seek(viewer, branch->step_count);
    viewer_say(viewer, "%s: %zu steps, %zu U-Net calls, %.2f s", branch->name, branch->own_steps, branch->unet_calls,
               branch->step_seconds);
}

// A trace stays what it is when its run can't be taken up again; a walk of ours has failed.
static void take_failure(Viewer *viewer, Branch *branch, Result *result) {
    snprintf(branch->message, sizeof branch->message, "%s", result->error.message);
    if (branch->from_file)
        branch->continuable = false;
    else
        branch->state = BRANCH_FAILED;
    if (branch == viewer_shown(viewer)) viewer_complain(viewer, &result->error);
}

// ---- what was asked about a step ------------------------------------------------------------------------------------

static void take_picture(Branch *branch, Result *result) {
    StepPicture *picture = &branch->pictures[result->k * PICTURE_KINDS + result->picture];
    picture_free(&picture->picture);
    *picture = (StepPicture){.picture = picture_of(result->image), .decoded = true};
    result->image = (Image){0};
}

static DeletionMap *deletion_of(Branch *branch, size_t k, size_t word) {
    for (size_t i = 0; i < branch->deletion_count; i++) {
        if (branch->deletions[i]->k == k && branch->deletions[i]->word == word) return branch->deletions[i];
    }
    return NULL;
}

static void take_deletion(Branch *branch, Result *result) {
    DeletionMap *deletion = deletion_of(branch, result->k, result->word);
    if (!deletion) return;
    if (result->kind == RESULT_FAILED)
        snprintf(deletion->message, sizeof deletion->message, "%.199s", result->error.message);
    deletion->map = result->map;
    result->map = NULL;
    branch->unet_calls += result->unet_calls;
}

// Every head of every layer: 66 MB a step with Stable Diffusion 1.5 at 512 x 512.
static const size_t ATTENTION_BYTES = (size_t)512 << 20;

static void remove_attention(Branch *branch, size_t i) {
    attention_maps_free(&branch->attention[i]->maps);
    free(branch->attention[i]);
    branch->attention_count--;
    memmove(branch->attention + i, branch->attention + i + 1,
            (branch->attention_count - i) * sizeof *branch->attention);
}

// The steps that were asked about first make room; what was just taken in stays.
static void forget_old_attention(Branch *branch, size_t k) {
    size_t bytes = 0;
    for (size_t i = 0; i < branch->attention_count; i++) bytes += attention_maps_bytes(&branch->attention[i]->maps);
    for (size_t i = 0; i < branch->attention_count && bytes > ATTENTION_BYTES;) {
        size_t freed = attention_maps_bytes(&branch->attention[i]->maps);
        if (branch->attention[i]->k == k || branch->attention[i]->of_trace || freed == 0) {
            i++;
            continue;
        }
        remove_attention(branch, i);
        bytes -= freed;
    }
}

static void take_attention(Branch *branch, Result *result) {
    for (size_t i = 0; i < branch->attention_count; i++) {
        StepAttention *attention = branch->attention[i];
        if (attention->k != result->k) continue;
        if (result->kind == RESULT_FAILED)
            snprintf(attention->message, sizeof attention->message, "%.199s", result->error.message);
        attention->maps = result->attention;
        result->attention = (AttentionMaps){0};
    }
    forget_old_attention(branch, result->k);
    branch->unet_calls += result->unet_calls;
    TextAttention *text = &branch->text_attention[branch_chapter_at(branch, result->k)];
    if (text->count > 0) return;
    *text = result->text_attention;
    result->text_attention = (TextAttention){0};
}

// A question that was cancelled with its branch's walk may be asked again.
static void take_back(Branch *branch, const Result *result) {
    if (result->job == JOB_DECODE) branch->pictures[result->k * PICTURE_KINDS + result->picture].asked = false;
    for (size_t i = 0; result->job == JOB_DELETION && i < branch->deletion_count; i++) {
        if (branch->deletions[i]->k != result->k || branch->deletions[i]->word != result->word) continue;
        free(branch->deletions[i]);
        branch->deletions[i] = branch->deletions[--branch->deletion_count];
    }
    for (size_t i = 0; result->job == JOB_ATTENTION && i < branch->attention_count; i++) {
        if (branch->attention[i]->k == result->k) remove_attention(branch, i);
    }
}

// ---- what is asked without a branch ---------------------------------------------------------------------------------

// What the hand hasn't set yet
static void take_defaults(Knobs *knobs, const Knobs *defaults) {
    if (!knobs->scheduler[0]) snprintf(knobs->scheduler, sizeof knobs->scheduler, "%s", defaults->scheduler);
    if (knobs->width) return;
    knobs->width = defaults->width;
    knobs->height = defaults->height;
    knobs->num_inference_steps = defaults->num_inference_steps;
    knobs->guidance_scale = defaults->guidance_scale;
}

static void take_model(Viewer *viewer, Result *result) {
    if (result->kind == RESULT_FAILED) {
        snprintf(viewer->model_message, sizeof viewer->model_message, "%s", result->error.message);
        viewer_complain(viewer, &result->error);
        viewer->run_when_open = false;
        return;
    }
    if (strcmp(result->model->path, viewer->knobs.model) != 0) return;  // another was chosen meanwhile
    viewer->model = result->model;
    take_defaults(&viewer->knobs, &result->knobs);
    if (viewer->run_when_open) viewer_run(viewer);
}

static void take_cost(Viewer *viewer, Result *result) {
    viewer->cost_asked = false;
    viewer->cost_knobs = result->knobs;
    viewer->has_cost = result->has_cost;
    viewer->cost = result->cost;
    viewer->has_double_cost = result->has_double_cost;
    viewer->double_cost = result->double_cost;
    snprintf(viewer->cost_message, sizeof viewer->cost_message, "%s", result->error.message);
}

static void take_grades(Viewer *viewer, Result *result) {
    viewer->grades_asked = false;
    snprintf(viewer->grades_message, sizeof viewer->grades_message, "%s", result->error.message);
    if (viewer->grades) word_grades_free(viewer->grades);
    free(viewer->grades);
    viewer->grades = result->grades;
    viewer->grades_k = result->k;
    viewer->grades_number++;
    result->grades = NULL;
}

// ---- all of them ----------------------------------------------------------------------------------------------------

static void take_of_branch(Viewer *viewer, Branch *branch, Result *result) {
    bool walk = result->job == JOB_RUN, failed = result->kind == RESULT_FAILED;
    switch (result->kind) {
    case RESULT_BEGAN: take_beginning(viewer, branch, result); break;
    case RESULT_MAP: take_map(branch, result); break;
    case RESULT_STEP: take_step(viewer, branch, result); break;
    case RESULT_DONE: take_end(viewer, branch, result); break;
    case RESULT_DECODED: take_picture(branch, result); break;
    case RESULT_ATTENTION: take_attention(branch, result); break;
    case RESULT_DELETION: take_deletion(branch, result); break;
    case RESULT_CANCELLED:
        if (walk && branch->state != BRANCH_DONE) branch->state = BRANCH_CANCELLED;
        take_back(branch, result);
        break;
    default: break;
    }
    if (failed && walk) take_failure(viewer, branch, result);
    if (failed && !walk) viewer_complain(viewer, &result->error);
    if (failed && result->job == JOB_DELETION) take_deletion(branch, result);
    if (failed && result->job == JOB_ATTENTION) take_attention(branch, result);
}

void intake(Viewer *viewer) {
    for (Result *result; (result = engine_result(viewer->engine)); result_free(result)) {
        viewer->shown_count++;
        Branch *branch = viewer_branch_by_id(viewer, result->branch);
        if (result->job == JOB_MODEL)
            take_model(viewer, result);
        else if (result->job == JOB_COST)
            take_cost(viewer, result);
        else if (result->job == JOB_GRADES)
            take_grades(viewer, result);
        else if (branch)
            take_of_branch(viewer, branch, result);
    }
}
