// scheduler_file.h - schedulers from outside: `--scheduler ./mine.so`

#pragma once

#include "schedulers/scheduler.h"

// Loads "./mine.so"; other names are none of its business, and fine. From then on scheduler_kind_named finds it by that
// name. Errors: whatever is wrong with the object.
bool scheduler_load(const char *name, Error *error);

// The kind that was loaded from there; NULL if none was.
const SchedulerKind *scheduler_loaded(const char *path);
