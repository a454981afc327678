// test_grade.c - maps held against masks, and the words of a prompt graded by the painter

#include "critters/draw/studio.h"
#include "critters/grade/iou.h"
#include "critters/grade/words_grade.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- intersection over union ----------------------------------------------------------------------------------------

static bool near(float a, float b) { return fabsf(a - b) < 1e-6f; }

static void test_iou_by_hand(void) {
    const uint8_t left[16] = {1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0};
    float map[16];
    for (int i = 0; i < 16; i++) map[i] = left[i] ? -3 : -5;  // only the order counts, not the numbers
    EXPECT(near(map_iou(map, 4, 4, left, 4), 1), "itself: %g", (double)map_iou(map, 4, 4, left, 4));
    for (int i = 0; i < 16; i++) map[i] = -map[i];
    EXPECT(near(map_iou(map, 4, 4, left, 4), 0), "its opposite: %g", (double)map_iou(map, 4, 4, left, 4));
    for (int i = 0; i < 16; i++)
        map[i] = i < 8 ? 2 + (float)i : 0;  // the upper half: 4 of 8 pixels in common, 12 in all
    EXPECT(near(map_iou(map, 4, 4, left, 4), 4.0f / 12), "half: %g", (double)map_iou(map, 4, 4, left, 4));
    // Five pixels are surely among the largest eight, four of them in the mask; the other eleven share three places
    for (int i = 0; i < 16; i++) map[i] = i == 0 || i == 1 || i == 2 || i == 4 || i == 5;
    float common = 4 + 4 * 3.0f / 11;
    EXPECT(near(map_iou(map, 4, 4, left, 4), common / (16 - common)), "shares: %g",
           (double)map_iou(map, 4, 4, left, 4));
}

static void test_iou_of_nothing_and_everything(void) {
    uint8_t mask[16] = {0};
    float flat[4] = {7, 7, 7, 7};
    EXPECT(map_iou(flat, 2, 2, mask, 4) == 0, "an empty mask");
    for (int i = 0; i < 16; i++) mask[i] = 1;
    EXPECT(near(map_iou(flat, 2, 2, mask, 4), 1) && near(chance_iou(16, 16), 1), "a full mask");
    mask[3] = mask[7] = mask[9] = 0;
    EXPECT(near(map_iou(flat, 2, 2, mask, 4), chance_iou(13, 16)), "%g for a flat map, chance is %g",
           (double)map_iou(flat, 2, 2, mask, 4), (double)chance_iou(13, 16));
}

// 2 x 2 stretched to 4 x 4 without aligned corners: 1 3/4 1/4 0 along each axis, so a corner's four pixels are its own.
// With rows and columns exchanged, or half a pixel aside, others would be.
static void test_iou_stretches(void) {
    const float corner[4] = {0, 1, 0, 0}, upright[2] = {1, 0};
    const uint8_t upper_right[16] = {0, 0, 1, 1, 0, 0, 1, 1}, lower_left[16] = {[8] = 1, [9] = 1, [12] = 1, [13] = 1};
    EXPECT(near(map_iou(corner, 2, 2, upper_right, 4), 1), "%g", (double)map_iou(corner, 2, 2, upper_right, 4));
    EXPECT(near(map_iou(corner, 2, 2, lower_left, 4), 0), "%g", (double)map_iou(corner, 2, 2, lower_left, 4));
    const uint8_t left[16] = {1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0};
    EXPECT(near(map_iou(upright, 1, 2, left, 4), 1), "one row: %g", (double)map_iou(upright, 1, 2, left, 4));
    EXPECT(near(map_iou(upright, 2, 1, left, 4), 4.0f / 12), "one column: %g", (double)map_iou(upright, 2, 1, left, 4));
}

static void test_chance(void) {
    Random random = random_begin(5, 0);
    enum { SIZE = 32, MAPS = 40 };
    uint8_t mask[SIZE * SIZE];
    float map[SIZE * SIZE], sum = 0;
    size_t area = 0;
    for (int i = 0; i < SIZE * SIZE; i++) area += mask[i] = i % SIZE < 9;
    for (int m = 0; m < MAPS; m++) {
        for (int i = 0; i < SIZE * SIZE; i++) map[i] = random_range(&random, -1, 1);
        sum += map_iou(map, SIZE, SIZE, mask, SIZE) / MAPS;
    }
    float chance = chance_iou(area, SIZE * SIZE);
    EXPECT(fabsf(sum - chance) < 0.01f, "random maps have %g, chance is %g", (double)sum, (double)chance);
}

// ---- masks ----------------------------------------------------------------------------------------------------------

static size_t mask_of(const char *caption, size_t word, uint8_t mask[PIXELS]) {
    CaptionReading reading;
    Canvas canvas;
    Error error = {0};
    EXPECT(caption_read(caption, 2, &reading, &error), "%s", error.message);
    drawing_draw(&reading.drawing, &canvas);
    return things_mask(&canvas, reading.words[word].things, mask);
}

static void mask_middle(const uint8_t mask[PIXELS], float *x, float *y) {
    size_t area = 0, xs = 0, ys = 0;
    for (size_t i = 0; i < PIXELS; i++) area += mask[i], xs += mask[i] * (i % SIDE), ys += mask[i] * (i / SIDE);
    *x = (float)xs / (float)area, *y = (float)ys / (float)area;
}

static void test_masks(void) {
    uint8_t cat[PIXELS], glasses[PIXELS], beach[PIXELS];
    const char *caption = "a cat in sunglasses on the beach";  // a 0, cat 1, sunglasses 3, beach 6
    size_t cat_area = mask_of(caption, 1, cat), glasses_area = mask_of(caption, 3, glasses),
           beach_area = mask_of(caption, 6, beach), outside = 0;
    for (size_t i = 0; i < PIXELS; i++) outside += glasses[i] && !cat[i];
    EXPECT(cat_area + beach_area == PIXELS && outside == 0, "%zu cat, %zu beach, %zu of the glasses outside the cat",
           cat_area, beach_area, outside);
    EXPECT(glasses_area > 200 && glasses_area < cat_area / 3, "%zu pixels of glasses, %zu of cat", glasses_area,
           cat_area);
    EXPECT(mask_of(caption, 0, cat) == 0, "'a' is seen");

    float fox_x, cat_x, hat_y, scarf_y, y, x;
    const char *pair = "a fox in a crown right of a cat with a scarf";  // fox 1, crown 4, cat 8, scarf 11
    uint8_t mask[PIXELS];
    mask_of(pair, 1, mask), mask_middle(mask, &fox_x, &y);
    mask_of(pair, 8, mask), mask_middle(mask, &cat_x, &y);
    mask_of(pair, 4, mask), mask_middle(mask, &x, &hat_y);
    EXPECT(cat_x < 50 && fox_x > 78 && x > 78, "the cat at %g, the fox at %g, its crown at %g", (double)cat_x,
           (double)fox_x, (double)x);
    mask_of(pair, 11, mask), mask_middle(mask, &x, &scarf_y);
    EXPECT(hat_y < 50 && scarf_y > 70 && x < 50, "the crown at %g, the scarf at %g", (double)hat_y, (double)scarf_y);
}

// ---- a prompt's words -----------------------------------------------------------------------------------------------

static Model *critters(void) {
    Error error = {0};
    Model *model = model_open("data/models/critters", &error);
    if (!model) test_fail(__FILE__, __LINE__, "model_open", "%s", error.message), exit(test_summary());
    return model;
}

static const WordGrade *grade_of(const WordGrades *grades, const char *word) {
    for (size_t i = 0; i < grades->count; i++) {
        const WordGrade *grade = &grades->words[i];
        if (strncmp(grades->prompt + grade->start, word, grade->end - grade->start) == 0) return grade;
    }
    EXPECT(false, "'%s' has no grade", word);
    exit(test_summary());
}

// The mask as a mirror shows it: what a map that is turned the wrong way would fit
static float mirrored_iou(const WordGrades *grades, const float *map, const WordGrade *grade, bool upside_down) {
    uint8_t mirror[PIXELS];
    for (size_t i = 0; i < PIXELS; i++) {
        size_t y = i / SIDE, x = i % SIDE;
        mirror[i] = upside_down ? grade->mask[(SIDE - 1 - y) * SIDE + x] : grade->mask[y * SIDE + SIDE - 1 - x];
    }
    return map_iou(map, grades->height, grades->width, mirror, SIDE);
}

static void test_words_are_graded(void) {
    Model *model = critters();
    Settings settings = settings_default(model);
    settings.prompt = "A Pygmy hippo  wearing sunglasses and a blue top hat, on the beach";
    settings.seed = 3;
    WordGrades grades;
    Error error = {0};
    EXPECT(words_grade(model, &settings, 10, 5, &grades, &error), "%s", error.message);
    EXPECT(grades.count == 7 && grades.height == 16 && grades.width == 16 && grades.drawing.width == SIDE,
           "%zu words, maps of %zux%zu", grades.count, grades.height, grades.width);
    const WordGrade *sunglasses = grade_of(&grades, "sunglasses"), *blue = grade_of(&grades, "blue");
    EXPECT(sunglasses->kind == WORD_EYEWEAR && sunglasses->area > 200, "%zu pixels of a %s", sunglasses->area,
           WORD_KIND_NAME[sunglasses->kind]);
    EXPECT(sunglasses->deletion_iou > 4 * sunglasses->chance_iou, "sunglasses: deletion %g, chance %g",
           (double)sunglasses->deletion_iou, (double)sunglasses->chance_iou);
    EXPECT(sunglasses->attention_iou > 0.5f, "sunglasses: attention %g", (double)sunglasses->attention_iou);
    EXPECT(blue->kind == WORD_COLOR && blue->deletion_iou > 0.4f && blue->attention_iou > 0.6f,
           "blue: deletion %g, attention %g", (double)blue->deletion_iou, (double)blue->attention_iou);
    EXPECT(mirrored_iou(&grades, blue->deletion, blue, true) < 0.1f &&
               mirrored_iou(&grades, blue->attention, blue, true) < 0.1f,
           "blue is below as well");
    word_grades_free(&grades);
    word_grades_free(&grades);
    model_close(model);
}

// Of two animals side by side: each word's maps are on its animal's side.
static void test_left_and_right(void) {
    Model *model = critters();
    Settings settings = settings_default(model);
    settings.prompt = "a red cat left of a green frog";
    WordGrades grades;
    Error error = {0};
    EXPECT(words_grade(model, &settings, 10, 1, &grades, &error), "%s", error.message);
    for (size_t i = 0; i < grades.count; i++) {
        const WordGrade *grade = &grades.words[i];
        float deletion = mirrored_iou(&grades, grade->deletion, grade, false),
              attention = mirrored_iou(&grades, grade->attention, grade, false);
        EXPECT(grade->deletion_iou > 2 * deletion && grade->attention_iou > 2 * attention,
               "word %zu: deletion %g, on the other side %g; attention %g, %g", i, (double)grade->deletion_iou,
               (double)deletion, (double)grade->attention_iou, (double)attention);
    }
    word_grades_free(&grades);
    model_close(model);
}

// Step k of a run that begins from a drawing is step k of the schedule, at its first, its last, and with a scheduler
// that asks twice a step; the same question has the same answer.
static void test_every_step_can_be_asked_about(void) {
    Model *model = critters();
    Settings settings = settings_default(model);
    settings.prompt = "a cat";
    Error error = {0};
    for (size_t steps = 1; steps <= 7; steps += 3) {
        size_t calls = steps == 4 ? 2 : 1;
        settings.num_inference_steps = steps;
        settings.scheduler = calls == 2 ? "heun" : NULL;
        Run *run = run_begin(model, &settings, &error);
        if (!run) test_fail(__FILE__, __LINE__, "run_begin", "%s", error.message), exit(test_summary());
        for (size_t k = 0; k < steps; k++) {
            WordGrades once, again;
            bool ok = words_grade(model, &settings, k, 1, &once, &error) &&
                      words_grade(model, &settings, k, 1, &again, &error);
            EXPECT(ok, "step %zu of %zu: %s", k, steps, error.message);
            if (!ok) continue;
            EXPECT(memcmp(once.maps, again.maps, 2 * 256 * sizeof *once.maps) == 0, "step %zu: not the same twice", k);
            float timestep = run_scheduler(run)->timesteps[k * calls];
            EXPECT(once.timestep == timestep, "step %zu of %zu: at %g, not at %g", k, steps, (double)once.timestep,
                   (double)timestep);
            word_grades_free(&once);
            word_grades_free(&again);
        }
        run_free(run);
    }
    model_close(model);
}

static void expect_refusal(const Model *model, const Settings *settings, size_t k, const char *message) {
    WordGrades grades;
    Error error = {0};
    EXPECT(!words_grade(model, settings, k, 1, &grades, &error) && strstr(error.message, message),
           "'%s', expected '%s'", error.message, message);
    EXPECT(!grades.words && !grades.maps && !grades.prompt && !grades.drawing.pixels, "something is left");
}

static void test_refusals(void) {
    Model *model = critters();
    Settings settings = settings_default(model);
    settings.prompt = "a cat";
    expect_refusal(model, &settings, 20, "no step 20 in a run of 20 steps");
    settings.width = 64;
    expect_refusal(model, &settings, 2, "128x128 pixels, not 64x128");
    settings.width = 128;
    settings.prompt = "a giraffe";
    expect_refusal(model, &settings, 2, "giraffe: not in the critters' world");
    settings.prompt = "";
    expect_refusal(model, &settings, 2, "nothing to draw");
    settings.prompt = NULL;
    expect_refusal(model, &settings, 2, "no prompt");
    settings.prompt = "a \xff";
    expect_refusal(model, &settings, 2, "UTF-8");
    settings.prompt = "a cat";
    settings.scheduler = "no such";
    expect_refusal(model, &settings, 2, "no such");
    model_close(model);
}

int main(void) {
    TEST(test_iou_by_hand);
    TEST(test_iou_of_nothing_and_everything);
    TEST(test_iou_stretches);
    TEST(test_chance);
    TEST(test_masks);
    TEST(test_words_are_graded);
    TEST(test_left_and_right);
    TEST(test_every_step_can_be_asked_about);
    TEST(test_refusals);
    return test_summary();
}
