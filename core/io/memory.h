// memory.h - how much memory weights and a run may take on this machine

#pragma once

#include <stddef.h>

// Bytes that are free for a new program: /proc/meminfo's MemAvailable, or less where a control group (a container, a
// systemd unit) sets a limit. SIZE_MAX where the system tells neither. root: "" for this machine, a folder in tests.
size_t memory_available(const char *root);
