// test_words.c - what VIEW_WORDS shows, before it is drawn: maps as pictures, whose words they are, and when they are asked
//
// Everything runs on the small model that comes with Sculpt.

#include "test.h"

#include "viz/viewers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- pointing -------------------------------------------------------------------------------------------------------

static void test_pin(void) {
    Viewer *viewer = viewer_opened((ViewerOptions){0});
    EXPECT(viewer->word == SIZE_MAX && !viewer->word_pinned, "a word is pointed at already");
    viewer_point_at_word(viewer, 2);
    EXPECT(viewer->word == 2 && !viewer->word_pinned, "pointing has pinned");
    viewer_pin_word(viewer, 2);
    EXPECT(viewer->word == 2 && viewer->word_pinned, "not pinned");
    viewer_pin_word(viewer, 3);
    EXPECT(viewer->word == 3 && viewer->word_pinned, "the pin didn't move to another word");
    viewer_pin_word(viewer, 3);
    EXPECT(viewer->word == 3 && !viewer->word_pinned, "pressed twice, it is still pinned");
    viewer_close(viewer);
}

// ---- maps as pictures -----------------------------------------------------------------------------------------------

static void test_maps_are_kept(void) {
    Maps maps = {0};
    float numbers[4] = {0, 1, 2, 4};
    Trace trace = {.channels = 4, .height = 2, .width = 2};
    Branch branch = {.id = 7, .trace = &trace};
    DeletionMap deletion = {.k = 3, .word = 1, .map = numbers};
    const MapPicture *map = maps_deletion(&maps, &branch, &deletion, 0);
    uint64_t id = map->picture.id;
    EXPECT(map->low == 0 && map->high == 4, "%g to %g", (double)map->low, (double)map->high);
    EXPECT(maps_deletion(&maps, &branch, &deletion, 0)->picture.id == id, "made twice");
    const MapPicture *scaled = maps_deletion(&maps, &branch, &deletion, 8);
    EXPECT(scaled->picture.id != id && scaled->high == 8, "another scale is another picture");
    Color brightest = map_color(1), middle = map_color(0.5f);
    EXPECT(map->picture.image.pixels[9] == brightest.r && scaled->picture.image.pixels[9] == middle.r, "wrong colours");

    for (size_t k = 0; k < MAPS_KEPT - 1; k++) {  // the first, still looked at, stays; the second makes room
        DeletionMap other = {.k = 100 + k, .word = 1, .map = numbers};
        maps_deletion(&maps, &branch, &other, 0);
        EXPECT(maps_deletion(&maps, &branch, &deletion, 0)->picture.id == id, "forgotten after %zu others", k + 1);
    }
    EXPECT(maps.count == MAPS_KEPT, "%zu are kept", maps.count);
    maps_free(&maps);
}

// A word of several tokens gets what they get together; at one layer, in its own size.
static void test_attention_of_a_word(void) {
    Viewer *viewer = viewer_opened((ViewerOptions){0});
    viewer_settle(viewer);
    Branch *branch = viewer_shown(viewer);
    viewer_attention(viewer, branch, 8);
    viewer_settle(viewer);
    const StepAttention *attention = viewer_attention(viewer, branch, 8);
    const PromptWords *words = branch_words(branch, 8);
    EXPECT(attention && attention->maps.count > 1 && words, "no attention");
    if (!attention || !words) return;
    branch->words[0].words[4].last = words->words[4].first + 1;  // as if it were two tokens
    const LayerMaps *layer = &attention->maps.layers[0];
    size_t n = layer->height * layer->width, key = words->words[4].first + 1;
    float low = INFINITY, high = 0;
    for (size_t i = 0; i < n; i++) {
        float both = layer->maps[key * n + i] + layer->maps[(key + 1) * n + i];
        low = fminf(low, both);
        high = fmaxf(high, both);
    }
    const MapPicture *map = maps_attention(&viewer->maps, branch, attention, 4, 0, 0);
    EXPECT(map && map->picture.image.width == layer->width, "not the layer's own size");
    EXPECT(map && fabsf(map->low - low) < 1e-6f && fabsf(map->high - high) < 1e-6f, "%g to %g, not %g to %g",
           map ? (double)map->low : 0, map ? (double)map->high : 0, (double)low, (double)high);
    EXPECT(!maps_attention(&viewer->maps, branch, attention, 4, 0, 99), "a head that isn't there");
    EXPECT(!maps_attention(&viewer->maps, branch, attention, 4, 99, ATTENTION_ALL), "a layer that isn't there");
    EXPECT(!maps_attention(&viewer->maps, branch, attention, 99, 0, 0), "a word that isn't there");
    const MapPicture *all = maps_attention(&viewer->maps, branch, attention, 4, ATTENTION_ALL, ATTENTION_ALL);
    EXPECT(all && all->picture.image.width == branch->trace->width, "all layers' map isn't as large as the latents");
    viewer_close(viewer);
}

// ---- whose words ----------------------------------------------------------------------------------------------------

static void test_each_chapter_has_its_own_text(void) {
    Viewer *viewer = viewer_opened((ViewerOptions){0});
    viewer_settle(viewer);
    viewer_seek(viewer, 10);
    snprintf(viewer->knobs.prompt, sizeof viewer->knobs.prompt, "a red cat");
    viewer_branch(viewer);
    viewer_settle(viewer);
    Branch *branch = viewer_shown(viewer);
    EXPECT(branch->chapter_count == 2 && branch->state == BRANCH_DONE, "%s", viewer->notice);
    viewer_text_attention(viewer, branch, 4);
    viewer_settle(viewer);
    viewer_text_attention(viewer, branch, 12);
    viewer_settle(viewer);
    const TextAttention *before = viewer_text_attention(viewer, branch, 4),
                        *after = viewer_text_attention(viewer, branch, 12);
    EXPECT(before && after && before != after, "one text for both prompts");
    if (!before || !after) return;
    const TextLayerMaps *one = &before->layers[0], *other = &after->layers[0];
    EXPECT(memcmp(one->maps, other->maps, one->length * one->length * sizeof *one->maps) != 0,
           "the same maps for both");
    EXPECT(branch_words(branch, 4)->count == 8 && branch_words(branch, 12)->count == 3, "other words");
    viewer_close(viewer);
}

// A run that can't be taken up again shows what was recorded, and its brackets as they were read.
static void test_recorded_attention(void) {
    char path[600], command[2048];
    snprintf(path, sizeof path, "%s/run.safetensors", test_folder("words"));
    snprintf(
        command, sizeof command,
        "%s 'a (red:1.3) cat' --prompt-weights -s 2 --seed 1 --trace %s --trace-attention -o %s.png >/dev/null 2>&1",
        getenv("SCULPT") ? getenv("SCULPT") : "./sculpt", path, path);
    EXPECT(system(command) == 0, "%s", command);
    Viewer *viewer = viewer_opened((ViewerOptions){.trace = path});
    viewer_settle(viewer);
    Branch *branch = viewer_shown(viewer);
    EXPECT(branch && !branch->continuable, "it can be continued");
    const PromptWords *words = branch ? branch_words(branch, 0) : NULL;
    EXPECT(words && words->count == 3, "%zu words", words ? words->count : 0);
    char why[200] = "";
    EXPECT(branch && !viewer_answers(branch, 0, why, sizeof why) && strstr(why, "prompt_weights"), "why not: %s", why);
    EXPECT(!viewer_deletion(viewer, branch, 0, 1), "asked about a run that can't be taken up");
    const StepAttention *attention = viewer_attention(viewer, branch, 1);
    EXPECT(attention && attention->of_trace && attention->maps.count > 0, "the trace's attention isn't shown");
    EXPECT(viewer_text_attention(viewer, branch, 1) == &branch->trace->text_attention, "nor its text encoder's");
    EXPECT(maps_attention(&viewer->maps, branch, attention, 1, ATTENTION_ALL, ATTENTION_ALL) != NULL, "no map of it");
    viewer_close(viewer);
}

int main(void) {
    TEST(test_pin);
    TEST(test_maps_are_kept);
    TEST(test_attention_of_a_word);
    TEST(test_each_chapter_has_its_own_text);
    TEST(test_recorded_attention);
    return test_summary();
}
