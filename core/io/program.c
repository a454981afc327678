// program.c - see program.h

#include "io/program.h"

#include "io/file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool program_path(char path[PATH_MAX]) {
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
    if (length < 0) return false;
    path[length] = '\0';
    return true;
}

char *shipped_path(const char *path) {
    char program[PATH_MAX];
    if (path[0] == '/' || path_exists(path) || !program_path(program)) return strdup(path);
    *strrchr(program, '/') = '\0';
    return path_join(program, path);
}

// A thread that has done its share of an op spins until the others have, ready to go on at once. Where other programs
// want the cores too, it spins in the way of those it waits for, and a step can take ten times as long; asleep at once, it
// takes so long to wake that a small model's step takes twice as long. So it spins for a tenth of a millisecond and then
// sleeps. OpenMP's runtime (GCC's, which calls this GOMP_SPINCOUNT) reads it before main begins, so the program starts
// itself once more; if that can't be, the threads spin.
void let_threads_sleep(char **argv) {
    char program[PATH_MAX];
    if (getenv("OMP_WAIT_POLICY") || !program_path(program)) return;
    setenv("OMP_WAIT_POLICY", "passive", 1);
    setenv("GOMP_SPINCOUNT", "10000", 0);
    execv(program, argv);
}
