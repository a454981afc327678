// main.c - the command `sculpt`
//
// Where: the outermost layer. It reads the command line (options.c), and hands over to one in command/: draw.c,
// tokenize.c, kernels.c or schedulers.c. All else is the library, which knows nothing of it.
// Read next: command/draw.c, then pipeline.c.

#include "command/commands.h"

#include "io/file.h"
#include "run/recipe.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int report_failure(const Error *error) {
    fprintf(stderr, "sculpt: %s\n", error->message);
    return EXIT_RUN_FAILED;
}

bool output_flush(Error *error) {
    if (fflush(stdout) == 0 && !ferror(stdout)) return true;
    return error_set(error, "standard output: can't be written: %s; is the disk full?", strerror(errno));
}

// Where this program's own file is; false where /proc can't tell.
static bool program_path(char path[PATH_MAX]) {
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
    if (length < 0) return false;
    path[length] = '\0';
    return true;
}

char *model_folder(const Options *options) {
    static const char DEFAULT_MODEL[] = "data/models/critters";
    if (options->model || path_exists(DEFAULT_MODEL)) return strdup(options->model ? options->model : DEFAULT_MODEL);

    char program[PATH_MAX];
    if (!program_path(program)) return strdup(DEFAULT_MODEL);
    *strrchr(program, '/') = '\0';
    return path_join(program, DEFAULT_MODEL);
}

// A thread that has done its share of an op spins until the others have, ready to go on at once. Where other programs
// want the cores too, it spins in the way of those it waits for, and a step can take ten times as long. Asleep it costs
// some microseconds an op. OpenMP's runtime reads this before main begins, so the program starts itself once more; if
// that can't be, the threads spin.
static void let_threads_sleep(char **argv) {
    char program[PATH_MAX];
    if (getenv("OMP_WAIT_POLICY") || !program_path(program)) return;
    setenv("OMP_WAIT_POLICY", "passive", 1);
    execv(program, argv);
}

int main(int argc, char **argv) {
    let_threads_sleep(argv);
    Options options;
    Error error = {0};
    if (!options_read(&options, argc, argv, &error)) {
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
    default: return command_draw(&options);
    }
}
