// steps.c - see steps.h

#include "demo/steps.h"

void run_take_step(Run *run, SchedulerKind *kind, StepFunction *step) {
    // The run owns its scheduler and hands it out to be looked at; here alone it is changed, and only in which functions
    // it calls.
    Scheduler *scheduler = (Scheduler *)run_scheduler(run);
    *kind = *scheduler->kind;
    kind->step = step;
    scheduler->kind = kind;
}
