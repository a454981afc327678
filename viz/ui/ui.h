// ui.h - one frame: what the hand did, where to draw, and what widgets remember
//
// The window is drawn anew whenever something has changed, by one pass over all panels ("immediate mode"): a panel draws
// a button and learns in the same line whether it was pressed. Nothing is kept of a widget between frames but what is in
// Ui: which one has the keyboard, which is held by the mouse, where a text field's cursor stands.
//
//     if (button(ui, rect, "Run", "Draw a picture with these settings (Ctrl+Enter)")) viewer_run(viewer);
//
// Where: between SDL (window/) and the panels. It knows nothing of diffusion.
// All lengths are in points: pixels of a usual screen. Ui.scale is how many pixels a point takes (2 on a HiDPI screen).
// Read next: draw.h for pictures, lines and text, widgets.h for what can be pressed.

#pragma once

#include "base/error.h"
#include "ui/theme.h"

#include <SDL2/SDL.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct Rect {
    float x, y, w, h;
} Rect;

bool rect_has(Rect rect, float x, float y);
Rect rect_inset(Rect rect, float by);
// Cuts a piece off a rectangle and leaves the rest: how panels lay things out.
Rect rect_cut_top(Rect *rest, float height);
Rect rect_cut_bottom(Rect *rest, float height);
Rect rect_cut_left(Rect *rest, float width);
Rect rect_cut_right(Rect *rest, float width);

// What happened since the last frame. Presses, releases, keys and text come one a frame: whoever feeds events draws a
// frame between two of them, so that none is lost and a script is the same as a hand.
typedef struct UiInput {
    float mouse_x, mouse_y;
    bool down;               // the left button is held
    bool pressed, released;  // it went down, or up, in this frame
    int clicks;              // 2 when this press is the second of a double click
    float wheel;             // notches, up is positive
    SDL_Keycode key;         // that went down; 0: none
    SDL_Keymod modifiers;    // held now
    char text[64];           // typed, UTF-8; "" if nothing
    char *dropped;           // a file that was dropped on the window, the Ui's until the frame ends; NULL: none
    double time;             // seconds, never falling; what animations go by
} UiInput;

// A named thing on the screen in this frame: for the keyboard's walk with Tab, for tooltips, for `?`, which names
// everything, and for scripts, which press things by name.
typedef struct UiThing {
    char name[64];
    char tip[240];  // what it is, a sentence; "" if there is nothing to say
    Rect rect;
    Rect seen;        // what of it isn't clipped away; w or h 0: nothing. Scripts press in its middle
    bool takes_keys;  // Tab stops here
    bool takes_text;  // a text field
    bool is_panel;    // `?` frames it and says its sentence beside it
} UiThing;

// An area that scrolls, while what is in it is drawn (scroll.c).
typedef struct UiArea {
    char name[64];
    Rect rect;
    float height, *scroll;
    size_t first_thing;  // the things from here on are in it
} UiArea;

enum { UI_THINGS_MAX = 1024, UI_CLIPS_MAX = 16, UI_AREAS_MAX = 8 };

typedef struct Ui {
    SDL_Renderer *renderer;
    float scale;          // pixels a point
    float width, height;  // of the window, in points
    Theme theme;
    struct Fonts *fonts;            // text.c's: faces, and texts that were drawn lately
    struct TextureCache *textures;  // pictures and round corners that were drawn lately
    SDL_Rect clips[UI_CLIPS_MAX];   // in pixels, each inside the one before
    size_t clip_count;
    UiArea areas[UI_AREAS_MAX];
    size_t area_count;
    UiInput input;
    bool mouse_moved;  // since the last frame
    bool key_taken;    // somebody has used input.key (or text) in this frame

    UiThing things[UI_THINGS_MAX];
    size_t thing_count;
    char focus[64];     // the name of the widget that has the keyboard; "": none
    bool focus_by_key;  // reached with Tab: its ring is shown
    bool focus_moved;   // at the end of the last frame: an area that it is in scrolls to it
    bool typing;        // a text field has the keyboard
    char held[64];      // the widget that the mouse went down in and hasn't come up from; "": none
    char hovered[64];   // whose tooltip is due
    double hovered_since;
    char typed_name[64];       // the slider whose value is being typed; "": none
    char typed[32];            // what stands there
    char open_list[64];        // the choice whose list is open; "": none. It is drawn last, over everything
    struct OpenList *list;     // what it shows
    struct FieldState *field;  // cursor, selection and scroll of the text field with the keyboard
    bool explaining;           // `?` is on
    bool wants_frame;          // draw again without waiting for an event: something moves, or something
                               // was done, which what was drawn before it in this frame may not show yet
} Ui;

// fonts: DejaVu from Debian's fonts-dejavu-core, or the folder in $SCULPT_FONTS. Errors: they are missing (and which
// package has them).
bool ui_open(Ui *ui, SDL_Renderer *renderer, float scale, bool dark, Error *error);
void ui_close(Ui *ui);
bool ui_set_scale(Ui *ui, float scale, Error *error);  // between frames; on failure the old scale stays

// Around a frame. ui_begin fills the window with the theme's colour and takes width and height from the renderer; whoever
// calls shows the frame (SDL_RenderPresent) after ui_end. An open list, and `?`, have mouse and keyboard to themselves:
// ui_begin leaves nothing in ui->input then, but Tab, which closes a list, and under `?` all keys but Escape, which (like
// a press) ends it. ui_end draws what lies over everything: an open list, the tooltip, the explanations of `?`; and moves
// the keyboard's focus if Tab was pressed.
void ui_begin(Ui *ui, UiInput input);
void ui_end(Ui *ui);

// Says that something of this name is here. Widgets do it themselves; panels call it for their own surfaces. Beyond
// UI_THINGS_MAX nothing more is noted.
void ui_thing(Ui *ui, const char *name, Rect rect, const char *tip, bool takes_keys);
// A panel: what one sees here, a sentence; `lesson` is the one to read ("lessons/06-guidance"), NULL if there is none.
void ui_panel(Ui *ui, const char *name, Rect rect, const char *sentence, const char *lesson);
const UiThing *ui_find(const Ui *ui, const char *name);  // between frames: of the last one. NULL if there is none

// Mouse and keyboard, for panels that are widgets of their own (the timeline). All answer no where a list is open over it.
bool ui_hovers(const Ui *ui, Rect rect);             // the mouse is here and nothing else is held
bool ui_press(Ui *ui, const char *name, Rect rect);  // pressed here in this frame: holds it and takes the keyboard
bool ui_holds(const Ui *ui, const char *name);       // the mouse went down here; true until the frame after its release
bool ui_click(Ui *ui, const char *name,
              Rect rect);  // pressed and let go over rect; or Enter or Space with the keyboard
bool ui_focused(const Ui *ui, const char *name);
void ui_focus(Ui *ui, const char *name);              // gives the keyboard to it; "": to nobody
bool ui_key(Ui *ui, SDL_Keycode key, int modifiers);  // pressed in this frame and not yet taken; takes it. modifiers:
                                                      // KMOD_CTRL, KMOD_SHIFT, KMOD_NONE exactly
bool ui_typing(const Ui *ui);  // a text field has the keyboard: letters are for it, not shortcuts
