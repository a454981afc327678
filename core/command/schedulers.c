// schedulers.c - `sculpt schedulers`: the ways from noise to picture
//
// Read next: schedulers/ddim.c.

#include "command/commands.h"

#include "io/file.h"
#include "schedulers/scheduler.h"

#include <stdio.h>
#include <stdlib.h>

// The kind that the model asks for; NULL when there is no model or it can't be read.
static const SchedulerKind *model_kind(const char *model) {
    char *folder = path_join(model, "scheduler");
    Error unreadable = {0};
    Scheduler *scheduler = scheduler_open(folder, NULL, NULL, 0, &unreadable);
    const SchedulerKind *kind = scheduler ? scheduler->kind : NULL;
    scheduler_free(scheduler);
    free(folder);
    return kind;
}

int command_schedulers(const Options *options) {
    Error error = {0};
    char *model = model_folder(options);
    const SchedulerKind *chosen = model_kind(model);
    printf("How much of the predicted noise is taken away at each step, and where to ask next.\n");
    if (chosen) printf("* is what %s asks for; --scheduler NAME takes another\n", model);
    for (size_t i = 0; i < scheduler_kind_count(); i++) {
        const SchedulerKind *kind = scheduler_kind_at(i);
        printf("\n%s %s (%s)\n    %s\n", kind == chosen ? "*" : " ", kind->name, kind->class_name, kind->about);
        printf("    order %d, %d U-Net call%s a step, %s\n", kind->order, kind->unet_calls_per_step,
               kind->unet_calls_per_step == 1 ? "" : "s",
               kind->stochastic ? "may draw fresh noise on the way" : "no noise but the first");
        printf("    %s\n", kind->paper);
    }
    free(model);
    return output_flush(&error) ? EXIT_SUCCESS : report_failure(&error);
}
