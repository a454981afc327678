// test_grid.c - what is filled in for a grid, how far apart its pictures are, and when a run had made up its mind

#include "state/turning.h"
#include "state/viewer.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- axes -----------------------------------------------------------------------------------------------------------

static void write_text(AxisForm *form, Knob knob, const char *text) {
    axis_form_fill(form, knob);
    strcpy(form->text[knob], text);
}

static void test_axis_numbers(void) {
    static AxisForm form;
    static Axis axis;
    Knobs knobs = {.guidance_scale = 7.5f};
    Error error = {0};
    write_text(&form, KNOB_GUIDANCE, " 1, 4 ,7.50,, 12,");
    EXPECT(axis_read(&axis, &form, &knobs, &error), "%s", error.message);
    EXPECT(axis.count == 4, "%zu values", axis.count);
    EXPECT(strcmp(axis.values[2], "7.5") == 0, "the third is %s", axis.values[2]);
    EXPECT(knobs.guidance_scale == 7.5f, "the knob was turned to %g", (double)knobs.guidance_scale);
}

static void expect_refused(Knob knob, const char *text, const char *part) {
    static AxisForm form;
    static Axis axis;
    Knobs knobs = {0};
    Error error = {0};
    write_text(&form, knob, text);
    EXPECT(!axis_read(&axis, &form, &knobs, &error), "\"%s\" was taken", text);
    EXPECT(strstr(error.message, part), "\"%s\" says: %s", text, error.message);
}

static void test_axis_refuses(void) {
    expect_refused(KNOB_GUIDANCE, "1, x", "\"x\" is no number");
    expect_refused(KNOB_GUIDANCE, "7.5, 1, 7.50", "\"7.5\" stands there twice");
    expect_refused(KNOB_GUIDANCE, " , ", "no values");
    expect_refused(KNOB_STEPS, "0", "whole number");
    expect_refused(KNOB_STRENGTH, "1.5", "from 0 to 1");
    char many[AXIS_FIELD] = "0";
    for (int i = 1; i <= AXIS_MAX; i++) sprintf(many + strlen(many), ",%d", i);
    expect_refused(KNOB_SEED, many, "more than 64 values");
    char longer[AXIS_FIELD];
    memset(longer, 'a', AXIS_TEXT);
    longer[AXIS_TEXT] = 0;
    expect_refused(KNOB_PROMPT, longer, "shorten it");
}

static void test_axis_prompts(void) {
    static AxisForm form;
    static Axis axis;
    Knobs knobs = {0};
    Error error = {0};
    write_text(&form, KNOB_NEGATIVE_PROMPT, "| a red cat, at night ");
    EXPECT(axis_read(&axis, &form, &knobs, &error), "%s", error.message);
    EXPECT(axis.count == 2 && axis.values[0][0] == 0, "%zu values, the first \"%s\"", axis.count, axis.values[0]);
    EXPECT(strcmp(axis.values[1], "a red cat, at night") == 0, "the second is \"%s\"", axis.values[1]);
}

static void test_axis_schedulers(void) {
    static AxisForm form;
    static Axis axis;
    Knobs knobs = {0};
    Error error = {0};
    axis_form_fill(&form, KNOB_SCHEDULER);
    EXPECT(axis_read(&axis, &form, &knobs, &error) && axis.count == 3, "%zu values: %s", axis.count, error.message);
    for (size_t i = 0; i < axis.count; i++)
        EXPECT(scheduler_kind_find(axis.values[i]), "no scheduler %s", axis.values[i]);
    form.schedulers = 0;
    EXPECT(!axis_read(&axis, &form, &knobs, &error), "none was taken");
}

static void test_axis_knobs(void) {
    Knob list[KNOB_COUNT];
    Image picture = {0};
    Knobs without = {0}, with = {.init = &picture};
    size_t count = axis_knobs(&without, list);
    for (size_t i = 0; i < count; i++) EXPECT(list[i] != KNOB_STRENGTH, "a strength without a picture");
    EXPECT(axis_knobs(&with, list) == count + 1, "no strength with a picture");
}

// ---- distances ------------------------------------------------------------------------------------------------------

// A finished branch whose picture is this grey, and which took this long
static void add_grey(Viewer *viewer, float grey, double seconds) {
    enum { SIDE = 2 };
    Chapter chapter = {0};
    Branch *branch = branch_new(viewer->next_id++, &chapter, 1);
    branch->state = BRANCH_DONE;
    branch->step_seconds = seconds;
    branch->trace = calloc(1, sizeof *branch->trace);
    branch->trace->image = malloc(3 * SIDE * SIDE * sizeof(float));
    branch->trace->image_width = branch->trace->image_height = SIDE;
    for (size_t i = 0; i < 3 * SIDE * SIDE; i++) branch->trace->image[i] = grey;
    viewer->branches = realloc(viewer->branches, (viewer->branch_count + 1) * sizeof *viewer->branches);
    viewer->grid.cells[viewer->branch_count] = branch->id;
    viewer->branches[viewer->branch_count++] = branch;
}

static Viewer *viewer_of_greys(GridKind kind, size_t rows, size_t columns, const float *greys) {
    Viewer *viewer = calloc(1, sizeof *viewer);
    grid_begin(&viewer->grid, kind, rows, columns);
    for (size_t i = 0; i < rows * columns; i++) add_grey(viewer, greys[i] / 255, 1 + (double)i);
    return viewer;
}

static void viewer_of_greys_close(Viewer *viewer) {
    for (size_t i = 0; i < viewer->branch_count; i++) branch_free(viewer->branches[i]);
    free(viewer->branches);
    grid_free(&viewer->grid);
    free(viewer);
}

static void expect_near(const char *what, float value, float expected) {
    EXPECT(fabsf(value - expected) < 0.01f, "%s is %g, not %g", what, (double)value, (double)expected);
}

static void test_grid_distances(void) {
    const float greys[] = {10, 12, 40, 50};  // 2 x 2
    Viewer *viewer = viewer_of_greys(GRID_COMPARE, 2, 2, greys);
    Grid *grid = &viewer->grid;
    grid_measure(viewer);
    expect_near("to itself", grid->notes[0].distance, 0);
    expect_near("to the first", grid->notes[3].distance, 40);
    expect_near("across", grid->across, (2 + 10) / 2.f);
    expect_near("down", grid->down, (30 + 38) / 2.f);
    grid_set_reference(viewer, 2);
    expect_near("to the third", grid->notes[3].distance, 10);
    grid->rows = (Axis){.knob = KNOB_SCHEDULER, .values = {"ddim", "lms"}, .count = 2};
    grid->columns = (Axis){.knob = KNOB_GUIDANCE, .values = {"1", "4"}, .count = 2};
    char text[512];
    grid_verdict(viewer, text, sizeof text);
    EXPECT(strstr(text, "Farthest from the reference: ddim, 1 (rms 30.0)"), "%s", text);
    EXPECT(strstr(text, "Nearest: lms, 4 (rms 10.0)"), "%s", text);
    EXPECT(strstr(text, "Fastest: ddim, 1 (1.00 s)"), "%s", text);
    EXPECT(strstr(text, "The scheduler matters more here"), "%s", text);
    viewer_of_greys_close(viewer);
}

static void test_grid_without_a_cell(void) {
    const float greys[] = {10, 12, 40};
    Viewer *viewer = viewer_of_greys(GRID_COMPARE, 1, 3, greys);
    viewer->grid.cells[1] = 99;  // was closed
    grid_measure(viewer);
    EXPECT(!grid_cell(viewer, 1) && viewer->grid.notes[1].distance < 0, "%g", (double)viewer->grid.notes[1].distance);
    EXPECT(grid_done(viewer) == 3, "%zu", grid_done(viewer));
    char text[512];
    grid_settings(viewer, 1, text, sizeof text);
    EXPECT(strstr(text, "closed"), "%s", text);
    viewer_of_greys_close(viewer);
}

// ---- when it turns --------------------------------------------------------------------------------------------------

static void test_turning(void) {
    // swapped at 0: 200; never: 100. At 1 and 2 the picture is nearer to the latter, and yet far from it.
    const float greys[] = {200, 140, 155, 110, 100};
    Viewer *viewer = viewer_of_greys(GRID_SWAP, 1, 5, greys);
    viewer->grid.reference = 4;
    EXPECT(!turning_of(viewer).known, "known before it was measured");
    grid_measure(viewer);
    Turning turning = turning_of(viewer);
    EXPECT(turning.known && !turning.alike, "known %d, alike %d", turning.known, turning.alike);
    EXPECT(turning.layout == 3, "layout at %zu", turning.layout);  // 155 is nearer to 200 once more
    EXPECT(turning.step == 3, "settled at %zu", turning.step);
    expect_near("where half is left", turning.step_place, 2 + 5 / 45.f);
    viewer_of_greys_close(viewer);
}

static void test_turning_layout_first(void) {
    const float greys[] = {200, 149, 145, 151, 149, 100};
    Viewer *viewer = viewer_of_greys(GRID_SWAP, 1, 6, greys);
    viewer->grid.reference = 5;
    grid_measure(viewer);
    viewer->grid.notes[3].from_first = 90;  // another picture altogether, as far from both
    Turning turning = turning_of(viewer);
    EXPECT(turning.layout == 1, "layout at %zu", turning.layout);
    EXPECT(turning.step == 4, "settled at %zu", turning.step);
    viewer_of_greys_close(viewer);
}

static void test_turning_never_and_alike(void) {
    const float late[] = {200, 200, 190, 100}, alike[] = {100, 100, 100};
    Viewer *viewer = viewer_of_greys(GRID_SWAP, 1, 4, late);
    viewer->grid.reference = 3;
    grid_measure(viewer);
    EXPECT(turning_of(viewer).step == 3, "at %zu", turning_of(viewer).step);
    viewer_of_greys_close(viewer);
    viewer = viewer_of_greys(GRID_SWAP, 1, 3, alike);
    viewer->grid.reference = 2;
    grid_measure(viewer);
    EXPECT(turning_of(viewer).alike, "the same pictures aren't alike");
    viewer_of_greys_close(viewer);
}

// ---- prompts --------------------------------------------------------------------------------------------------------

static void expect_suggestion(const char *prompt, const char *expected) {
    char other[KNOB_TEXT];
    swap_suggest(prompt, other, sizeof other);
    EXPECT(strcmp(other, expected) == 0, "\"%s\": \"%s\"", prompt, other);
}

static void test_suggestions(void) {
    expect_suggestion("a pygmy hippo wearing sunglasses on the beach", "a cat wearing sunglasses on the beach");
    expect_suggestion("an owl", "a cat");
    expect_suggestion("a red cat, at night", "a red dog, at night");
    expect_suggestion("an orange hand", "a red hand");
    expect_suggestion("a castle", "a red cat wearing a crown, at night");
    expect_suggestion("", "a red cat wearing a crown, at night");
}

static void expect_words(const char *a, const char *b, const char *of_a, const char *of_b) {
    char one[64], other[64];
    swap_words(a, b, one, other, sizeof one);
    EXPECT(strcmp(one, of_a) == 0 && strcmp(other, of_b) == 0, "\"%s\" and \"%s\": \"%s\" and \"%s\"", a, b, one,
           other);
}

static void test_different_words(void) {
    expect_words("a pygmy hippo on the beach", "a cat on the beach", "pygmy hippo", "cat");
    expect_words("a cat", "a cat at night", "", "at night");
    expect_words("a cat at night", "a cat", "at night", "");
    expect_words("a cat", "a car", "cat", "car");
    expect_words("a black cat", "a back cat", "black", "back");
    expect_words("cat", "cat", "", "");
    expect_words("a", "", "a", "");
    expect_words("a cat cat", "a cat", "cat", "");
}

int main(void) {
    TEST(test_axis_numbers);
    TEST(test_axis_refuses);
    TEST(test_axis_prompts);
    TEST(test_axis_schedulers);
    TEST(test_axis_knobs);
    TEST(test_grid_distances);
    TEST(test_grid_without_a_cell);
    TEST(test_turning);
    TEST(test_turning_layout_first);
    TEST(test_turning_never_and_alike);
    TEST(test_suggestions);
    TEST(test_different_words);
    return test_summary();
}
