// test_viewer.c - the viewer's state without a window: what its buttons do, and what the engine makes of it
//
// Everything runs on the small model that comes with Sculpt.

#include "test.h"

#include "base/clock.h"
#include "critters/grade/words_grade.h"
#include "viz/viewers.h"

#include <SDL2/SDL.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void draw(Viewer *viewer, const char *prompt, size_t steps) {
    snprintf(viewer->knobs.prompt, sizeof viewer->knobs.prompt, "%s", prompt);
    viewer->knobs.num_inference_steps = steps;
    viewer_run(viewer);
    viewer_settle(viewer);
}

static size_t numbers(const Branch *branch) {
    return branch->trace->channels * branch->trace->height * branch->trace->width;
}

static bool same_latents(const Branch *a, const Branch *b, size_t k) {
    const float *one = branch_latents(a, k), *other = branch_latents(b, k);
    return one && other && memcmp(one, other, numbers(a) * sizeof *one) == 0;
}

// ---- the stored run -------------------------------------------------------------------------------------------------

static void test_opens_playing(void) {
    double start = seconds_now();
    Viewer *viewer = viewer_opened((ViewerOptions){0});
    double seconds = seconds_now() - start;
    Branch *branch = viewer_shown(viewer);
    EXPECT(branch && branch->from_file && branch->step_count == 20, "no stored run");
    EXPECT(viewer->playing && viewer->welcome, "it doesn't play");
    EXPECT(seconds < 0.5, "opening took %.2f s", seconds);
    viewer_settle(viewer);
    EXPECT(branch->continuable && branch->sigmas, "%s", branch->message);
    for (int i = 0; i < 200; i++) viewer_update(viewer, viewers_time += 0.05);
    EXPECT(viewer->k == 20 && !viewer->playing, "at step %zu after ten seconds", viewer->k);
    viewer_close(viewer);
}

static void test_branches_of_the_stored_run(void) {
    Viewer *viewer = viewer_opened((ViewerOptions){0});
    viewer_settle(viewer);
    Branch *parent = viewer_shown(viewer);
    viewer_seek(viewer, 8);
    viewer_branch(viewer);
    viewer_settle(viewer);
    Branch *same = viewer_shown(viewer);
    EXPECT(same != parent && same->state == BRANCH_DONE, "%s", viewer->notice);
    EXPECT(same->unet_calls == 2 * 12 && same->own_steps == 12, "%zu calls", same->unet_calls);
    // A recorded file may come from another machine; what was drawn here must be equal in every bit.
    double apart = relative_l2(branch_latents(same, 20), branch_latents(parent, 20), numbers(same));
    EXPECT(apart < 1e-4, "%g apart", apart);

    viewer_seek(viewer, 5);
    knob_set(&viewer->knobs, KNOB_PROMPT, "a red cat wearing a crown, at night", NULL);
    viewer_branch(viewer);
    viewer_settle(viewer);
    Branch *cat = viewer_shown(viewer);
    EXPECT(cat->unet_calls == 2 * 15 && same_latents(cat, same, 5) && !same_latents(cat, same, 6), "%zu calls",
           cat->unet_calls);
    EXPECT(strcmp(branch_knobs_at(cat, 4)->prompt, branch_knobs_at(parent, 4)->prompt) == 0,
           "the past has another prompt");
    EXPECT(viewer_distance(cat, same) > 10, "the cat is a hippo: %g", (double)viewer_distance(cat, same));
    viewer_close(viewer);
}

// ---- branches -------------------------------------------------------------------------------------------------------

static void test_unchanged_branches_of_every_scheduler(void) {
    Viewer *viewer = viewer_opened((ViewerOptions){0});
    for (size_t i = 0; i < scheduler_kind_count(); i++) {
        const char *name = scheduler_kind_at(i)->name;
        knob_set(&viewer->knobs, KNOB_SCHEDULER, name, NULL);
        draw(viewer, "a blue owl in the snow", 6);
        Branch *parent = viewer_shown(viewer);
        EXPECT(parent->state == BRANCH_DONE, "%s: %s", name, parent->message);
        viewer_seek(viewer, 3);
        viewer_branch(viewer);
        viewer_settle(viewer);
        Branch *branch = viewer_shown(viewer);
        size_t n = parent->step_count;
        EXPECT(branch->step_count == n && same_latents(branch, parent, n), "%s: another end", name);
        EXPECT(branch->unet_calls == 2 * (n - 3), "%s: %zu calls", name, branch->unet_calls);
        EXPECT(viewer_distance(branch, parent) == 0, "%s: another picture", name);
    }
    viewer_close(viewer);
}

static void test_branch_of_a_branch_saved_and_opened(void) {
    Viewer *viewer = viewer_opened((ViewerOptions){0});
    char path[512];
    snprintf(path, sizeof path, "%s/branch.safetensors", test_folder("viewer"));
    draw(viewer, "a green frog", 8);
    viewer_seek(viewer, 3);
    knob_set(&viewer->knobs, KNOB_GUIDANCE, "3", NULL);
    viewer_branch(viewer);
    viewer_settle(viewer);
    viewer_seek(viewer, 5);
    knob_set(&viewer->knobs, KNOB_SCHEDULER, "euler", NULL);
    viewer_branch(viewer);
    viewer_settle(viewer);
    Branch *branch = viewer_shown(viewer);
    EXPECT(branch->chapter_count == 3 && branch->state == BRANCH_DONE, "%s", viewer->notice);
    EXPECT(viewer_save_trace(viewer, path), "%s", viewer->notice);
    EXPECT(viewer_open_trace(viewer, path), "%s", viewer->notice);
    viewer_settle(viewer);
    Branch *opened_again = viewer_shown(viewer);
    EXPECT(opened_again->continuable && opened_again->chapter_count == 3, "%s", opened_again->message);
    viewer_seek(viewer, 6);
    viewer_branch(viewer);
    viewer_settle(viewer);
    size_t n = branch->step_count;
    EXPECT(viewer_shown(viewer)->step_count == n && same_latents(viewer_shown(viewer), branch, n),
           "it goes on otherwise");
    viewer_close(viewer);
}

static void test_what_cannot_branch(void) {
    Viewer *viewer = viewer_opened((ViewerOptions){0});
    viewer_settle(viewer);
    size_t before = viewer->branch_count;
    viewer_seek(viewer, 20);
    viewer_branch(viewer);
    EXPECT(viewer->notice_is_error && strstr(viewer->notice, "finished"), "%s", viewer->notice);
    viewer_seek(viewer, 4);
    viewer->knobs.seed = 7;
    viewer_branch(viewer);
    EXPECT(viewer->notice_is_error && strstr(viewer->notice, "seed"), "%s", viewer->notice);
    EXPECT(viewer->branch_count == before, "it branched");
    viewer_close(viewer);
}

static void test_cancelling(void) {
    Viewer *viewer = viewer_opened((ViewerOptions){0});
    viewer_settle(viewer);
    viewer->knobs.num_inference_steps = 500;
    viewer_run(viewer);
    Branch *branch = viewer_shown(viewer);
    while (branch_steps_done(branch) < 3) SDL_Delay(1), viewer_update(viewer, viewers_time += 0.001);
    double start = seconds_now();
    viewer_cancel(viewer);
    while (branch->state != BRANCH_CANCELLED && seconds_now() - start < 10)
        SDL_Delay(1), viewer_update(viewer, viewers_time += 0.001);
    EXPECT(seconds_now() - start < 1, "it took %.2f s", seconds_now() - start);
    EXPECT(branch_steps_done(branch) < 500 && !viewer_busy(viewer), "%zu steps", branch_steps_done(branch));
    viewer_seek(viewer, 2);
    viewer_branch(viewer);  // what was cancelled can still be left
    Branch *second = viewer_shown(viewer);
    while (branch_steps_done(second) < 4) SDL_Delay(1), viewer_update(viewer, viewers_time += 0.001);
    EXPECT(second != branch && same_latents(branch, second, 2), "it doesn't go on");
    start = seconds_now();
    viewer_close(viewer);  // with a run under way
    EXPECT(seconds_now() - start < 1, "closing took %.2f s", seconds_now() - start);
}

// ---- questions ------------------------------------------------------------------------------------------------------

static void test_words(void) {
    Viewer *viewer = viewer_opened((ViewerOptions){0});
    viewer_settle(viewer);
    Branch *branch = viewer_shown(viewer);
    const PromptWords *words = branch_words(branch, 8);
    EXPECT(words && words->count == 8, "%zu words", words ? words->count : 0);
    size_t sunglasses = 4;
    EXPECT(words && strncmp(words->tokens.text + words->words[sunglasses].start, "sunglasses", 10) == 0,
           "another word");
    size_t calls = branch->unet_calls;
    viewer_deletion(viewer, branch, 8, sunglasses);
    viewer_settle(viewer);
    const DeletionMap *map = viewer_deletion(viewer, branch, 8, sunglasses);
    float largest = 0;
    for (size_t i = 0; map && map->map && i < 256; i++) largest = fmaxf(largest, map->map[i]);
    EXPECT(largest > 0.01f && largest < 10, "the largest is %g", (double)largest);
    EXPECT(branch->unet_calls == calls + 1, "%zu calls", branch->unet_calls - calls);

    viewer_attention(viewer, branch, 8);
    viewer_settle(viewer);
    const StepAttention *attention = viewer_attention(viewer, branch, 8);
    EXPECT(attention && attention->maps.count > 0 && attention->maps.layers[0].heads > 1, "no attention");
    const TextAttention *text = viewer_text_attention(viewer, branch, 8);
    EXPECT(text && text->count > 0 && text->layers[0].length == 77, "no text attention");
    viewer_close(viewer);
}

static void test_grades(void) {
    Viewer *viewer = viewer_opened((ViewerOptions){0});
    viewer_settle(viewer);
    viewer_seek(viewer, 8);
    viewer_ask_grades(viewer);
    viewer_settle(viewer);
    EXPECT(viewer->grades && viewer->grades->count > 0 && viewer->grades_k == 8, "%s", viewer->grades_message);
    draw(viewer, "a giraffe", 2);
    viewer_ask_grades(viewer);
    viewer_settle(viewer);
    EXPECT(!viewer->grades && strstr(viewer->grades_message, "giraffe"), "%s", viewer->grades_message);
    viewer_close(viewer);
}

// ---- grids ----------------------------------------------------------------------------------------------------------

static void test_compare(void) {
    Viewer *viewer = viewer_opened((ViewerOptions){0});
    viewer_settle(viewer);
    viewer->knobs.num_inference_steps = 4;
    Axis rows = {.knob = KNOB_SCHEDULER, .values = {"ddim", "euler", "nonsense"}, .count = 3};
    Axis columns = {.knob = KNOB_GUIDANCE, .values = {"1", "7.5"}, .count = 2};
    viewer_compare(viewer, &rows, &columns);
    viewer_settle(viewer);
    for (size_t i = 0; i < 6; i++) {
        const Branch *cell = viewer_branch_by_id(viewer, viewer->grid.cells[i]);
        EXPECT(cell->state == (i < 4 ? BRANCH_DONE : BRANCH_FAILED), "cell %zu: %d %s", i, cell->state, cell->message);
        if (i < 4) EXPECT(cell->unet_calls == (i % 2 == 0 ? 4u : 8u), "cell %zu: %zu calls", i, cell->unet_calls);
    }
    size_t branches = viewer->branch_count;
    viewer_compare(viewer, &rows, &columns);
    EXPECT(viewer->branch_count == branches, "the old cells are still there: %zu", viewer->branch_count);
    viewer_settle(viewer);
    viewer_close(viewer);
}

static void test_swap(void) {
    Viewer *viewer = viewer_opened((ViewerOptions){0});
    draw(viewer, "a pygmy hippo on the beach", 6);
    Branch *parent = viewer_shown(viewer);
    viewer_swap(viewer, "a red cat in the snow");
    viewer_settle(viewer);
    const Grid *grid = &viewer->grid;
    EXPECT(grid->kind == GRID_SWAP && grid->column_count == 7, "%zu cells", grid->column_count);
    size_t calls = 0;
    for (size_t k = 0; k < 6; k++) {
        const Branch *cell = viewer_branch_by_id(viewer, grid->cells[k]);
        EXPECT(cell->state == BRANCH_DONE && cell->unet_calls == 2 * (6 - k), "cell %zu: %zu calls %s", k,
               cell->unet_calls, cell->message);
        calls += cell->unet_calls;
    }
    EXPECT(calls == 2 * 21, "%zu calls", calls);
    float early = viewer_distance(viewer_branch_by_id(viewer, grid->cells[0]), parent);
    float late = viewer_distance(viewer_branch_by_id(viewer, grid->cells[5]), parent);
    EXPECT(late < early / 3 && early > 20, "early %g, late %g", (double)early, (double)late);
    viewer_close(viewer);
}

// ---- what goes wrong ------------------------------------------------------------------------------------------------

static void test_bad_files(void) {
    char path[512];
    snprintf(path, sizeof path, "%s/broken.safetensors", test_folder("viewer"));
    FILE *file = fopen(path, "wb");
    fputs("no trace at all", file);
    fclose(file);
    Viewer *viewer = viewer_opened((ViewerOptions){.trace = path});
    EXPECT(viewer->notice_is_error && strstr(viewer->notice, "broken.safetensors"), "%s", viewer->notice);
    EXPECT(!viewer_shown(viewer), "something is shown");
    viewer_settle(viewer);
    viewer_use_model(viewer, "no/such/model");
    viewer_settle(viewer);
    EXPECT(viewer->notice_is_error && strstr(viewer->model_message, "no/such/model"), "%s", viewer->model_message);
    viewer_run(viewer);
    EXPECT(viewer->notice_is_error && viewer->branch_count == 0, "it runs");
    viewer_use_init(viewer, path);
    EXPECT(viewer->notice_is_error && !viewer->knobs.init, "that is no picture");
    viewer_use_model(viewer, "data/models/critters");
    viewer_settle(viewer);
    draw(viewer, "a red cat", 2);
    EXPECT(viewer_shown(viewer) && viewer_shown(viewer)->state == BRANCH_DONE, "%s", viewer->notice);
    viewer_close(viewer);
}

static void test_failing_runs(void) {
    Viewer *viewer = viewer_opened((ViewerOptions){0});
    viewer_settle(viewer);
    viewer->knobs.width = 130;  // no multiple of 8
    viewer_run(viewer);
    viewer_settle(viewer);
    Branch *branch = viewer_shown(viewer);
    EXPECT(branch->state == BRANCH_FAILED && strstr(branch->message, "width"), "%s", branch->message);
    char why[256];
    EXPECT(!viewer_can_branch(viewer, why, sizeof why) && why[0], "it has nothing to branch from");
    viewer_forget(viewer, viewer->shown);
    EXPECT(viewer->branch_count == 1 && viewer_shown(viewer), "%zu branches", viewer->branch_count);
    viewer_close(viewer);
}

int main(void) {
    TEST(test_opens_playing);
    TEST(test_branches_of_the_stored_run);
    TEST(test_unchanged_branches_of_every_scheduler);
    TEST(test_branch_of_a_branch_saved_and_opened);
    TEST(test_what_cannot_branch);
    TEST(test_cancelling);
    TEST(test_words);
    TEST(test_grades);
    TEST(test_compare);
    TEST(test_swap);
    TEST(test_bad_files);
    TEST(test_failing_runs);
    return test_summary();
}
