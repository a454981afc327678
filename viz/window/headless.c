// headless.c - see headless.h

#include "window/headless.h"

#include "io/file.h"
#include "window/script.h"

#include <string.h>

static bool run_file(Script *script, const char *path, Error *error) {
    if (strcmp(path, "-") == 0) return script_run(script, stdin, "standard input", error);
    FILE *stream = file_open(path, error);
    if (!stream) return false;
    bool ok = script_run(script, stream, path, error);
    fclose(stream);
    return ok;
}

bool headless_run(Window *window, const WindowOptions *options, Error *error) {
    Script script = {.window = window};
    script_frame(&script, 0);
    bool ok = options->script ? run_file(&script, options->script, error) : script_line(&script, "wait", error);
    if (ok && options->frame) ok = script_write_frame(&script, options->frame, error);
    return ok;
}
