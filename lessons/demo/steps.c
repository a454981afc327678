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

bool run_to_picture(Run *run, Image *image, Error *error) {
    StepResult result;
    while ((result = run_step(run, error)) == STEP_DONE_ONE) continue;
    return result == STEP_NONE_LEFT && run_finish(run, image, error);
}
