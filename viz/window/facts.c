// facts.c - see facts.h

#include "window/facts.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

// What is asked about: the branch is the shown one, NULL where there is none.
typedef struct Asked {
    const Window *window;
    const Viewer *viewer;
    Branch *branch;
    const Branch *parent;
    char *value;  // [FACT_TEXT]
} Asked;

static void answer(const Asked *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void answer(const Asked *a, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(a->value, FACT_TEXT, format, arguments);
    va_end(arguments);
}

static void answer_yes_no(const Asked *a, bool yes) { answer(a, "%s", yes ? "yes" : "no"); }

// ---- the shown branch -----------------------------------------------------------------------------------------------

static void tell_shown(const Asked *a) {
    if (a->branch) answer(a, "%zu", a->viewer->shown);
}
static void tell_name(const Asked *a) {
    if (a->branch) answer(a, "%s", a->branch->name);
}
static void tell_message(const Asked *a) {
    if (a->branch) answer(a, "%s", a->branch->message);
}
static void tell_parent(const Asked *a) {
    size_t index = 0;
    while (a->parent && a->viewer->branches[index] != a->parent) index++;
    if (a->parent) answer(a, "%zu", index);
}
static void tell_left_at(const Asked *a) {
    if (a->parent) answer(a, "%zu", a->branch->left_at);
}
static void tell_steps(const Asked *a) {
    if (a->branch) answer(a, "%zu", a->branch->step_count);
}
static void tell_done(const Asked *a) {
    if (a->branch) answer(a, "%zu", branch_steps_done(a->branch));
}
static void tell_calls(const Asked *a) {
    if (a->branch) answer(a, "%zu", a->branch->unet_calls);
}
static void tell_state(const Asked *a) {
    static const char *const STATES[] = {[BRANCH_WAITING] = "waiting",
                                         [BRANCH_RUNNING] = "running",
                                         [BRANCH_DONE] = "done",
                                         [BRANCH_CANCELLED] = "cancelled",
                                         [BRANCH_FAILED] = "failed"};
    if (a->branch) answer(a, "%s", STATES[a->branch->state]);
}

// The latents that the finished picture is made from, bit for bit
static void tell_equal_to_parent(const Asked *a) {
    if (!a->parent) return;
    const float *own = branch_latents(a->branch, a->branch->step_count);
    const float *other = branch_latents(a->parent, a->parent->step_count);
    if (!own || !other) return;
    const Trace *own_trace = a->branch->trace, *other_trace = a->parent->trace;
    size_t n = own_trace->channels * own_trace->height * own_trace->width;
    bool same_size = own_trace->channels == other_trace->channels && own_trace->height == other_trace->height &&
                     own_trace->width == other_trace->width;
    answer_yes_no(a, same_size && memcmp(own, other, n * sizeof *own) == 0);
}

static void tell_distance_to_parent(const Asked *a) {
    float distance = a->parent ? viewer_distance(a->branch, a->parent) : -1;
    if (distance >= 0) answer(a, "%.3f", distance);
}

static void tell_word(const Asked *a) {
    const PromptWords *words = a->branch ? branch_words(a->branch, a->viewer->k) : NULL;
    if (!words || a->viewer->word >= words->count) return;
    const PromptWord *word = &words->words[a->viewer->word];
    answer(a, "%.*s", (int)(word->end - word->start), words->tokens.text + word->start);
}

// ---- the viewer -----------------------------------------------------------------------------------------------------

static void tell_branches(const Asked *a) { answer(a, "%zu", a->viewer->branch_count); }
static void tell_k(const Asked *a) { answer(a, "%zu", a->viewer->k); }
static void tell_playing(const Asked *a) { answer_yes_no(a, a->viewer->playing); }
static void tell_busy(const Asked *a) { answer_yes_no(a, viewer_busy(a->viewer)); }
static void tell_notice(const Asked *a) { answer(a, "%s", a->viewer->notice); }
static void tell_is_error(const Asked *a) { answer_yes_no(a, a->viewer->notice_is_error); }
static void tell_grades(const Asked *a) { answer_yes_no(a, a->viewer->grades != NULL); }
static void tell_view(const Asked *a) {
    static const char *const VIEWS[VIEW_COUNT] = {
        [VIEW_WATCH] = "watch", [VIEW_WORDS] = "words", [VIEW_COMPARE] = "compare", [VIEW_SWAP] = "when"};
    answer(a, "%s", VIEWS[a->viewer->view]);
}
static void tell_cells(const Asked *a) {
    const Grid *grid = &a->viewer->grid;
    size_t count = grid->row_count * grid->column_count, done = 0;
    for (size_t i = 0; i < count; i++) {
        const Branch *cell = viewer_branch_by_id(a->viewer, grid->cells[i]);
        done += cell && cell->state == BRANCH_DONE;
    }
    answer(a, "%zu/%zu", done, count);
}

// ---- the window -----------------------------------------------------------------------------------------------------

static void tell_focus(const Asked *a) {
    if (*a->window->ui->focus) answer(a, "%s", a->window->ui->focus);
}
static void tell_explaining(const Asked *a) { answer_yes_no(a, a->window->ui->explaining); }
static void tell_moving(const Asked *a) { answer_yes_no(a, a->window->ui->wants_frame); }
static void tell_theme(const Asked *a) { answer(a, "%s", a->window->ui->theme.dark ? "dark" : "light"); }
static void tell_size(const Asked *a) { answer(a, "%gx%g", a->window->ui->width, a->window->ui->height); }

// ---- all of them ----------------------------------------------------------------------------------------------------

static const struct {
    const char *name;
    void (*tell)(const Asked *asked);  // says nothing where there is nothing to say: "none"
} FACTS[] = {
    {"shown", tell_shown},      // which branch, counted from 0
    {"name", tell_name},        // its name, and so on
    {"message", tell_message},  // why it failed
    {"parent", tell_parent},
    {"left-at", tell_left_at},
    {"steps", tell_steps},  // of the whole walk
    {"done", tell_done},    // of them
    {"calls", tell_calls},  // of the U-Net, for this branch
    {"state", tell_state},
    {"equal-to-parent", tell_equal_to_parent},
    {"distance-to-parent", tell_distance_to_parent},
    {"word", tell_word},  // the one that is pointed at
    {"branches", tell_branches},
    {"k", tell_k},  // the step that is looked at
    {"playing", tell_playing},
    {"busy", tell_busy},  // the engine
    {"notice", tell_notice},
    {"error", tell_is_error},  // the notice is one
    {"grades", tell_grades},   // are there
    {"view", tell_view},
    {"cells", tell_cells},  // of the grid that are done: "3/9"
    {"focus", tell_focus},  // the thing that has the keyboard
    {"explaining", tell_explaining},
    {"moving", tell_moving},  // something on the screen
    {"theme", tell_theme},
    {"size", tell_size},
};
enum { FACT_COUNT = sizeof FACTS / sizeof *FACTS };

bool fact_read(const Window *window, const char *name, char value[FACT_TEXT], Error *error) {
    const Viewer *viewer = window->viewer;
    Asked asked = {.window = window, .viewer = viewer, .branch = viewer_shown(viewer), .value = value};
    if (asked.branch) asked.parent = viewer_branch_by_id(viewer, asked.branch->parent);
    strcpy(value, "none");
    char names[sizeof(Error)] = "";
    for (size_t i = 0; i < FACT_COUNT; i++) {
        list_append(names, sizeof names, FACTS[i].name);
        if (strcmp(FACTS[i].name, name) != 0) continue;
        FACTS[i].tell(&asked);
        return true;
    }
    for (int knob = 0; knob < KNOB_COUNT; knob++) {
        list_append(names, sizeof names, knob_name((Knob)knob));
        if (strcmp(knob_name((Knob)knob), name) != 0) continue;
        knob_text(&viewer->knobs, (Knob)knob, value, FACT_TEXT);
        return true;
    }
    return error_set(error, "%s: no such fact; there are %s", name, names);
}

bool fact_holds(const char *name, const char *value, const char *expected) {
    float wanted, found;
    if ((*expected == '<' || *expected == '>') && text_number(expected + 1, &wanted)) {
        return text_number(value, &found) && (*expected == '<' ? found < wanted : found > wanted);
    }
    if (strcmp(name, "notice") == 0) return strstr(value, expected) != NULL;
    return strcmp(value, expected) == 0;
}
