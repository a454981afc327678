// main.c - the command `sculpt`
//
// Where: the outermost layer. It reads the command line (options.c), and hands over to one in command/: draw.c,
// tokenize.c, kernels.c, schedulers.c, inspect.c or bench.c. All else is the library, which knows nothing of it.
// Read next: command/draw.c, then pipeline.c.

#include "command/commands.h"

#include "base/machine.h"
#include "sculpt.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// A thread that has done its share of an op spins until the others have, ready to go on at once. Where other programs
// want the cores too, it spins in the way of those it waits for, and a step can take ten times as long; asleep at once, it
// takes so long to wake that a small model's step takes twice as long. So it spins for a tenth of a millisecond and then
// sleeps. OpenMP's runtime (GCC's, which calls this GOMP_SPINCOUNT) reads it before main begins, so the program starts
// itself once more; if that can't be, the threads spin.
static void let_threads_sleep(char **argv) {
    char program[PATH_MAX];
    if (getenv("OMP_WAIT_POLICY") || !program_path(program)) return;
    setenv("OMP_WAIT_POLICY", "passive", 1);
    setenv("GOMP_SPINCOUNT", "10000", 0);
    execv(program, argv);
}

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
    default: return command_draw(&options);
    }
}
