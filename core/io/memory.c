// memory.c - see memory.h
//
// Where: before weights are converted and before a run takes its arena. What doesn't fit would be killed by the kernel
// halfway, without a word; this is how it can be refused with numbers instead.
// Elsewhere: `free -b`, column "available"; Linux's Documentation/admin-guide/cgroup-v2.rst, "Memory".

#include "io/memory.h"

#include "base/check.h"
#include "io/file.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The two generations of control groups, and what they call the same things
typedef struct Generation {
    const char *prefix;  // what stands before the group's path in its line of /proc/self/cgroup
    const char *folder, *limit, *usage, *cache;
} Generation;

static const Generation GENERATIONS[] = {
    {"0::", "/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file "},
    {"memory:", "/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "},
};

// The text of root/folder/name, malloc'ed; NULL if there is no such file
static char *text_of(const char *root, const char *folder, const char *name) {
    char *path;
    CHECK(asprintf(&path, "%s%s/%s", root, folder, name) >= 0, "out of memory");
    char *text = file_read(path, NULL, NULL);
    free(path);
    return text;
}

// The number behind a word in a text; otherwise where there is none ("max", an absent file)
static size_t number_after(const char *text, const char *word, size_t otherwise) {
    const char *found = text ? strstr(text, word) : NULL;
    if (!found) return otherwise;
    char *end;
    unsigned long long number = strtoull(found + strlen(word), &end, 10);
    return end == found + strlen(word) ? otherwise : (size_t)number;
}

// What one group leaves free: its limit less what is in use, where pages that only cache files don't count as used.
static size_t free_in_group(const char *root, const char *folder, const Generation *g) {
    char *limit_text = text_of(root, folder, g->limit), *usage_text = text_of(root, folder, g->usage);
    char *stat_text = text_of(root, folder, "memory.stat");
    size_t limit = number_after(limit_text, "", SIZE_MAX), usage = number_after(usage_text, "", 0);
    size_t cache = number_after(stat_text, g->cache, 0);
    free(limit_text);
    free(usage_text);
    free(stat_text);
    if (limit == SIZE_MAX) return SIZE_MAX;
    size_t used = usage > cache ? usage - cache : 0;
    return limit > used ? limit - used : 0;
}

// The least of what a group and all those around it leave free. In a container, the group's own path may not be visible
// and its limit stands at the top.
static size_t free_in_groups(const char *root, const char *group, const Generation *g) {
    size_t least = SIZE_MAX;
    char folder[4096];
    size_t top = strlen(g->folder);
    snprintf(folder, sizeof folder, "%s%s", g->folder, strcmp(group, "/") == 0 ? "" : group);
    for (;;) {
        size_t here = free_in_group(root, folder, g);
        if (here < least) least = here;
        char *slash = strrchr(folder, '/');
        if (!slash || (size_t)(slash - folder) < top) return least;
        *slash = '\0';
    }
}

size_t memory_available(const char *root) {
    char *meminfo = text_of(root, "/proc", "meminfo"), *groups = text_of(root, "/proc/self", "cgroup");
    size_t kilobytes = number_after(meminfo, "MemAvailable:", SIZE_MAX);
    size_t least = kilobytes == SIZE_MAX ? SIZE_MAX : kilobytes * 1024;
    for (size_t i = 0; i < sizeof GENERATIONS / sizeof GENERATIONS[0]; i++) {
        const char *line = groups ? strstr(groups, GENERATIONS[i].prefix) : NULL;
        if (!line) continue;
        line += strlen(GENERATIONS[i].prefix);
        char *group = strndup(line, strcspn(line, "\n"));
        CHECK(group, "out of memory");
        size_t here = free_in_groups(root, group, &GENERATIONS[i]);
        if (here < least) least = here;
        free(group);
    }
    free(meminfo);
    free(groups);
    return least;
}
