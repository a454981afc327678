// schedulers.c - `sculpt schedulers`: the ways from noise to picture
//
// Read next: schedulers/ddim.c.

#include "command/commands.h"

#include "sculpt.h"

#include <stdio.h>
#include <stdlib.h>

// The kind that the model asks for; NULL, and why, when there is no model or it asks for one that isn't here.
static const SchedulerKind *model_kind(const char *model, Error *error) {
    SingleFile *file = NULL;
    if (path_is_single_file(model) && !(file = single_file_open(model, error))) return NULL;
    Scheduler *scheduler = model_scheduler(model, file, NULL, NULL, 0, error);
    const SchedulerKind *kind = scheduler ? scheduler->kind : NULL;
    scheduler_free(scheduler);
    single_file_close(file);
    return kind;
}

int command_schedulers(const Options *options) {
    Error error = {0};
    char *model = model_folder(options);
    const SchedulerKind *chosen = model_kind(model, &error);
    bool marked = chosen || !options->model;  // the default model may be absent; one that was named, not
    if (marked) error = (Error){0};
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
    return output_flush(&error) && marked ? EXIT_SUCCESS : report_failure(&error);
}
