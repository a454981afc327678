// scheduler_config.h - scheduler_config.json and the "key=value" overrides, by one table of settings

#pragma once

#include "io/config.h"
#include "schedulers/scheduler.h"

// Lays what the file says over *config, which comes with a kind's defaults. A wrong value, or one that this kind
// doesn't offer (fixed_settings), is an error. config->trained_betas is malloc'ed if the file has them, also on error.
bool scheduler_config_read(SchedulerConfig *config, const SchedulerKind *kind, Config *file);
