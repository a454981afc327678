// watch.c - see watch.h
//
// The folder is watched, not the file: many editors write a new file and rename it over the old one, and a watch on the
// old one would then wait for ever.

#include "io/watch.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

// Whether one of the events that are there to be read is about this name.
static bool about(int watcher, const char *name) {
    char buffer[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)] __attribute__((aligned(8)));
    ssize_t size = read(watcher, buffer, sizeof buffer);
    bool found = false;
    for (char *at = buffer; size > 0 && at < buffer + size;) {
        const struct inotify_event *event = (const struct inotify_event *)at;
        found = found || (event->len && strcmp(event->name, name) == 0);
        at += sizeof *event + event->len;
    }
    return found;
}

static Watched wait_for(int watcher, const char *name, Error *error) {
    struct pollfd sources[] = {{.fd = watcher, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    for (;;) {
        if (poll(sources, 2, -1) < 0 && errno != EINTR) {
            error_set(error, "watch: %s; do it by hand instead", strerror(errno));
            return WATCH_FAILED;
        }
        if (sources[1].revents) return WATCH_KEY;
        if (sources[0].revents && about(watcher, name)) return WATCH_SAVED;
    }
}

Watched watch_wait(const char *path, Error *error) {
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");

    int watcher = inotify_init1(IN_CLOEXEC);
    if (watcher < 0 || inotify_add_watch(watcher, folder, IN_CLOSE_WRITE | IN_MOVED_TO) < 0) {
        error_set(error, "watch: %s can't be watched: %s; do it by hand instead", folder, strerror(errno));
        if (watcher >= 0) close(watcher);
        return WATCH_FAILED;
    }
    Watched seen = wait_for(watcher, slash ? slash + 1 : path, error);
    close(watcher);
    return seen;
}
