// plugin.c - see plugin.h

#include "base/plugin.h"

#include "base/check.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool plugin_is_file(const char *name) {
    size_t length = strlen(name);
    return strchr(name, '/') || (length > 3 && strcmp(name + length - 3, ".so") == 0);
}

static void *open_object(const char *path, int mode) {
    char here[PATH_MAX];
    snprintf(here, sizeof here, "%s%s", strchr(path, '/') ? "" : "./", path);
    return dlopen(here, mode);
}

void *plugin_load(const char *path, const char *symbol, Error *error) {
    if (access(path, R_OK) != 0) {
        error_set(error, "%.300s: can't be read: %s; compile it first, or let `sculpt lab` do so", path,
                  strerror(errno));
        return NULL;
    }
    void *object = open_object(path, RTLD_NOW | RTLD_LOCAL);
    if (!object) {
        error_set(error, "%.300s: can't be loaded: %.400s; compile it with -shared -fPIC, for this machine", path,
                  dlerror());
        return NULL;
    }
    void *exported = dlsym(object, symbol);
    if (!exported) {
        error_set(error, "%.300s: exports no `%s`; it needs one, as the files in lessons/lab end with", path, symbol);
    }
    return exported;
}

void *plugin_find(const char *path, const char *symbol) {
    void *object = open_object(path, RTLD_NOW | RTLD_NOLOAD);
    if (!object) return NULL;
    void *exported = dlsym(object, symbol);
    dlclose(object);  // one use less; plugin_load's stays
    return exported;
}

const char *plugin_path(const void *exported) {
    Dl_info info;
    CHECK(dladdr(exported, &info), "%p is in no object", exported);
    return info.dli_fname;
}
