// lab_compile.c - from a learner's C file to a shared object

#include "command/lab.h"

#include "io/file.h"
#include "io/program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// The folder core/, whose headers it includes: in the current folder, or beside the program or above it, since builds of
// another kind lie in build/. malloc'ed; NULL if this isn't a tree of sources.
static char *headers_folder(void) {
    static const char *const ABOVE[] = {"core", "../core", "../../core"};
    for (size_t i = 0; i < sizeof ABOVE / sizeof *ABOVE; i++) {
        char *folder = shipped_path(ABOVE[i]), *header = path_join(folder, "ops/my_kernel.h");
        bool there = path_exists(header);
        free(header);
        if (there) return folder;
        free(folder);
    }
    return NULL;
}

// -Bsymbolic: what the file calls by a name of its own is its own function, whatever else in the program is called so.
static void compile(const char *source, const char *object, const char *headers) {
    setenv("CC", "gcc", 0);
    execl("/bin/sh", "sh", "-c", "exec $CC \"$@\"", "sh", "-std=c17", "-D_GNU_SOURCE", "-O3", "-march=native",
          "-ffp-contract=fast", "-fopenmp", "-Wall", "-Wextra", "-Wno-unused-parameter",
          "-Wno-missing-field-initializers", "-Werror=implicit-function-declaration", "-shared", "-fPIC",
          "-Wl,-Bsymbolic", "-I", headers, source, "-o", object, "-lm", (char *)NULL);
    _exit(127);
}

bool lab_compile(Lab *lab, const char *source, Error *error) {
    if (!path_exists(source))
        return error_set(error, "%s: there is no such file; copy one of lessons/lab and change it", source);
    char *headers = headers_folder();
    if (!headers)
        return error_set(error,
                         "core/ops/my_kernel.h: isn't beside the program, and what you write includes it; run the "
                         "./sculpt that was built in the source tree");
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) compile(source, lab->object, headers);
    free(headers);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return error_set(error, "compiler: can't be started: %s; close other programs", strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return error_set(error, "%s: there is no such compiler; install gcc, or name another in CC",
                         getenv("CC") ? getenv("CC") : "gcc");
    return status == 0 || error_set(error, "%s: doesn't compile; the compiler says above what it can't read", source);
}
