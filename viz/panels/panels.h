// panels.h - the parts of the screen, one file each
//
// Every panel draws itself into its rectangle and does through the viewer what is pressed in it. No panel knows another; where
// they stand is screen.c's business.

#pragma once

#include "state/viewer.h"
#include "ui/widgets.h"

void screen_draw(Ui *ui, Viewer *viewer);  // all of them, and the keys that work everywhere

void panel_top(Ui *ui, Viewer *viewer, Rect area);       // views, export, open and save, theme, help
void panel_knobs(Ui *ui, Viewer *viewer, Rect area);     // what can be set; run, branch, stop
void panel_step(Ui *ui, Viewer *viewer, Rect area);      // VIEW_WATCH: the pictures of the step that is looked at
void panel_sentence(Ui *ui, Viewer *viewer, Rect area);  // what happens in this step, a sentence
void panel_timeline(Ui *ui, Viewer *viewer, Rect area);  // the strip of steps, a row a branch; the one place to drag
void panel_schedule(Ui *ui, Viewer *viewer, Rect area);  // how much noise there is at each step
void panel_cost(Ui *ui, Viewer *viewer, Rect area);      // what it took, and what twice the size would
void panel_words(Ui *ui, Viewer *viewer, Rect area);     // VIEW_WORDS: where each word acts
void panel_heads(Ui *ui, Viewer *viewer, Rect area);     // VIEW_WORDS: which words look at which, in the text encoder
void panel_compare(Ui *ui, Viewer *viewer, Rect area);   // VIEW_COMPARE: two knobs, all their values
void panel_swap(Ui *ui, Viewer *viewer, Rect area);      // VIEW_SWAP: another prompt from every step on
void panel_notice(Ui *ui, Viewer *viewer, Rect area);    // the last thing that happened

// "lessons/06-guidance", for ui_panel; NULL where that lesson isn't there.
const char *lesson(const char *folder);
