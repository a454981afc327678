// look.h - an exhibit as it is, and beside what it should be
//
// Pictures go into a folder, with the exhibit's name. Read next: whodunit.c, who may look how often.

#pragma once

#include "honest.h"

typedef struct Desk {  // what is looked at
    Honest *honest;
    const Trace *trace;
    const Settings *order;
    const char *folder;
} Desk;

// The trace's picture, as a picture
Image picture_of_image(const Desk *desk);

// Its numbers, and a picture of it where it can have one.
void show(const Desk *desk, Exhibit exhibit);

// Whether it follows from its own inputs; if not, by how much it is off, and what it is like. True if it does.
bool look(const Desk *desk, Exhibit exhibit);

// Whether everything up to it is as in an honest run. True if it is.
bool look_up_to(const Desk *desk, Exhibit exhibit);
