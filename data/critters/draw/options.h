// options.h - the command line, understood
//
// Where: main.c does what it says. Read next: options.c (and --help), main.c.

#ifndef DRAW_OPTIONS_H
#define DRAW_OPTIONS_H

#include "world.h"

typedef struct {
    const char *out, *png, *sheet, *masks, *spec;
    Split split;
    Kind kind;       // KINDS: any
    uint64_t first;  // the first seed; also --seed
    long count, captions, columns;
    bool full, json;
} Options;

Options options_read(int argc, char **argv);    // a wrong command line ends the program, with status 2
void spec_apply(const char *spec, Drawing *d);  // "species=cat,color=red": overrides what was sampled
Kind spec_kind(const char *spec, Kind otherwise);
void complain(const char *what, const char *why, const char *todo);  // never returns

#endif
