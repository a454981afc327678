// cases.h - twenty cases: what was ordered, what the client says, who may have done it
//
// Case 0 is for practice: nobody has done anything. From case 14 on the picture looks fine.
// Read next: faults.h, if you don't want to play.

#pragma once

#include "exhibit.h"
#include "record.h"

enum { CASE_COUNT = 21, SUSPECT_MAX = 6 };

typedef struct Case {
    const char *title, *complaint;
    const char *prompt, *negative_prompt;  // negative_prompt: NULL for none
    const char *scheduler;
    uint64_t seed;
    size_t steps;
    float guidance_scale;
    const char *init;  // a caption that is painted, to begin with; NULL: noise
    float strength;
    const char *suspects[SUSPECT_MAX];  // names; NULL ends

    const char *guilty;
    Exhibit place;  // the first exhibit that is wrong
    const Fault *fault;
    const char *explanation;
    int lesson;  // to read; 0: this one is explained by itself
} Case;

extern const Case CASES[CASE_COUNT];

size_t case_steps(const Case *c);  // that are run: int(steps * strength) from a picture

// What somebody is suspected of, in a sentence; NULL if there is no such one.
const char *suspect_sentence(const char *name);
