// plugin.h - compiled code that comes from outside: a shared object, and one thing that it exports
//
// Where: a learner's kernel (ops/my_kernel.h) and scheduler (schedulers/my_scheduler.h). What is loaded stays until the
// program ends, since nobody counts who still points into it.
//
// Loading an object runs it. So only a command line may ask for that, with plugin_load; a name in a file or in settings
// that came from one finds what has been loaded, with plugin_find, and nothing else.

#pragma once

#include "base/error.h"

// Whether a name means a file: it has a slash in it, or ends in .so
bool plugin_is_file(const char *name);

// What the object exports under the name `symbol`. Errors: no such file, none of ours, one that isn't for this machine,
// nothing of that name in it. The linker looks for "mine.so" everywhere but here, so it is loaded as "./mine.so".
void *plugin_load(const char *path, const char *symbol, Error *error);

// The same of an object that has been loaded; NULL of any other.
void *plugin_find(const char *path, const char *symbol);

// The path under which the object that holds this address was loaded: it lives as long as the object.
const char *plugin_path(const void *exported);
