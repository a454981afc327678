// wording.c - see wording.h

#include "base/wording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void list_append(char *list, size_t size, const char *name) {
    size_t used = strlen(list);
    snprintf(list + used, size - used, used ? ", %s" : "%s", name);
}

double as_written(float x) {
    char text[32];
    snprintf(text, sizeof text, "%.7g", (double)x);
    return strtod(text, NULL);
}
