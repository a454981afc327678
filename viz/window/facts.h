// facts.h - what a script can ask about: the viewer's state, a word or a number at a time

#pragma once

#include "window/window.h"

enum { FACT_TEXT = 8192 };  // bytes of the longest, a prompt

// Facts are those of facts.c ("k", "state") and the knobs by their names ("guidance scale"). False if none is called so.
bool fact_read(const Window *window, const char *name, char value[FACT_TEXT], Error *error);

// Whether it is as expected: the same text; for "notice" that holds it; ">3" and "<0.5" compare numbers.
bool fact_holds(const char *name, const char *value, const char *expected);
