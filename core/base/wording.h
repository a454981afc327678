// wording.h - small things that are said in many messages: lists of names, and numbers as people write them

#pragma once

#include <stddef.h>

// Appends ", name" to a list (the first name without the comma); what doesn't fit into size bytes is cut.
void list_append(char *list, size_t size, const char *name);

// The double nearest to the decimal number that x was written as: 0.7 for 0.7f, not 0.699999988. Python reads settings
// in double, and int(10 * 0.7) is one thing, int(10 * 0.7f) another.
double as_written(float x);
