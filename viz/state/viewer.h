// viewer.h - all that the window shows, and all that can be done to it
//
// Panels read this and call the viewer_ functions; nothing else changes it. So whatever a mouse can do, a key, a script
// and a test can do too.
// Where: above the engine, below the panels. Read next: viewer.c, then panels/screen.c.

#pragma once

#include "state/engine.h"
#include "state/grid_plan.h"
#include "state/latent_maps.h"
#include "state/maps.h"

typedef enum { VIEW_WATCH, VIEW_WORDS, VIEW_COMPARE, VIEW_SWAP, VIEW_COUNT } View;

// How words are looked at
typedef enum { WORDS_MAPS, WORDS_GRADES, WORDS_HEADS, WORDS_VIEW_COUNT } WordsView;

// Which part of the enlarged picture is seen
typedef struct Zoom {
    float times;  // 1: all of it
    float x, y;   // what is in the middle, 0..1 of its width and height
} Zoom;

typedef struct Viewer {
    Engine *engine;
    Branch **branches;  // [branch_count], in the order they were made
    size_t branch_count;
    size_t shown;  // the branch on the stage; branch_count or more where there is none
    size_t k;      // the step looked at: 0 to step_count, the last being the finished picture
    bool playing;
    bool following;  // the step looked at is the newest one while the shown branch runs
    double now, step_shown_since;
    int next_id;

    Knobs knobs;                        // as the hand has set them; they count when run or branched
    const Model *model;                 // of knobs.model, NULL until it is open
    char model_tried[KNOB_PATH];        // the one that was to be opened last
    char model_message[sizeof(Error)];  // why it couldn't be opened
    bool run_when_open;                 // Run was pressed before it was
    Knobs cost_knobs;                   // those that `cost` is for
    bool has_cost, cost_asked;
    RunCost cost, double_cost;
    bool has_double_cost;
    char cost_message[sizeof(Error)];

    View view;
    WordsView words_view;
    size_t word;       // the one that is pointed at, of the shown branch; SIZE_MAX: none
    bool word_pinned;  // it was pressed: the mouse may go over others
    bool words_all;    // every word's deletion map is shown, small
    float prompt_scroll, words_scroll, heads_scroll, matrix_scroll;
    size_t attention_layer, attention_head;  // ATTENTION_ALL: the mean
    size_t text_layer;                       // of the text encoder
    uint64_t text_heads;                     // bit h: its lines are hidden
    size_t text_token;                       // whose lines alone are shown; SIZE_MAX: all
    bool text_token_seen;                    // those of who looks at it; else, of whom it looks at
    Maps maps;                               // pictures of maps that were looked at lately
    struct WordGrades *grades;               // of grades_k and the shown prompt; NULL: not asked for, or not yet
    size_t grades_k;
    int grades_number;  // the how-manieth they are
    bool grades_asked;
    char grades_message[sizeof(Error)];

    uint64_t shown_count;                                      // counts whatever is new to see
    float knobs_scroll, cost_scroll;                           // how far down the panels are scrolled
    bool show_noise, show_channels, show_schedule, show_cost;  // what stands behind a click
    bool show_parent;    // beside the picture its parent's of the same step, and where they differ
    bool show_alpha;     // the noise plot: alphas_cumprod, not sigma
    PictureKind zoomed;  // PICTURE_KINDS: none is enlarged
    Zoom zoom;
    float zoom_mouse_x, zoom_mouse_y;  // where the mouse was when it last moved the enlarged picture
    PictureKind channels_of;           // whose latent channels are shown
    LatentMaps latent_maps;
    PictureDifference parent_difference;
    float timeline_scroll, sentence_scroll;
    int timeline_follows;  // the id of the branch that the timeline was scrolled to last
    Grid grid;
    GridForm grid_form;
    GridPlan grid_plan;
    float grid_fraction;  // how far along their walks cells are looked at while nothing is on the stage
    Image **inits;        // [init_count] pictures that were dropped on the window; knobs point to them
    size_t init_count;

    char notice[sizeof(Error)];  // the last thing that happened, for the line at the bottom
    bool notice_is_error;
    bool welcome;  // the first ten seconds: nothing has been touched yet
    bool wants_to_close;
    double pretend_seconds;  // above 0: shown for every measured time, so that frames are alike on every machine
} Viewer;

typedef struct ViewerOptions {
    const char *model;   // NULL: the one that comes with Sculpt
    const char *trace;   // to open and play; NULL: the stored run
    const char *prompt;  // to draw at once; NULL: none
    double pretend_seconds;
    void (*notify)(void *listener);  // from another thread: there is something to take in
    void *listener;
} ViewerOptions;

// A trace or model that can't be opened is no failure: the window says so.
Viewer *viewer_open(const ViewerOptions *options, Error *error);
void viewer_close(Viewer *viewer);
// Takes in what the engine has found out, and moves on while playing. time: seconds, never falling. True if there is
// something new to draw.
bool viewer_update(Viewer *viewer, double time);
bool viewer_busy(const Viewer *viewer);  // the engine has something to do

// ---- looking --------------------------------------------------------------------------------------------------------

Branch *viewer_shown(const Viewer *viewer);                 // NULL if there is none
Branch *viewer_branch_by_id(const Viewer *viewer, int id);  // NULL if there is none
// A picture of step k; NULL until anything is known. Asks the engine for the decoded one if it is worth it: always when
// `large`, else only where decoding is cheap.
const Picture *viewer_picture(Viewer *viewer, Branch *branch, size_t k, PictureKind kind, bool large);
bool viewer_picture_decoded(const Viewer *viewer, const Branch *branch, size_t k, PictureKind kind);  // it is the VAE's
// The same without asking for anything better than there is
const Picture *viewer_known_picture(Viewer *viewer, Branch *branch, size_t k, PictureKind kind);
// What is known about a word's deletion at step k, asking the engine if nothing is; its map is NULL until it is there.
const DeletionMap *viewer_deletion(Viewer *viewer, Branch *branch, size_t k, size_t word);
// The same of cross-attention, whose maps.count is 0 until it is there.
const StepAttention *viewer_attention(Viewer *viewer, Branch *branch, size_t k);
const TextAttention *viewer_text_attention(Viewer *viewer, Branch *branch,
                                           size_t k);  // of step k's prompt; NULL: not yet
// Whether the U-Net can be asked about step k, so that the above will be there some time; why not, a sentence
bool viewer_answers(const Branch *branch, size_t k, char *why, size_t size);
// What a run with the knobs as they are now would cost, from planning; NULL until it is known, or where it can't be run
// (cost_message says why). Asks for it.
const RunCost *viewer_cost(Viewer *viewer);
// Root of the mean squared difference of the two finished pictures, in units of 255; negative where one isn't finished
float viewer_distance(const Branch *a, const Branch *b);

// ---- doing ----------------------------------------------------------------------------------------------------------

void viewer_seek(Viewer *viewer, size_t k);
void viewer_play(Viewer *viewer, bool playing);
void viewer_zoom(Viewer *viewer, PictureKind kind);  // enlarges it, whole; PICTURE_KINDS: none any more
void viewer_show(Viewer *viewer, size_t branch);     // puts it on the stage, its knobs in the hand
void viewer_show_beside(Viewer *viewer, int way);    // the branch above (-1) or below (1) the shown one in the timeline
void viewer_run(Viewer *viewer);                     // from the beginning, with the knobs as they are
void viewer_branch(Viewer *viewer);                  // from step k of the shown branch on
bool viewer_can_branch(const Viewer *viewer, char *why, size_t size);  // why not, or what would be changed
void viewer_cancel(Viewer *viewer);                                    // whatever is under way
void viewer_forget(Viewer *viewer, size_t branch);                     // and those that left it
void viewer_point_at_word(Viewer *viewer, size_t word);
void viewer_pin_word(Viewer *viewer, size_t word);  // and point at it; the second time it is pinned no longer
void viewer_ask_grades(Viewer *viewer);
void viewer_compare(Viewer *viewer, const Axis *rows, const Axis *columns);
void viewer_swap(Viewer *viewer, const char *prompt);
void viewer_roll_seed(Viewer *viewer);
void viewer_use_init(Viewer *viewer, const char *path);  // a PNG; "": none any more
void viewer_use_model(Viewer *viewer, const char *path);
bool viewer_open_trace(Viewer *viewer, const char *path);  // false: `notice` says why
bool viewer_save_trace(Viewer *viewer, const char *path);
void viewer_say(Viewer *viewer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void viewer_complain(Viewer *viewer, const Error *error);

// ---- taking away (state/export.c) -----------------------------------------------------------------------------------

typedef enum { EXPORT_PICTURE, EXPORT_STRIP, EXPORT_GRID, EXPORT_ANIMATION, EXPORT_KINDS } ExportKind;
// Writes a PNG, or an animated WebP of the predicted pictures; the settings stand in its metadata. path NULL: a name that is
// free in the current folder, "sculpt-0001-strip.png". `notice` says what was written, or why not.
bool viewer_export(Viewer *viewer, ExportKind kind, const char *path);
