// viewer.c - see viewer.h: opening, closing, what is on the stage, and time
//
// Read next: intake.c, what becomes of the engine's results; looking.c, pictures and maps on demand; walks.c, runs,
// branches and grids; traces.c, files.

#include "state/inside.h"

#include "base/check.h"
#include "critters/grade/words_grade.h"
#include "io/program.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- what it says ---------------------------------------------------------------------------------------------------

void viewer_say(Viewer *viewer, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(viewer->notice, sizeof viewer->notice, format, arguments);
    va_end(arguments);
    viewer->notice_is_error = false;
    viewer->shown_count++;
}

void viewer_complain(Viewer *viewer, const Error *error) {
    viewer_say(viewer, "%s", error->message);
    viewer->notice_is_error = true;
}

// ---- opening and closing --------------------------------------------------------------------------------------------

static const char STORED_RUN[] = "data/runs/hippo.safetensors";
static const char STORED_PROMPT[] = "a pygmy hippo wearing sunglasses on the beach";

static void open_first(Viewer *viewer, const ViewerOptions *options) {
    if (options->prompt) {
        snprintf(viewer->knobs.prompt, sizeof viewer->knobs.prompt, "%s", options->prompt);
        viewer_run(viewer);
        return;
    }
    char *stored = shipped_path(STORED_RUN);
    bool open = viewer_open_trace(viewer, options->trace ? options->trace : stored);
    free(stored);
    viewer->welcome = open && !options->trace;
    if (open) viewer_play(viewer, true);
}

Viewer *viewer_open(const ViewerOptions *options, Error *error) {
    Viewer *viewer = calloc(1, sizeof *viewer);
    CHECK(viewer, "out of memory");
    viewer->engine = engine_open(options->notify, options->listener, error);
    if (!viewer->engine) {
        free(viewer);
        return NULL;
    }
    viewer->pretend_seconds = options->pretend_seconds;
    viewer->word = viewer->text_token = SIZE_MAX;
    viewer->attention_layer = viewer->attention_head = ATTENTION_ALL;
    viewer->zoomed = PICTURE_KINDS;
    viewer->channels_of = PICTURE_CLEAN;
    viewer->timeline_follows = -1;
    char *shipped = options->model ? strdup(options->model) : shipped_path("data/models/critters");
    viewer->knobs = (Knobs){.num_inference_steps = DEFAULT_NUM_INFERENCE_STEPS,
                            .guidance_scale = DEFAULT_GUIDANCE_SCALE,
                            .seed = 1,
                            .strength = DEFAULT_STRENGTH};
    snprintf(viewer->knobs.prompt, sizeof viewer->knobs.prompt, "%s", STORED_PROMPT);
    viewer_use_model(viewer, shipped);
    free(shipped);
    open_first(viewer, options);
    return viewer;
}

void viewer_close(Viewer *viewer) {
    if (!viewer) return;
    engine_close(viewer->engine);
    for (size_t i = 0; i < viewer->branch_count; i++) branch_free(viewer->branches[i]);
    for (size_t i = 0; i < viewer->init_count; i++) {
        image_free(viewer->inits[i]);
        free(viewer->inits[i]);
    }
    if (viewer->grades) word_grades_free(viewer->grades);
    free(viewer->grades);
    latent_maps_free(&viewer->latent_maps);
    difference_free(&viewer->parent_difference);
    maps_free(&viewer->maps);
    grid_free(&viewer->grid);
    free(viewer->branches);
    free(viewer->inits);
    free(viewer);
}

void viewer_use_model(Viewer *viewer, const char *path) {
    if (path != viewer->knobs.model) snprintf(viewer->knobs.model, sizeof viewer->knobs.model, "%s", path);
    if (strcmp(viewer->model_tried, path) != 0) {  // another model is at home at other sizes, with its own scheduler
        viewer->knobs.width = viewer->knobs.height = 0;
        viewer->knobs.scheduler[0] = viewer->knobs.scheduler_config[0] = 0;
    }
    snprintf(viewer->model_tried, sizeof viewer->model_tried, "%s", path);
    viewer->model = NULL;
    viewer->model_message[0] = 0;
    Job job = {.kind = JOB_MODEL, .urgency = 0, .branch = -1};
    snprintf(job.model, sizeof job.model, "%s", path);
    engine_ask(viewer->engine, &job);
}

// ---- the stage ------------------------------------------------------------------------------------------------------

Branch *viewer_shown(const Viewer *viewer) {
    return viewer->shown < viewer->branch_count ? viewer->branches[viewer->shown] : NULL;
}

Branch *viewer_branch_by_id(const Viewer *viewer, int id) {
    for (size_t i = 0; i < viewer->branch_count; i++) {
        if (viewer->branches[i]->id == id) return viewer->branches[i];
    }
    return NULL;
}

bool viewer_busy(const Viewer *viewer) { return !engine_idle(viewer->engine); }

// As far as it is known: a step that was done, or, of a finished walk, its picture.
static size_t last_step(const Branch *branch) {
    size_t done = branch_steps_done(branch);
    return branch->state == BRANCH_DONE || done == 0 ? done : done - 1;
}

void viewer_seek(Viewer *viewer, size_t k) {
    Branch *branch = viewer_shown(viewer);
    if (!branch) return;
    size_t last = last_step(branch);
    if (k > last) k = last;
    viewer->following = k == last;
    if (k == viewer->k) return;
    viewer->k = k;
    viewer->step_shown_since = viewer->now;
    viewer->shown_count++;
}

void viewer_zoom(Viewer *viewer, PictureKind kind) {
    viewer->zoomed = kind;
    viewer->zoom = (Zoom){1, 0.5f, 0.5f};
    viewer->shown_count++;
}

void viewer_play(Viewer *viewer, bool playing) {
    Branch *branch = viewer_shown(viewer);
    if (playing && branch && viewer->k >= last_step(branch)) viewer_seek(viewer, 0);
    viewer->playing = playing;
    viewer->step_shown_since = viewer->now;
    viewer->shown_count++;
}

void viewer_show(Viewer *viewer, size_t branch) {
    if (branch >= viewer->branch_count) return;
    viewer->shown = branch;
    Branch *shown = viewer->branches[branch];
    shown->in_grid = false;
    viewer->knobs = *branch_knobs(shown);
    if (shown->model) viewer->model = shown->model;
    viewer->word = viewer->text_token = SIZE_MAX;
    viewer->word_pinned = false;
    viewer->following = true;
    viewer->playing = false;
    viewer->k = last_step(shown);
    viewer->shown_count++;
}

void viewer_show_beside(Viewer *viewer, int way) {
    size_t k = viewer->k, i = viewer->shown + (size_t)way;  // below 0 it is beyond all branches, too
    while (i < viewer->branch_count && viewer->branches[i]->in_grid) i += (size_t)way;
    if (i >= viewer->branch_count) return;
    viewer_show(viewer, i);
    viewer_seek(viewer, k);
}

// ---- time -----------------------------------------------------------------------------------------------------------

// The first playing is slow enough to read what stands beside it; later ones are to be looked at.
static double seconds_a_step(const Viewer *viewer, const Branch *branch) {
    double whole = viewer->welcome ? 8 : 4, each = whole / (double)(branch->step_count + 1);
    return each < 0.04 ? 0.04 : each > 0.5 ? 0.5 : each;
}

static void play_on(Viewer *viewer) {
    Branch *branch = viewer_shown(viewer);
    if (!branch || branch_steps_done(branch) == 0) return;
    double each = seconds_a_step(viewer, branch);
    while (viewer->playing && viewer->now - viewer->step_shown_since >= each) {
        double next = viewer->step_shown_since + each;
        if (viewer->k < last_step(branch)) {
            viewer_seek(viewer, viewer->k + 1);
            viewer->step_shown_since = next;
        } else {
            viewer->playing = branch->state == BRANCH_RUNNING || branch->state == BRANCH_WAITING;
            viewer->step_shown_since = viewer->now;
            viewer->shown_count++;
        }
    }
}

bool viewer_update(Viewer *viewer, double time) {
    uint64_t before = viewer->shown_count;
    viewer->now = time;
    intake(viewer);
    feed_engine(viewer);
    grid_measure(viewer);
    if (viewer->playing) play_on(viewer);
    return viewer->shown_count != before;
}
