// looking.c - pictures and maps on demand
//
// A panel asks every frame for what it shows. What is there is returned; what isn't is asked of the engine once, and is
// there in a later frame. A linear map makes a picture of any latents at once (run_latent_rgb); the VAE's decoder shows
// what is really in them, but takes as long as a step or several.

#include "state/inside.h"

#include "base/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- by the linear map ----------------------------------------------------------------------------------------------

typedef struct Toning {
    float gain;    // of the map's answer
    float middle;  // what is added: the map's own constant where NaN
} Toning;

// A picture with a pixel a latent
static Image linear_image(const Branch *branch, StepNumbers of, Toning toning) {
    size_t area = branch->trace->height * branch->trace->width;
    Image image = image_new(branch->trace->width, branch->trace->height);
    for (size_t i = 0; image.pixels && i < area; i++) {
        for (size_t c = 0; c < 3; c++) {
            float value = isnan(toning.middle) ? branch->latent_rgb[LATENT_CHANNELS][c] : toning.middle;
            for (size_t j = 0; j < LATENT_CHANNELS; j++) {
                float number = of.numbers[j * area + i] - (of.minus ? of.minus[j * area + i] : 0);
                value += toning.gain * number * branch->latent_rgb[j][c];
            }
            image.pixels[i * 3 + c] = (uint8_t)rintf(fminf(fmaxf(value, 0), 1) * 255);
        }
    }
    return image;
}

// What guidance added is a tenth of the noise or less, so it is shown that much larger.
static const float GUIDANCE_GAIN = 6;

static Image linear_picture(const Branch *branch, size_t k, PictureKind kind) {
    static const Toning tonings[PICTURE_KINDS] = {[PICTURE_START] = {1, NAN},
                                                  [PICTURE_CLEAN] = {1, NAN},
                                                  [PICTURE_NOISE] = {1, 0.5f},
                                                  [PICTURE_GUIDANCE] = {GUIDANCE_GAIN, 0.5f}};
    StepNumbers numbers = branch_numbers(branch, k, kind);
    return numbers.numbers ? linear_image(branch, numbers, tonings[kind]) : (Image){0};
}

// ---- by the VAE -----------------------------------------------------------------------------------------------------

// A decoder of at most this much arithmetic may run for every thumbnail.
static const uint64_t CHEAP_FLOPS = 20000000000;
// Others only where somebody has stopped to look.
static const double LOOKING_SECONDS = 0.4;

static bool decoding_is_cheap(const Branch *branch) {
    return branch->has_cost && branch->cost.decode.flops <= CHEAP_FLOPS;
}

static bool worth_decoding(const Viewer *viewer, const Branch *branch, bool large) {
    if (!branch->model) return false;
    if (decoding_is_cheap(branch)) return true;
    return large && !viewer->playing && branch->state != BRANCH_RUNNING &&
           viewer->now - viewer->step_shown_since >= LOOKING_SECONDS && engine_waiting(viewer->engine, JOB_DECODE) == 0;
}

static void ask_decoded(Viewer *viewer, const Branch *branch, size_t k, PictureKind kind, bool large) {
    const Trace *trace = branch->trace;
    const float *latents = kind == PICTURE_CLEAN ? trace->steps[k].pred_original_sample : branch_latents(branch, k);
    Job job = {.kind = JOB_DECODE,
               .urgency = large ? 1 : 4,
               .branch = branch->id,
               .k = k,
               .picture = kind,
               .numbers = numbers_copied(latents, trace->channels * trace->height * trace->width),
               .height = trace->height,
               .width = trace->width};
    strcpy(job.model, branch_knobs(branch)->model);
    engine_ask(viewer->engine, &job);
}

// The branch that has made step k: this one, or an ancestor that it shares the step with
static Branch *maker(const Viewer *viewer, Branch *branch, size_t k) {
    while (k < branch->left_at) {
        Branch *parent = viewer_branch_by_id(viewer, branch->parent);
        if (!parent) break;
        branch = parent;
    }
    return branch;
}

// With the linear map's picture where there is none yet; NULL where nothing is known
static StepPicture *known_picture(Branch *branch, size_t k, PictureKind kind) {
    if (!branch->pictures || k > branch->step_count) return NULL;
    StepPicture *picture = &branch->pictures[k * PICTURE_KINDS + kind];
    if (!picture->picture.id && branch->has_latent_rgb) {
        Image image = linear_picture(branch, k, kind);
        if (image.pixels) picture->picture = picture_of(image);
    }
    return picture->picture.id ? picture : NULL;
}

const Picture *viewer_known_picture(Viewer *viewer, Branch *branch, size_t k, PictureKind kind) {
    StepPicture *picture = known_picture(maker(viewer, branch, k), k, kind);
    return picture ? &picture->picture : NULL;
}

const Picture *viewer_picture(Viewer *viewer, Branch *branch, size_t k, PictureKind kind, bool large) {
    branch = maker(viewer, branch, k);
    StepPicture *picture = known_picture(branch, k, kind);
    if (!picture) return NULL;
    bool decodes = kind == PICTURE_START || kind == PICTURE_CLEAN;
    if (decodes && !picture->decoded && !picture->asked && worth_decoding(viewer, branch, large)) {
        ask_decoded(viewer, branch, k, kind, large);
        picture->asked = true;
    }
    return &picture->picture;
}

bool viewer_picture_decoded(const Viewer *viewer, const Branch *branch, size_t k, PictureKind kind) {
    const Branch *parent = k < branch->left_at ? viewer_branch_by_id(viewer, branch->parent) : NULL;
    if (parent) return viewer_picture_decoded(viewer, parent, k, kind);
    return branch->pictures && k <= branch->step_count && branch->pictures[k * PICTURE_KINDS + kind].decoded;
}

// ---- maps of words --------------------------------------------------------------------------------------------------

// The step of the U-Net that is meant by k: at the finished picture, the last.
static size_t asked_step(const Branch *branch, size_t k) {
    return k < branch->step_count || k == 0 ? k : branch->step_count - 1;
}

// NULL if it can be asked about this step.
static const char *why_no_answer(const Branch *branch, size_t k) {
    bool never_began = branch->state == BRANCH_FAILED && branch_steps_done(branch) == 0;
    if (!branch->continuable || never_began) return branch->message;
    if (!branch->model || !branch->sigmas) return "The model is still being opened";
    if (k > branch_steps_done(branch) || k >= branch->step_count) return "This step hasn't been done yet";
    return NULL;
}

bool viewer_answers(const Branch *branch, size_t k, char *why, size_t size) {
    const char *reason = why_no_answer(branch, asked_step(branch, k));
    if (reason) snprintf(why, size, "%s", reason);
    return !reason;
}

const DeletionMap *viewer_deletion(Viewer *viewer, Branch *branch, size_t k, size_t word) {
    k = asked_step(branch, k);
    for (size_t i = 0; i < branch->deletion_count; i++) {
        if (branch->deletions[i]->k == k && branch->deletions[i]->word == word) return branch->deletions[i];
    }
    if (why_no_answer(branch, k) || engine_waiting(viewer->engine, JOB_DELETION) > 1) return NULL;
    DeletionMap *deletion = calloc(1, sizeof *deletion), **grown;
    grown = realloc(branch->deletions, (branch->deletion_count + 1) * sizeof *grown);
    CHECK(deletion && grown, "out of memory");
    branch->deletions = grown;
    branch->deletions[branch->deletion_count++] = deletion;
    *deletion = (DeletionMap){.k = k, .word = word};

    const TraceStep *step = k < branch_steps_done(branch) ? &branch->trace->steps[k] : NULL;
    const float *known = !step ? NULL : step->noise_pred_text ? step->noise_pred_text : step->noise_pred;
    Job job = {
        .kind = JOB_DELETION, .urgency = 0, .branch = branch->id, .k = k, .word = word, .past = past_of(branch, k)};
    if (known)
        job.numbers = numbers_copied(known, branch->trace->channels * branch->trace->height * branch->trace->width);
    strcpy(job.model, branch_knobs(branch)->model);
    engine_ask(viewer->engine, &job);
    return deletion;
}

static StepAttention *add_attention(Branch *branch, size_t k) {
    StepAttention *attention = calloc(1, sizeof *attention), **grown;
    grown = realloc(branch->attention, (branch->attention_count + 1) * sizeof *grown);
    CHECK(attention && grown, "out of memory");
    branch->attention = grown;
    branch->attention[branch->attention_count++] = attention;
    attention->k = k;
    return attention;
}

// A trace that was recorded with its attention needs no U-Net for that.
static const StepAttention *recorded_attention(Branch *branch, size_t k) {
    const TraceStep *step = k < branch_steps_done(branch) ? &branch->trace->steps[k] : NULL;
    if (!branch->from_file || !step || step->attention.count == 0) return NULL;
    StepAttention *attention = add_attention(branch, k);
    attention->maps = step->attention;
    attention->of_trace = true;
    return attention;
}

static void ask_attention(Viewer *viewer, Branch *branch, size_t k) {
    add_attention(branch, k);
    Job job = {.kind = JOB_ATTENTION, .urgency = 0, .branch = branch->id, .k = k, .past = past_of(branch, k)};
    strcpy(job.model, branch_knobs(branch)->model);
    engine_ask(viewer->engine, &job);
}

const StepAttention *viewer_attention(Viewer *viewer, Branch *branch, size_t k) {
    k = asked_step(branch, k);
    for (size_t i = 0; i < branch->attention_count; i++) {
        if (branch->attention[i]->k == k) return branch->attention[i];
    }
    if (why_no_answer(branch, k)) return recorded_attention(branch, k);
    if (engine_waiting(viewer->engine, JOB_ATTENTION) == 0) ask_attention(viewer, branch, k);
    return NULL;
}

const TextAttention *viewer_text_attention(Viewer *viewer, Branch *branch, size_t k) {
    size_t chapter = branch_chapter_at(branch, k);
    const TextAttention *known = &branch->text_attention[chapter];
    if (known->count > 0) return known;
    const Trace *trace = branch->from_file && branch->chapter_count == 1 ? branch->trace : NULL;
    if (trace && trace->text_attention.count > 0) return &trace->text_attention;
    viewer_attention(viewer, branch, k);
    return NULL;
}

void viewer_point_at_word(Viewer *viewer, size_t word) {
    if (word == viewer->word) return;
    viewer->word = word;
    viewer->word_pinned = false;
    viewer->shown_count++;
}

void viewer_pin_word(Viewer *viewer, size_t word) {
    bool was = viewer->word_pinned && word == viewer->word;
    viewer_point_at_word(viewer, word);
    viewer->word_pinned = !was;
    viewer->shown_count++;
}

void viewer_ask_grades(Viewer *viewer) {
    Branch *branch = viewer_shown(viewer);
    if (!branch || branch->step_count == 0 || viewer->grades_asked) return;
    Job job = {.kind = JOB_GRADES, .urgency = 2, .branch = -1, .k = asked_step(branch, viewer->k)};
    job.knobs = *branch_knobs_at(branch, job.k);
    strcpy(job.model, job.knobs.model);
    viewer->grades_asked = true;
    viewer->grades_message[0] = 0;
    engine_ask(viewer->engine, &job);
}

// ---- costs ----------------------------------------------------------------------------------------------------------

const RunCost *viewer_cost(Viewer *viewer) {
    if (knobs_equal(&viewer->cost_knobs, &viewer->knobs)) return viewer->has_cost ? &viewer->cost : NULL;
    if (viewer->cost_asked || !viewer->model) return NULL;
    Job job = {.kind = JOB_COST, .urgency = 1, .branch = -1, .knobs = viewer->knobs};
    strcpy(job.model, viewer->knobs.model);
    viewer->cost_asked = true;
    engine_ask(viewer->engine, &job);
    return NULL;
}

// ---- pictures compared ----------------------------------------------------------------------------------------------

float viewer_distance(const Branch *a, const Branch *b) {
    const Trace *one = a->trace, *other = b->trace;
    if (!one || !other || !one->image || !other->image || one->image_width != other->image_width ||
        one->image_height != other->image_height)
        return -1;
    size_t n = 3 * one->image_width * one->image_height;
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)(one->image[i] - other->image[i]) * (one->image[i] - other->image[i]);
    return (float)(sqrt(sum / (double)n) * 255);
}
