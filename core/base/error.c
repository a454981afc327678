// error.c - see error.h

#include "base/error.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

bool error_set(Error *error, const char *format, ...) {
    if (!error || error->message[0]) return false;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    size_t most = sizeof error->message - 1;
    if (length > (int)most) error->message[text_whole(error->message, most)] = '\0';
    // A name from a file may hold line ends or escape sequences; the message stays one harmless line.
    for (char *c = error->message; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 127) *c = '?';
    }
    return false;
}
