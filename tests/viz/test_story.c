// test_story.c - what is said of a step, its channels and where two pictures differ, by numbers that are known here

#include "test.h"

#include "state/difference.h"
#include "state/latent_maps.h"
#include "state/story.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- a walk of four steps over latents of 2x2 -----------------------------------------------------------------------

enum { STEPS = 4, SIDE = 2, N = LATENT_CHANNELS * SIDE * SIDE };

static float *filled(float value) {
    float *numbers = malloc(N * sizeof *numbers);
    for (size_t i = 0; i < N; i++) numbers[i] = value;
    return numbers;
}

// Step k's noise is 1 everywhere, its predicted picture k; guidance adds 0.2 to what it is without.
static Branch *walk_of(const Chapter *chapters, size_t chapter_count, bool guided) {
    static const float sigmas[STEPS] = {14, 3, 0.8f, 0.1f};
    Branch *branch = branch_new(7, chapters, chapter_count);
    branch->state = BRANCH_DONE;
    branch->step_count = STEPS;
    branch->sigmas = malloc(sizeof sigmas);
    memcpy(branch->sigmas, sigmas, sizeof sigmas);
    branch->trace = calloc(1, sizeof *branch->trace);
    *branch->trace = (Trace){.channels = LATENT_CHANNELS, .height = SIDE, .width = SIDE, .step_count = STEPS};
    branch->trace->steps = calloc(STEPS, sizeof *branch->trace->steps);
    for (size_t k = 0; k < STEPS; k++) {
        branch->trace->steps[k] = (TraceStep){.timestep = 900 - 100 * (float)k,
                                              .latents = filled(5),
                                              .noise_pred = filled(1),
                                              .noise_pred_text = guided ? filled(0.8f) : NULL,
                                              .noise_pred_uncond = guided ? filled(0.6f) : NULL,
                                              .pred_original_sample = filled((float)k),
                                              .prev_sample = filled(6)};
    }
    return branch;
}

static Branch *walk(const char *scheduler, const char *config, bool guided) {
    static Chapter chapter;
    chapter = (Chapter){.knobs = {.guidance_scale = guided ? 2 : 1}};
    snprintf(chapter.knobs.scheduler, sizeof chapter.knobs.scheduler, "%s", scheduler);
    snprintf(chapter.knobs.scheduler_config, sizeof chapter.knobs.scheduler_config, "%s", config);
    return walk_of(&chapter, 1, guided);
}

static void expect_says(const Branch *branch, size_t k, const char *words) {
    StepStory story = story_of(branch, k);
    EXPECT(strstr(story.sentence, words), "step %zu: \"%s\" says nothing of \"%s\"", k, story.sentence, words);
}

static void expect_silent(const Branch *branch, size_t k, const char *words) {
    StepStory story = story_of(branch, k);
    EXPECT(!strstr(story.sentence, words), "step %zu: \"%s\" speaks of \"%s\"", k, story.sentence, words);
}

// ---- sentences ------------------------------------------------------------------------------------------------------

static void test_each_step_is_told_by_its_noise(void) {
    Branch *branch = walk("ddim", "", true);
    expect_says(branch, 0, "Nothing but noise: sigma 14.0");
    expect_says(branch, 1, "More noise than picture: sigma 3.0");
    expect_says(branch, 2, "More picture than noise: sigma 0.80");
    expect_says(branch, 3, "The last step: what is left of the noise, sigma 0.1");
    expect_says(branch, 4, "Done: 4 steps from noise");
    branch->sigmas[0] = 0.04f;
    expect_says(branch, 0, "yet this schedule begins at sigma 0.04");
    branch->sigmas[1] = 0.2f;
    expect_says(branch, 1, "Hardly any noise");
    branch->chapters[0].knobs.init_path[0] = 'a';
    expect_says(branch, 0, "Your picture under a little noise");
    expect_says(branch, 4, "from the picture it began with");
    branch_free(branch);
}

static void test_guidance_is_measured(void) {
    Branch *branch = walk("ddim", "", true), *alone = walk("ddim", "", false);
    expect_says(branch, 1, "Guidance 2 moves the predicted noise by about 40 %");
    expect_says(alone, 1, "No guidance");
    branch_free(branch);
    branch_free(alone);
}

static void test_schedulers_that_draw_noise(void) {
    const struct {
        const char *scheduler, *config;
        bool draws;
    } CASES[] = {{"euler_a", "", true}, {"euler", "", false},       {"ddim", "", false},
                 {"ddpm", "", true},    {"ddim", "eta=0.5", true},  {"ddim", "beta_start=0.1 eta=0", false},
                 {"lms", "", false},    {"dpmpp_2m_sde", "", true}, {"ddim", "zeta=1", false}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        Branch *branch = walk(CASES[i].scheduler, CASES[i].config, true);
        if (CASES[i].draws)
            expect_says(branch, 1, "adds fresh noise");
        else
            expect_silent(branch, 1, "adds fresh noise");
        expect_silent(branch, STEPS - 1, "adds fresh noise");
        branch_free(branch);
    }
}

static void test_two_questions_a_step(void) {
    Branch *branch = walk("heun", "", true);
    expect_silent(branch, 0, "twice");
    expect_says(branch, 1, "heun asks twice a step");
    branch_free(branch);
}

static void test_turns(void) {
    static Chapter chapters[2] = {{.knobs = {.guidance_scale = 2}}, {.from = 2, .knobs = {.guidance_scale = 12}}};
    Branch *branch = walk_of(chapters, 2, true);
    branch->left_at = 2;
    EXPECT(!story_of(branch, 1).turn[0], "a turn before its step");
    const char *turn = story_of(branch, 2).turn;
    EXPECT(strstr(turn, "From here on: guidance scale 2") && strstr(turn, "12"), "\"%s\"", turn);
    expect_says(branch, 2, "Guidance 12 ");
    expect_says(branch, 4, "The first 2 it shares");
    branch_free(branch);
}

static void test_walks_that_are_not_whole(void) {
    Chapter chapter = {0};
    Branch *branch = branch_new(1, &chapter, 1);
    expect_says(branch, 0, "It waits");
    branch->state = BRANCH_RUNNING;
    expect_says(branch, 0, "on its way");
    branch->state = BRANCH_FAILED;
    memset(branch->message, 'x', sizeof branch->message - 1);
    expect_says(branch, 0, "It failed before this step: xxx");
    branch->state = BRANCH_CANCELLED;
    expect_says(branch, 0, "It was stopped");
    branch_free(branch);

    branch = walk("ddim", "", true);
    free(branch->sigmas);
    branch->sigmas = NULL;
    expect_says(branch, 1, "timestep 800. How much noise that is is known once");
    branch->continuable = false;
    expect_says(branch, 1, "isn't known");
    EXPECT(isnan(facts_of(branch, 1).sigma), "sigma %g out of nothing", (double)facts_of(branch, 1).sigma);
    branch_free(branch);
}

// ---- numbers --------------------------------------------------------------------------------------------------------

static void test_facts(void) {
    Branch *branch = walk("ddim", "prediction_type=v_prediction", true);
    StepFacts facts = facts_of(branch, 2);
    EXPECT(facts.timestep == 700 && facts.sigma == 0.8f, "timestep %g, sigma %g", (double)facts.timestep,
           (double)facts.sigma);
    EXPECT(fabsf(facts.alpha - 1 / 1.64f) < 1e-6f, "alpha-bar %g", (double)facts.alpha);
    EXPECT(facts.noise_rms == 1 && fabsf(facts.guidance_rms - 0.2f) < 1e-6f, "rms %g, %g", (double)facts.noise_rms,
           (double)facts.guidance_rms);
    EXPECT(facts.moved == 1, "moved by %g", (double)facts.moved);
    EXPECT(facts.calls == 2 && facts.calls_so_far == 6, "%zu calls, %zu", facts.calls, facts.calls_so_far);
    EXPECT(isnan(facts_of(branch, 0).moved), "the first guess has moved");
    facts = facts_of(branch, STEPS);
    EXPECT(facts.sigma == 0 && facts.alpha == 1 && facts.calls == 0 && facts.calls_so_far == 8,
           "the end: sigma %g, %zu calls", (double)facts.sigma, facts.calls_so_far);
    EXPECT(branch_predicts_v(branch, 0), "v isn't known");
    branch_free(branch);
}

static void test_channels(void) {
    Branch *branch = walk("ddim", "", false);
    float *numbers = branch->trace->steps[1].latents;
    numbers[0] = -8, numbers[2 * SIDE * SIDE] = 6;
    Theme theme = theme_make(false);
    LatentMaps maps = {0};
    EXPECT(latent_maps_of(&maps, branch, 1, PICTURE_START, &theme), "no latents");
    EXPECT(maps.low[0] == -8 && maps.high[0] == 5 && maps.high[2] == 6 && maps.range == 8, "%g to %g, %g; range %g",
           (double)maps.low[0], (double)maps.high[0], (double)maps.high[2], (double)maps.range);
    Color lowest = difference_color(&theme, -1);
    EXPECT(memcmp(maps.maps[0].image.pixels, &lowest, 3) == 0, "the least number isn't the palette's end");
    uint64_t id = maps.maps[0].id;
    EXPECT(latent_maps_of(&maps, branch, 1, PICTURE_START, &theme) && maps.maps[0].id == id, "made anew for nothing");
    EXPECT(latent_maps_of(&maps, branch, 2, PICTURE_START, &theme) && maps.maps[0].id != id, "another step's");
    EXPECT(!latent_maps_of(&maps, branch, 1, PICTURE_GUIDANCE, &theme), "guidance out of nothing");
    EXPECT(!latent_maps_of(&maps, branch, STEPS, PICTURE_NOISE, &theme), "noise of no step");
    EXPECT(latent_maps_of(&maps, branch, STEPS, PICTURE_START, &theme) && maps.range == 6, "the end's latents");
    latent_maps_free(&maps);
    branch_free(branch);
}

static void test_difference(void) {
    Theme theme = theme_make(true);
    Image images[3] = {image_new(2, 1), image_new(2, 1), image_new(1, 1)};
    memset(images[0].pixels, 100, 6);
    memset(images[1].pixels, 100, 6);
    images[0].pixels[1] = 130;  // lighter by 30 in one of three colours
    Picture of = picture_of(images[0]), to = picture_of(images[1]), small = picture_of(images[2]);
    PictureDifference difference = {0};
    EXPECT(!difference_of(&difference, &of, &small, &theme), "pictures of two sizes");
    EXPECT(difference_of(&difference, &of, &to, &theme), "no difference");
    float distance = 30 / sqrtf(3), rms = 30 / sqrtf(6);
    EXPECT(fabsf(difference.rms - rms) < 1e-3f, "rms %g, not %g", (double)difference.rms, (double)rms);
    Color lighter = difference_color(&theme, distance / 255 / DIFFERENCE_RANGE), same = difference_color(&theme, 0);
    const uint8_t *pixels = difference.picture.image.pixels;
    EXPECT(memcmp(pixels, &lighter, 3) == 0 && memcmp(pixels + 3, &same, 3) == 0, "colours %d %d %d", pixels[0],
           pixels[1], pixels[2]);
    difference_free(&difference);
    picture_free(&of), picture_free(&to), picture_free(&small);
}

int main(void) {
    TEST(test_each_step_is_told_by_its_noise);
    TEST(test_guidance_is_measured);
    TEST(test_schedulers_that_draw_noise);
    TEST(test_two_questions_a_step);
    TEST(test_turns);
    TEST(test_walks_that_are_not_whole);
    TEST(test_facts);
    TEST(test_channels);
    TEST(test_difference);
    return test_summary();
}
