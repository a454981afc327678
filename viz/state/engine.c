// engine.c - see engine.h

#include "state/engine.h"

#include "base/check.h"
#include "state/jobs.h"

#include <SDL2/SDL.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

// All but the shop is looked at by both threads, under the lock.
struct Engine {
    SDL_Thread *thread;
    SDL_mutex *lock;
    SDL_cond *wake;
    Task *tasks;     // what is to be done, in no order
    Task *current;   // one of them, being worked on
    Run *stoppable;  // what run_stop would reach now
    bool quit;
    unsigned long asked;
    Result *first, *last;  // what was found out and not yet taken
    void (*notify)(void *listener);
    void *listener;
    Workshop shop;  // the thread's own
};

// ---- what a job reaches ---------------------------------------------------------------------------------------------

static void send(void *of, Result *result) {
    Engine *engine = of;
    SDL_LockMutex(engine->lock);
    if (engine->last)
        engine->last->next = result;
    else
        engine->first = result;
    engine->last = result;
    SDL_UnlockMutex(engine->lock);
    engine->notify(engine->listener);
}

static bool stoppable(void *of, Run *run) {
    Engine *engine = of;
    SDL_LockMutex(engine->lock);
    bool wanted = !engine->current->cancelled && !engine->quit;
    engine->stoppable = wanted ? run : NULL;
    SDL_UnlockMutex(engine->lock);
    return wanted;
}

// ---- the thread -----------------------------------------------------------------------------------------------------

// Cancelled ones first, since they only have to say so.
static bool sooner(const Task *a, const Task *b) {
    if (a->cancelled != b->cancelled) return a->cancelled;
    if (a->job.urgency != b->job.urgency) return a->job.urgency < b->job.urgency;
    return a->number < b->number;
}

static Task *next_task(Engine *engine) {
    Task *best = engine->tasks;
    for (Task *task = best; task; task = task->next) {
        if (sooner(task, best)) best = task;
    }
    return best;
}

static void remove_task(Engine *engine, Task *task) {
    Task **link = &engine->tasks;
    while (*link != task) link = &(*link)->next;
    *link = task->next;
    task_free(task);
}

// One piece of the most urgent task. The lock is held before and after, not while working.
static void work(Engine *engine, Task *task) {
    Outlet outlet = {send, stoppable, engine};
    engine->current = task;
    bool cancelled = task->cancelled;
    SDL_UnlockMutex(engine->lock);
    if (!cancelled) task_work(task, &engine->shop, &outlet);
    SDL_LockMutex(engine->lock);
    engine->stoppable = NULL;
    engine->current = NULL;
    if (task->cancelled) {
        SDL_UnlockMutex(engine->lock);
        workshop_forget_runs(&engine->shop);
        send(engine, result_new(RESULT_CANCELLED, &task->job));
        SDL_LockMutex(engine->lock);
    }
    if (task->cancelled || task->finished) remove_task(engine, task);
}

// Its threads, and those that OpenMP starts from it, step back where the window's wants the processor: a frame takes a few
// milliseconds, and is late if it has to wait for its share. Where nobody else wants it, they lose nothing.
static void step_back(void) {
    enum { NICE = 10 };
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
}

static int thread_main(void *of) {
    Engine *engine = of;
    step_back();
    SDL_LockMutex(engine->lock);
    while (!engine->quit) {
        Task *task = next_task(engine);
        if (task)
            work(engine, task);
        else
            SDL_CondWait(engine->wake, engine->lock);
    }
    SDL_UnlockMutex(engine->lock);
    return 0;
}

// ---- from the window's side -----------------------------------------------------------------------------------------

Engine *engine_open(void (*notify)(void *listener), void *listener, Error *error) {
    Engine *engine = calloc(1, sizeof *engine);
    CHECK(engine, "out of memory");
    engine->notify = notify;
    engine->listener = listener;
    engine->lock = SDL_CreateMutex();
    engine->wake = SDL_CreateCond();
    // OpenMP's and BLAS's own threads come from this one, and layers keep small arrays on its stack
    if (engine->lock && engine->wake)
        engine->thread = SDL_CreateThreadWithStackSize(thread_main, "engine", (size_t)8 << 20, engine);
    if (engine->thread) return engine;
    error_set(error, "engine: no thread for it: %s; close other programs", SDL_GetError());
    engine_close(engine);
    return NULL;
}

void engine_close(Engine *engine) {
    if (!engine) return;
    if (engine->thread) {
        SDL_LockMutex(engine->lock);
        engine->quit = true;
        if (engine->stoppable) run_stop(engine->stoppable);
        SDL_CondSignal(engine->wake);
        SDL_UnlockMutex(engine->lock);
        SDL_WaitThread(engine->thread, NULL);
    }
    while (engine->tasks) remove_task(engine, engine->tasks);
    for (Result *result; (result = engine_result(engine));) result_free(result);
    workshop_close(&engine->shop);
    SDL_DestroyCond(engine->wake);
    SDL_DestroyMutex(engine->lock);
    free(engine);
}

void engine_ask(Engine *engine, Job *job) {
    Task *task = calloc(1, sizeof *task);
    CHECK(task, "out of memory");
    task->job = *job;
    *job = (Job){0};
    SDL_LockMutex(engine->lock);
    task->number = engine->asked++;
    task->next = engine->tasks;
    engine->tasks = task;
    SDL_CondSignal(engine->wake);
    SDL_UnlockMutex(engine->lock);
}

void engine_cancel(Engine *engine, int branch) {
    SDL_LockMutex(engine->lock);
    for (Task *task = engine->tasks; task; task = task->next) {
        if (task->job.branch == branch) task->cancelled = true;
    }
    if (engine->current && engine->current->cancelled && engine->stoppable) run_stop(engine->stoppable);
    SDL_CondSignal(engine->wake);
    SDL_UnlockMutex(engine->lock);
}

bool engine_idle(Engine *engine) {
    SDL_LockMutex(engine->lock);
    bool idle = !engine->tasks && !engine->first;
    SDL_UnlockMutex(engine->lock);
    return idle;
}

size_t engine_waiting(Engine *engine, JobKind kind) {
    size_t count = 0;
    SDL_LockMutex(engine->lock);
    for (Task *task = engine->tasks; task; task = task->next) count += task->job.kind == kind;
    SDL_UnlockMutex(engine->lock);
    return count;
}

Result *engine_result(Engine *engine) {
    SDL_LockMutex(engine->lock);
    Result *result = engine->first;
    if (result) engine->first = result->next;
    if (!engine->first) engine->last = NULL;
    SDL_UnlockMutex(engine->lock);
    if (result) result->next = NULL;
    return result;
}
