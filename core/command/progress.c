// progress.c - see progress.h

#include "command/progress.h"

#include "base/clock.h"

#include <stdio.h>
#include <unistd.h>

enum { BAR_WIDTH = 24 };

static const char CLEAR_LINE[] = "\r\033[K";

// "2 min 5 s"
static void print_time_left(double seconds) {
    size_t whole = (size_t)(seconds + 0.5), minutes = whole / 60;
    if (minutes) fprintf(stderr, "%zu min ", minutes);
    fprintf(stderr, "%zu s left", whole % 60);
}

void progress_begin(Progress *progress, size_t count) {
    *progress = (Progress){.terminal = isatty(STDERR_FILENO), .count = count, .started = seconds_now()};
    progress_step(progress, 0);
}

void progress_step(const Progress *progress, size_t done) {
    if (!progress->terminal || progress->count == 0) return;
    fprintf(stderr, "%s[", CLEAR_LINE);
    for (size_t i = 0; i < BAR_WIDTH; i++) fputc(i * progress->count < done * BAR_WIDTH ? '#' : '.', stderr);
    fprintf(stderr, "] step %zu/%zu", done, progress->count);
    if (done > 0) {
        double a_step = (seconds_now() - progress->started) / (double)done;
        fprintf(stderr, "  %.3g s/step  ", a_step);
        print_time_left(a_step * (double)(progress->count - done));
    }
    fflush(stderr);
}

void progress_say(const Progress *progress, const char *what) {
    if (progress->terminal) fprintf(stderr, "%s%s", CLEAR_LINE, what);
}

void progress_end(const Progress *progress) {
    if (progress->terminal) fputs(CLEAR_LINE, stderr);
}
