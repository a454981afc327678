// my_scheduler.h - for a scheduler that is compiled by itself and loaded: what it includes, and what it exports
//
//     #include "schedulers/my_scheduler.h"
//
//     static void my_step(Scheduler *s, size_t k, const float *latents, ...) { ... }
//
//     SchedulerPlugin sculpt_scheduler = {SCHEDULER_ABI, .kind = {.variance_preserving = true, .step = my_step}};
//
// What is left out is taken from ddim, or, where variance_preserving is false, from euler: a step is enough. `sculpt lab
// scheduler mine.c` compiles it, checks it, measures it and draws with it; `--scheduler ./mine.so` uses one that was
// compiled by hand (lessons/lab/README.md). It needs nothing of the program but what `tools` points to.
// Read next: lessons/lab/scheduler.c; scheduler.h, for what the functions are asked; scheduler_file.c, where it is loaded.

#pragma once

#include "schedulers/history.h"
#include "schedulers/noise_schedule.h"
#include "schedulers/sigmas.h"

// Another number wherever scheduler.h or what follows changes.
#define SCHEDULER_ABI 1

// What our own schedulers use. Their headers say what each does.
typedef struct SchedulerTools {
    bool (*error_set)(Error *error, const char *format, ...);
    bool (*reserve)(Scheduler *s, size_t num_inference_steps, size_t evaluations, Error *error);
    bool (*take_timesteps)(Scheduler *s, size_t num_inference_steps, bool whole, Error *error);
    bool (*take_sigmas)(Scheduler *s, size_t num_inference_steps, Error *error);
    float (*sigma_at)(const Scheduler *s, size_t timestep);
    double (*timestep_of_sigma)(const Scheduler *s, double sigma);
    void (*history_open)(History *h, size_t k, size_t n);
    void (*history_close)(History *h, size_t k);
    float *(*history_row)(const History *h, size_t row);
    void (*history_push)(History *h, const float *values, size_t count);
} SchedulerTools;

typedef struct SchedulerPlugin {
    int abi;                      // SCHEDULER_ABI, as it was when this was compiled
    SchedulerKind kind;           // name may stay NULL: it is the file's path in any case
    const SchedulerTools *tools;  // the loader's: set before any function is called
} SchedulerPlugin;

extern SchedulerPlugin sculpt_scheduler;
