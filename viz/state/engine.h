// engine.h - the worker thread: everything that takes longer than a frame
//
// The window asks, the engine answers some time later: jobs go in, results come out, both owned by whoever holds them. It
// does one thing at a time, since one thread owns all forward passes; the most urgent first. A run is done step by step,
// so that what somebody has just pointed at doesn't wait for its end. Cancelling takes one op.
// Where: between the viewer's state and core. Nothing of SDL but its threads.
// Read next: engine.c, then jobs.c, which does the work.

#pragma once

#include "state/past.h"

typedef enum {
    JOB_MODEL,      // open a model, so that its name and defaults can be shown
    JOB_COST,       // what these knobs would cost, at their size and at twice it
    JOB_RUN,        // walk on from `past` to the end
    JOB_DECODE,     // latents to a picture
    JOB_DELETION,   // of word `word` at the step after `past`
    JOB_ATTENTION,  // at the step after `past`, every layer and head; and the text encoder's
    JOB_GRADES,     // maps of all words for a drawing of the prompt, against the painter's masks
} JobKind;

typedef struct Job {
    JobKind kind;
    int urgency;  // less is sooner
    int branch;   // id; results carry it back
    size_t k, word;
    PictureKind picture;  // JOB_DECODE
    char model[KNOB_PATH];
    Knobs knobs;  // JOB_COST, JOB_DECODE (its size), JOB_GRADES
    Past past;
    float *
        numbers;  // [4, h, w], the job's own. JOB_DECODE: latents; JOB_DELETION: what the U-Net says with all words, or NULL
    size_t height,
        width;  // of the latents: JOB_DECODE; JOB_RUN, where the walk is from a file and may be no more than seen
} Job;

typedef enum {
    RESULT_MODEL,
    RESULT_COST,
    RESULT_BEGAN,  // trace (empty but for what is known at the start), sigmas, cost, latent_rgb
    RESULT_MAP,    // in its place before RESULT_FAILED, for a walk from a file: latent_rgb and model alone
    RESULT_STEP,
    RESULT_DONE,  // with the picture
    RESULT_CANCELLED,
    RESULT_FAILED,  // `kind` says what, `error` why
    RESULT_DECODED,
    RESULT_DELETION,
    RESULT_ATTENTION,
    RESULT_GRADES,
} ResultKind;

// Whoever takes a result takes over what it points to; result_free frees what is left.
typedef struct Result {
    ResultKind kind;
    JobKind job;
    int branch;
    size_t k, word;
    PictureKind picture;
    Error error;
    const Model *model;  // the engine's, until it is closed
    Trace *trace;
    float *sigmas;  // [step_count]
    size_t step_count;
    float latent_rgb[LATENT_CHANNELS + 1][3];
    bool has_latent_rgb;
    RunCost cost, double_cost;  // double_cost: twice the width and height
    bool has_cost, has_double_cost;
    Knobs knobs;  // RESULT_COST: whose; RESULT_MODEL: its defaults
    TraceStep step;
    size_t unet_calls;  // that this result took
    double seconds;
    Image image;
    float *pixels;  // RESULT_DONE: [3, H, W] in 0..1
    float *map;
    AttentionMaps attention;
    TextAttention text_attention;
    struct WordGrades *grades;
    struct Result *next;
} Result;

typedef struct Engine Engine;

// notify is called from the engine's thread when there is a result.
Engine *engine_open(void (*notify)(void *listener), void *listener, Error *error);
void engine_close(Engine *engine);               // whatever is under way is cancelled
void engine_ask(Engine *engine, Job *job);       // takes the job's memory over; *job is emptied
void engine_cancel(Engine *engine, int branch);  // all jobs of this branch: RESULT_CANCELLED for a JOB_RUN
bool engine_idle(Engine *engine);                // nothing is under way, nothing waits, all results were taken
size_t engine_waiting(Engine *engine, JobKind kind);
Result *engine_result(Engine *engine);  // the oldest; NULL if there is none
void result_free(Result *result);
