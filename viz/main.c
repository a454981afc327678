// main.c - the command `sculpt-view`: a window in which a run is watched
//
// Where: beside `sculpt`, over the same library. Its parts: ui/ (boxes, words, widgets; knows nothing of diffusion),
// state/ (what is shown, and the thread that draws pictures), panels/ (how it is shown), window/ (SDL's loop, scripts).
// Read next: state/viewer.h, then panels/screen.c.

#include "base/machine.h"
#include "io/program.h"
#include "window/headless.h"
#include "window/live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_RUN_FAILED = 1, EXIT_BAD_COMMAND_LINE = 2 };

static int fail(const Error *error, int status) {
    fprintf(stderr, "sculpt-view: %s\n", error->message);
    return status;
}

static bool watch(const WindowOptions *options, Error *error) {
    Window window;
    if (!window_open(&window, options, error)) return false;
    bool ok = true;
    if (options->headless)
        ok = headless_run(&window, options, error);
    else
        live_run(&window);
    window_close(&window);
    return ok;
}

int main(int argc, char **argv) {
    let_threads_sleep(argv);
    WindowOptions options;
    Error error = {0};
    if (!machine_check(&error) || !window_options_read(&options, argc, argv, &error))
        return fail(&error, EXIT_BAD_COMMAND_LINE);
    if (options.version)
        printf("sculpt-view %s\n", SCULPT_VERSION);
    else if (options.help)
        window_help_print();
    else if (!watch(&options, &error))
        return fail(&error, EXIT_RUN_FAILED);
    if (fflush(stdout) == 0 && !ferror(stdout)) return EXIT_SUCCESS;
    error_set(&error, "standard output: can't be written: %s; is the disk full?", strerror(errno));
    return fail(&error, EXIT_RUN_FAILED);
}
