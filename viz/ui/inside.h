// inside.h - what the toolkit's own files share and panels don't need
//
// Where: behind ui.h, draw.h and widgets.h.

#pragma once

#include "ui/draw.h"
#include "ui/texture_cache.h"

// ---- points and pixels ----------------------------------------------------------------------------------------------
//
// Everything lands on whole pixels, each edge on its own, so that neighbours in points stay neighbours in pixels.

int to_pixels(const Ui *ui, float points);
SDL_Rect rect_pixels(const Ui *ui, Rect rect);
bool draw_reaches(const Ui *ui, SDL_Rect pixels);  // something of it lies in the window and in the clip

// ---- texts ----------------------------------------------------------------------------------------------------------

float text_width_of(Ui *ui, FontStyle style, const char *text, size_t n);  // of n bytes

// ---- names ----------------------------------------------------------------------------------------------------------

void name_copy(char name[64], const char *from);    // cut between two characters where it is too long
bool name_is(const char *name, const char *other);  // as name_copy leaves them

UiThing *thing_note(Ui *ui, const char *name, Rect rect, const char *tip, bool takes_keys);  // ui_thing; NULL: no room

// ---- parts of widgets -----------------------------------------------------------------------------------------------

enum { CORNER = 4 };  // points: the radius of buttons and fields

Color widget_color(const Ui *ui, Color surface, bool hovered, bool held);
void focus_ring(Ui *ui, const char *name, Rect rect);  // if the keyboard came here by key

// A text field without a UiThing of its own: the slider's value is typed in one under the slider's name.
typedef enum { EDIT_SAME, EDIT_CHANGED, EDIT_ENTERED, EDIT_ESCAPED } EditResult;
EditResult field_edit(Ui *ui, Rect rect, const char *name, char *text, size_t size, const char *hint);
void field_select_all(Ui *ui, const char *name, const char *text);

// ---- what ui.c calls around a frame ---------------------------------------------------------------------------------

bool fonts_open(Ui *ui, Error *error);  // at ui->scale
void fonts_close(Ui *ui);

bool list_open(Ui *ui);        // makes what open lists remember
void list_take_input(Ui *ui);  // an open list has mouse and keyboard for itself
void list_draw(Ui *ui);        // and closes it if its choice wasn't there in this frame
bool field_open(Ui *ui);
void tooltip_draw(Ui *ui);
void explain_draw(Ui *ui);
