// traces.c - files: traces in and out, pictures to begin with
//
// A trace from a file becomes a branch like any other: looked at as it is, and, where its settings say all there is to
// know about the run, taken up again by the engine, so that it can be branched and asked about.

#include "state/inside.h"

#include "base/check.h"
#include "io/file.h"
#include "io/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- chapters in a trace's metadata ---------------------------------------------------------------------------------

// Chapter 0 stands under the usual names; what was changed later as "chapter.1.from", "chapter.1.guidance_scale" ...
enum { CHAPTERS_MAX = 64 };

static bool chapter_from_trace(Chapter *chapter, const Chapter *before, size_t number, const Trace *trace,
                               Error *error) {
    char key[64];
    snprintf(key, sizeof key, "chapter.%zu.from", number);
    const char *from = trace_metadata(trace, key);
    if (!from) return false;
    *chapter = *before;
    chapter->from = strtoul(from, NULL, 10);
    for (Knob knob = 0; knob < KNOB_COUNT; knob++) {
        if (!knob_branches(knob)) continue;
        snprintf(key, sizeof key, "chapter.%zu.%s", number, knob_key(knob));
        const char *value = trace_metadata(trace, key);
        if (value && !knob_set(&chapter->knobs, knob, value, error)) return false;
    }
    if (chapter->from > before->from && chapter->from < trace->step_count) return true;
    return error_set(error,
                     "its chapter %zu begins at step %zu, where it can't; it can be looked at, but not continued",
                     number, chapter->from);
}

void notes_append(Metadata **notes, size_t *count, const char *key, const char *value) {
    Metadata *grown = realloc(*notes, (*count + 1) * sizeof *grown);
    CHECK(grown, "out of memory");
    *notes = grown;
    grown[*count] = (Metadata){strdup(key), strdup(value)};
    CHECK(grown[*count].key && grown[*count].value, "out of memory");
    (*count)++;
}

void notes_free(Metadata *notes, size_t count) {
    for (size_t i = 0; i < count; i++) free((char *)notes[i].key), free((char *)notes[i].value);
    free(notes);
}

Metadata *branch_notes(const Viewer *viewer, const Branch *branch, size_t *count) {
    const Branch *from = branch;  // the ancestor with which chapter 0 began
    for (const Branch *parent; from->chapter_count > 1 && (parent = viewer_branch_by_id(viewer, from->parent));)
        from = parent;
    const Trace *first = from->trace;
    Metadata *notes = NULL;
    *count = 0;
    for (size_t i = 0; i < first->metadata_count; i++) {
        if (strncmp(first->metadata[i].key, "chapter.", 8) != 0 && strcmp(first->metadata[i].key, "parameters") != 0)
            notes_append(&notes, count, first->metadata[i].key, first->metadata[i].value);
    }
    for (size_t c = 1; c < branch->chapter_count; c++) {
        char key[64], value[KNOB_TEXT];
        snprintf(key, sizeof key, "chapter.%zu.from", c);
        snprintf(value, sizeof value, "%zu", branch->chapters[c].from);
        notes_append(&notes, count, key, value);
        for (Knob knob = 0; knob < KNOB_COUNT; knob++) {
            if (!knob_branches(knob)) continue;
            snprintf(key, sizeof key, "chapter.%zu.%s", c, knob_key(knob));
            knob_text(&branch->chapters[c].knobs, knob, value, sizeof value);
            notes_append(&notes, count, key, value);
        }
    }
    return notes;
}

static bool write_with_chapters(const Viewer *viewer, const Branch *branch, const char *path, Error *error) {
    Trace shown = *branch->trace;
    shown.metadata = branch_notes(viewer, branch, &shown.metadata_count);
    bool ok = trace_write(&shown, path, error);
    notes_free(shown.metadata, shown.metadata_count);
    return ok;
}

// ---- opening --------------------------------------------------------------------------------------------------------

// A trace names its model as it was called where it was made; what comes with Sculpt is found from anywhere.
static void find_model(Knobs *knobs) {
    char *path = shipped_path(knobs->model);
    if (strlen(path) < sizeof knobs->model) strcpy(knobs->model, path);
    free(path);
}

static Picture picture_of_pixels(const Trace *trace) {
    Image image = image_new(trace->image_width, trace->image_height);
    size_t area = trace->image_width * trace->image_height;
    for (size_t i = 0; image.pixels && i < area; i++) {
        for (size_t c = 0; c < 3; c++) {
            float value = trace->image[c * area + i] * 255 + 0.5f;
            image.pixels[i * 3 + c] = value >= 255 ? 255 : value > 0 ? (uint8_t)value : 0;
        }
    }
    return image.pixels ? picture_of(image) : (Picture){0};
}

static Branch *branch_from_trace(Viewer *viewer, Trace *trace, const char *path, Error *why_not) {
    Chapter chapters[CHAPTERS_MAX];
    size_t count = 1;
    chapters[0] = (Chapter){0, viewer->knobs};
    bool known = knobs_from_trace(&chapters[0].knobs, trace, why_not);
    find_model(&chapters[0].knobs);
    while (known && count < CHAPTERS_MAX &&
           chapter_from_trace(&chapters[count], &chapters[count - 1], count, trace, why_not))
        count++;
    const char *slash = strrchr(path, '/');
    size_t index = add_branch(viewer, NULL, 0, chapters, count, slash ? slash + 1 : path);
    Branch *branch = viewer->branches[index];
    branch->trace = trace;
    branch->from_file = true;
    branch->state = BRANCH_DONE;
    branch->step_count = trace->step_count;
    branch->pictures = calloc((branch->step_count + 1) * PICTURE_KINDS, sizeof *branch->pictures);
    CHECK(branch->pictures, "out of memory");
    if (trace->image) {
        StepPicture *last = &branch->pictures[branch->step_count * PICTURE_KINDS + PICTURE_START];
        last->picture = picture_of_pixels(trace);
        last->decoded = true;
    }
    branch->continuable = !why_not->message[0];
    snprintf(branch->message, sizeof branch->message, "%s", why_not->message);
    return branch;
}

bool viewer_open_trace(Viewer *viewer, const char *path) {
    Error error = {0}, why_not = {0};
    Trace *trace = trace_open(path, &error);
    if (!trace) {
        viewer_complain(viewer, &error);
        return false;
    }
    Branch *branch = branch_from_trace(viewer, trace, path, &why_not);
    viewer_show(viewer, viewer->branch_count - 1);
    // Resumed at its end: that proves that it can be, and says what the noise was at each step.
    Job job = {.kind = JOB_RUN,
               .urgency = 1,
               .branch = branch->id,
               .past = past_of(branch, branch->step_count),
               .height = trace->height,
               .width = trace->width};
    strcpy(job.model, branch_knobs(branch)->model);
    engine_ask(viewer->engine, &job);
    viewer->welcome = false;
    if (why_not.message[0])
        viewer_complain(viewer, &why_not);
    else
        viewer_say(viewer, "%s: %zu steps", path, trace->step_count);
    return true;
}

bool viewer_save_trace(Viewer *viewer, const char *path) {
    Error error = {0};
    const Branch *branch = viewer_shown(viewer);
    bool ok = branch && branch_steps_done(branch) > 0;
    if (!ok) error_set(&error, "trace: there is no run yet; press Run first");
    ok = ok && write_with_chapters(viewer, branch, path, &error);
    if (ok)
        viewer_say(viewer, "written: %s", path);
    else
        viewer_complain(viewer, &error);
    return ok;
}

// ---- a picture to begin with ----------------------------------------------------------------------------------------

void viewer_use_init(Viewer *viewer, const char *path) {
    Error error = {0};
    if (!path[0]) {
        viewer->knobs.init = NULL;
        viewer->knobs.init_path[0] = 0;
        viewer->shown_count++;
        return;
    }
    Image *image = calloc(1, sizeof *image), **grown = realloc(viewer->inits, (viewer->init_count + 1) * sizeof *grown);
    CHECK(image && grown, "out of memory");
    viewer->inits = grown;
    viewer->inits[viewer->init_count++] = image;
    if (!png_read(path, image, &error)) {
        viewer_complain(viewer, &error);
        return;
    }
    viewer->knobs.init = image;
    if (path != viewer->knobs.init_path) snprintf(viewer->knobs.init_path, sizeof viewer->knobs.init_path, "%s", path);
    viewer_say(viewer, "%s: runs begin with this picture now", path);
}
