// jobs.h - what the engine's thread does when it does a job
//
// Where: below engine.c, which decides what is done when. Everything here is only used by the engine's thread.

#pragma once

#include "state/engine.h"

enum { SHOP_MODELS = 16 };

// What the thread keeps from job to job
typedef struct Workshop {
    Model *models[SHOP_MODELS];  // open until the end: branches show them
    size_t model_count;
    Run *decoder;  // any run of the size that was decoded last
    const Model *decoder_model;
    size_t decoder_width, decoder_height;
    Run *standing;  // at the step that was asked about last
    int standing_branch;
    size_t standing_k;
} Workshop;

// A job and how far it is
typedef struct Task {
    Job job;
    Run *run;  // JOB_RUN: once it has begun
    bool finished;
    unsigned long number;  // the how-manieth job it is
    bool cancelled;
    struct Task *next;
} Task;

// How a job reaches the outside: results, and the run that must be stopped if somebody cancels it. job_stoppable returns
// false if the job has been cancelled already; NULL takes the run back.
typedef struct Outlet {
    void (*send)(void *engine, Result *result);
    bool (*stoppable)(void *engine, Run *run);
    void *engine;
} Outlet;

// Does a piece of the task: a step of a run, or all of anything else. Sets task->finished after the last.
void task_work(Task *task, Workshop *shop, const Outlet *outlet);
void task_free(Task *task);
void workshop_forget_runs(Workshop *shop);  // after a cancelled job, whose stop may still hang in one of them
void workshop_close(Workshop *shop);

// An empty result that answers this job
Result *result_new(ResultKind kind, const Job *job);
