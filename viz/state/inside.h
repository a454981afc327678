// inside.h - what the files of the viewer's state share with each other and with nobody else

#pragma once

#include "state/viewer.h"

void intake(Viewer *viewer);       // intake.c: takes in all results that are there
void feed_engine(Viewer *viewer);  // walks.c: hands the next waiting branches to the engine
// A branch more, waiting; its index. parent: NULL for one from the beginning.
size_t add_branch(Viewer *viewer, const Branch *parent, size_t left_at, const Chapter *chapters, size_t chapter_count,
                  const char *name);
void start_branch(Viewer *viewer, Branch *branch, int urgency);  // hands it to the engine
double seconds_shown(const Viewer *viewer, double measured);     // measured, or what is pretended

// The settings that the branch's walk began with and, as "chapter.1.guidance_scale" and so on, what was changed later; for
// files' metadata (traces.c). malloc'ed, to be given to notes_free.
Metadata *branch_notes(const Viewer *viewer, const Branch *branch, size_t *count);
void notes_append(Metadata **notes, size_t *count, const char *key, const char *value);
void notes_free(Metadata *notes, size_t count);
