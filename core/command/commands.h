// commands.h - what `sculpt` can do, one file each, and what they share
//
// Each command returns the program's exit status: EXIT_SUCCESS, EXIT_RUN_FAILED or EXIT_BAD_COMMAND_LINE.

#pragma once

#include "base/error.h"
#include "command/options.h"
#include "sculpt.h"

#include <stdbool.h>

enum { EXIT_RUN_FAILED = 1, EXIT_BAD_COMMAND_LINE = 2 };

int command_draw(const Options *options);
int command_tokenize(const Options *options);
int command_kernels(void);
int command_schedulers(const Options *options);
int command_inspect(const Options *options);
int command_bench(const Options *options);
int command_lab(const Options *options);

// "sculpt: what: why; what to do" on stderr; returns EXIT_RUN_FAILED.
int report_failure(const Error *error);

// The folder that --model names, or the model that comes with Sculpt: data/models/critters, looked for in the current
// folder and then beside the program itself, so that it is found from anywhere. malloc'ed.
char *model_folder(const Options *options);

// How matrices are to be kept: as --precision and --weights say.
DType matrix_type_asked(const Options *options);

// How the model is to be opened.
ModelOptions model_options_asked(const Options *options);

// The model's default settings, and over them what was asked for about the walk: steps, guidance, scheduler, size,
// kernels, threads.
Settings settings_asked(const Model *model, const Options *options);

// The options and what they do (help.c), on stdout.
void help_print(Command command);

// False when stdout couldn't take all that was printed: a full disk, a closed pipe.
bool output_flush(Error *error);
