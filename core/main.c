// main.c - the command `sculpt`
//
// Where: the outermost layer. It reads the command line (options.c), and hands over to one in command/: draw.c,
// tokenize.c, kernels.c, schedulers.c, inspect.c, bench.c or lab.c. All else is the library, which knows nothing of it.
// Read next: command/draw.c, then pipeline.c.

#include "command/commands.h"

#include "base/machine.h"
#include "io/program.h"
#include "sculpt.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    let_threads_sleep(argv);
    Options options;
    Error error = {0};
    if (!machine_check(&error) || !options_read(&options, argc, argv, &error)) {
        report_failure(&error);
        return EXIT_BAD_COMMAND_LINE;
    }
    if (options.version || options.help) {
        if (options.version)
            printf("sculpt %s\n", SCULPT_VERSION);
        else
            help_print(options.command);
        return output_flush(&error) ? EXIT_SUCCESS : report_failure(&error);
    }
    switch (options.command) {
    case COMMAND_TOKENIZE: return command_tokenize(&options);
    case COMMAND_KERNELS: return command_kernels();
    case COMMAND_SCHEDULERS: return command_schedulers(&options);
    case COMMAND_INSPECT: return command_inspect(&options);
    case COMMAND_BENCH: return command_bench(&options);
    case COMMAND_LAB: return command_lab(&options);
    default: return command_draw(&options);
    }
}
